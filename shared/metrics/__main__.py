"""``python -m shared.metrics``: the Markdown table of every metric, for ``docs/metrics.md``."""

from shared.metrics.definitions import TABLE


def metrics_table() -> str:
    """Return the table, in the order of the definitions."""
    rows = ["| metric | type | labels | programs | meaning |", "|---|---|---|---|---|"]
    rows += [
        f"| `{line.name}` | {line.kind} | {', '.join(f'`{label}`' for label in line.labels)} "
        f"| {', '.join(line.programs)} | {line.meaning} |"
        for line in TABLE
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    print(metrics_table())
