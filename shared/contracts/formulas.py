"""The guard of table cells against spreadsheets, which run a text as a formula by its first character."""

STARTS = ("=", "+", "-", "@", "\t", "\r")
APOSTROPHE = "'"


def guarded(text: str) -> str:
    """Put an apostrophe in front of a text that a spreadsheet would run (OWASP, "CSV Injection")."""
    return f"{APOSTROPHE}{text}" if text.startswith(STARTS) else text


def unguarded(cell: str) -> str:
    """Remove the apostrophe that ``guarded`` put there."""
    text = cell.removeprefix(APOSTROPHE)
    return text if text.startswith(STARTS) else cell
