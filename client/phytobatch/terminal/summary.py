"""The end of a followed job, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phytobatch.resources import Job, Result
from phytobatch.summaries.resources import Shares
from phytobatch.terminal.job_words import breakdown
from phytobatch.terminal.output import Output
from phytobatch.words import plural, speed

WORDS = {
    "blurred": "too blurred to see a symptom",
    "not_a_leaf": "nothing that the classifier has learned to look at",
    "other_symptom": "signs of something that is none of its classes",
    "low_confidence": "the best class is not likely enough",
}


def print_shares(output: Output, labels: Mapping[str, tuple[int, float]]) -> None:
    """Print images and share of each label."""
    if labels:
        rows = [(label, f"{images:,}", f"{share:.1%}") for label, (images, share) in labels.items()]
        output.table(("label", "images", "share"), rows, right=("images", "share"))


def print_review(output: Output, review: Mapping[str, int]) -> None:
    """Print the images that ask for a person, by reason."""
    if review:
        output.text(f"{plural(sum(review.values()), 'image')} to look at yourself, not counted above:")
        by_size = sorted(review.items(), key=lambda one: -one[1])
        causes = [(reason, f"{images:,}", WORDS.get(reason, "")) for reason, images in by_size]
        output.table(("reason", "images", "because"), causes, right=("images",))


def print_summary(output: Output, job: Job, shares: Shares, failures: Sequence[Result]) -> None:
    """Print labels with images and share, what asks for a person, and the first failures with their reasons."""
    output.text(f"job {job.id} {job.state}")
    rate = job.progress.images_per_second if job.progress else None
    output.text(breakdown(job.counts) + (f"; {speed(rate)}" if rate else ""))
    print_shares(output, shares.labels)
    print_review(output, shares.review)
    if failures:
        rest = shares.not_classified - len(failures)
        output.text(f"{plural(shares.not_classified, 'image')} without a classification:")
        causes = [(each.name, each.error_code or each.status, each.error_detail or "") for each in failures]
        output.table(("file", "reason", "detail"), causes)
        if rest > 0:
            output.text(f"… and {rest:,} more: phytobatch results {job.id}")
