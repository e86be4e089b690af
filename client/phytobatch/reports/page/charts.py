"""Bars for the page: shares of labels, and shares of diseased images by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from phytobatch.reports import colours
from phytobatch.reports.page.content import Content
from phytobatch.reports.words import Words
from phytobatch.summaries.resources import Groups, Shares

# A page is not a spreadsheet: the rest of a long list is in `phytobatch summary`.
MAX_BARS = 60


@dataclass(frozen=True)
class Bar:
    """One row of a chart: a name, a share from 0 to 1, the text after it, and the ends of an interval."""

    name: str
    share: float
    colour: str
    text: str
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chart:
    """Bars below a title; ``left_out`` more have no room."""

    title: str
    bars: Sequence[Bar]
    left_out: int = 0


def labels_chart(content: Content, colour_of: Mapping[str, str], words: Words) -> Chart:
    """Return one bar for each label, and the number behind it."""
    bars = [
        Bar(
            content.name_of(label, words.language),
            share,
            colour_of.get(label, colours.UNSURE),
            f"{words.percent(share)} · {words.number(images)}",
            content.summary.overall.intervals.get(label),
        )
        for label, (images, share) in content.summary.overall.labels.items()
    ]
    return Chart(words("classes"), bars)


def groups_chart(title: str, groups: Groups, words: Words) -> Chart:
    """Return one bar for each group: its share of diseased images, with the interval; the number behind it."""
    bars = [_group(value, shares, words) for value, shares in groups[:MAX_BARS]]
    return Chart(title, bars, left_out=max(0, len(groups) - MAX_BARS))


def _group(value: str | None, shares: Shares, words: Words) -> Bar:
    name = words("none") if value is None else value
    if shares.diseased is None or shares.diseased_share is None:
        return Bar(name, 0.0, colours.UNSURE, f"{words.number(shares.images)} {words('images')}")
    share = shares.diseased_share
    text = f"{words.percent(share)} · {words.of_counted(shares)}"
    return Bar(name, share, colours.of_share(share), text, interval=shares.diseased_interval)
