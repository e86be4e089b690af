"""Photographs in tiles, through a pipeline."""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from shared.contracts.manifest import LearnedLight, Manifest, ManifestTiling, Preprocessing, ResizeFilter, ReviewReason
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.tiles.grid import lay_grid
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.unit.inference.colours import ColourClassifier
from worker.inference.budget import ByteBudget, Holder, Reservation
from worker.inference.classifier import Classifier, Outputs
from worker.inference.errors import OutputInvalid
from worker.inference.limits import PictureLimits
from worker.inference.pipeline import Item, Odd, Outcome, Pipeline, TileCut, TiledAnswer
from worker.inference.tiles.room import DecodedRoom

Encode = Callable[..., bytes]
COLOURS = {"red": (230, 20, 20), "green": (20, 230, 20), "blue": (20, 20, 230)}
LABELS = tuple(COLOURS)
EDGE = 32
CUT = TileCut(EDGE)
BYTES = 8 * 6 * EDGE * EDGE * 3  # of a decoded bench


class WatchedBudget(ByteBudget):
    """A budget that remembers the most that was ever in use."""

    most = 0

    def _reserve(self, holder: Holder, size: int, seconds: float) -> Reservation | None:
        reservation = super()._reserve(holder, size, seconds)
        self.most = max(self.most, self.in_use)
        return reservation

    def _change(self, holder: Holder, size: int) -> None:
        super()._change(holder, size)
        self.most = max(self.most, self.in_use)


def bench(seed: int, columns: int = 8, rows: int = 6) -> tuple[Image.Image, list[str]]:
    """A picture of many squares, and their labels, rows first."""
    labels = np.random.default_rng(seed).integers(0, 3, (rows, columns))
    pixels = np.array(list(COLOURS.values()), np.uint8)[labels].repeat(EDGE, axis=0).repeat(EDGE, axis=1)
    return Image.fromarray(pixels), [LABELS[label] for label in labels.ravel()]


def made(classifier: Classifier, **overrides: Any) -> Pipeline:  # noqa: ANN401  # settings of several types
    settings: dict[str, Any] = {"batch_size": 4, "download_threads": 3, "decode_threads": 2, "bytes_in_flight": 10**6}
    return Pipeline(classifier, **settings | overrides)


@pytest.fixture
def pipeline(classifier: Classifier) -> Iterator[Pipeline]:
    with made(classifier) as pipeline:
        yield pipeline
    assert settled(pipeline)


def settled(pipeline: Pipeline) -> bool:
    """True if nothing is reserved any more."""
    return (pipeline.bytes_in_use, pipeline.decoded_room.in_use) == (0, 0)


def run(pipeline: Pipeline, data: Sequence[bytes], cut: TileCut | None = CUT, **how: Any) -> list[Outcome]:  # noqa: ANN401  # as Pipeline.run
    items = [Item(seq, str(seq), len(each), tiles=cut) for seq, each in enumerate(data)]
    outcomes = list(pipeline.run(items, lambda item: data[item.seq], **how))
    assert sorted(outcome.seq for outcome in outcomes) == list(range(len(data)))
    return sorted(outcomes, key=lambda outcome: outcome.seq)


def until_it_ends(run: Iterator[Outcome], kept: list[Outcome]) -> None:
    """Consume a run that raises, keeping what came before."""
    for outcome in run:
        kept.append(outcome)  # noqa: PERF402  # extend would lose the outcomes when the run raises


def answer_in(outcome: Outcome) -> TiledAnswer:
    assert outcome.answer is not None, outcome
    return outcome.answer


def labels_of(outcome: Outcome) -> list[str]:
    return [LABELS[label] for label in answer_in(outcome).map.labels]


def test_every_tile_gets_the_answer_of_its_pixels(pipeline: Pipeline, encode: Encode) -> None:
    pictures = [bench(seed) for seed in range(5)]
    outcomes = run(pipeline, [encode(picture, "PNG") for picture, _ in pictures])
    assert [labels_of(outcome) for outcome in outcomes] == [labels for _, labels in pictures]
    assert {outcome.status for outcome in outcomes} == {ImageStatus.SUCCEEDED}
    assert answer_in(outcomes[0]).map.grid == lay_grid(8 * EDGE, 6 * EDGE, EDGE)
    assert answer_in(outcomes[0]).sums.total == 48
    assert all(outcome.interpretation is None and outcome.place is not None for outcome in outcomes)


