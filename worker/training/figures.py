"""Two charts of a classifier: its confusions, and the reliability of its confidence."""

from pathlib import Path

from worker.training.measure import Answers

CONFUSION_FILE = "confusion.png"
RELIABILITY_FILE = "reliability.png"
DPI = 110


def draw(answers: Answers, folder: Path) -> None:
    """Write ``confusion.png`` and ``reliability.png`` into ``folder``."""
    _confusion(answers, folder / CONFUSION_FILE)
    _reliability(answers, folder / RELIABILITY_FILE)


def _confusion(answers: Answers, path: Path) -> None:
    from matplotlib.figure import Figure

    cells = answers.confusion()
    count = len(answers.classes)
    edge = 2.2 + 0.9 * count
    figure = Figure(figsize=(edge + 1, edge), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    shares = cells / cells.sum(axis=1, keepdims=True).clip(1)
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    names = [c.replace("_", " ") for c in answers.classes]
    axes.set_xticks(range(count), names, rotation=30, ha="right")
    axes.set_yticks(range(count), names)
    axes.set_xlabel("answered")
    axes.set_ylabel("true class")
    for row in range(count):
        for column in range(count):
            colour = "white" if shares[row, column] > 0.5 else "black"  # noqa: PLR2004  # readable on either ground
            axes.text(column, row, str(cells[row, column]), ha="center", va="center", color=colour)
    axes.set_title(f"{answers.total} images, accuracy {answers.accuracy:.3f}")
    figure.savefig(path, metadata={"Software": None})


def _reliability(answers: Answers, path: Path) -> None:
    from matplotlib.figure import Figure

    steps = answers.reliability
    figure = Figure(figsize=(5, 4.6), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="as confident as right")
    highest = max((n for _, _, n in steps), default=1)
    axes.bar(
        [c for c, _, _ in steps],
        [n / highest for _, _, n in steps],
        width=0.06,
        color="#d8e8d0",
        label="images (share of the fullest bin)",
    )
    axes.plot([c for c, _, _ in steps], [r for _, r, _ in steps], "o-", color="#2f6b1f", label="this classifier")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share that was right")
    axes.set_title(f"expected calibration error {answers.calibration_error:.3f}, {answers.total} images")
    axes.legend(loc="upper left", fontsize="small")
    figure.savefig(path, metadata={"Software": None})
