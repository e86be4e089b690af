"""Which character sets a client may name. A codec of Python is never chosen by somebody else's word for it."""

from collections.abc import Mapping

from shared.errors import InvalidRequest

# Names of the IANA registry that senders of forms and encoded words use. Python knows more, and some of those are no
# character sets: `unicode_escape` and `utf-7` make halves of surrogate pairs, `undefined` always raises.
CHARSETS: Mapping[str, str] = {
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("us-ascii", "ascii"), "ascii"),
    # WHATWG Encoding reads both as the second one, which is what Windows means by either.
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252"), "windows-1252"),
    **{name: name for name in ("iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "koi8-r")},
    **{name: name for name in ("shift_jis", "euc-jp", "iso-2022-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr")},
}


def decode(data: bytes, charset: str | None) -> str:
    """The text of bytes; without a charset they are UTF-8 or, where they cannot be, Windows-1252.

    Raises:
        InvalidRequest: the charset is none that is read, or the bytes are none of its.
    """
    if charset is None:
        return _guess(data)
    codec = CHARSETS.get(charset.strip().lower())
    if codec is None:
        raise InvalidRequest(f"{charset[:80]!r} is no charset that is read here; send text as UTF-8")
    try:
        return _text(data, codec)
    except UnicodeError:
        raise InvalidRequest(f"these bytes are not {charset[:80]}; send text as UTF-8") from None


def _guess(data: bytes) -> str:
    for codec in ("utf-8", "windows-1252"):
        try:
            return _text(data, codec)
        except UnicodeError:
            continue
    raise InvalidRequest("these bytes are not UTF-8; send text as UTF-8")


def _text(data: bytes, codec: str) -> str:
    text = data.decode(codec)
    text.encode()  # What cannot be UTF-8 can be neither stored nor answered.
    return text
