"""The model card: a classifier's answers, accuracy, weaknesses and sources.

(Mitchell et al.: Model Cards for Model Reporting, 2019.)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from shared.contracts.manifest import Manifest, ReviewReason
from worker.training.figures import CONFUSION_FILE, RELIABILITY_FILE
from worker.training.measure import Answers

CARD_FILE = "README.md"
REASONS = {
    ReviewReason.BLURRED: "the picture is too blurred",
    ReviewReason.NOT_A_LEAF: "nothing in it looks like what the classifier has learned",
    ReviewReason.OTHER_SYMPTOM: "a leaf with signs of something else",
    ReviewReason.UNKNOWN_CROP: "a plant that it has not learned",
    ReviewReason.LOW_CONFIDENCE: "the best class is not likely enough",
}


def card(
    manifest: Manifest, answers: Answers, sources: Mapping[str, Answers], images: Mapping[str, int], notes: str
) -> str:
    """Write the model card as Markdown.

    Args:
        manifest: of the classifier.
        answers: on the held-out images.
        sources: the same by source folder.
        images: number of images of each folder, held-out ones included.
        notes: a person's notes on the data, their terms and the weaknesses, as Markdown.
    """
    parts = [
        f"# {manifest.name} {manifest.version}",
        manifest.description,
        (
            f"Says of a photograph: {', '.join(f'`{label}`' for label in manifest.labels)}. Input "
            f"{manifest.input_size[0]} x {manifest.input_size[1]} pixels, {manifest.metrics.get('parameters', 0):,.0f} "
            f"parameters, preprocessing `{manifest.preprocessing_id}`."
        ),
        "## Measured",
        (
            f"On {answers.total} images that were held out from training (temperature and limits are chosen on them): "
            f"accuracy **{answers.accuracy:.3f}**, expected calibration error {answers.calibration_error:.3f}, "
            f"{answers.review.mean():.1%} asked for a person "
            f"({answers.review[answers.right].mean():.1%} of the right answers)."
        ),
        answers.table(),
        f"![confusions]({CONFUSION_FILE}) ![confidence and truth]({RELIABILITY_FILE})",
        "| folder | images | held out | accuracy |\n|---|---|---|---|\n" + "\n".join(_source_rows(sources, images)),
        "## When it asks for a person",
        _limits(manifest),
        _crops(manifest),
        notes.strip(),
        "## How it was made",
        f"```\n{manifest.training_command}\n```",
        "The same seed on the same machine gives the same weights.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _source_rows(sources: Mapping[str, Answers], images: Mapping[str, int]) -> Sequence[str]:
    return [
        f"| {name} | {count} | {sources[name].total} | {sources[name].accuracy:.3f} |" for name, count in images.items()
    ]


def _limits(manifest: Manifest) -> str:
    rows = [
        f"| `{o.reason}` | {REASONS[o.reason]} | output `{o.name}` above {o.limit:g} |" for o in manifest.review_outputs
    ]
    low = f"confidence below {manifest.review_threshold:g}"
    rows.append(f"| `{ReviewReason.LOW_CONFIDENCE}` | {REASONS[ReviewReason.LOW_CONFIDENCE]} | {low} |")
    return "| `review_reason` | because | rule |\n|---|---|---|\n" + "\n".join(rows)


def _crops(manifest: Manifest) -> str:
    """List the crops with the terms of their pictures; nothing if the classifier names none."""
    if not manifest.crops:
        return ""
    rows = [f"| `{c.id}` | {c.names.get('en', c.id)} | {c.terms or 'not stated'} |" for c in manifest.crops]
    return "## Crops\n\n| id | crop | terms of its pictures |\n|---|---|---|\n" + "\n".join(rows)


def write_card(folder: Path, text: str) -> None:
    """Write ``README.md`` of a classifier folder."""
    (folder / CARD_FILE).write_text(text, encoding="utf-8")
