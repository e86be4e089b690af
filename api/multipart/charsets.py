"""Character sets that a client may name. A client's word never chooses a codec of Python by itself."""

import re
from collections.abc import Mapping

from shared.errors import InvalidRequest

# Those of WHATWG Encoding that hold ASCII, and what they are called by senders of forms and encoded words; by letters
# and digits alone, as people write them in many ways. Python knows more, and some of those are no character sets:
# `unicode_escape` and `utf-7` make halves of surrogate pairs, `undefined` always raises.
CHARSETS: Mapping[str, str] = {
    "utf8": "utf-8",
    **dict.fromkeys(("usascii", "ascii", "ansix341968"), "ascii"),
    # What Windows means by either of two that are nearly the same is the larger one.
    **dict.fromkeys(("iso88591", "latin1"), "windows-1252"),
    **dict.fromkeys(("iso88599", "latin5"), "windows-1254"),
    **dict.fromkeys(("iso885911", "tis620", "windows874", "cp874"), "cp874"),
    **dict.fromkeys(("shiftjis", "sjis", "xsjis", "windows31j", "cp932"), "cp932"),
    **dict.fromkeys(("gb2312", "gbk", "cp936"), "gbk"),
    **dict.fromkeys(("euckr", "ksc56011987", "cp949"), "cp949"),
    **{f"iso8859{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"{maker}125{page}": f"windows-125{page}" for maker in ("windows", "cp") for page in range(9)},
    **{name: name for name in ("gb18030", "big5", "macintosh")},
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "eucjp": "euc-jp",
    "iso2022jp": "iso-2022-jp",
    "ibm866": "cp866",
    "cp866": "cp866",
}


def decode(data: bytes, charset: str | None) -> str:
    """Decode bytes; without a charset they are UTF-8 or, if they cannot be, Windows-1252.

    Raises:
        InvalidRequest: the charset is none that is read, or the bytes are none of its.
    """
    if charset is None:
        return _guess(data)
    codec = CHARSETS.get(re.sub(r"[^a-z0-9]", "", charset.lower()))
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
