"""The page itself. Every text of a user goes through ``escape``; the page loads nothing and runs nothing."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from phytobatch.reports.page import colours
from phytobatch.reports.page.charts import groups_chart, labels_chart
from phytobatch.reports.page.content import Content, Shown
from phytobatch.reports.page.field_map import draw
from phytobatch.reports.page.statistics import wilson
from phytobatch.reports.page.style import STYLE
from phytobatch.reports.page.words import Words
from phytobatch.resources import TERMINAL_STATES
from phytobatch.summaries.resources import Groups

MOST_FAR = 20  # names of images far off
# What a page that was mailed around may do in a browser: show itself.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write(content: Content, words: Words, *, made_at: datetime) -> str:
    """The whole document."""
    colour_of = colours.of_labels(list(content.summary.overall.labels), content.summary.healthy)
    parts = [
        _header(content, words),
        _still_running(content, words),
        _tiles(content, words),
        _section(words("classes"), labels_chart(content, colour_of, words)),
        _map(content, colour_of, words),
        _far_off(content, words),
        *(_section(words("by", key=key), groups_chart(groups, words)) for key, groups in _groups(content, words)),
        _pictures(words("worst"), words("worst_text"), content.worst, content, words),
        _pictures(words("uncertain"), words("uncertain_text"), content.uncertain, content, words),
        _reasons(content, words),
        _section(words("how"), f'<p class="note">{escape(words("how_text"))}</p>'),
        _footer(content, words, made_at),
    ]
    title = escape(f"{words('title')}: {_name(content)}")
    return (
        f'<!doctype html>\n<html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )


def _name(content: Content) -> str:
    return content.job.name or content.job.id


def _header(content: Content, words: Words) -> str:
    days = [day for day, _ in content.summary.days if day is not None]
    taken = f"<p>{escape(words('taken'))}: {escape(_span(days, words))}</p>" if days else ""
    about = content.job.classifier
    classifier = f"<p>{escape(words('classifier'))}: {escape(str(about))}</p>" if about else ""
    return (
        f'<header><p class="kind">{escape(words("title"))}</p><h1>{escape(_name(content))}</h1>'
        f"{taken}{classifier}</header>"
    )


def _span(days: Sequence[str], words: Words) -> str:
    return days[0] if days[0] == days[-1] else words("span", first=days[0], last=days[-1])


def _still_running(content: Content, words: Words) -> str:
    if content.summary.state in TERMINAL_STATES:
        return ""
    return f'<section class="warn">{escape(words("state_running"))}</section>'


def _tiles(content: Content, words: Words) -> str:
    shares = content.summary.overall
    tiles = [_tile(words.number(shares.images), words("images"))]
    if shares.diseased is not None and shares.diseased_share is not None:
        low, high = wilson(shares.diseased, shares.counted)
        behind = words("of_counted", counted=words.number(shares.counted))
        interval = words("interval", low=words.percent(low), high=words.percent(high))
        share = words.percent(shares.diseased_share)
        tiles.insert(0, _tile(share, f"{words('diseased')}, {behind}; {interval}", is_main=True))
    tiles.append(_tile(words.number(shares.needs_review), words("to_look_at")))
    if shares.not_classified:
        tiles.append(_tile(words.number(shares.not_classified), words("not_classified")))
    if shares.corrected:
        tiles.append(_tile(words.number(shares.corrected), words("corrected")))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _tile(number: str, told: str, *, is_main: bool = False) -> str:
    kind = "tile main" if is_main else "tile"
    return f'<div class="{kind}"><strong>{escape(number)}</strong><span>{escape(told)}</span></div>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def _map(content: Content, colour_of: Mapping[str, str], words: Words) -> str:
    drawn = draw(content, colour_of, words)
    if not drawn or content.grid is None:
        return _section(words("map"), f'<p class="note">{escape(words("no_map"))}</p>')
    told = words("map_text", edge=f"{content.grid.edge:g}")
    keys = "".join(
        f'<li><i style="background:{colour_of[label]}"></i>{escape(content.name_of(label, words.language))}</li>'
        for label in content.summary.overall.labels
        if label in colour_of
    )
    unsure = f'<li><i style="background:{colours.UNSURE}"></i>{escape(words("to_look_at"))}</li>'
    dots = f'<ul class="keys">{keys}{unsure}</ul>' if content.points else ""
    return _section(words("map"), f'<p class="note">{escape(told)}</p>{drawn}{dots}')


def _far_off(content: Content, words: Words) -> str:
    """The images that are not on the map because they lie far from all others; by name, the first of them."""
    place = content.place
    if place is None or not place.far:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.name)}{': ' if one.suspicion else ''}{escape(words(one.suspicion or ''))}</td>"
        f"<td>{words.number(round(one.metres / 1000))} km</td></tr>"
        for one in place.far[:MOST_FAR]
    )
    told = words("far_text", images=words.number(len(place.far)), km=words.number(round(place.reach / 1000)))
    return _section(words("far"), f'<p class="note">{escape(told)}</p><table class="list">{rows}</table>')


def _groups(content: Content, words: Words) -> list[tuple[str, Groups]]:
    found = list(content.summary.groups.items())
    if sum(day is not None for day, _ in content.summary.days) > 1:
        found.append((words("day"), content.summary.days))
    return found


def _pictures(title: str, told: str, shown: Sequence[Shown], content: Content, words: Words) -> str:
    if not shown:
        return ""
    figures = "".join(_figure(one, content, words) for one in shown)
    return _section(title, f'<p class="note">{escape(told)}</p><div class="pictures">{figures}</div>')


def _figure(one: Shown, content: Content, words: Words) -> str:
    picture = content.pictures.get(one.seq)
    if picture is None:
        image = f'<div class="none">{escape(words("picture_missing"))}</div>'
    else:
        image = f'<img alt="{escape(one.name)}" src="data:image/jpeg;base64,{b64encode(picture).decode()}">'
    label = f"{content.name_of(one.label, words.language)} {words.percent(one.confidence)}"
    note = f"<span>{escape(words(one.note))}</span>" if one.note else ""
    return f"<figure>{image}<figcaption>{escape(label)}<span>{escape(one.name)}</span>{note}</figcaption></figure>"


def _reasons(content: Content, words: Words) -> str:
    shares = content.summary.overall
    lists = [
        _list(words("review"), shares.review, words),
        _list(words("failures"), shares.failures, words),
        _list(words("without_position"), content.summary.missing_positions, words),
    ]
    filled = [one for one in lists if one]
    return f'<div class="pair">{"".join(filled)}</div><br>' if filled else ""


def _list(title: str, reasons: Mapping[str, int], words: Words) -> str:
    by_size = sorted(reasons.items(), key=lambda one: -one[1])
    rows = "".join(
        f"<tr><td>{escape(words(reason))}</td><td>{words.number(images)}</td></tr>" for reason, images in by_size
    )
    return _section(title, f'<table class="list">{rows}</table>') if rows else ""


def _footer(content: Content, words: Words, made_at: datetime) -> str:
    told = words("made", moment=f"{made_at:%Y-%m-%d %H:%M %Z}".strip(), job=content.job.id)
    return f"<footer>{escape(told)} · Phytobatch</footer>"