@pytest.mark.parametrize("resize", ResizeFilter)
@pytest.mark.parametrize(("edge", "overlap"), [(24, 0.0), (64, 0.25), (1000, 0.0)])
def test_a_tile_is_answered_as_a_photograph_of_its_pixels(
    make_manifest: Callable[..., Manifest],
    photo: Image.Image,
    encode: Encode,
    resize: ResizeFilter,
    edge: int,
    overlap: float,
) -> None:
    classifier = ColourClassifier(make_manifest(preprocessing=Preprocessing(resize=resize), input_size=(24, 24)))
    with made(classifier) as pipeline:
        (tiled,) = run(pipeline, [encode(photo, "PNG")], TileCut(edge, overlap))
        grid = lay_grid(*photo.size, edge, overlap)
        alone = run(pipeline, [encode(photo.crop(grid.box(n)), "PNG") for n in range(grid.tiles)], None)
    tiles = list(answer_in(tiled).map)
    assert len(tiles) == len(alone)
    for tile, whole in zip(tiles, alone, strict=True):
        assert whole.interpretation is not None
        assert (tile.label, tile.review) == (
            LABELS.index(whole.interpretation.label),
            whole.interpretation.review_reason,
        )
        assert tile.confidence == pytest.approx(whole.interpretation.confidence, abs=1e-5)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_map_lies_on_the_upright_picture(pipeline: Pipeline, encode: Encode, form: str, orientation: int) -> None:
    picture, _ = bench(7)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(picture, form, exif=exif)
    with Image.open(io.BytesIO(data)) as image:  # Pillow turns a TIFF by itself.
        upright = encode(ImageOps.exif_transpose(image).convert("RGB"), "PNG")
    (outcome,) = run(pipeline, [data])
    (plain,) = run(pipeline, [upright])
    assert labels_of(outcome) == labels_of(plain)
    assert answer_in(outcome).map.grid == answer_in(plain).map.grid


def test_a_picture_smaller_than_a_tile_is_one_tile(pipeline: Pipeline, encode: Encode) -> None:
    (outcome,) = run(pipeline, [encode(Image.new("RGB", (40, 20), COLOURS["blue"]))], TileCut(64))
    assert labels_of(outcome) == ["blue"]
    assert answer_in(outcome).map.grid.box(0) == (0, 0, 40, 20)


def test_batches_fill_with_tiles_of_several_photographs(
    pipeline: Pipeline, classifier: Classifier, encode: Encode
) -> None:
    run(pipeline, [encode(bench(seed, 3, 3)[0], "PNG") for seed in range(10)])
    assert getattr(classifier, "batches") == [4] * 22 + [2]  # noqa: B009  # the fake has more than the Protocol


def test_whole_photographs_and_tiles_go_together(pipeline: Pipeline, classifier: Classifier, encode: Encode) -> None:
    data = [encode(Image.new("RGB", (40, 30), COLOURS["red"])), *[encode(bench(seed)[0], "PNG") for seed in (1, 2)]]
    cuts = {1: CUT, 2: TileCut(64, 0.5), 3: None}
    data.append(data[0])
    items = [Item(seq, "", len(each), tiles=cuts.get(seq)) for seq, each in enumerate(data)]
    outcomes = {outcome.seq: outcome for outcome in pipeline.run(items, lambda item: data[item.seq])}
    assert [outcomes[seq].interpretation is not None for seq in range(4)] == [True, False, False, True]
    assert [answer_in(outcomes[seq]).sums.total for seq in (1, 2)] == [48, 35]
    assert set(getattr(classifier, "batches")[:-1]) == {4}  # noqa: B009  # as above


def test_each_answer_comes_once_and_whole_and_work_is_counted(pipeline: Pipeline, encode: Encode) -> None:
    data = [encode(bench(seed)[0], "PNG") for seed in range(3)]
    work, checks = list[int](), list[int]()
    run(pipeline, data, on_work=work.append, on_batch=lambda: checks.append(len(work)))
    assert sum(work) == 3 * 48
    assert set(range(len(work))) <= set(checks), "on_batch is called before each batch"


