"""The end of a followed job, for people."""

from client.reports.tally import Tally
from client.resources import Job
from client.terminal.job_words import breakdown
from client.terminal.output import Output
from client.words import plural, speed

WORDS = {
    "blurred": "too blurred to see a symptom",
    "not_a_leaf": "nothing that the classifier has learned to look at",
    "other_symptom": "signs of something that is none of its classes",
    "low_confidence": "the best class is not likely enough",
}


def print_summary(output: Output, job: Job, tally: Tally) -> None:
    """Labels with images and share, what needs a look, and the first failures with their reasons."""
    output.text(f"job {job.id} {job.state}")
    rate = job.progress.images_per_second if job.progress else None
    output.text(breakdown(job.counts) + (f"; {speed(rate)}" if rate else ""))
    if tally.labels:
        rows = [(label, f"{count:,}", f"{share:.1%}") for label, count, share in tally.rows()]
        output.table(("label", "images", "share"), rows, right=("images", "share"))
    if tally.review:
        output.text(f"{plural(tally.review.total(), 'image')} to look at yourself, not counted above:")
        causes = [(reason, f"{count:,}", WORDS.get(reason, "")) for reason, count in tally.review.most_common()]
        output.table(("reason", "images", "because"), causes, right=("images",))
    if tally.failures:
        rest = tally.failed - len(tally.failures)
        output.text(f"{plural(tally.failed, 'image')} without a classification:")
        causes = [(each.name, each.error_code or each.status, each.error_detail or "") for each in tally.failures]
        output.table(("file", "reason", "detail"), causes)
        if rest:
            output.text(f"… and {rest:,} more: phytobatch results {job.id}")
