"""An audit's report as one page: no script, no address outside itself, every word of a stranger's escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from marketplace.audit.check import Check, Verdict
from marketplace.audit.plots import label, plots
from marketplace.audit.report import Document, Report, summary

_MARKS: Final = {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.NOT_SHOWN: "?"}
_CLASSES: Final = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails", Verdict.NOT_SHOWN: "open"}

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto; max-width: 60rem;
  padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
.trust { border-left: .3rem solid #8a6d00; background: #fff8e1; padding: .5rem 1rem; }
.verdict { padding: .5rem 1rem; font-weight: 600; border-left: .3rem solid; }
.verdict.holds { border-color: #1b7a3d; background: #e8f5ec; }
.verdict.fails { border-color: #b3261e; background: #fdecea; }
ul.checks { list-style: none; padding: 0; margin: 0; }
ul.checks li { padding: .5rem 0; border-bottom: 1px solid #e0e0e0; }
.mark { font-weight: 700; display: inline-block; min-width: 6.5rem; }
.mark.holds { color: #1b7a3d; } .mark.fails { color: #b3261e; } .mark.open { color: #8a6d00; }
.detail { display: block; } .limits { display: block; color: #555; font-size: .9rem; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: #555; } dd { margin: 0; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; } figcaption { color: #555; font-size: .9rem; }
@media (max-width: 30rem) { dl { display: block; } dd { margin: 0 0 .5rem; } }
"""


def page(report: Report) -> str:
    """Return the report as HTML, whole in itself and readable on a phone."""
    what = "Audit" if report.scope == "job" else f"Audit of {report.scope}"
    title = f"{what} of job {report.job}" if report.scope == "job" else f"{what}, job {report.job}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<div class="trust">{"".join(f"<p>{escape(sentence)}</p>" for sentence in report.trust)}</div>',
        _verdict(report),
        *_failures(report.checks),
        *(() if report.facts is None else (*_facts(report.facts), *_plots(report.facts))),
        "<h2>Every check</h2>",
        *_checks(report.checks),
        f"<h2>Digest</h2><p>SHA-256 of the canonical JSON of this report: <code>{report.digest}</code></p>",
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def _verdict(report: Report) -> str:
    words = "Every check holds" if report.holds else "NOT every check holds"
    kind = "holds" if report.holds else "fails"
    return f'<p class="verdict {kind}">{words}: {escape(summary(report.checks))}.</p>'


def _facts(facts: Document) -> Iterator[str]:
    block = facts["block"]
    entries = {
        "Market": f"{facts['market']} on chain {facts['chain_id']}",
        "Block": f"{block['number']}, {block['hash']}",
        "State": facts["state"],
        "Owner": facts["owner"],
        "Aggregator": facts["aggregator"],
        "Referee": facts["referee"] or "none",
        "Rule": facts["rule"],
        "Specification": facts["specification_cid"],
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in entries.items())
    yield f"<h2>The job</h2><dl>{rows}</dl>"
    yield _numbered("Trainers", facts["trainers"])
    yield _numbered("Rounds", [entry["ended"] for entry in facts["rounds"]])
    for entry in facts["rounds"]:
        if entry["explanations"] is not None:
            yield _explained(facts, entry)


def _explained(facts: Document, entry: Document) -> str:
    """Return why each trainer of a round was kept or dropped."""
    items = "".join(
        f"<li>{escape(label(facts, account))}: {escape(sentence)}</li>"
        for account, sentence in zip(entry["trainers"], entry["explanations"], strict=True)
    )
    return f"<details><summary>Why, round {entry['round']}</summary><ul>{items}</ul></details>"


def _numbered(title: str, entries: Sequence[str]) -> str:
    """Return a list that opens when it is asked for; rounds and trainers are numbered from 1 in their order."""
    items = "".join(f"<li>{escape(entry)}</li>" for entry in entries)
    return f"<details><summary>{escape(title)}: {len(entries)}</summary><ol>{items}</ol></details>"


def _failures(checks: Sequence[Check]) -> Iterator[str]:
    """Say first what does not hold."""
    failed = [check for check in checks if check.verdict is not Verdict.HOLDS]
    if failed:
        items = "".join(_check(check, f"{check.subject}: ") for check in failed)
        yield f'<h2>What does not hold</h2><ul class="checks">{items}</ul>'


def _checks(checks: Sequence[Check]) -> Iterator[str]:
    for subject, grouped in groupby(checks, key=lambda check: check.subject):
        group = list(grouped)
        items = "".join(_check(check) for check in group)
        words = f"{escape(subject.capitalize())}: {escape(summary(group))}"
        yield f'<details open><summary>{words}</summary><ul class="checks">{items}</ul></details>'


def _check(check: Check, subject: str = "") -> str:
    kind = _CLASSES[check.verdict]
    return (
        f'<li><span class="mark {kind}">{_MARKS[check.verdict]} {escape(check.verdict.value)}</span>'
        f"<strong>{escape(subject + check.name)}</strong>"
        f'<span class="detail">{escape(check.detail)}</span>'
        f'<span class="limits">Does not show {escape(check.does_not_show)}.</span></li>'
    )


def _plots(facts: Document) -> Iterator[str]:
    for title, (words, svg) in plots(facts).items():
        image = base64.b64encode(svg).decode("ascii")
        yield (
            f'<h2>{escape(title)}</h2><figure><img alt="{escape(title)}" src="data:image/svg+xml;base64,{image}">'
            f"<figcaption>{escape(words)}</figcaption></figure>"
        )
