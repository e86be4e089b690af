"""What a program says of itself with ``--help``."""

import inspect
import re

# The sections of a docstring that tell programmers, not users, how a function is called.
SECTION = re.compile(r"^(Args|Attributes|Examples?|Note|Raises|Returns|Yields):$", re.MULTILINE)


def told_by(docstring: str | None) -> str:
    """Give the text of a docstring to users: without its sections, and with one backtick where two mark code."""
    text = inspect.cleandoc(docstring or "")
    found = SECTION.search(text)
    return text[: found.start() if found else None].strip().replace("``", "`")
