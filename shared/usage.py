"""The description of a program for ``--help``."""

import inspect
import re

# The sections of a docstring for programmers, not for users.
SECTION = re.compile(r"^(Args|Attributes|Examples?|Note|Raises|Returns|Yields):$", re.MULTILINE)


def description_of(docstring: str | None) -> str:
    """Make a docstring readable for users: without its sections, and with one backtick instead of two."""
    text = inspect.cleandoc(docstring or "")
    section = SECTION.search(text)
    return text[: section.start() if section else None].strip().replace("``", "`")
