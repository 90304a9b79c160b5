"""Foundry's anvil in place of the embedded chain, with the same accounts, chain id and rules."""

from __future__ import annotations

import json
import platform
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.chain.devnet.accounts import DEFAULT_COUNT, DERIVATION_PATH, INITIAL_BALANCE, MNEMONIC
from marketplace.chain.devnet.ledger import DEFAULT_CHAIN_ID
from marketplace.chain.devnet.server import LOOPBACK
from marketplace.chain.devnet.vm import BLOCK_GAS_LIMIT
from marketplace.chain.errors import DevnetStartError

START_SECONDS = 20.0
STOP_SECONDS = 10.0
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
CHECKOUT = Path(__file__).resolve().parents[3]


def find_anvil() -> Path:
    """Return the anvil binary that npm installed in this checkout, else the one on PATH.

    Raises
    ------
    DevnetStartError
        If there is none.
    """
    system, machine = platform.system().lower(), ARCHITECTURES.get(platform.machine().lower(), "")
    installed = CHECKOUT / f"contracts/node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil"
    if installed.is_file():
        return installed
    on_path = shutil.which("anvil")
    if on_path is None:
        raise DevnetStartError(
            f"no anvil: neither {installed} nor on PATH; run `npm ci` in contracts/, or install Foundry"
        )
    return Path(on_path)


@contextmanager
def start_anvil(
    *,
    port: int = 0,
    chain_id: int = DEFAULT_CHAIN_ID,
    accounts: int = DEFAULT_COUNT,
    state_file: Path | None = None,
    heartbeat: int | None = None,
    start: int | None = None,
) -> Iterator[str]:
    """Run anvil while the context lasts; yield its URL.

    Parameters
    ----------
    port : int
        Port on loopback; 0 for any that is free.
    chain_id, accounts, state_file
        As for the embedded chain; see `Ledger`.
    heartbeat : int, optional
        Seconds between blocks beside those that follow transactions; None for none.
    start : int, optional
        Timestamp of the genesis block, seconds since the Unix epoch; by default the time of day.

    Raises
    ------
    DevnetStartError
        If there is no anvil, the port is taken, or it does not answer in time.
    """
    port = _claim_port(port)
    command = [str(find_anvil()), "--host", LOOPBACK, "--port", str(port), "--chain-id", str(chain_id)]
    command += ["--accounts", str(accounts), "--mnemonic", MNEMONIC, "--derivation-path", f"{DERIVATION_PATH}/"]
    command += ["--balance", str(INITIAL_BALANCE // 10**18), "--gas-limit", str(BLOCK_GAS_LIMIT)]
    command += ["--hardfork", "prague", "--disable-default-create2-deployer", "--silent"]
    command += ["--state", str(state_file)] if state_file is not None else []
    command += ["--block-time", str(heartbeat), "--mixed-mining"] if heartbeat is not None else []
    command += ["--timestamp", str(start)] if start is not None else []
    url = f"http://{LOOPBACK}:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            _wait_until_it_answers(process, url)
            yield url
        finally:
            process.terminate()  # anvil writes its state file on this signal
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _claim_port(port: int) -> int:
    """Return the port, or a free one for 0; whoever listens there already would be taken for anvil."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as fault:
            raise DevnetStartError(
                f"anvil can't listen on {LOOPBACK} port {port} ({fault.strerror}); another program may be listening "
                "there: stop it, or choose another port"
            ) from fault
        return int(probe.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - the scheme is ours
        url,
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode(),
        {"Content-Type": "application/json"},
    )
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
            raise DevnetStartError(f"anvil ended at once with status {process.returncode}: {said or 'it said nothing'}")
        try:
            with urllib.request.urlopen(request, timeout=1):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise DevnetStartError(
        f"anvil did not answer at {url} within {START_SECONDS:.0f} s; try again, or the embedded chain"
    )
