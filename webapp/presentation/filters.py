"""The filters and globals of all templates."""

from __future__ import annotations

from flask import Flask

from marketplace.chain.structs import NATIVE_COIN
from marketplace.storage.cid import parse_binary_cid
from webapp.presentation import amounts, texts, times, words
from webapp.presentation.assets import Assets


def add_filters(app: Flask, assets: Assets) -> None:
    """Give an app's templates what they show values with."""
    app.jinja_env.filters.update(
        line=texts.harmless_line,
        paragraphs=texts.harmless_paragraphs,
        moment=times.moment,
        machine_moment=times.machine_moment,
        duration=times.length,
        grouped=lambda number: amounts.grouped(str(number)),
        short=short,
        cid=lambda data: str(parse_binary_cid(bytes(data))),
        hexadecimal=lambda data: f"0x{bytes(data).hex()}",
        percent=percent,
    )
    app.jinja_env.globals.update(
        shown_amount=amounts.shown_amount,
        relative=times.relative,
        words=words,
        asset=assets.named,
        NATIVE_COIN=NATIVE_COIN,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def short(value: str) -> str:
    """Return an address or hash by its ends, such as 0x1234…abcd."""
    return value if len(value) <= 13 else f"{value[:6]}…{value[-4:]}"


def percent(part: float, digits: int = 1) -> str:
    """Write a share, from 0 to 1, in percent, with a minus sign that screen readers read."""
    written = f"{100 * part:.{digits}f}"
    return f"{written.replace('-', chr(0x2212))}\N{NO-BREAK SPACE}%"
