"""The image that a name in a table means."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.image_names import ImageNames

COMPOSED, DECOMPOSED = "se\u00f1al_01.jpg", "sen\u0303al_01.jpg"
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


def names(*images: str, folder: str = "") -> ImageNames:
    return ImageNames(enumerate(images), folder=folder)


@pytest.mark.parametrize(
    ("image", "given"),
    [
        (DECOMPOSED, COMPOSED),
        (COMPOSED, DECOMPOSED),
        ("a/se\u00f1al/1.jpg", "a\\sen\u0303al\\1.jpg"),
        ("\ud55c\uad6d.jpg", unicodedata.normalize("NFD", "\ud55c\uad6d.jpg")),  # Hangul
        ("\u212b.jpg", "\u00c5.jpg"),  # the sign of the unit, and the letter
        ("East/1.JPG", "./east/1.jpg"),
        ("east/SE\u00d1AL_01.JPG", DECOMPOSED),
        ("\u00dcberlingen STRASSE.jpg", "u\u0308berlingen stra\u00dfe.jpg"),
        ("=1.jpg", "'=1.jpg"),  # As our CSV exports write it.
        ("'=1.jpg", "'=1.jpg"),
        ("1.jpg", " 1.jpg "),
    ],
)
def test_a_name_is_found_in_its_other_forms(image: str, given: str) -> None:
    assert names("other.jpg", image).find(given) == (1, "")


def test_the_exact_form_counts_before_a_similar_one() -> None:
    both = names(DECOMPOSED, COMPOSED, "A.jpg", "a.jpg")
    assert [both.find(name)[0] for name in (DECOMPOSED, COMPOSED, "A.jpg", "a.jpg")] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("images", "given", "reason"),
    [
        (("A.jpg", "a.jpg"), "a.JPG", "2 images have names that look like it; write the name exactly as in the job"),
        (("east/1.jpg", "west/1.JPG"), "1.jpg", "2 images are called so; write the folder in front of the name"),
        (("east/1.jpg",), "west/1.jpg", "no image has this name"),
        (("senal.jpg",), COMPOSED, "no image has this name"),  # Another letter is another name.
        (("\uff11.jpg",), "1.jpg", "no image has this name"),  # So is a compatible one, which form KC would unite.
    ],
)
def test_a_name_that_fits_none_or_several_is_no_image(images: tuple[str, ...], given: str, reason: str) -> None:
    assert names(*images).find(given) == (None, reason)


def test_a_folder_may_be_written_in_either_form() -> None:
    images = ("se\u00f1al/1.jpg", "sen\u0303al/2.jpg", "other/3.jpg")
    below = names(*images, folder="se\u00f1al/")
    assert [below.find(name)[0] for name in ("1.jpg", "2.jpg", "3.jpg")] == [0, 1, None]


@given(st.text(min_size=1), st.sampled_from(FORMS))
def test_every_name_is_found_in_both_forms(name: str, form: Literal["NFC", "NFD"]) -> None:
    assert names(name).find(unicodedata.normalize(form, name)) == (0, "")
