"""Calls of each operation of the OpenAPI document through the SDK, and the place of its answer there.

A new operation needs a line in ``CALLS``; a field whose attribute has another name, or another place, one in ``VIEWS``.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from phytobatch import ClassifierRef, ImageSpec, Phytobatch
from phytobatch.summaries.resources import Cell, Shares

Json = dict[str, Any]
Values = Mapping[str, Any]  # Parameters by their names; the body by ``body``.
Call = Callable[[Phytobatch, Values], object]

FILE = "picture.jpg"


def _job(body: Json) -> Json:
    return {**body, "classifier": ClassifierRef(**body["classifier"])}


def _image(body: Json) -> ImageSpec:
    return ImageSpec(**{**body, "captured_at": datetime.fromisoformat(body["captured_at"])})


def _form(values: Values) -> Json:
    body = {name: value for name, value in values["body"].items() if name != "files"}
    return {**body, "classifier": ClassifierRef.parse(body["classifier"]), "paths": [Path(values["folder"]) / FILE]}


def _corner(text: str) -> tuple[float, float]:
    longitude, latitude = text.split(",")
    return float(longitude), float(latitude)


def _key(values: Values) -> Json:
    return {"idempotency_key": values["Idempotency-Key"]}


def _page(values: Values, *names: str) -> Json:
    return {name: values[name] for name in (*names, "after", "limit")}


CALLS: Mapping[str, Call] = {
    "create_job": lambda c, v: c.create_job(**_job(v["body"]), **_key(v)),
    "upload_job": lambda c, v: c.create_job_from_files(**_form(v), **_key(v)),
    "list_jobs": lambda c, v: c.jobs_page(**_page(v, "state")),
    "get_job": lambda c, v: c.poll(v["job_id"], v["if-none-match"], wait=v["wait"]).job,
    "delete_job": lambda c, v: c.delete(v["job_id"]),
    "add_images": lambda c, v: c.add_images(v["job_id"], [_image(one) for one in v["body"]["images"]]),
    "commit_job": lambda c, v: c.commit(v["job_id"]),
    "cancel_job": lambda c, v: c.cancel(v["job_id"]),
    "retry_job": lambda c, v: c.retry(v["job_id"]),
    "put_sidecar": lambda c, v: c.put_sidecar(v["job_id"], b"a table", folder=v["folder"]),
    "stream_events": lambda c, v: next(c.events(v["job_id"], last_event_id=v["Last-Event-ID"])),
    "list_results": lambda c, v: c.results_page(v["job_id"], **_page(v, "status", "label", "place")),
    "export_job": lambda c, v: c.exports.open(
        v["job_id"], v["format"], status=v["status"], label=v["label"], place=v["place"], content=v["content"]
    ),
    "create_export": lambda c, v: c.exports.create(
        v["job_id"], v["body"]["format"], content=v["body"]["content"], **v["body"]["filters"], **_key(v)
    ),
    "list_exports": lambda c, v: c.exports.page(v["job_id"], **_page(v)),
    "get_export": lambda c, v: c.exports.get(v["export_id"]),
    "delete_export": lambda c, v: c.exports.delete(v["export_id"]),
    "put_correction": lambda c, v: c.corrections.put(v["job_id"], v["seq"], **v["body"]),
    "delete_correction": lambda c, v: c.corrections.delete(v["job_id"], v["seq"], corrected_by=v["corrected_by"]),
    "put_tile_correction": lambda c, v: c.corrections.put(v["job_id"], v["seq"], tile=v["tile"], **v["body"]),
    "delete_tile_correction": lambda c, v: c.corrections.delete(
        v["job_id"], v["seq"], tile=v["tile"], corrected_by=v["corrected_by"]
    ),
    "list_corrections": lambda c, v: c.corrections.page(v["job_id"], **_page(v, "seq", "history")),
    "import_corrections": lambda c, v: c.corrections.import_table(v["job_id"], b"a table"),
    "get_image_tiles": lambda c, v: c.tiles(v["job_id"], v["seq"]),
    "explain_tile": lambda c, v: c.explain_tile(v["job_id"], v["seq"], v["tile"]),
    "get_image_file": lambda c, v: c.image(v["job_id"], v["seq"]),
    "summarise_job": lambda c, v: c.summary(
        v["job_id"], group_by=v["group_by"], time_zone=v["time_zone"], healthy=v["healthy"]
    ),
    "grid_of_job": lambda c, v: c.grid(v["job_id"], edge=v["edge"], origin=_corner(v["origin"]), healthy=v["healthy"]),
    "list_receipts": lambda c, v: c.receipts.page(**_page(v, "job_id")),
    "get_receipt": lambda c, v: c.receipts.get(v["receipt_id"]),
    "list_classifiers": lambda c, _: c.classifiers(),
    "predict": lambda c, v: c.predict(
        Path(v["folder"]) / FILE,
        classifier=ClassifierRef.parse(v["classifier"]),
        **{name: v[name] for name in ("tiling", "on_coarse", "ground_resolution_mm", "explain")},
        **_key(v),
    ),
    "get_job_secret": lambda c, _: c.webhooks.job_secret(),
    "renew_job_secret": lambda c, _: c.webhooks.new_job_secret(),
    "create_webhook": lambda c, v: c.webhooks.create(**v["body"], **_key(v)),
    "list_webhooks": lambda c, v: c.webhooks.page(**_page(v)),
    "get_webhook": lambda c, v: c.webhooks.get(v["endpoint_id"]),
    "change_webhook": lambda c, v: c.webhooks.update(v["endpoint_id"], **v["body"]),
    "delete_webhook": lambda c, v: c.webhooks.delete(v["endpoint_id"]),
    "rotate_webhook_secret": lambda c, v: c.webhooks.rotate(v["endpoint_id"]),
    "enable_webhook": lambda c, v: c.webhooks.enable(v["endpoint_id"]),
    "disable_webhook": lambda c, v: c.webhooks.disable(v["endpoint_id"]),
    "test_webhook": lambda c, v: c.webhooks.test(v["endpoint_id"]),
    "redeliver_to_webhook": lambda c, v: c.webhooks.redeliver(
        v["endpoint_id"], datetime.fromisoformat(v["body"]["since"]), all_events=v["body"]["all"]
    ),
    "list_deliveries": lambda c, v: c.deliveries.page(webhook_id=v["endpoint"], job_id=v["job"], **_page(v, "state")),
    "get_delivery": lambda c, v: c.deliveries.get(v["delivery_id"]),
    "redeliver": lambda c, v: c.deliveries.redeliver(v["delivery_id"]),
    "health": lambda c, _: c.health(),
    "ready": lambda c, _: c.ready(),
}


def _shares(shares: Shares) -> Json:
    labels = [
        {
            "label": label,
            "images": images,
            "share": share,
            "interval": shares.intervals[label],
            "tiles": shares.label_tiles[label],
        }
        for label, (images, share) in shares.labels.items()
    ]
    return {**asdict(shares), "labels": labels}


def _feature(cell: Cell) -> Json:
    return {
        "geometry": {"coordinates": [[list(corner) for corner in cell.ring]]},
        "properties": {"column": cell.column, "row": cell.row, **_shares(cell.shares)},
    }


VIEWS: Mapping[tuple[str, str], Callable[[Any], object]] = {
    ("AddedImage", "upload"): lambda target: target,
    ("AddedImages", "images"): lambda targets: targets,
    ("Classifier", "classes"): lambda one: one.class_labels,
    ("ClassifierList", "classifiers"): lambda found: found,
    ("Correction", "box"): lambda one: dict(zip(("left", "top", "right", "bottom"), one.box, strict=True)),
    ("CorrectionPage", "corrections"): lambda page: page.items,
    ("DeliveryPage", "deliveries"): lambda page: page.items,
    ("Endpoint", "disabled"): lambda one: {"reason": one.disabled_reason, "at": one.disabled_at},
    ("EndpointPage", "webhooks"): lambda page: page.items,
    ("EndpointWithSecret", "disabled"): lambda one: {"reason": one.disabled_reason, "at": one.disabled_at},
    ("Export", "bytes"): lambda one: one.size,
    ("Export", "download"): lambda one: {
        "url": one.url, "file_name": one.file_name, "expires_at": one.url_expires_at
    },
    ("ExportPage", "exports"): lambda page: page.items,
    ("Grid", "features"): lambda grid: [_feature(cell) for cell in grid.cells],
    ("Health", "status"): lambda status: status,
    ("JobPage", "jobs"): lambda page: page.items,
    ("ReceiptPage", "receipts"): lambda page: page.items,
    ("Redelivered", "redelivered"): lambda count: count,
    ("Result", "error"): lambda one: {"code": one.error_code, "detail": one.error_detail},
    ("ResultPage", "job"): lambda page: {"state": page.state, "counts": page.counts},
    ("ResultPage", "results"): lambda page: page.items,
    ("Summary", "days"): lambda one: [{"day": day, **_shares(shares)} for day, shares in one.days],
    ("Summary", "groups"): lambda one: {
        key: [{"value": value, **_shares(shares)} for value, shares in groups] for key, groups in one.groups.items()
    },
    ("Summary", "overall"): lambda one: _shares(one.overall),
    ("Summary", "positions"): lambda one: {
        "known": one.positions, "sources": one.position_sources, "missing": one.missing_positions
    },
}  # fmt: skip
