"""Compile the contracts and write what users need of them into the Python package.

With ``--check`` nothing is written: the contracts are compiled afresh and compared with the files that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import solcx
from solcx.exceptions import SolcError
from solcx.install import get_executable, get_installed_solc_versions

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
PACKAGE_DATA = ROOT / "marketplace" / "chain" / "artifacts"
TEST_CONTRACTS = ROOT / "tests" / "chain" / "contracts"
COMPILER_VERSION = "0.8.37"
# Of the libraries, only this one is of use outside: it holds the ABI of every error.
PUBLISHED_LIBRARIES = ("Errors",)
# A mistake in the sources must not be published: what the compiler warns of stops the build, as in forge's settings.
FATAL_SEVERITIES = ("error", "warning")


def compiler_settings() -> dict[str, Any]:
    """Translate ``contracts/foundry.toml`` into the settings of the compiler's JSON interface."""
    profile = tomllib.loads((CONTRACTS / "foundry.toml").read_text("utf-8"))["profile"]["default"]
    return {
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "evmVersion": profile["evm_version"],
        "viaIR": profile.get("via_ir", False),
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "appendCBOR": profile["cbor_metadata"]},
        "remappings": profile["remappings"],
        "outputSelection": {
            "*": {
                "": ["ast"],
                "*": [
                    "abi",
                    "evm.bytecode.object",
                    "evm.bytecode.linkReferences",
                    "evm.deployedBytecode.object",
                    "evm.deployedBytecode.immutableReferences",
                ],
            }
        },
    }


def find_compiler() -> Path:
    """Return a native compiler of the right version if py-solc-x has one, else the script over npm's."""
    if any(str(version) == COMPILER_VERSION for version in get_installed_solc_versions()):
        return Path(get_executable(COMPILER_VERSION))
    if not (CONTRACTS / "node_modules" / "solc").is_dir():
        raise SystemExit(
            f"build-contracts: no Solidity compiler {COMPILER_VERSION}; run `npm ci` in contracts/, or "
            f"`python -m solcx.install v{COMPILER_VERSION}`, then try again"
        )
    return CONTRACTS / "tools" / "solc"


def read_sources() -> dict[str, dict[str, str]]:
    """Read every source that is compiled, keyed by its path as the compiler sees it."""
    files = {f"src/{path.relative_to(CONTRACTS / 'src')}": path for path in (CONTRACTS / "src").rglob("*.sol")}
    files |= {f"test-support/{path.name}": path for path in TEST_CONTRACTS.glob("*.sol")}
    return {name: {"content": path.read_text("utf-8")} for name, path in sorted(files.items())}


def compile_contracts(settings: dict[str, Any]) -> dict[str, Any]:
    """Run the compiler once over all sources."""
    solc = find_compiler()
    request = {"language": "Solidity", "sources": read_sources(), "settings": settings}
    try:
        output: dict[str, Any] = solcx.compile_standard(
            request, base_path=CONTRACTS, allow_paths=CONTRACTS, solc_binary=solc
        )
    except SolcError as fault:
        raise SystemExit(f"build-contracts: the contracts do not compile\n{fault.message}") from fault
    problems = [e["formattedMessage"] for e in output.get("errors", []) if is_fatal(e)]
    if problems:
        raise SystemExit("build-contracts: the contracts compile with warnings\n" + "\n".join(problems))
    return output


def is_fatal(problem: dict[str, Any]) -> bool:
    """Tell whether the compiler's complaint concerns sources of this project and more than a remark."""
    file = problem.get("sourceLocation", {}).get("file", "")
    return problem["severity"] in FATAL_SEVERITIES and not file.startswith("node_modules/")


def is_published(definition: dict[str, Any]) -> bool:
    """Tell whether a definition of a source is a contract that users deploy or call, or whose errors they decode."""
    if definition["nodeType"] != "ContractDefinition":
        return False
    deployable = definition["contractKind"] == "contract" and not definition["abstract"]
    return deployable or definition["name"] in PUBLISHED_LIBRARIES


def artifact_text(name: str, compiled: dict[str, Any], settings: dict[str, Any]) -> str:
    """Render one artifact file."""
    evm = compiled["evm"]
    if evm["bytecode"]["linkReferences"]:
        raise SystemExit(f"build-contracts: {name} needs a library linked; make that library's functions internal")
    # The compiler names immutables by numbers that change with any other source; their places are what is needed.
    places = [place for places in evm["deployedBytecode"]["immutableReferences"].values() for place in places]
    content = {
        "contract": name,
        "compiler": {
            "version": COMPILER_VERSION,
            "settings": {key: value for key, value in settings.items() if key != "outputSelection"},
        },
        "abi": compiled["abi"],
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "immutableRanges": sorted([place["start"], place["length"]] for place in places),
    }
    return json.dumps(content, indent=1) + "\n"


def build() -> dict[Path, str]:
    """Compile everything; return the text of every artifact by the file it belongs into."""
    settings = compiler_settings()
    output = compile_contracts(settings)
    artifacts: dict[Path, str] = {}
    for source, unit in output["sources"].items():
        directory = {"src": PACKAGE_DATA, "test-support": TEST_CONTRACTS}.get(source.split("/")[0])
        if directory is None:
            continue
        for definition in filter(is_published, unit["ast"]["nodes"]):
            name = definition["name"]
            artifacts[directory / f"{name}.json"] = artifact_text(name, output["contracts"][source][name], settings)
    return artifacts


def differences(artifacts: dict[Path, str]) -> list[str]:
    """List every file that is missing, stale or left over."""
    present = {path for directory in (PACKAGE_DATA, TEST_CONTRACTS) for path in directory.glob("*.json")}
    faults = [f"{path.relative_to(ROOT)} is left over" for path in sorted(present - set(artifacts))]
    for path, text in sorted(artifacts.items()):
        if path not in present:
            faults.append(f"{path.relative_to(ROOT)} is missing")
        elif path.read_text("utf-8") != text:
            faults.append(f"{path.relative_to(ROOT)} is not what the sources compile to")
    return faults


def write(artifacts: dict[Path, str]) -> None:
    """Write every artifact and remove those whose contract is gone."""
    for directory in (PACKAGE_DATA, TEST_CONTRACTS):
        for stale in set(directory.glob("*.json")) - set(artifacts):
            stale.unlink()
    for path, text in artifacts.items():
        temporary = path.with_suffix(".json.new")
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)  # noqa: PTH105 - a reader sees the old file or the new one


def main() -> int:
    """Build or check, and say what was done."""
    parser = argparse.ArgumentParser(prog="build-contracts", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare with the committed artifacts, write nothing")
    check = parser.parse_args().check
    artifacts = build()
    if check:
        faults = differences(artifacts)
        for fault in faults:
            print(fault)
        if faults:
            print("build-contracts: run scripts/build-contracts and commit the result")
        return 1 if faults else 0
    write(artifacts)
    for path in sorted(artifacts):
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
