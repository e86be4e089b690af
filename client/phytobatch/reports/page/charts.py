"""Bars: shares of labels, and shares of diseased images by group. HTML and a width, so that they print and reflow."""

from collections.abc import Mapping
from html import escape

from phytobatch.reports.page import colours
from phytobatch.reports.page.content import Content
from phytobatch.reports.page.statistics import wilson
from phytobatch.reports.page.words import Words
from phytobatch.summaries.resources import Groups, Shares

# A page is not a spreadsheet: the rest of a long list is in `phytobatch summary`.
MOST_ROWS = 60


def labels_chart(content: Content, colour_of: Mapping[str, str], words: Words) -> str:
    """One bar for each label, and the number behind it."""
    rows = [
        _row(
            escape(content.name_of(label, words.language)),
            share,
            colour_of.get(label, colours.UNSURE),
            f"{words.percent(share)} · {words.number(images)}",
        )
        for label, (images, share) in content.summary.overall.labels.items()
    ]
    return _chart(rows)


def groups_chart(groups: Groups, words: Words) -> str:
    """One bar for each group: its share of diseased images, with the interval; the number behind it."""
    rows = [_group(value, shares, words) for value, shares in groups[:MOST_ROWS]]
    rest = len(groups) - MOST_ROWS
    return _chart(rows) + (f'<p class="note">+ {words.number(rest)}</p>' if rest > 0 else "")


def _group(value: str | None, shares: Shares, words: Words) -> str:
    name = escape(words("none") if value is None else value)
    numbers = words("of_counted", counted=words.number(shares.counted))
    if shares.diseased is None or shares.diseased_share is None:
        return _row(name, 0.0, colours.UNSURE, f"{words.number(shares.images)} {words('images')}")
    low, high = wilson(shares.diseased, shares.counted)
    told = f"{words.percent(shares.diseased_share)} · {numbers}"
    return _row(name, shares.diseased_share, colours.of_share(shares.diseased_share), told, interval=(low, high))


def _row(name: str, share: float, colour: str, told: str, *, interval: tuple[float, float] | None = None) -> str:
    whisker = ""
    if interval is not None:
        low, high = interval
        whisker = f'<i style="left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%"></i>'
    bar = f'<b style="width:{100 * share:.2f}%;background:{colour}"></b>{whisker}'
    return f"<tr><th>{name}</th><td class=track><div>{bar}</div></td><td>{told}</td></tr>"


def _chart(rows: list[str]) -> str:
    return f"<table class=chart>{''.join(rows)}</table>" if rows else ""
