"""Folders of classes, and the id that each gets in the manifest.

Folder names are free text (`Corn_(maize)___Common_rust_`, `roya ñandú`); an id has letters of ASCII alone, because it
stands in results, filters, columns and names of folders. A name that is a valid id stays as it is.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from shared.contracts.file_names import is_system_name
from shared.contracts.manifest import CLASS_ID, MAX_CLASS_ID
from worker.training.errors import TrainingError

MIN_CLASSES = 2  # one class is nothing to tell apart
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_ID = re.compile(CLASS_ID)


def class_id(name: str) -> str:
    """Return the id for a folder name: the name if it is valid, else without accents and with `_` for other signs.

    Raises:
        TrainingError: nothing is left of the name.
    """
    if _ID.fullmatch(name) and len(name) <= MAX_CLASS_ID:
        return name
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    cleaned = re.sub("_{2,}", "_", _OTHER.sub("_", plain)).strip("_.-")[:MAX_CLASS_ID]
    if not cleaned:
        raise TrainingError(
            f"The folder {_shown(name)} has no letter or digit of ASCII to make the id of a class of; rename it, and "
            "give its name for people with --labels."
        )
    return cleaned


def class_folders(folders: Sequence[Path]) -> dict[str, str]:
    """Map ids to names of the class folders in any of ``folders``, sorted by id, without hidden and system folders.

    Raises:
        TrainingError: a folder is missing, there are fewer than two classes, or two names give one id.
    """
    for folder in folders:
        if not folder.is_dir():
            raise TrainingError(f"There is no folder {folder}.")
    named: dict[str, str] = {}
    for name in sorted({_composed(path.name) for folder in folders for path in _inside(folder)}):
        other = named.setdefault(class_id(name), name)
        if other != name:
            raise TrainingError(
                f"The folders {_shown(other)} and {_shown(name)} would both be the class {class_id(name)!r}; rename "
                "one, or put their images into one folder."
            )
    if len(named) < MIN_CLASSES:
        raise TrainingError(
            f"{joined(folders)} must hold at least two folders of images, one per class; found {sorted(named)}."
        )
    return dict(sorted(named.items()))


def chosen_classes(requested: Sequence[str], named: dict[str, str], *, review: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the classes to train: the requested ones, by name or id, or all that are not for review.

    Raises:
        TrainingError: fewer than two, one of them twice, or one that does not exist.
    """
    others = {class_id(name) for name in review}
    ids = tuple(class_id(name) for name in requested) or tuple(each for each in named if each not in others)
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise TrainingError(f"The class {twice[0]!r} is named twice; name each class once.")
    if len(ids) < MIN_CLASSES:
        raise TrainingError(f"A classifier tells at least two classes apart; found {list(ids)}.")
    return ids


def folders_of(folder: Path, name: str) -> list[Path]:
    """List the folders inside ``folder`` whose name, or its id, is ``name``."""
    return [path for path in _inside(folder) if name == _composed(path.name) or name == _id_or_none(path.name)]


def joined(folders: Sequence[Path]) -> str:
    """Join folders for a sentence."""
    return ", ".join(_shown(str(folder)) for folder in folders)


def _inside(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_system_name(path.name))


def _id_or_none(name: str) -> str | None:
    try:
        return class_id(_composed(name))
    except TrainingError:
        return None


def _composed(name: str) -> str:
    """Return a name in Unicode normal form C (macOS writes another one), in whole characters."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
