"""Every error that a contract can end in is told in a sentence with all its values."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from marketplace.chain import artifacts
from marketplace.chain.artifacts import load_artifact
from marketplace.chain.revert_reasons import ENUMS, PANICS, REASONS
from marketplace.chain.reverts import decode_revert, selector, value_text

CARRIED = sorted(path.stem for path in Path(artifacts.__file__).parent.glob("*.json"))
ACCOUNT = "0x" + "12" * 20


def contract_errors() -> dict[str, dict]:
    entries = [entry for name in CARRIED for entry in load_artifact(name).abi if entry["type"] == "error"]
    return {entry["name"]: entry for entry in entries}


def sample(parameter: dict, index: int) -> object:
    match parameter["type"]:
        case "address":
            return "0x" + f"{index + 0x11:02x}" * 20
        case "bool":
            return True
        case "string":
            return "a text"
        case "bytes":
            return bytes([index + 1]) * 36
        case kind if kind.startswith("bytes"):
            return bytes([index + 0x81]) * int(kind[5:])
        case "uint8":
            return 1 + index % 2
        case kind if kind.startswith(("uint", "int")):
            return 1_700_000_000 + index
    raise AssertionError(f"no sample for {parameter}")


@pytest.mark.parametrize("name", sorted(contract_errors()))
def test_each_error_has_a_sentence_with_all_its_values(name: str) -> None:
    entry = contract_errors()[name]
    assert name in REASONS, f"add a sentence for {name} to marketplace/chain/revert_reasons.py"
    named = {field for _, field, _, _ in string.Formatter().parse(REASONS[name]) if field}
    assert named == {parameter["name"] for parameter in entry["inputs"]}
    values = [sample(parameter, index) for index, parameter in enumerate(entry["inputs"])]
    data = selector(entry) + encode([parameter["type"] for parameter in entry["inputs"]], values)
    decoded = decode_revert(data, [entry])
    assert decoded.name == name
    for parameter, value in zip(entry["inputs"], decoded.arguments.values(), strict=True):
        assert value_text(parameter, value) in decoded.sentence


def test_each_sentence_belongs_to_an_error_that_exists() -> None:
    standard = {name for name in REASONS if name.startswith(("ERC20", "SafeERC20", "Reentrancy"))}
    assert set(REASONS) - standard <= set(contract_errors())


def test_names_of_states_are_the_contracts() -> None:
    types = (Path(__file__).parents[2] / "contracts" / "src" / "Types.sol").read_text()
    for enum, names in ENUMS.items():
        body = types.split(f"enum {enum} {{")[1].split("}")[0]
        assert tuple(name.strip() for name in body.split(",")) == names


def test_values_read_as_people_read_them() -> None:
    entry = contract_errors()["Market_TooLate"]
    data = selector(entry) + encode(["uint256", "uint256"], [1_767_225_661, 1_767_225_600])
    assert decode_revert(data, [entry]).sentence == (
        "it is 2026-01-01 00:01:01 UTC (1767225661) and the deadline was 2026-01-01 00:00:00 UTC (1767225600); "
        "this can't be done any more"
    )
    entry = contract_errors()["Market_WrongState"]
    data = selector(entry) + encode(["uint256", "uint8", "uint8"], [7, 2, 1])
    assert "job 7 is Running and must be Open" in decode_revert(data, [entry]).sentence
    entry = contract_errors()["Market_TermOutOfRange"]
    data = selector(entry) + encode(["bytes32"] + ["uint256"] * 3, [b"rounds".ljust(32, b"\0"), 0, 1, 10_000])
    assert "the term rounds is 0 and must be from 1 to 10000" in decode_revert(data, [entry]).sentence


def test_solidity_own_errors_are_known() -> None:
    plain = keccak(text="Error(string)")[:4] + encode(["string"], ["not today"])
    assert decode_revert(plain, []).sentence == "not today"
    for code, meaning in PANICS.items():
        panic = keccak(text="Panic(uint256)")[:4] + encode(["uint256"], [code])
        assert meaning in decode_revert(panic, []).sentence


def test_error_without_a_sentence_is_still_named() -> None:
    entry = {"type": "error", "name": "Odd", "inputs": [{"name": "who", "type": "address"}]}
    data = selector(entry) + encode(["address"], [ACCOUNT])
    assert decode_revert(data, [entry]).sentence == "Odd(who: 0x1212121212121212121212121212121212121212)"


def test_revert_without_reason_is_told() -> None:
    assert "no reason" in decode_revert(b"", []).sentence


@given(st.binary(min_size=1, max_size=200), st.sampled_from(sorted(contract_errors())), st.booleans())
def test_whatever_a_contract_returns_gives_a_sentence(data: bytes, name: str, starts_right: bool) -> None:
    entry = contract_errors()[name]
    decoded = decode_revert((selector(entry) if starts_right else b"") + data, contract_errors().values())
    assert decoded.sentence
