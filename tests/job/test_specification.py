"""A job specification is refused with everything that is wrong with it, or makes terms that the market takes."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from contribution.reward_schedule import MAX_DECAY, round_reward
from marketplace.chain.calls import call_view
from marketplace.chain.deployment import Deployment, deploy_contract
from marketplace.chain.devnet.accounts import dev_account
from marketplace.chain.errors import ContractRevertedError
from marketplace.chain.structs import NATIVE_COIN, Terms
from marketplace.job.document import DocumentError, decode_document, fetch_initial_model
from marketplace.job.limits import MAX_AMOUNT, MAX_REFERENCES, MAX_ROUNDS, least_penalty
from marketplace.job.merkle import allowlist_root
from marketplace.job.specification import (
    SpecificationError,
    document,
    example,
    initial_model,
    load_specification,
    parse_specification,
    terms,
)
from marketplace.storage.directory import DirectoryStore

OWNER = dev_account(0).address
NOW = 1_767_225_700
# A tenth more than the first of three rounds pays, which is 27/14 ether, rounded up.
LEAST_PENALTY = 2_121_428_571_428_571_429


def faults_of(tables: dict[str, Any], directory: Path = Path()) -> tuple[str, ...]:
    with pytest.raises(SpecificationError) as refused:
        parse_specification(tables, directory)
    return refused.value.faults


def set_entry(tables: dict[str, Any], path: str, value: object) -> None:
    section, _, entry = path.partition(".")
    tables[section][entry] = value


def test_the_example_loads(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(example())
    specification = load_specification(path)
    assert specification.round.rounds == 3
    assert specification.training.configuration().learning_rate == 0.06


def test_what_is_left_out_follows_from_the_rest(tables: dict[str, Any]) -> None:
    for entry in ("deliver", "settle", "challenge"):
        del tables["round"][entry]
    del tables["money"]["stake"], tables["trainers"]["minimum"]
    tables["round"]["submit"] = "61 s"
    tables["money"]["reward_per_round"] = 1_000_000_000_000_000_001
    specification = parse_specification(tables)
    money, rounds = specification.money, specification.round
    # Of three rounds the first pays 27/14 of the average.
    assert money.penalty == 2_121_428_571_428_571_431, "a tenth more than the first round's, rounded up"
    assert money.bond == 2 * money.penalty
    assert (money.stake, money.absence_penalty) == (money.reward_per_round, money.reward_per_round // 10)
    assert (rounds.deliver, rounds.settle, rounds.challenge) == (31, 61, 31)
    assert specification.trainers.minimum == 5
    assert specification.parties.reference_vectors == MAX_REFERENCES


def test_a_referee_posts_what_the_rule_reads(tables: dict[str, Any]) -> None:
    tables["round"]["rule"] = "multi-krum-exact-shapley/1"
    assert parse_specification(tables).parties.reference_vectors == 1
    tables["parties"]["reference_vectors"] = 2
    [fault] = faults_of(tables)
    assert "parties.reference_vectors is 2; it must be 1 with round.rule 'multi-krum-exact-shapley/1'" in fault
    tables["parties"] |= {"referee": "none", "reference_vectors": 0}
    assert parse_specification(tables).parties.reference_vectors == 0
    del tables["parties"]["reference_vectors"]
    assert parse_specification(tables).parties.reference_vectors == 0


@given(st.integers(1, MAX_AMOUNT), st.integers(0, MAX_DECAY), st.integers(1, MAX_ROUNDS))
def test_the_least_penalty_is_a_tenth_more_than_any_round_pays(average: int, decay: int, rounds: int) -> None:
    most = round_reward(average, decay, rounds, 0)
    least = least_penalty(average, decay, rounds)
    assert 10 * (least - 1) < 11 * most <= 10 * least
    assert most >= round_reward(average, decay, rounds, rounds - 1)
    assert most < 3 * average


def test_a_file_with_five_faults_lists_five(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    text = example()
    for old, new in (
        ('title = "Handwritten digits"\n', ""),
        ("scale_exponent = 12", "scale_exponent = 99"),
        ('reward_per_round = "1 ether"', 'reward_per_round = "1 pound"'),
        ("maximum = 10", "maximum = 4"),
        ("momentum = 0.5", "momentun = 0.5"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    with pytest.raises(SpecificationError) as refused:
        load_specification(path)
    assert len(refused.value.faults) == 5, refused.value.faults
    assert str(refused.value).startswith(f"{path} has 5 faults; correct it and try again:\n- job.title is missing")
    assert str(refused.value).count("\n- ") == 5


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("job.title", "", "job.title is ''; it must be a text of 1 to 200 characters"),
        ("job.title", 7, "job.title is 7; it must be a text"),
        ("job.colour", "red", "job.colour is not known; [job] takes title, description, licence, datasheet"),
        ("round.round", 3, "round.round is not known (did you mean rounds?)"),
        ("model.name", "transformer", "it must be one of logistic-regression, mlp, cnn"),
        ("model.name", ["mlp"], "it must be one of logistic-regression, mlp, cnn"),
        ("model.parameters", {"hidden": [0]}, "hidden[0] is 0; it must be an integer from 1 to 8192"),
        ("model.parameters", 32, "model.parameters is 32; it must be a table"),
        ("model.seed", -1, "model.seed is -1; it must be an integer from 0"),
        ("data.inputs", True, "data.inputs is True; it must be an integer from 1 to 1048576"),
        ("data.classes", 1, "data.classes is 1; it must be an integer from 2 to 10000"),
        ("data.normalisation", "zscore", "it must be one of none, digits, grey-255, breast-cancer"),
        ("training.epochs", 0, "training.epochs is 0; it must be an integer from 1 to 10000"),
        ("training.momentum", float("nan"), "training.momentum is nan; it must be a number from 0 to 0.9999"),
        ("training.server_momentum", 1.0, "training.server_momentum is 1.0; it must be a number from 0 to 0.99"),
        ("training.server_momentum", "0.9", "training.server_momentum is '0.9'; it must be a number from 0 to 0.99"),
        ("round.rounds", 10_001, "round.rounds is 10001; it must be an integer from 1 to 10000"),
        ("round.bits", 1, "round.bits is 1; it must be an integer from 2 to 16"),
        ("round.bits", 16.0, "round.bits is 16.0; it must be an integer from 2 to 16"),
        ("round.scale_exponent", 49, "it must be an integer from 0 to 48"),
        ("round.tolerated", 63, "round.tolerated is 63; it must be an integer from 0 to 62"),
        ("round.submit", "31 d", "round.submit is '31 d'; it must be from 1 s to 30 d"),
        ("round.submit", "90", "it must be a number and s, min, h or d"),
        ("round.challenge", "51 s", "round.challenge is 51 s; it must be from 1 s to 50 s"),
        ("round.accept_small_model", "yes", "round.accept_small_model is 'yes'; it must be true or false"),
        (
            "round.accept_small_model",
            False,
            "it has 2410 parameters; it must have 1024 x (10 trainers + 8 curvature vectors) x 3 rounds = 55296",
        ),
        ("money.reward_per_round", "0 ether", "money.reward_per_round is 0 wei; it must be from 1 wei"),
        (
            "money.reward_per_round",
            2**94 + 1,
            f"money.reward_per_round is {2**94 + 1}; it must be from 0 to {2**94} wei",
        ),
        ("money.reward_per_round", 1.5, 'it must be a text such as "0.5 ether", or an integer in wei'),
        ("money.reward_decay", 3, "money.reward_decay is 3; it must be an integer from 0 to 2"),
        ("money.reward_decay", 0.5, "money.reward_decay is 0.5; it must be an integer from 0 to 2"),
        (
            "money.penalty",
            "2 ether",
            "money.penalty is 2 ether; it must be from 2121428571428571429 wei to 19807040628566084398385987584 wei: a "
            "skipped settlement must cost the aggregator a tenth more than the first round pays, the most of all",
        ),
        ("money.bond", "4 ether", "money.bond is 4 ether; it must be from 4242857142857142858 wei"),
        ("money.absence_penalty", "51 wei", ""),
        (
            "money.absence_penalty",
            "0.06 ether",
            "money.absence_penalty is 0.06 ether; it must be from 0 wei to 0.05 ether",
        ),
        ("money.decimals", 18, "money.decimals is 18 without money.token"),
        ("trainers.minimum", 4, "trainers.minimum is 4; it must be from 5 to 128"),
        ("trainers.maximum", 129, "trainers.maximum is 129; it must be an integer from 1 to 128"),
        ("trainers.maximum", 4, "trainers.maximum is 4; it must be from 5"),
        ("trainers.allowlist", [OWNER], "trainers.allowlist names 1 accounts; it must name 5 at least"),
        ("trainers.allowlist", [OWNER, OWNER], "entry 2 repeats"),
        ("trainers.allowlist", "nobody.txt", "nobody.txt can't be read (No such file or directory)"),
        ("trainers.strike_tolerance", -1, "trainers.strike_tolerance is -1; it must be a number from 0 to 655.35"),
        ("trainers.strike_tolerance", 0.001, "at most two digits after the point"),
        ("trainers.strike_limit", 256, "it must be an integer from 0 to 255"),
        ("parties.aggregator", "0x" + "00" * 20, "it must not be the zero address"),
        ("parties.aggregator", "0x" + OWNER[2:].swapcase(), "checksum is wrong"),
        ("parties.referee", "nobody", 'it must be an address: 0x and 40 hex digits, or "owner", or "none"'),
        ("parties.reference_vectors", 0, "parties.reference_vectors is 0; it must be from 1 to 9"),
        ("start.deadline", "366 d", "start.deadline is '366 d'; it must be from 1 s to 365 d"),
        ("start.deadline", 0, "it must be from 1 s to 365 d"),
    ],
)
def test_one_fault_is_told_with_path_and_range(tables: dict[str, Any], path: str, value: object, words: str) -> None:
    set_entry(tables, path, value)
    if not words:
        parse_specification(tables)
        return
    faults = faults_of(tables)
    assert len(faults) == 1, faults
    assert words in faults[0]


def test_sections_are_missing_unknown_or_of_the_wrong_kind(tables: dict[str, Any]) -> None:
    del tables["parties"]
    tables["job"] = "digits"
    tables["party"] = {}
    faults = faults_of(tables)
    assert faults[0].startswith("[party] is not known (did you mean parties?)")
    assert faults[1].startswith("job is 'digits'; it must be a section")
    assert faults[2] == "[parties] is missing; it must have aggregator"
    assert len(faults) == 3


def test_deposits_beyond_what_a_job_can_hold_are_refused(tables: dict[str, Any]) -> None:
    tables["money"]["reward_per_round"] = 2**93
    tables["round"]["rounds"] = 10_000
    assert any("10000 rounds of" in fault and "a job holds at most" in fault for fault in faults_of(tables))


def test_jobs_without_a_referee_pay_none(tables: dict[str, Any]) -> None:
    tables["parties"]["referee"] = "none"
    tables["money"]["referee_fee_per_round"] = "1 wei"
    tables["parties"]["reference_vectors"] = 2
    assert len(faults_of(tables)) == 2


def test_tokens_need_their_decimals(tables: dict[str, Any]) -> None:
    tables["money"] |= {"token": dev_account(9).address, "reward_per_round": "2.5", "aggregator_fee_per_round": "0"}
    tables["money"]["stake"] = "1"
    assert faults_of(tables) == (
        "money.decimals is missing; say how many decimals the token has, as its contract's decimals() answers",
    )
    tables["money"]["decimals"] = 6
    tables["money"]["token"] = "0x12"
    assert faults_of(tables) == ("money.token is '0x12'; it must be an address: 0x and 40 hex digits",)
    tables["money"]["token"] = dev_account(9).address
    specification = parse_specification(tables)
    assert specification.money.reward_per_round == 2_500_000
    assert specification.money.currency.is_token


def test_the_allowlist_is_a_file_beside_the_specification(tables: dict[str, Any], tmp_path: Path) -> None:
    accounts = [dev_account(index).address for index in range(3, 9)]
    text = "# trainers\n\n" + "\n".join(f"{account}  # trainer" for account in accounts)
    (tmp_path / "trainers.txt").write_text(text)
    tables["trainers"]["allowlist"] = "trainers.txt"
    assert parse_specification(tables, tmp_path).trainers.allowlist == tuple(accounts)
    (tmp_path / "trainers.txt").write_text(text + "\n0x1234\n")
    assert "trainers.txt line 9 is '0x1234'; it must be an address" in faults_of(tables, tmp_path)[0]


def test_parties_can_not_be_on_the_allowlist(tables: dict[str, Any]) -> None:
    tables["trainers"]["allowlist"] = [dev_account(index).address for index in range(1, 8)]
    assert any("parties.aggregator is on trainers.allowlist" in fault for fault in faults_of(tables))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"can't be read \(No such file or directory\)"),
        (b"rounds = = 3", "it is not TOML"),
        (b"\xff", "it is not UTF-8"),
        (b"a = " + b"[" * 5_000, "it is not TOML"),
        (b"a = " + b"[" * 200_000, "it is not TOML"),
        (b"a = " + b"9" * 5_000, "it is not TOML"),
        (b"[training]\nepochs = 0x" + b"f" * 5_000, "an integer of more than 256 bits"),
        (b"#" * 300_000, "more than the 262144 bytes"),
        (b"", r"has 7 faults"),
    ],
)
def test_files_that_are_no_specification_are_told(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "job.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecificationError, match=words):
        load_specification(path)


def test_terms_are_those_of_the_file(tables: dict[str, Any], deployment: Deployment) -> None:
    made = terms(parse_specification(tables), deployment, OWNER, NOW)
    assert made == Terms(
        aggregator=dev_account(1).address,
        reward_per_round=10**18,
        rule=deployment.rules["capped-mixture-exact-shapley/1"],
        dimension=2410,
        coordinate_bits=16,
        scale_exponent=12,
        tolerated=1,
        references=9,
        min_trainers=5,
        max_trainers=10,
        reward_decay=2,
        submit_window=30,
        deliver_window=20,
        settle_window=40,
        challenge_window=5,
        start_deadline=NOW + 3600,
        rounds=3,
        strike_tolerance_bps=5000,
        strike_limit=3,
        stake=5 * 10**17,
        absence_penalty=5 * 10**16,
        penalty=LEAST_PENALTY,
        bond=2 * LEAST_PENALTY,
        token=NATIVE_COIN,
        aggregator_fee_per_round=10**17,
        referee=OWNER,
        referee_fee_per_round=0,
        allowlist_root=bytes(32),
    )


def test_terms_name_referee_token_and_allowlist(tables: dict[str, Any], deployment: Deployment) -> None:
    accounts = [dev_account(index).address for index in range(3, 9)]
    tables["trainers"]["allowlist"] = accounts
    tables["parties"]["referee"] = dev_account(2).address
    tables["money"] |= {"token": dev_account(9).address, "decimals": 0, "aggregator_fee_per_round": 0}
    tables["money"] |= {"stake": 10, "reward_per_round": 3}
    made = terms(parse_specification(tables), deployment, OWNER, NOW)
    assert (made.referee, made.token) == (dev_account(2).address, dev_account(9).address)
    assert made.allowlist_root == allowlist_root(accounts)
    tables["parties"]["referee"] = "none"
    assert terms(parse_specification(tables), deployment, OWNER, NOW).referee == NATIVE_COIN


def test_deadlines_may_be_moments_and_must_be_ahead(tables: dict[str, Any], deployment: Deployment) -> None:
    tables["start"]["deadline"] = datetime.datetime.fromtimestamp(NOW + 60, datetime.UTC)
    specification = parse_specification(tables)
    assert terms(specification, deployment, OWNER, NOW).start_deadline == NOW + 60
    with pytest.raises(SpecificationError, match=r"start.deadline is 0 s from now"):
        terms(specification, deployment, OWNER, NOW + 60)
    tables["start"]["deadline"] = datetime.datetime(2026, 1, 1)
    assert "it must say its time zone" in faults_of(tables)[0]


def test_rules_must_be_the_markets(tables: dict[str, Any], deployment: Deployment) -> None:
    tables["round"]["rule"] = "mean/1"
    with pytest.raises(SpecificationError, match="it must be one of the market's rules: multi-krum-exact-shapley/1, c"):
        terms(parse_specification(tables), deployment, OWNER, NOW)
    del tables["round"]["rule"]
    for rules in ({"median/1": OWNER, "mean/1": OWNER}, {"mean/1": OWNER}):
        other = dataclasses.replace(deployment, rules=rules)
        with pytest.raises(SpecificationError, match=r"round.rule is missing; choose one of"):
            terms(parse_specification(tables), other, OWNER, NOW)


def test_document_and_model_can_be_fetched_again(tables: dict[str, Any], tmp_path: Path) -> None:
    specification = parse_specification(tables)
    store = DirectoryStore(tmp_path)
    made = document(specification, store.add(initial_model(specification)))
    assert decode_document(made.encode()) == made
    assert fetch_initial_model(store, made, 2410).shape == (2410,)
    assert initial_model(specification) == initial_model(specification)
    tables["model"]["seed"] = 1
    assert initial_model(parse_specification(tables)) != initial_model(specification)


def test_the_document_tells_the_server_momentum(tables: dict[str, Any], tmp_path: Path) -> None:
    without = document(parse_specification(tables), DirectoryStore(tmp_path).add(b""))
    assert without.server_momentum == 0
    tables["training"]["server_momentum"] = 0.9
    made = document(parse_specification(tables), without.initial_model)
    assert made.encode() != without.encode(), "trainers agree to the document's CID"
    assert decode_document(made.encode()).server_momentum == 0.9
    assert made.training == without.training


@pytest.mark.parametrize("momentum", [b"1.0", b"-0.5", b'"0.9"', b"true", b"null"])
def test_a_document_with_another_server_momentum_is_refused(
    tables: dict[str, Any], tmp_path: Path, momentum: bytes
) -> None:
    encoded = document(parse_specification(tables), DirectoryStore(tmp_path).add(b"")).encode()
    assert encoded.count(b'"server_momentum":0.0') == 1
    with pytest.raises(DocumentError, match=r"server_momentum is .*; it must be a number from 0 to 0.99"):
        decode_document(encoded.replace(b'"server_momentum":0.0', b'"server_momentum":' + momentum))


# Values at and beyond each end of a range, of which the contract must take exactly those that the file may hold.
EDGES: list[tuple[str, list[object]]] = [
    ("money.reward_per_round", [0, 1, 10**18, 2**94]),
    ("money.reward_decay", [0, 1, 2, 3]),
    ("money.penalty", [LEAST_PENALTY - 1, LEAST_PENALTY, 2**94]),
    ("money.bond", [2 * LEAST_PENALTY - 1, 2 * LEAST_PENALTY, 2**94]),
    ("money.stake", [0, 2**94]),
    ("money.absence_penalty", [0, 5 * 10**16, 5 * 10**16 + 1]),
    ("money.referee_fee_per_round", [0, 10**18]),
    ("round.rounds", [1, 10_000]),
    ("round.bits", [2, 16]),
    ("round.scale_exponent", [0, 48]),
    ("round.tolerated", [0, 1, 2]),
    ("round.challenge", [1, 50, 51]),
    ("trainers.minimum", [4, 5, 10, 11]),
    ("trainers.maximum", [4, 5, 128]),
    ("parties.reference_vectors", [0, 1, 4]),
    ("parties.referee", ["owner", "none"]),
    ("start.deadline", [1, 365 * 86_400]),
]


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in EDGES for value in values])
def test_the_contract_takes_what_the_file_may_hold(
    w3: Web3, deployment: Deployment, tables: dict[str, Any], path: str, value: object
) -> None:
    plain = parse_specification(tables)
    set_entry(tables, path, value)
    check = terms_check(w3)
    try:
        specification = parse_specification(tables)
    except SpecificationError:
        with pytest.raises(ContractRevertedError, match="must be from"):
            check(_forced(terms(plain, deployment, OWNER, w3.eth.get_block("latest")["timestamp"]), path, value))
    else:
        made = terms(specification, deployment, OWNER, w3.eth.get_block("latest")["timestamp"])
        assert check(made) == made.deposit


def _forced(made: Terms, path: str, value: object) -> Terms:
    names = {
        "round.challenge": "challenge_window",
        "trainers.minimum": "min_trainers",
        "trainers.maximum": "max_trainers",
        "parties.reference_vectors": "references",
    }
    name = names.get(path, path.partition(".")[2])
    return dataclasses.replace(made, **{name: value})


def terms_check(w3: Web3) -> Any:
    contract, _ = deploy_contract(w3, dev_account(0), "TermsCheck")
    return lambda made: call_view(contract.functions.check(made.to_abi()), "pending")


def test_vectors_of_the_referee_count_among_what_is_learnt_of_an_update(tables: dict[str, Any]) -> None:
    tables["round"]["accept_small_model"] = False
    for vectors, others in ((1, "10 trainers x 3 rounds = 30720"), (3, "(10 trainers + 2 curvature vectors) x")):
        tables["parties"]["reference_vectors"] = vectors
        [fault] = faults_of(tables)
        assert f"it must have 1024 x {others}" in fault
