import numpy as np
import pytest
from PIL import Image

from deploy.local.synthetic import Kind, render


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("size", [(320, 240), (200, 500), (64, 64), (1200, 800)])
def test_a_picture_has_the_size_that_was_asked_for(kind: Kind, size: tuple[int, int]) -> None:
    picture = render(kind, size, seed=1)
    assert picture.size == size
    assert picture.mode == "RGB"
    assert np.asarray(picture).std() > 15  # It shows something.


def test_the_same_arguments_give_the_same_pixels() -> None:
    assert render("rust", (320, 240), 5).tobytes() == render("rust", (320, 240), 5).tobytes()


def test_another_seed_gives_another_picture() -> None:
    assert render("rust", (320, 240), 5).tobytes() != render("rust", (320, 240), 6).tobytes()


def share(picture: Image.Image, *, mildew: bool) -> float:
    """Share of pixels that are nearly white, or orange."""
    red, green, blue = np.asarray(picture, np.int16).transpose(2, 0, 1)
    found = (np.minimum(np.minimum(red, green), blue) > 140) if mildew else ((red > 150) & (red - blue > 100))
    return float(found.mean())


@pytest.mark.slow
def test_symptoms_are_visible_where_they_should_be() -> None:
    drawn = {kind: [render(kind, (240, 240), seed) for seed in range(6)] for kind in Kind}
    white = {kind: np.mean([share(one, mildew=True) for one in drawn[kind]]) for kind in Kind}
    orange = {kind: np.mean([share(one, mildew=False) for one in drawn[kind]]) for kind in Kind}
    assert white[Kind.POWDERY_MILDEW] > 3 * max(white[Kind.HEALTHY], white[Kind.RUST])
    assert orange[Kind.RUST] > 3 * max(orange[Kind.HEALTHY], orange[Kind.POWDERY_MILDEW])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="scab"):
        render("scab", (64, 64), 0)
