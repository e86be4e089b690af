"""The files of the page, which anybody may ask for without a key."""

import gc
import weakref

from api.manual.files import SOURCES, static_file


class Name(str):  # noqa: SLOT000  # slots would leave no room for a weak reference
    """A name that can be watched."""


def test_a_name_that_is_none_of_ours_is_not_kept() -> None:
    name = Name("x" * 8000)
    kept = weakref.ref(name)
    assert static_file(name) is None
    del name
    gc.collect()
    assert kept() is None


def test_a_file_is_read_and_compressed_once() -> None:
    for name in SOURCES:
        assert static_file(name) is static_file(name) is not None
