"""The sums of photographs of which people corrected single tiles."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.contracts.manifest import ReviewReason
from shared.corrections import standing
from shared.db.models import CorrectionEntry
from shared.summaries.rows import Sums
from shared.tiles.stored import read_maps
from shared.tiles.tile_map import TileMap, sum_up


def recount(session: Session, job_id: uuid.UUID, labels: Sequence[str]) -> dict[int, Sums]:
    """Count the tiles of those photographs again; ``labels`` are the class ids of the manifest, in its order."""
    tiles: dict[int, dict[int, str]] = defaultdict(dict)
    by_person = standing.corrected_tiles(job_id)
    for seq, tile, label in session.execute(select(by_person.c.seq, by_person.c.tile, by_person.c.label)):
        tiles[seq][tile] = label
    whole = select(CorrectionEntry.seq, CorrectionEntry.label).where(
        CorrectionEntry.job_id == job_id, standing.OF_IMAGES
    )
    images = {seq: label for seq, label in session.execute(whole)} if tiles else {}  # noqa: C416  # rows, for mypy
    return {
        seq: corrected_sums(found, labels, tiles[seq], images.get(seq))
        for seq, found in read_maps(session, job_id, tiles)
    }


def corrected_sums(found: TileMap, labels: Sequence[str], tiles: Mapping[int, str], whole: str | None) -> Sums:
    """Sum up a map as people corrected it.

    Args:
        found: the map.
        labels: the class ids of the manifest, in its order.
        tiles: labels of single tiles; such a tile counts, whatever its own answer was, unless it shows no leaf: what a
            person calls ``not_a_leaf`` is neither healthy nor diseased.
        whole: the label of the photograph as a whole, which its other counted tiles have; ``None``: their own.
    """
    own = sum_up(found, labels).as_json()
    sums = {kind: Counter(counts) for kind, counts in own.items()}
    for number in tiles:
        tile = found.tile(number)
        if tile.label is None:
            sums["skipped"][str(tile.skipped)] -= 1
        elif tile.review is not None:
            sums["review"][str(tile.review)] -= 1
        else:
            sums["labels"][labels[tile.label]] -= 1
    if whole is not None:
        sums["labels"] = Counter({whole: sums["labels"].total()})
    sums["labels"].update(label for label in tiles.values() if label != ReviewReason.NOT_A_LEAF)
    sums["review"].update(label for label in tiles.values() if label == ReviewReason.NOT_A_LEAF)
    return {kind: dict(+counts) for kind, counts in sums.items()}
