"""The synthetic photos of the demonstration, made once and kept, two of them broken on purpose."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from deploy.local.child import Child, Program
from deploy.local.folder import DataFolder

COUNT, BROKEN, SEED = 60, 2, 1
MAKE_SECONDS = 600
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}


def sample_photos(folder: DataFolder, say: Callable[[str], None]) -> Path:
    """Return the folder with the photos, made if missing.

    Raises:
        ProcessFailed: they could not be made.
    """
    samples = folder.path / "samples"
    if samples.is_dir():
        return samples
    say(f"making {COUNT} synthetic photos in {samples} (once)")
    unfinished = samples.with_name("samples.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ["--count", str(COUNT), "--seed", str(SEED), "--mixed", "--broken", str(BROKEN)]
    command = (sys.executable, "-m", "deploy.local.synthetic", str(unfinished), *options)
    child = Child(Program("synthetic", command, folder.logs / "synthetic.log", os.environ))
    try:
        if child.wait(MAKE_SECONDS) != 0:
            raise child.failure("could not make the photos")
    finally:
        child.kill()
    unfinished.rename(samples)
    return samples


def photos_in(folder: Path) -> list[Path]:
    """List the files in ``folder`` with the suffix of an image, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def readable(photo: Path) -> bool:
    """Return True if a decoder reads the whole file: the reference that the service is compared with."""
    try:
        with Image.open(photo) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def wrong_results(samples: Path, succeeded: set[str]) -> list[str]:
    """Describe the wrong results for the sample photos, as sentences; empty if there are none.

    Args:
        samples: the folder that was submitted.
        succeeded: the names of the photos with a class.
    """
    without_class = [photo for photo in photos_in(samples) if photo.relative_to(samples).as_posix() not in succeeded]
    wrong = [f"{photo.name} is a good photo and got no class" for photo in without_class if readable(photo)]
    if len(without_class) < BROKEN:
        wrong.append(f"only {len(without_class)} of the {BROKEN} broken files were noticed")
    return wrong
