"""Tables as spreadsheets save them."""

import pytest

from shared.contracts.encoded import decoded
from shared.corrections.table import parse
from shared.errors import RowsInvalid
from shared.geography.sidecar.read import read_sidecar
from shared.geography.sidecar.row import SidecarInvalid

SIDECAR = "filename;row;crop\r\nhoja ñ.jpg;7;piña\r\n"
CORRECTIONS = "name\tlabel\tnote\r\nhoja ñ.jpg\trust\tsí\r\n"
READ = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("encoding", READ)
def test_a_sidecar_is_read_in_what_its_first_bytes_say(encoding: str) -> None:
    [row] = read_sidecar(SIDECAR.encode(encoding))
    assert (row.name, row.metadata) == ("hoja ñ.jpg", {"row": "7", "crop": "piña"})


@pytest.mark.parametrize("encoding", READ)
def test_corrections_are_read_in_what_their_first_bytes_say(encoding: str) -> None:
    [line] = parse(CORRECTIONS.encode(encoding))
    assert (line.name, line.label, line.note) == ("hoja ñ.jpg", "rust", "sí")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman"])
def test_another_encoding_is_refused_with_the_line_and_what_stands_there(encoding: str) -> None:
    said = r"line 2 is not UTF-8: the byte 0x.. behind 'hoja '; .*CSV UTF-8"
    with pytest.raises(SidecarInvalid, match=said):
        read_sidecar(SIDECAR.encode(encoding))
    with pytest.raises(RowsInvalid, match=said):
        parse(CORRECTIONS.encode(encoding))


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\xfe\xffa", b"\xff\xfe\x00\x00a", b"\xef\xbb\xbf\xff", b"\xff"])
def test_what_breaks_off_ends_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ValueError, match="CSV UTF-8"):
        decoded(data)
