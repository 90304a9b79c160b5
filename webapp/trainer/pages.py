"""`/jobs/<number>/join` and `/jobs/<number>/trainer`: a trainer's pages."""

from __future__ import annotations

from typing import Final

from eth_typing import ChecksumAddress
from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.chain.errors import ChainError
from marketplace.chain.fees import DEFAULT_TIP, next_base_fee
from marketplace.chain.structs import JobState, TrainerStatus
from marketplace.index.queries.accounts import list_entries
from marketplace.index.queries.jobs import JobPage, SeatLine, job_page
from marketplace.index.queries.seats import parts_of
from marketplace.job.fields import parse_address
from marketplace.job.merkle import allowlist_proof, allowlist_root
from marketplace.job.quantities import NATIVE
from marketplace.storage.cid import parse_binary_cid
from webapp.account.money import withdrawable
from webapp.public.asking import one_state, value_of
from webapp.refusals import NoNodeError, RefusedError
from webapp.sign_in.sessions import required_account, signed_in
from webapp.site import site
from webapp.trainer.agreement import agreed_digest, digests, expectation, is_party, points
from webapp.trainer.configuration import archive, start_of
from webapp.transactions.offering import allowance_first, offer
from webapp.transactions.unsigned import join, leave

SHOWN_PARTS: Final = 50
MOST_ON_A_LIST: Final = 1_000

pages: Final = Blueprint("trainer", __name__)


class WrongListError(RefusedError):
    """Thrown when the list that a trainer gives is not the owner's, or does not name the trainer."""

    status = 422

    def __init__(self, fault: str) -> None:
        super().__init__(f"The list of accounts can't be used: {fault}. Ask the owner for it.")


@pages.get("/jobs/<int:number>/join")
def joining(number: int) -> ResponseReturnValue:
    """Show what joining a job means; for everybody, signed in or not."""
    page = _page(number)
    currency, visitor = site().currencies.of(page.line.token), signed_in()
    seat = None if visitor is None else _seat(page, visitor.account)
    return render_template(
        "trainer/join.html",
        page=page,
        currency=currency,
        points=points(page, currency),
        expectation=expectation(page, _fee_per_gas()),
        digests=digests(page),
        specification=str(parse_binary_cid(page.specification_cid)),
        start=start_of(site(), number),
        seat=seat,
        is_party=visitor is not None and is_party(page, visitor.account),
        is_open=page.line.state in (JobState.OPEN, JobState.RUNNING),
        needs_list=any(page.terms.allowlist_root),
        NATIVE=NATIVE,
    )


@pages.post("/jobs/<int:number>/join")
def prepare_joining(number: int) -> ResponseReturnValue:
    """Prepare a trainer's joining."""
    account = required_account()
    page, market = _page(number), site().node.market()
    if request.form.get("understood") != "yes":
        abort(422, "Say first that you have read what joining means; it stands on the page before.")
    proof = _proof(page, account, request.form.get("allowlist", ""))
    digest = agreed_digest(market, number, page)
    needed = allowance_first(market, account, page.terms, page.terms.stake, number)
    if needed is not None:
        return offer(needed)
    return offer(join(market, account, number, page.terms, digest, proof))


@pages.get("/jobs/<int:number>/trainer")
def seat(number: int) -> ResponseReturnValue:
    """Show a trainer its part in a job."""
    account = required_account()
    with one_state() as reader:
        page = value_of(job_page(reader, number))
        parts = parts_of(reader, number, account, size=SHOWN_PARTS).value if page else ()
        entries = list_entries(reader, account=account, job=number).value.items if page else ()
    if page is None:
        abort(404, f"There is no job {number} in this market.")
    mine = _seat(page, account)
    if mine is None and not _has_joined(number, account):
        abort(404, f"Your account has no seat in job {number}.")
    due = withdrawable(account, [number])
    return render_template(
        "trainer/seat.html",
        page=page,
        seat=mine,
        parts=parts,
        entries=entries,
        currency=site().currencies.of(page.line.token),
        due=None if due is None else due[number],
        start=start_of(site(), number),
        can_leave=mine is not None and mine.status == TrainerStatus.STAKED and not page.line.state.ended,
    )


@pages.get("/jobs/<int:number>/trainer.zip")
def files(number: int) -> ResponseReturnValue:
    """Give the files with which a trainer's process starts; they hold no secret and are for everybody."""
    _page(number)
    response: Response = make_response(archive(site(), number))
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="cairn-job-{number}.zip"'
    return response


@pages.post("/jobs/<int:number>/leave")
def prepare_leaving(number: int) -> ResponseReturnValue:
    """Prepare a trainer's leaving."""
    account = required_account()
    return offer(leave(site().node.market(), account, number))


def _page(number: int) -> JobPage:
    with one_state() as reader:
        page = value_of(job_page(reader, number))
    if page is None:
        abort(404, f"There is no job {number} in this market.")
    return page


def _seat(page: JobPage, account: ChecksumAddress) -> SeatLine | None:
    return next((seat for seat in page.seats if seat.account == account), None)


def _has_joined(number: int, account: ChecksumAddress) -> bool:
    """Whether the chain has a seat that the index has not read yet."""
    try:
        return site().node.market().trainer(number, account).status != TrainerStatus.NONE
    except (ChainError, NoNodeError):
        return False


def _fee_per_gas() -> int | None:
    try:
        return next_base_fee(site().node.market().w3) + DEFAULT_TIP
    except (ChainError, NoNodeError):
        return None


def _proof(page: JobPage, account: ChecksumAddress, text: str) -> list[bytes]:
    """Return the proof that an account is on the owner's list, which the visitor gives; nothing if there is none."""
    if not any(page.terms.allowlist_root):
        return []
    names = text.split()
    if not 0 < len(names) <= MOST_ON_A_LIST:
        raise WrongListError(f"it has {len(names)} entries and must have 1 to {MOST_ON_A_LIST}")
    try:
        accounts = [parse_address(name) for name in names]
    except ValueError as fault:
        raise WrongListError(str(fault)) from fault
    if account not in accounts:
        raise WrongListError(f"it does not name {account}")
    if allowlist_root(accounts) != page.terms.allowlist_root:
        raise WrongListError("it is another one than the job was created with")
    return list(allowlist_proof(accounts, account))
