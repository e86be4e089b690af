"""Results as JSON."""

import io
import json

import pytest

from phytobatch.reports.json_format import write_json, write_ndjson
from phytobatch.resources import JsonObject, Result

RAW: list[JsonObject] = [
    {"seq": number, "name": "Blüte.jpg", "status": "succeeded", "newer": [1]} for number in range(3)
]


def test_every_line_of_ndjson_is_what_the_server_sent() -> None:
    stream = io.StringIO()
    write_ndjson(map(Result.from_json, RAW), stream)

    assert [json.loads(line) for line in stream.getvalue().splitlines()] == RAW


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array(count: int) -> None:
    stream = io.StringIO()
    write_json(map(Result.from_json, RAW[:count]), stream)

    assert json.loads(stream.getvalue()) == RAW[:count]
