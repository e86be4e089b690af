"""The words of a map of tiles besides its labels, and the numbers under which that is stored.

Rows of bytes are kept for years: a number is never given to another word, and a new word gets a new number.
"""

from enum import StrEnum

from shared.contracts.manifest import ReviewReason


class TileSkip(StrEnum):
    """The reason why a tile was not classified."""

    TOO_COARSE = "too_coarse"  # Its pixels are larger on the ground than those that the classifier has learned.
    SEEN_ELSEWHERE = "seen_elsewhere"  # Another photograph of the job shows this ground better.
    NO_DATA = "no_data"  # The raster has no pixels there.


# 0 is "none". Reasons for a review are below 128, reasons to skip from 128 on.
REVIEW_NUMBERS = {
    ReviewReason.BLURRED: 1,
    ReviewReason.NOT_A_LEAF: 2,
    ReviewReason.OTHER_SYMPTOM: 3,
    ReviewReason.LOW_CONFIDENCE: 4,
    ReviewReason.UNUSUAL_LIGHT: 5,
    ReviewReason.TOO_COARSE: 6,
    ReviewReason.TOO_FEW_TILES: 7,  # Of an image, never of a tile; kept so that the table is whole.
    ReviewReason.NO_LEAF: 8,  # Likewise.
    ReviewReason.UNKNOWN_CROP: 9,
}
SKIP_NUMBERS = {TileSkip.TOO_COARSE: 128, TileSkip.SEEN_ELSEWHERE: 129, TileSkip.NO_DATA: 130}
REVIEW_OF = {number: reason for reason, number in REVIEW_NUMBERS.items()}
SKIP_OF = {number: reason for reason, number in SKIP_NUMBERS.items()}
