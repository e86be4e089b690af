"""Decoding of clients' tables: UTF-8, or the encoding of their mark (spreadsheets write UTF-16 as "Unicode text")."""

import codecs

# The longer marks first: that of UTF-16 is the beginning of that of UTF-32 (Unicode 15.0, 23.8).
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SHOWN_BYTES = 20


def decoded(data: bytes) -> str:
    """Decode the text of a table.

    Raises:
        ValueError: it is in another encoding; the sentence names the line and the text before the byte.
    """
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(_sentence(data, error.start, encoding)) from error


def _sentence(data: bytes, at: int, encoding: str) -> str:
    advice = "save the table as UTF-8; in a spreadsheet, as `CSV UTF-8`"
    if encoding not in {"utf-8", "utf-8-sig"}:
        return f"the table ends in the middle of a character, or is not {encoding.upper()}; {advice}"
    line = data.count(b"\n", 0, at) + 1
    before = data[max(data.rfind(b"\n", 0, at) + 1, at - SHOWN_BYTES) : at].decode("utf-8", "replace")
    return f"line {line} is not UTF-8: the byte 0x{data[at]:02X} behind {before!r}; {advice}"
