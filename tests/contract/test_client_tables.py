"""Tables of the client, which may not import ours, against what the server has."""

from phytobatch.exports.formats import CONTENTS, FORMAT_OF_SUFFIX, FORMATS, TEXT_FORMATS
from shared.contracts.exports import ExportContent, ExportFormat


def test_the_client_knows_every_export_format() -> None:
    assert set(FORMATS) == set(ExportFormat)


def test_the_client_knows_every_content() -> None:
    assert set(CONTENTS) == set(ExportContent)


def test_every_format_has_a_suffix() -> None:
    assert set(FORMAT_OF_SUFFIX.values()) == set(FORMATS)
    assert set(TEXT_FORMATS) < set(FORMATS)
