"""Which files of a folder are taken for images. What they really are, the decoder says."""

from collections.abc import Iterator
from pathlib import Path

from shared.contracts.file_names import is_image_name, is_system_path


def image_files(path: Path) -> Iterator[Path]:
    """The path itself where it is a file, whatever its name; every image below it where it is a folder, sorted."""
    if path.is_dir():
        yield from images_below(path)
    else:
        yield path


def images_below(folder: Path) -> Iterator[Path]:
    """Every image below a folder, sorted; hidden and system files are passed over."""
    yield from sorted(
        path
        for path in folder.rglob("*")
        if is_image_name(path.name) and not is_system_path(path.relative_to(folder).as_posix()) and path.is_file()
    )
