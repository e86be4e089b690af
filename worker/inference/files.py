"""The files of a folder that count as images, by name; the decoder says whether they are."""

from collections.abc import Iterator
from pathlib import Path

from shared.contracts.file_names import is_image_name, is_system_path


def image_files(path: Path) -> Iterator[Path]:
    """Yield the path itself if it is a file, whatever its name; if it is a folder, every image below it, sorted."""
    if path.is_dir():
        yield from images_below(path)
    else:
        yield path


def images_below(folder: Path) -> Iterator[Path]:
    """Yield every image below a folder, sorted, without hidden and system files."""
    yield from sorted(
        path
        for path in folder.rglob("*")
        if is_image_name(path.name) and not is_system_path(path.relative_to(folder).as_posix()) and path.is_file()
    )
