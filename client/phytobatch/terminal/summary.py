"""The end of a followed job, for people."""

from __future__ import annotations

from collections.abc import Sequence

from phytobatch.resources import Job, Result
from phytobatch.summaries.resources import Interval, Shares
from phytobatch.terminal.job_words import breakdown, measured_speed, warning_lines
from phytobatch.terminal.output import Output
from phytobatch.words import plural

WORDS = {
    "blurred": "too blurred to see a symptom",
    "not_a_leaf": "nothing that the classifier has learned to look at",
    "other_symptom": "signs of something that is none of its classes",
    "low_confidence": "the best class is not likely enough",
    "unknown_crop": "a plant that the classifier has not learned",
    "unusual_light": "colours unlike those that the classifier has learned",
    "too_coarse": "from too far away: a pixel is too large for a symptom",
    "too_few_tiles": "too few tiles could be read",
    "no_leaf": "most tiles show no leaf",
}


def print_shares(output: Output, shares: Shares) -> None:
    """Print images and share of each label; in a job with tiles the tiles behind the share, and its interval."""
    if not shares.labels:
        return
    if shares.tiles is None:
        rows = [(label, f"{images:,}", f"{share:.1%}") for label, (images, share) in shares.labels.items()]
        output.table(("label", "images", "share"), rows, right=("images", "share"))
        return
    titles = ("label", "images", "tiles", "share", "95 % interval")
    tiled = [
        (label, f"{images:,}", f"{shares.label_tiles.get(label) or 0:,}", f"{share:.1%}", _interval(shares, label))
        for label, (images, share) in shares.labels.items()
    ]
    output.table(titles, tiled, right=titles[1:])


def _interval(shares: Shares, label: str) -> str:
    ends = shares.intervals.get(label)
    return "" if ends is None else in_percent(ends)


def in_percent(interval: Interval) -> str:
    """Write the ends of an interval: ``4.1 to 12.0 %``."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def print_review(output: Output, shares: Shares) -> None:
    """Print the images that ask for a person, by reason, and how many of them are undecided."""
    review = shares.review
    if review:
        output.text(f"{plural(sum(review.values()), 'image')} to look at yourself, not counted above:")
        by_size = sorted(review.items(), key=lambda one: -one[1])
        causes = [(reason, f"{images:,}", WORDS.get(reason, "")) for reason, images in by_size]
        output.table(("reason", "images", "because"), causes, right=("images",))
    if shares.undecided:
        output.text(undecided_sentence(shares))


def undecided_sentence(shares: Shares) -> str:
    """Say that tiles decide nothing: of some photographs, or of all."""
    if shares.counted == 0 and shares.undecided == shares.images - shares.not_classified:
        return "No photograph could be decided: nothing is known of these plants, also not that they are healthy."
    return f"{plural(shares.undecided, 'photograph')} undecided: too few of their tiles could be read; not healthy."


def print_summary(output: Output, job: Job, shares: Shares, failures: Sequence[Result]) -> None:
    """Print labels with images and share, what asks for a person, and the first failures with their reasons."""
    output.text(f"job {job.id} {job.state}")
    output.text("; ".join(filter(None, [breakdown(job.counts), measured_speed(job)])))
    for warning in warning_lines(job):
        output.warn(warning)
    print_shares(output, shares)
    print_review(output, shares)
    if failures:
        rest = shares.not_classified - len(failures)
        output.text(f"{plural(shares.not_classified, 'image')} without a classification:")
        causes = [(each.name, each.error_code or each.status, each.error_detail or "") for each in failures]
        output.table(("file", "reason", "detail"), causes)
        if rest > 0:
            output.text(f"… and {rest:,} more: phytobatch results {job.id}")
