"""KML 2.2 (OGC 07-147r2): a placemark for each image, coloured by its class.

The label of a person counts before that of the classifier. An image without a position is a placemark without a
point: it stands in the list of places and on no map.
"""

import colorsys
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from shared.contracts.exports import ExportFormat
from shared.contracts.manifest import HEALTHY
from shared.exports.columns import Column, Kind, Record, text_of
from shared.exports.format import Format
from shared.exports.rows import Page
from shared.exports.sheet import Sheet
from shared.times import rfc3339

# What XML 1.0 has no way to write (section 2.2).
NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT = "\ufffd"
# A white disc, so that the colour of the style is the colour of the icon.
ICON = "http://maps.google.com/mapfiles/kml/shapes/placemark_circle.png"
UNKNOWN = "ffb4b4b4"
GREEN = "ff4caf4c"
TYPES: Mapping[Kind, str] = {
    Kind.INTEGER: "int",
    Kind.LONG: "string",  # the longest number of KML has 32 bits
    Kind.NUMBER: "double",
    Kind.FLAG: "bool",
    Kind.TEXT: "string",
    Kind.TIME: "string",
    Kind.JSON: "string",
}
VALUES: Mapping[Kind, Callable[[Any], str]] = {
    Kind.INTEGER: str,
    Kind.LONG: str,
    Kind.NUMBER: repr,
    Kind.FLAG: lambda value: "1" if value else "0",
    Kind.TEXT: str,
    Kind.TIME: rfc3339,
    Kind.JSON: text_of,
}
# The name is the placemark's own.
OWN_ELEMENTS = frozenset({"name"})


def encode(sheet: Sheet, pages: Iterator[Page]) -> Generator[bytes, None, None]:
    """Yield one document with a style for each class."""
    columns = [column for column in sheet.flat_columns if column.name not in OWN_ELEMENTS]
    fields = [(f"<SimpleData name={_attribute(column.name)}>", column.read, VALUES[column.kind]) for column in columns]
    styles = {label: f"class{number}" for number, label in enumerate(sheet.labels)}
    yield _head(sheet, columns, styles).encode()
    for page in pages:
        yield "".join(_placemark(record, fields, styles) for record in page).encode()
    yield b"</Document>\n</kml>\n"


def _head(sheet: Sheet, columns: list[Column], styles: Mapping[str, str]) -> str:
    simple = "".join(f"<SimpleField name={_attribute(c.name)} type={_attribute(TYPES[c.kind])}/>\n" for c in columns)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n'
        f'<Document id="results">\n<name>{_text(sheet.job_name or str(sheet.job_id))}</name>\n'
        f"{''.join(_style(id_, colour) for id_, colour in _colours(styles))}"
        f'<Schema name="images" id="images">\n{simple}</Schema>\n'
    )


def _colours(styles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Choose colours: healthy is green; the others lie apart from it and from each other on the circle."""
    ill = [label for label in styles if label != HEALTHY]
    hues = {label: -0.05 + 0.85 * number / max(1, len(ill)) for number, label in enumerate(ill)}
    colours = [(id_, GREEN if label == HEALTHY else _abgr(hues[label])) for label, id_ in styles.items()]
    return [*colours, ("other", UNKNOWN)]


def _abgr(hue: float) -> str:
    """Write a colour as KML does: alpha, blue, green, red."""
    # From 0.3 to 0.4 lies green, which is taken.
    turned = hue % 1 if hue < 0.2 else hue + 0.2  # noqa: PLR2004  # a place on the circle
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(turned % 1, 0.85, 0.95))
    return f"ff{blue:02x}{green:02x}{red:02x}"


def _style(style_id: str, colour: str) -> str:
    return (
        f'<Style id="{style_id}"><IconStyle><color>{colour}</color><scale>0.7</scale>'
        f"<Icon><href>{ICON}</href></Icon></IconStyle><LabelStyle><scale>0</scale></LabelStyle></Style>\n"
    )


def _placemark(
    record: Record,
    fields: list[tuple[str, Callable[[Record], Any], Callable[[Any], str]]],
    styles: Mapping[str, str],
) -> str:
    data = "".join(
        f"{begin}{_text(write(value))}</SimpleData>"
        for begin, read, write in fields
        if (value := read(record)) is not None
    )
    style = styles.get(record.corrected_label or record.label or "", "other")
    return (
        f'<Placemark id="image{record.seq}"><name>{_text(record.name)}</name><styleUrl>#{style}</styleUrl>'
        f'<ExtendedData><SchemaData schemaUrl="#images">{data}</SchemaData></ExtendedData>'
        f"{_point(record)}</Placemark>\n"
    )


def _point(record: Record) -> str:
    if not record.has_position:
        return ""
    return f"<Point><coordinates>{record.longitude:.7f},{record.latitude:.7f}</coordinates></Point>"


def _text(value: str) -> str:
    return escape(NO_XML.sub(REPLACEMENT, value))


def _attribute(value: str) -> str:
    return quoteattr(NO_XML.sub(REPLACEMENT, value))


FORMAT = Format(ExportFormat.KML, "application/vnd.google-earth.kml+xml", ".kml", encode)