def test_light_and_coarse_pixels_are_said(make_manifest: Callable[..., Manifest], encode: Encode) -> None:
    narrow = LearnedLight(red=(0.5, 1), green=(0, 0.5), blue=(0, 0.5), violet=1)
    classifier = ColourClassifier(make_manifest(tiling=ManifestTiling(light=narrow)))
    picture, labels = bench(3)
    with made(classifier) as pipeline:
        (outcome,) = run(pipeline, [encode(picture, "PNG")], TileCut(EDGE, is_coarse=True))
    answer = answer_in(outcome)
    assert answer.sums.labels == {"red": labels.count("red")}
    assert answer.sums.review == {ReviewReason.UNUSUAL_LIGHT: 48 - labels.count("red")}
    assert (answer.label, answer.review_reason) == ("red", ReviewReason.TOO_COARSE)


def test_decoded_bytes_stay_within_their_room(classifier: Classifier, encode: Encode) -> None:
    budget = WatchedBudget(2 * BYTES + 100)
    with made(classifier, decode_threads=4, decoded_room=DecodedRoom(budget, ByteBudget(1))) as pipeline:
        data = [encode(bench(seed)[0], "PNG") for seed in range(12)]
        with ThreadPoolExecutor(3) as pool:
            runs = [pool.submit(run, pipeline, data) for _ in range(3)]
            assert [len(each.result(PATIENCE_SECONDS)) for each in runs] == [12] * 3
    assert budget.most == 2 * BYTES
    assert budget.in_use == 0


def test_a_picture_larger_than_the_room_is_there_alone(classifier: Classifier, encode: Encode) -> None:
    budget = WatchedBudget(BYTES)
    data = [encode(bench(1, columns, 6)[0], "PNG") for columns in (8, 20, 4, 4)]
    with made(classifier, decoded_room=DecodedRoom(budget, ByteBudget(1))) as pipeline:
        assert [answer_in(each).sums.total for each in run(pipeline, data)] == [48, 120, 24, 24]
    assert (budget.most, budget.in_use) == (BYTES, 0)


def test_encoded_bytes_are_released_when_a_picture_is_decoded(classifier: Classifier, encode: Encode) -> None:
    seen = set()
    with made(classifier) as pipeline:
        run(pipeline, [encode(bench(1)[0], "PNG")], on_work=lambda _: seen.add(pipeline.bytes_in_use))
    assert seen == {0}


def test_a_run_waits_for_room_while_another_pauses_and_stays_cancelable(classifier: Classifier, encode: Encode) -> None:
    """The first run's consumer holds a photograph in all the room; the second calls on_batch, and then goes on."""
    data = [encode(bench(seed)[0], "PNG") for seed in range(2)]
    items = [Item(seq, "", len(each), tiles=CUT) for seq, each in enumerate(data)]
    room = DecodedRoom(ByteBudget(BYTES), ByteBudget(BYTES))
    checks: list[None] = []
    with made(classifier, decoded_room=room) as pipeline, ThreadPoolExecutor(1) as pool:
        first = pipeline.run(items, lambda item: data[item.seq], on_batch=lambda: None)
        next(first)  # Its second photograph is decoded, or will be.
        wait_for(lambda: room.bulk.in_use)
        second = pool.submit(run, pipeline, data, on_batch=lambda: checks.append(None))
        wait_for(lambda: len(checks) > 2)
        assert not second.done()
        assert len(run(pipeline, data, urgent=True)) == 2, "who is urgent does not wait for it"
        first.close()
        assert len(second.result(PATIENCE_SECONDS)) == 2
    assert settled(pipeline)


def test_a_run_can_be_left_inside_of_a_photograph(pipeline: Pipeline, encode: Encode) -> None:
    class Cancel(Exception):
        pass

    done: list[int] = []

    def check() -> None:
        if sum(done) >= 60:
            raise Cancel

    data = [encode(bench(seed)[0], "PNG") for seed in range(9)]
    items = [Item(seq, "", len(each), tiles=CUT) for seq, each in enumerate(data)]
    outcomes = list[Outcome]()
    with pytest.raises(Cancel):
        until_it_ends(pipeline.run(items, lambda item: data[item.seq], on_batch=check, on_work=done.append), outcomes)
    assert sum(done) == 60
    assert all(answer_in(outcome).sums.total == 48 for outcome in outcomes)
    wait_for(lambda: settled(pipeline))


def test_closing_a_run_releases_everything(pipeline: Pipeline, encode: Encode) -> None:
    data = [encode(bench(seed)[0], "PNG") for seed in range(9)]
    items = [Item(seq, "", len(each), tiles=CUT) for seq, each in enumerate(data)]
    with closing(pipeline.run(items, lambda item: data[item.seq])) as outcomes:
        next(outcomes)
    wait_for(lambda: settled(pipeline))


