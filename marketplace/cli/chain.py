"""`cairn devnet` and `cairn deploy`: a chain to try things on, and a market on a chain."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from marketplace.cli.common import (
    DEFAULT_DEPLOYMENT,
    DEFAULT_RPC,
    AmountOption,
    CommandError,
    DeploymentOption,
    DevAccountOption,
    JsonOption,
    KeyOption,
    Output,
    PassphraseFdOption,
    PassphraseFileOption,
    RpcOption,
    Signer,
    named_account,
    open_journals,
    parse_coins,
    table,
)
from marketplace.cli.common import examples as with_examples

if TYPE_CHECKING:
    from zk.srs.verification_key import VerificationKey

devnet_app = typer.Typer(rich_markup_mode=None)


@devnet_app.callback(
    invoke_without_command=True,
    epilog=with_examples(
        "cairn devnet",
        "cairn devnet --port 9545 --state chain.sqlite",
        "cairn devnet --anvil",
    ),
)
def devnet(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port on loopback; 0 for any.")] = 8545,
    chain_id: Annotated[int, typer.Option("--chain-id", min=1, help="The chain's id.")] = 31_337,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="FILE", help="Keep the chain in a file; else it ends with this.")
    ] = None,
    accounts: Annotated[int, typer.Option("--accounts", min=1, max=1_000, help="Development accounts to fund.")] = 20,
    anvil: Annotated[bool, typer.Option("--anvil", help="Run Foundry's anvil instead of the embedded chain.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a local chain on loopback until interrupted."""
    if context.invoked_subcommand is not None:
        return
    from marketplace.chain.devnet.accounts import INITIAL_BALANCE, MNEMONIC, dev_accounts

    output = Output(as_json)
    funded = [account.address for account in dev_accounts(accounts)]
    with _chain(port, chain_id, state, accounts, anvil=anvil) as url:
        output.say(f"Local chain {chain_id} at {url}")
        output.say(f"Mnemonic of the development accounts, for a wallet: {MNEMONIC}")
        for line in table(["number", "account", "coins"], _account_rows(funded, INITIAL_BALANCE)):
            output.say(line)
        output.say("Ctrl-C stops it.")
        output.finish({"url": url, "chain_id": chain_id, "accounts": funded})
        _wait_for_a_signal()


def _account_rows(accounts: Sequence[str], balance: int) -> list[list[object]]:
    from marketplace.job.quantities import format_amount

    return [[number, account, format_amount(balance)] for number, account in enumerate(accounts)]


@contextmanager
def _chain(port: int, chain_id: int, state: Path | None, accounts: int, *, anvil: bool) -> Iterator[str]:
    """Run the chain that was asked for; yield its URL."""
    from marketplace.chain.devnet.anvil import start_anvil
    from marketplace.chain.devnet.server import run_devnet

    if anvil:
        with start_anvil(port=port, chain_id=chain_id, accounts=accounts, state_file=state, heartbeat=2) as url:
            yield url
    else:
        with run_devnet(port=port, chain_id=chain_id, accounts=accounts, state_file=state) as server:
            yield server.url


def _wait_for_a_signal() -> None:
    """Return when the process is interrupted or asked to end, so that the chain is closed in order."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    stop.wait()
    for number, handler in before.items():
        signal.signal(number, handler)


@devnet_app.command(
    "fund",
    epilog=with_examples(
        "cairn devnet fund owner",
        'cairn devnet fund 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --amount "5 ether"',
    ),
)
def devnet_fund(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An address, or the alias of a key.")],
    amount: AmountOption = "100 ether",
    sender: Annotated[int, typer.Option("--from", metavar="N", min=0, help="Development account that pays.")] = 0,
    rpc: RpcOption = DEFAULT_RPC,
    as_json: JsonOption = False,
) -> None:
    """Send coins from a development account of a local chain."""
    from marketplace.chain.connect import connect
    from marketplace.cli.funding import fund

    output = Output(as_json)
    wei, receiver = parse_coins(amount), named_account(account)
    w3 = connect(rpc)
    fund(w3, receiver, wei, sender)
    output.say(f"Sent {amount} to {receiver}.")
    output.finish({"account": receiver, "amount_wei": wei, "balance_wei": w3.eth.get_balance(receiver)})


def deploy_market(
    rpc: RpcOption = DEFAULT_RPC,
    deployment: DeploymentOption = DEFAULT_DEPLOYMENT,
    key: KeyOption = None,
    dev_account: DevAccountOption = None,
    passphrase_file: PassphraseFileOption = None,
    passphrase_fd: PassphraseFdOption = None,
    srs: Annotated[
        Path | None,
        typer.Option(
            "--srs",
            metavar="FILE",
            help="Structured reference string of a ceremony, from `cairn srs import`; on local chains the one for "
            "development is used if none is named.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put the market's contracts on a chain and write the deployment file that every other command reads.

    Who deploys pays for it and gets no rights over the market. Proofs are made with the structured reference string
    that is named here; whoever takes part imports the same one.
    """
    from marketplace.chain.connect import connect
    from marketplace.chain.deployment import deploy, write_deployment
    from marketplace.chain.local_chains import refuse_insecure

    output = Output(as_json)
    if not deployment.parent.is_dir():
        raise CommandError(
            f"There is no directory {deployment.parent} for the deployment file; create it, or name another."
        )
    w3 = connect(rpc)
    signer = Signer(key, dev_account, passphrase_file, passphrase_fd)
    signer.address(w3)
    verification_key = _verification_key(srs, output)
    # Before the passphrase is asked for.
    refuse_insecure(verification_key, w3.eth.chain_id)
    made = deploy(w3, signer.unlock(w3), verification_key, journals=open_journals())
    write_deployment(deployment, made)
    output.say(f"Market {made.market} on chain {made.chain_id}, verifier {made.verifier}.")
    output.say(f"Proofs are made with the structured reference string {made.srs}.")
    output.say(f"Rules: {', '.join(made.rules)}.")
    output.say(f"Wrote {deployment}.")
    if verification_key.is_for_development:
        output.note("INSECURE: its secrets are public, so anybody can forge proofs with it; for local chains only.")
    output.finish(
        {
            "file": str(deployment),
            "chain_id": made.chain_id,
            "market": made.market,
            "verifier": made.verifier,
            "srs": made.srs,
            "rules": made.rules,
        }
    )


def _verification_key(srs: Path | None, output: Output) -> VerificationKey:
    """Return the verification key of the file that was named, or the one for development."""
    from marketplace.cli.compilation import compile_arithmetic
    from zk.srs.development import development_key
    from zk.srs.file import open_srs

    compile_arithmetic(output)
    return development_key() if srs is None else open_srs(srs).key


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this module that stand by themselves."""
    app.command(
        "deploy",
        epilog=with_examples("cairn deploy --dev-account 0", "cairn deploy --rpc URL --key owner --srs ceremony.srs"),
    )(deploy_market)
