"""Times as ISO 8601 writes them."""

from __future__ import annotations

import re
from datetime import datetime

# Python before 3.11 reads neither "Z" nor a fraction of other than 3 or 6 digits.
_SHORT = re.compile(r"(?P<second>:\d\d)[.,](?P<fraction>\d{1,9})(?=$|[Z+-])")


def parse_moment(text: str) -> datetime:
    """Read a time of ISO 8601, also where it ends with ``Z`` or has any number of digits behind the second.

    Raises:
        ValueError: it is none.
    """
    even = _SHORT.sub(lambda match: f"{match['second']}.{match['fraction'][:6]:0<6}", text)
    return datetime.fromisoformat(f"{even[:-1]}+00:00" if even.endswith("Z") else even)
