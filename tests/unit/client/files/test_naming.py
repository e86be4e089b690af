"""Names of images in a job."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from phytobatch.files.discovery import FoundFile
from phytobatch.files.naming import assign_names, free_name


def found(root: str, *relatives: str) -> list[FoundFile]:
    return [FoundFile(Path(root) / each, Path(root), each, 1, 1) for each in relatives]


def test_one_folder_gives_plain_relative_names() -> None:
    assert list(assign_names(found("/data/east", "1.jpg", "row/2.jpg")).values()) == ["1.jpg", "row/2.jpg"]


def test_two_folders_without_a_common_name_stay_plain() -> None:
    files = found("/data/east", "1.jpg") + found("/data/west", "2.jpg")

    assert list(assign_names(files).values()) == ["1.jpg", "2.jpg"]


def test_two_folders_with_a_common_name_get_their_own_in_front_of_every_file() -> None:
    files = found("/data/east", "1.jpg", "2.jpg") + found("/data/west", "1.jpg")

    assert list(assign_names(files).values()) == ["east/1.jpg", "east/2.jpg", "west/1.jpg"]


def test_two_folders_with_names_that_look_alike_get_their_own_in_front() -> None:
    files = found("/data/east", "se\u00f1al.jpg") + found("/data/west", "sen\u0303al.jpg")

    assert list(assign_names(files).values()) == ["east/se\u00f1al.jpg", "west/sen\u0303al.jpg"]


def test_folders_with_the_same_last_part_get_as_many_parts_as_tell_them_apart() -> None:
    files = found("/a/DCIM", "1.jpg") + found("/b/DCIM", "1.jpg")

    assert list(assign_names(files).values()) == ["a/DCIM/1.jpg", "b/DCIM/1.jpg"]


def test_a_known_name_is_kept_and_not_given_to_another_file() -> None:
    files = found("/data", "1.jpg", "2.jpg")

    names = assign_names(files, {Path("/data/2.jpg"): "1.jpg"})

    assert names == {Path("/data/1.jpg"): "1~2.jpg", Path("/data/2.jpg"): "1.jpg"}


def test_a_name_that_is_no_utf_8_becomes_one_that_json_can_carry() -> None:
    (name,) = assign_names(found("/data", os.fsdecode(b"bl\xffte.jpg"))).values()

    assert name == "bl�te.jpg"


def test_the_next_free_name_is_found() -> None:
    assert free_name("a/b.tar.jpg", {"a/b.tar.jpg", "a/b.tar~2.jpg"}) == "a/b.tar~3.jpg"


@given(st.lists(st.tuples(st.sampled_from(["/x", "/x/y", "/z/y", "/y"]), st.sampled_from(["1.j", "y/1.j", "x/y/1.j"]))))
def test_names_never_collide(pairs: list[tuple[str, str]]) -> None:
    files = list({file.path: file for root, relative in pairs for file in found(root, relative)}.values())

    names = assign_names(files)

    assert len(set(names.values())) == len(files)
