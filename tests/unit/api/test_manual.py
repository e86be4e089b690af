"""The files of the page, which anybody may ask for without a key."""

import gc
import weakref

from api.manual.files import SOURCES, served


class Name(str):  # noqa: SLOT000  # slots would leave no room for a weak reference
    """A name that can be watched."""


def test_a_name_that_is_none_of_ours_is_not_kept() -> None:
    name = Name("x" * 8000)
    kept = weakref.ref(name)
    assert served(name) is None
    del name
    gc.collect()
    assert kept() is None


def test_a_file_is_read_and_compressed_once() -> None:
    for name in SOURCES:
        assert served(name) is served(name) is not None
