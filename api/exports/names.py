"""Names of files in ``Content-Disposition`` (RFC 6266): safe on every system, whatever the name of the job."""

import re
import unicodedata
import uuid
from urllib.parse import quote

MAX_LETTERS = 80
# Not in names of files on Windows, or of a meaning in a path or a header; and everything that cannot be seen.
UNSAFE = re.compile(r'[<>:"/\\|?*;%\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+')


def export_name(job_name: str | None, job_id: uuid.UUID, suffix: str) -> str:
    """Return a name as ``North field, row 3 6a2b9e10.csv``: that of the job, and the end of its id."""
    readable = UNSAFE.sub(" ", job_name or "")[:MAX_LETTERS]
    return " ".join([*readable.strip(" .").split(), job_id.hex[-8:]]) + suffix


def attachment(name: str) -> str:
    """Return the header of a file to save under this name, also for clients that understand only ASCII."""
    return _disposition("attachment", name)


def inline(name: str) -> str:
    """Return the header of a file to show, and to save under this name."""
    return _disposition("inline", name)


def _disposition(kind: str, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = " ".join(re.sub(r"[^A-Za-z0-9._ ,()-]", "", plain).split()) or "file"
    return f"{kind}; filename=\"{safe}\"; filename*=UTF-8''{quote(name, safe='')}"
