"""The page itself, from the templates of this folder (extra ``report``)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

from phytobatch.reports import colours
from phytobatch.reports.page.charts import Chart, groups_chart, labels_chart
from phytobatch.reports.page.content import Content
from phytobatch.reports.page.field_map import field_map
from phytobatch.reports.words import Words
from phytobatch.resources import TERMINAL_STATES
from phytobatch.summaries.resources import Shares

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_FAR = 20  # names of images far off


@dataclass(frozen=True)
class Figure:
    """A number in large type and the text below it."""

    number: str
    text: str
    is_main: bool = False


def write(content: Content, words: Words, *, made_at: datetime) -> str:
    """Return the whole document; ``can_render`` must be true."""
    colour_of = colours.of_labels(list(content.summary.overall.labels), content.summary.healthy)
    return (
        _environment()
        .get_template("report.html")
        .render(
            content=content,
            words=words,
            name=content.job.name or content.job.id,
            span=_span(content, words),
            is_running=content.summary.state not in TERMINAL_STATES,
            figures=_figures(content, words),
            labels=labels_chart(content, colour_of, words),
            map=field_map(content, colour_of, words),
            colour_of=_listed(content, colour_of),
            unsure=colours.UNSURE,
            far=content.place.far if content.place is not None else (),
            max_far=MAX_FAR,
            groups=_groups(content, words),
            made_at=f"{made_at:%Y-%m-%d %H:%M %Z}".strip(),
        )
    )


def can_render() -> bool:
    """Return whether Jinja2 is installed."""
    return find_spec("jinja2") is not None


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda data: b64encode(data).decode()
    return environment


def _listed(content: Content, colour_of: Mapping[str, str]) -> Mapping[str, str]:
    return {label: colour_of[label] for label in content.summary.overall.labels if label in colour_of}


def _span(content: Content, words: Words) -> str:
    days = [day for day, _ in content.summary.days if day is not None]
    if not days:
        return ""
    return days[0] if days[0] == days[-1] else words("span", first=days[0], last=days[-1])


def _figures(content: Content, words: Words) -> Sequence[Figure]:
    shares = content.summary.overall
    figures = [Figure(words.number(shares.images), words("images"))]
    if shares.diseased is not None and shares.diseased_share is not None:
        text = "; ".join([f"{words('diseased')}, {words.of_counted(shares)}", *_interval(shares, words)])
        figures.insert(0, Figure(words.percent(shares.diseased_share), text, is_main=True))
    figures.append(Figure(words.number(shares.needs_review), words("to_look_at")))
    if shares.undecided:
        figures.append(Figure(words.number(shares.undecided), words("undecided_photographs")))
    if shares.not_classified:
        figures.append(Figure(words.number(shares.not_classified), words("not_classified")))
    if shares.corrected:
        figures.append(Figure(words.number(shares.corrected), words("corrected")))
    return figures


def _interval(shares: Shares, words: Words) -> Iterator[str]:
    """Write the server's interval; photographs, not tiles, are its sample."""
    if shares.diseased_interval is not None:
        low, high = shares.diseased_interval
        yield words("interval", low=words.percent(low), high=words.percent(high))


def _groups(content: Content, words: Words) -> Sequence[Chart]:
    groups = list(content.summary.groups.items())
    charts = [groups_chart(words("by", key=key), values, words) for key, values in groups]
    if sum(day is not None for day, _ in content.summary.days) > 1:
        charts.append(groups_chart(words("by", key=words("day")), content.summary.days, words))
    return charts
