"""``python -m tests.corpus --files 2400``: read every file of the corpus in this one process.

Each file goes through what a worker does with it: both ways of decoding, and the search for its place. One JSON line
before a file and one behind it, so that whoever reads them knows the file that ended the process. A file that takes
too long ends the process with a trace of where it hangs, also where it hangs in C.
"""

import argparse
import faulthandler
import json
import resource
import time
from itertools import islice

import psutil

from shared.contracts.manifest import Decode, Preprocessing
from tests.corpus.files import broken_files
from tests.corpus.pictures import whole_pictures
from worker.inference.errors import ImageError
from worker.inference.geography import read_place
from worker.inference.preprocess import preprocess

INPUT_SIZE = (224, 224)
WAYS = (Preprocessing(), Preprocessing(decode=Decode.SCALED, exif_orientation=True))


def main() -> None:
    """Read them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0, help="bound of one file")
    parser.add_argument("--first", type=int, default=0, help="leave out the files before this one")
    asked = parser.parse_args()
    for _, data in whole_pictures(asked.seed):  # Every decoder is loaded and warm before memory is counted.
        _ways_of(data)
    before, peak = psutil.Process().memory_info().rss, _peak()
    for file in islice(broken_files(asked.files, asked.seed), asked.first, None):
        _say(number=file.number, format=file.format, damage=file.damage)
        faulthandler.dump_traceback_later(asked.seconds, exit=True)
        began = time.perf_counter()
        outcomes = _ways_of(file.data)
        faulthandler.cancel_dump_traceback_later()
        _say(number=file.number, outcome=outcomes[0], other=outcomes[1], seconds=time.perf_counter() - began)
    _say(rss_growth=psutil.Process().memory_info().rss - before, peak_growth=_peak() - peak)


def _ways_of(data: bytes) -> list[str]:
    read_place(data)
    return [_outcome(data, way) for way in WAYS]


def _outcome(data: bytes, way: Preprocessing) -> str:
    """``pixels`` or the code of the error; anything else that is raised ends the process."""
    try:
        pixels = preprocess(data, way, INPUT_SIZE)
    except ImageError as error:
        if not error.detail.endswith("."):
            raise AssertionError(error.detail) from error
        return str(error.code)
    if pixels.shape != (*INPUT_SIZE, 3):
        raise AssertionError(pixels.shape)
    return "pixels"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
