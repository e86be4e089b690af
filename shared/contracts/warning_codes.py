"""The warnings of a job: what its client should know before it reads the answers. The job goes on all the same."""

from enum import StrEnum


class WarningCode(StrEnum):
    """The code of a warning. Its sentence says how many photographs it is about."""

    TOO_COARSE = "too_coarse"  # Photographs are coarser than the classifier has learned.
    GROUND_RESOLUTION_UNKNOWN = "ground_resolution_unknown"  # Nobody knows whether they are.
    INSPECTION_INCOMPLETE = "inspection_incomplete"  # The heads of some files were not read; their work is a guess.
    NOTHING_DECIDED = "nothing_decided"  # No photograph that was answered has a label.
    NO_EXPLANATION = "no_explanation"  # The job asks for explanations, and its classifier has none.