def test_a_failure_in_the_middle_of_a_photograph_yields_nothing_of_it(
    make_manifest: Callable[..., Manifest], encode: Encode
) -> None:
    class Broken(ColourClassifier):
        def classify(self, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:
            outputs = super().classify(batch, maps=maps)
            return Outputs(np.full_like(outputs.rows, np.nan)) if len(self.batches) > 18 else outputs

    data = [encode(bench(seed)[0], "PNG") for seed in range(3)]
    items = [Item(seq, "", len(each), tiles=CUT) for seq, each in enumerate(data)]
    outcomes = list[Outcome]()
    with made(Broken(make_manifest())) as pipeline:
        with pytest.raises(OutputInvalid):
            until_it_ends(pipeline.run(items, lambda item: data[item.seq]), outcomes)
        wait_for(lambda: settled(pipeline))
    assert len(outcomes) <= 1, "18 batches are the tiles of one photograph and a half"
    assert all(answer_in(outcome).sums.total == 48 for outcome in outcomes)


def test_what_cannot_be_read_fails_alone(pipeline: Pipeline, encode: Encode) -> None:
    whole = encode(bench(1)[0], "JPEG")
    outcomes = run(pipeline, [whole, whole[:-300], b"<html>", b"", whole])
    assert [outcome.error and outcome.error.code for outcome in outcomes] == [
        None,
        ImageErrorCode.TRUNCATED,
        ImageErrorCode.UNSUPPORTED_FORMAT,
        ImageErrorCode.EMPTY,
        None,
    ]


def test_too_many_tiles_are_refused_in_words(classifier: Classifier, encode: Encode) -> None:
    with made(classifier, limits=PictureLimits(tiles=47)) as pipeline:
        outcomes = run(pipeline, [encode(bench(1)[0], "PNG"), encode(bench(1, 4, 4)[0], "PNG")])
    error = outcomes[0].error
    assert error is not None
    assert (error.code, outcomes[1].error) == (ImageErrorCode.TOO_MANY_TILES, None)
    assert "256 x 192 pixels has 48 tiles of 32 pixels, more than the limit of 47; take larger tiles." in error.detail
    assert settled(pipeline)


@pytest.mark.slow
def test_odd_pictures_are_decoded_whole_in_processes(classifier: Classifier, encode: Encode) -> None:
    picture, labels = bench(5)
    exif = Image.Exif()
    exif[0x0112] = 3
    data = [encode(picture, "BMP"), encode(picture, "WEBP", lossless=True, exif=exif), encode(picture, "PNG")]
    limits = PictureLimits(tiles=48, pixels=8 * 6 * EDGE * EDGE)
    with made(classifier, limits=limits) as pipeline:
        outcomes = run(pipeline, data)
        assert [labels_of(outcome) for outcome in outcomes] == [labels, labels[::-1], labels]
        isolated = run(pipeline, data, odd=Odd.ISOLATE_ALL)
        assert [labels_of(outcome) for outcome in isolated] == [labels, labels[::-1], labels]
        deferred = run(pipeline, data, odd=Odd.DEFER)
        assert [outcome.deferred for outcome in deferred] == [True, True, False]
        many = run(pipeline, data[:2], TileCut(32, 0.5))
        assert {outcome.error and outcome.error.code for outcome in many} == {ImageErrorCode.TOO_MANY_TILES}
    assert settled(pipeline)


@pytest.mark.slow
def test_a_picture_larger_than_threads_decode_goes_to_a_process(classifier: Classifier, encode: Encode) -> None:
    picture, labels = bench(5)
    with made(classifier, limits=PictureLimits(thread_bytes=1000)) as pipeline:
        (outcome,) = run(pipeline, [encode(picture, "PNG")])
        assert pipeline.isolated.pids
    assert labels_of(outcome) == labels


def test_a_closed_pipeline_ends_its_runs(classifier: Classifier, encode: Encode) -> None:
    data = [encode(bench(seed)[0], "PNG") for seed in range(30)]
    items = [Item(seq, "", len(each), tiles=CUT) for seq, each in enumerate(data)]
    with made(classifier) as pipeline, closing(pipeline.run(items, lambda item: data[item.seq])) as outcomes:
        next(outcomes)
        pipeline.close()
        with pytest.raises(RuntimeError):
            list(outcomes)
