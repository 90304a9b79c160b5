"""`/jobs/new`, and `/jobs/<number>/owner`: an owner's pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from eth_typing import ChecksumAddress
from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from contribution.errors import CairnError
from marketplace.chain.errors import ChainError, ContractRevertedError
from marketplace.chain.structs import JobState
from marketplace.index.queries.jobs import JobPage, job_page
from marketplace.job.quantities import NATIVE
from marketplace.job.specification import SpecificationError
from webapp.account.money import withdrawable
from webapp.owner.drafts import drop_draft, find_draft, keep_draft
from webapp.owner.entries import GROUPS
from webapp.owner.entries import Kind as EntryKind
from webapp.owner.form import Form, empty_form, placed, read_form
from webapp.owner.model import FILES, export, model_directory
from webapp.owner.publishing import publish
from webapp.owner.summary import Summary, summarise
from webapp.public.asking import one_state, value_of
from webapp.refusals import NoNodeError, NoStoreError
from webapp.security.rate_limit import spend
from webapp.sign_in.sessions import required_account
from webapp.site import site
from webapp.transactions.offering import allowance_first, offer
from webapp.transactions.unsigned import abort as abort_job
from webapp.transactions.unsigned import create

MODELS_AN_HOUR: Final = 12

pages: Final = Blueprint("owner", __name__)


@pages.get("/jobs/new")
def new() -> ResponseReturnValue:
    """Show the form, with what the account typed last."""
    draft = find_draft(site().state, required_account())
    form = empty_form() if draft is None else read_form(draft)
    if draft is not None:
        return _form(*_judged(form, required_account()), is_draft=True)
    return _form(form, None)


@pages.post("/jobs/new")
def describe() -> ResponseReturnValue:
    """Check what was typed; give its file, or publish it and prepare the job's creation, if that was asked for."""
    account, action = required_account(), request.form.get("action", "check")
    if action == "clear":
        drop_draft(site().state, account)
        return redirect(url_for("owner.new"), 303)
    form = read_form(request.form)
    keep_draft(site().state, account, form.typed)
    if action == "file" and form.specification is not None:
        return _file(form)
    form, summary = _judged(form, account)
    if form.number_of_faults or action != "create" or summary is None or form.specification is None:
        return _form(form, summary, status=422 if form.number_of_faults else 200)
    market = site().node.market()
    needed = allowance_first(market, account, summary.terms, summary.terms.deposit)
    if needed is not None:
        return offer(needed)
    cid = publish(form.specification, summary.terms, account)
    return offer(create(market, account, summary.terms, cid.binary))


def _judged(form: Form, account: ChecksumAddress) -> tuple[Form, Summary | None]:
    """Return a form with what only the chain can find wrong with it, and what it costs if nothing is."""
    if form.specification is None:
        return form, None
    try:
        return form, summarise(site().node.market(), form.specification, account)
    except SpecificationError as fault:
        faults, further = placed(fault.faults)
        return replace(form, faults=faults, further=further), None
    except (ChainError, NoNodeError) as fault:
        return replace(form, further=(str(fault).rstrip("."),)), None


def _form(form: Form, summary: Summary | None, *, status: int = 200, is_draft: bool = False) -> Response:
    shown = render_template(
        "owner/new.html",
        form=form,
        groups=GROUPS,
        summary=summary,
        Kind=EntryKind,
        NATIVE=NATIVE,
        is_draft=is_draft,
        can_publish=site().settings.store is not None,
    )
    return make_response(shown, status)


def _file(form: Form) -> Response:
    response = Response(form.text, mimetype="application/toml")
    response.headers["Content-Disposition"] = 'attachment; filename="job.toml"'
    return response


@pages.get("/jobs/<int:number>/owner")
def own(number: int) -> ResponseReturnValue:
    """Show an owner's job."""
    account = required_account()
    page = _mine(number, account)
    if page is None:
        return render_template("owner/waiting.html", number=number)
    due = withdrawable(account, [number])
    files = [name for name in FILES if (model_directory(site(), number) / name).is_file()]
    return render_template(
        "owner/job.html",
        page=page,
        currency=site().currencies.of(page.line.token),
        due=None if due is None else due[number],
        files=files,
        can_end=page.line.state in (JobState.OPEN, JobState.RUNNING),
    )


@pages.post("/jobs/<int:number>/abort")
def end(number: int) -> ResponseReturnValue:
    """Prepare the end of an owner's job."""
    account = required_account()
    if _mine(number, account) is None:
        abort(404, f"The index has not read job {number} yet.")
    return offer(abort_job(site().node.market(), account, number))


@pages.post("/jobs/<int:number>/model")
def model(number: int) -> ResponseReturnValue:
    """Check the model of an owner's job, and keep it to be downloaded."""
    account = required_account()
    if _mine(number, account) is None:
        abort(404, f"The index has not read job {number} yet.")
    spend("model", account, f"{MODELS_AN_HOUR} per hour", f"{MODELS_AN_HOUR} checks of models an hour")
    try:
        written = export(site(), number)
    except (NoNodeError, NoStoreError):
        raise
    except CairnError as fault:
        return make_response(render_template("owner/model.html", number=number, fault=str(fault), written=None), 409)
    return render_template("owner/model.html", number=number, fault=None, written=written, files=FILES)


@pages.get("/jobs/<int:number>/model/<filename>")
def download(number: int, filename: str) -> ResponseReturnValue:
    """Give a file of an owner's job that was checked."""
    account = required_account()
    if _mine(number, account) is None or filename not in FILES:
        abort(404)
    path = model_directory(site(), number) / filename
    if not path.is_file():
        abort(404, "The model has not been checked here yet; do that on your job's page.")
    return send_file(
        path.resolve(),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=f"job-{number}-{filename}",
        max_age=0,
    )


def _mine(number: int, account: ChecksumAddress) -> JobPage | None:
    """Return a job of an account, None if the chain alone has it yet; others are told that there is none."""
    with one_state() as reader:
        page = value_of(job_page(reader, number))
    if page is not None:
        owner = page.line.owner
    else:
        try:
            owner = site().node.market().identity(number).owner
        except (ContractRevertedError, NoNodeError):
            abort(404, f"There is no job {number} of yours.")
    if owner != account:
        abort(404, f"There is no job {number} of yours.")
    return page
