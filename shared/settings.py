"""Every setting of every server program, read from environment variables that begin with ``PHYTOBATCH_``.

``python -m shared.settings`` prints the table of ``docs/configuration.md``; a test compares the two.
"""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.addresses.http import read_http
from shared.addresses.postgres import EXAMPLE as POSTGRES
from shared.addresses.postgres import read_postgres
from shared.addresses.redis import EXAMPLE as REDIS
from shared.addresses.redis import SENTINEL_EXAMPLE as SENTINELS
from shared.addresses.redis import read_redis
from shared.addresses.store import read_public_store, read_store
from shared.contracts.manifest import Runtime
from shared.contracts.stored import MAX_DAYS, MAX_HOURS
from shared.environment import forget_empty, unreadable_authorities
from shared.errors import ConfigurationError
from shared.processors import processors

ENV_PREFIX = "PHYTOBATCH_"
MEBIBYTE = 1024 * 1024
# Part of every secret of .env.example, which is public.
EXAMPLE_SECRET = "change-this"  # noqa: S105  # no secret, and no program starts with it
# The reader of each server's address: from a text and the settings before it.
ADDRESSES: dict[str, Callable[[str, Mapping[str, Any]], str | None]] = {
    "database_url": lambda text, _: read_postgres(text).render_as_string(hide_password=False),
    "redis_url": lambda text, _: read_redis(text).text,
    "s3_endpoint_url": lambda text, known: read_store(text, known.get("s3_bucket", ""), known.get("s3_region", "")),
    "s3_public_endpoint_url": lambda text, known: read_public_store(
        text, known.get("s3_bucket", ""), known.get("s3_region", ""), known.get("s3_endpoint_url")
    ),
    "public_url": lambda text, _: read_http(text, example="https://phytobatch.example.org"),
    "traces_endpoint": lambda text, _: read_http(text, example="http://collector:4318/v1/traces"),
}


class Settings(BaseSettings):
    """The settings, read once per process. Units stand in the names or in the sentence."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # Where the servers are
    database_url: SecretStr = Field(
        description=f"PostgreSQL, as `{POSTGRES}`; `?sslmode=verify-full` has its certificate and name verified.",
    )
    redis_url: SecretStr = Field(
        description=f"Redis or Valkey, as `{REDIS}`; by TLS, verified, as `rediss://…`; by sentinels as `{SENTINELS}`.",
    )
    s3_bucket: str = Field(description="Bucket that uploads are written to.")
    s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    s3_endpoint_url: str | None = Field(
        default=None, description="Address of the S3 server that API and workers use; empty for AWS."
    )
    s3_public_endpoint_url: str | None = Field(
        default=None,
        description="Address of the same S3 server that clients reach, for presigned URLs. Empty: the one above.",
    )
    s3_access_key_id: SecretStr | None = Field(
        default=None,
        description="Access key; empty to let boto3 find credentials (`AWS_*` variables, a role of the machine, of the "
        "pod or of a web identity).",
    )
    s3_secret_access_key: SecretStr | None = Field(
        default=None, validate_default=True, description="Secret that belongs to the access key."
    )

    # API
    api_host: str = Field(
        default="127.0.0.1", description="Address that the API listens on; `::` is every one, of IPv6 and of IPv4."
    )
    api_port: int = Field(default=8000, ge=0, le=65535, description="Port that the API listens on; 0 takes a free one.")
    trusted_hosts: str = Field(
        default="",
        description="Names that the API answers to, as `phytobatch.example.org,*.farm.example.org`; empty: any. "
        "Probes are answered under every name.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses and networks of proxies whose `X-Forwarded-For` is believed, as `10.0.0.0/8`; what the "
        "logs call the client is then the address that they saw.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins whose web pages may call the API from a browser, as `https://farm.example.org`, exactly "
        "and separated by commas; empty: none.",
    )
    hsts_seconds: int = Field(
        default=31_536_000,
        ge=0,
        description="How long browsers that came by TLS come by nothing else (HSTS), in seconds; 0: they forget it.",
    )
    bootstrap_api_key: SecretStr | None = Field(
        default=None,
        description="A first API key with every scope, for the tenant `default`; made at start if it does not exist.",
    )
    predict_wait_seconds: float = Field(
        default=20.0, ge=0, le=60, description="How long `POST /predict` waits for the answer before it says 202."
    )
    presigned_url_seconds: int = Field(
        default=3600, ge=60, le=604800, description="How long an upload URL is good for."
    )
    max_page_size: int = Field(
        default=1000, ge=1, le=1000, description="Maximum of rows or images in one request or answer."
    )
    max_page_bytes: int = Field(
        default=8 * MEBIBYTE,
        ge=64 * 1024,
        description="Bytes of a page of jobs or results: it ends with the row that fills it, and more follow.",
    )
    max_images_per_job: int = Field(default=100_000, ge=1, description="Maximum of images in one job.")
    max_image_bytes: int = Field(
        default=50 * MEBIBYTE, ge=1, description="Largest image file, in bytes; larger ones are `too_large`."
    )
    max_image_pixels: int = Field(
        default=60_000_000,
        ge=1,
        description="Maximum of pixels (width x height) of an image; checked in the header, before decoding.",
    )
    max_image_side: int = Field(
        default=65_535,
        ge=1,
        description="Maximum of pixels of the longer side of an image; decoders need memory for each row.",
    )
    max_image_scans: int = Field(
        default=200, ge=1, description="Maximum of scans of a progressive JPEG; each costs the time of a whole picture."
    )
    max_multipart_files: int = Field(default=100, ge=1, description="Maximum of files in one multipart upload.")
    max_multipart_bytes: int = Field(
        default=200 * MEBIBYTE,
        ge=1,
        description="Maximum of bytes in one multipart upload; larger sets use presigned URLs.",
    )
    max_json_bytes: int = Field(default=2 * MEBIBYTE, ge=1024, description="Largest JSON request body, in bytes.")
    max_sidecar_bytes: int = Field(
        default=32 * MEBIBYTE,
        ge=1024,
        description="Largest `geo.txt` or CSV file with positions and metadata of images, in bytes.",
    )
    max_url_bytes: int = Field(
        default=8192, ge=256, description="Longest address of a request, with its query, in bytes."
    )
    max_query_bytes: int = Field(default=4096, ge=64, description="Longest query string of a request, in bytes.")
    max_header_bytes: int = Field(
        default=32 * 1024, ge=1024, description="Maximum of bytes in the header fields of a request, names and values."
    )
    max_json_depth: int = Field(
        default=32, ge=8, le=200, description="Maximum depth of nested objects and lists in a request body."
    )
    head_seconds: float = Field(
        default=10.0, gt=0, description="How long the head of a request may take to come, in seconds; then 408."
    )
    body_seconds: float = Field(
        default=20.0,
        gt=0,
        description="How long a request body may take to come before the minimum rate applies to it, in seconds.",
    )
    least_bytes_per_second: int = Field(
        default=2048,
        ge=1,
        description="Minimum rate of a request body, on average, in bytes a second, and of a client that takes an "
        "answer; a slower body gets 408, a slower answer is broken off.",
    )
    max_body_seconds: float = Field(
        default=7200.0, gt=0, description="How long a request body may take to come at any rate, in seconds."
    )
    answer_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Seconds at less than the minimum rate after which an answer to a slow client is broken off.",
    )
    idempotency_key_hours: int = Field(
        default=24, ge=1, le=MAX_HOURS, description="How long an Idempotency-Key is remembered."
    )
    draft_hours: int = Field(
        default=72, ge=1, le=MAX_HOURS, description="How long a draft may wait for its commit before it expires."
    )
    poll_after_seconds: int = Field(default=2, ge=1, description="Retry-After on a job that is not finished.")
    max_summary_groups: int = Field(
        default=1000, ge=1, description="Maximum of values of one metadata key that a summary shows."
    )
    max_grid_cells: int = Field(default=20_000, ge=1, description="Maximum of squares of one grid.")
    public_url: str | None = Field(
        default=None,
        description="Address of the API that clients reach, as `https://phytobatch.example.org`, for the links in "
        "webhooks. Empty: the links are paths. With a path, as `https://farm.example/phyto`, the API is served below "
        "it, whether the proxy takes the path away or not.",
    )

    # What a tenant may use: each of these holds for tenants that have none of their own (`set-limits`)
    max_open_jobs: int = Field(
        default=1000, ge=0, description="Maximum of unfinished jobs of one tenant, drafts included; 0: no limit."
    )
    max_pending_images: int = Field(
        default=500_000,
        ge=0,
        description="Maximum of images without an answer in the open jobs of one tenant; 0: no limit.",
    )
    max_pending_tiles: int = Field(
        default=0,
        ge=0,
        description="Maximum of tiles without an answer in the open jobs of one tenant, a whole photograph is one; "
        "checked when the photographs of a job are inspected; 0: no limit.",
    )
    max_running_chunks: int = Field(
        default=0,
        ge=0,
        description="Maximum of chunks of bulk jobs of one tenant that workers run at a time; 0: no limit, only the "
        "weights share out the workers.",
    )
    requests_per_minute: int = Field(
        default=30_000, ge=0, description="Maximum of requests of one API key in a minute; 0: no limit."
    )
    keep_days_results: int = Field(
        default=0,
        ge=0,
        le=MAX_DAYS,
        description="Days after its end for which a job is kept, results and all; 0: for ever.",
    )
    keep_days_originals: int = Field(
        default=0,
        ge=0,
        le=MAX_DAYS,
        description="Days after its end for which the uploads of a job are kept; 0: as long as the job.",
    )
    keep_days_history: int = Field(
        default=30,
        ge=1,
        le=MAX_DAYS,
        description="Days for which webhook deliveries that ended are kept, and events that belong to no job or tell "
        "of progress.",
    )
    unfinished_upload_hours: int = Field(
        default=24, ge=1, description="Age in hours at which a multipart upload to S3 that never ended is removed."
    )

    # Waiting
    max_wait_seconds: float = Field(
        default=60.0, ge=0, le=300, description="Longest `?wait=` of a request, in seconds."
    )
    max_waiting_clients: int = Field(
        default=5000,
        ge=1,
        description="Maximum of requests, event streams and exports that wait in one API process for news, or for a "
        "client that takes its answer; more get 503.",
    )
    max_body_bytes_at_a_time: int = Field(
        default=512 * MEBIBYTE,
        ge=MEBIBYTE,
        description="Maximum of bytes of request bodies that one API process receives at a time, in memory and on its "
        "disk, a quarter of them in bodies of at most `PHYTOBATCH_MAX_JSON_BYTES`; more get 503.",
    )
    key_share: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Part of the waiting clients, request bodies, threads and connections of an API process that one "
        "API key may hold; more get 429, or wait for their turn.",
    )
    tenant_share: float = Field(default=0.5, gt=0, le=1, description="The same for all keys of one tenant together.")
    watch_seconds: float = Field(
        default=1.0,
        gt=0,
        le=2,
        description="How often an API process polls for changes of the jobs that clients wait for.",
    )
    stream_heartbeat_seconds: float = Field(
        default=15.0, gt=0, description="How often an event stream without news sends a comment."
    )
    stream_seconds: float = Field(
        default=3600.0, gt=0, description="How long one event stream lasts; the client connects again and goes on."
    )

    # Webhooks
    max_webhook_endpoints: int = Field(default=50, ge=1, description="Maximum of webhook endpoints of one tenant.")
    webhook_ports: str = Field(default="443,8443", description="Ports that webhooks may go to, as `443,8000-8999`.")
    webhook_networks: str = Field(
        default="",
        description="Networks that webhooks may go to although they are not public, as `10.1.0.0/16,fd00::/8`, or with "
        "ports of their own, as `10.1.2.3:8080,[fd00::/8]:8000-8099`; only there is plain `http` allowed.",
    )
    webhook_schedule: str = Field(
        default="0,5,300,1800,7200,18000,36000,50400,72000,86400",
        description="Seconds before each attempt of a delivery, counted from the attempt before.",
    )
    webhook_timeout_seconds: float = Field(
        default=20.0, gt=0, le=60, description="Total time of one attempt: name, connection, TLS, answer."
    )
    webhook_in_flight: int = Field(
        default=256, ge=1, le=4096, description="Attempts that one deliverer makes at a time."
    )
    webhook_in_flight_per_endpoint: int = Field(
        default=8, ge=1, description="Attempts to one endpoint at a time, over all deliverers."
    )
    webhook_breaker_failures: int = Field(
        default=5, ge=1, description="Failures in a row after which an endpoint gets no attempts for a while."
    )
    webhook_breaker_seconds: float = Field(
        default=30.0, gt=0, description="First pause of such an endpoint; it doubles with each failed probe."
    )
    webhook_breaker_max_seconds: float = Field(default=900.0, gt=0, description="Longest pause of such an endpoint.")
    webhook_disable_hours: float = Field(
        default=120.0, gt=0, le=MAX_HOURS, description="An endpoint with nothing but failures for so long is disabled."
    )
    webhook_secret_overlap_hours: float = Field(
        default=24.0,
        ge=0,
        le=MAX_HOURS,
        description="How long the old secret of an endpoint still signs after a rotation.",
    )

    # Exports
    max_direct_export_rows: int = Field(
        default=20_000,
        ge=0,
        description="Maximum of images or tiles in an export that is sent directly; larger ones go to the background.",
    )
    export_hours: float = Field(
        default=72.0,
        gt=0,
        le=MAX_HOURS,
        description="How long a background export can be downloaded.",
    )
    export_attempts: int = Field(
        default=3, ge=1, description="Attempts at a background export after which it is `failed`; outages do not count."
    )
    max_exports_per_job: int = Field(
        default=20, ge=1, description="Maximum of exports of one job that are kept, queued or running at a time."
    )
    export_metadata_columns: int = Field(
        default=32,
        ge=0,
        le=200,
        description="Keys of the images' metadata that get a column of their own in exports, the most frequent ones; "
        "the others stand together in one.",
    )
    download_url_seconds: int = Field(
        default=900, ge=10, le=604800, description="How long a download URL of an image or an export is good for."
    )

    # Work
    chunk_images: int = Field(
        default=64,
        ge=1,
        le=1024,
        description="Maximum of images in one chunk, the unit of work and retry; the first and last ones are smaller.",
    )
    chunk_tiles: int = Field(
        default=1024,
        ge=1,
        le=1_000_000,
        description="Maximum of tiles in one chunk of a job that cuts its photographs; a photograph of more is a chunk "
        "alone.",
    )
    inspect_images: int = Field(
        default=500,
        ge=1,
        le=100_000,
        description="Images whose heads one chunk reads before a job is cut into tiles.",
    )
    inspect_threads: int = Field(
        default=16, ge=1, le=256, description="Heads of files that one inspecting chunk reads at a time."
    )
    head_bytes: int = Field(
        default=64 * 1024,
        ge=1024,
        le=1024 * 1024,
        description="Bytes of the first read of a file's head; what lies elsewhere in it is read as it is needed.",
    )
    max_tiles_per_image: int = Field(
        default=4096,
        ge=1,
        le=1_000_000,
        description="Maximum of tiles of one photograph; one with more is refused (`too_many_tiles`).",
    )
    lease_seconds: float = Field(
        default=60.0, gt=0, description="How long a chunk belongs to a worker without renewal."
    )
    lease_renew_seconds: float = Field(default=15.0, gt=0, description="How often a worker renews its leases.")
    lifeline_grace_seconds: float = Field(
        default=5.0,
        ge=0,
        description="How long a worker may be without its own connection to PostgreSQL until its chunks are taken "
        "over, long before their leases run out; 0: only the leases count, as behind a pooler.",
    )
    isolate_after_attempts: int = Field(
        default=2, ge=1, description="Lost attempts after which a chunk is split into single images that run isolated."
    )
    fail_after_attempts: int = Field(
        default=5, ge=2, description="Lost attempts after which a single image is `failed: worker_crashed`."
    )
    release_backoff_seconds: float = Field(
        default=5.0, ge=0, description="Pause of a chunk that was handed back because S3 or Postgres was away."
    )
    sweep_seconds: float = Field(default=10.0, gt=0, description="How often beat asks for a sweep.")
    idle_look_seconds: float = Field(
        default=3.0, gt=0, description="How often a worker without wake-ups polls Postgres by itself."
    )
    wakeup_window: int = Field(default=8, ge=1, description="Maximum of wake-up messages that are published at a time.")

    # Worker
    classifier_dir: Path | None = Field(
        default=None, description="Folder with `model.keras` and `manifest.json`; empty for the shipped classifier."
    )
    classifiers: str = Field(
        default="",
        description="Published classifiers that a worker serves instead, as `leaf@1,leaf@2`; it claims the work of "
        "these alone. They are read from `models/` in the bucket.",
    )
    classifier_cache: Path | None = Field(
        default=None,
        description="Folder that keeps published classifiers between starts of a worker; empty for one below the "
        "system's folder for temporary files.",
    )
    worker_slots: int = Field(
        default=2, ge=1, le=64, description="Chunks that one worker process works on at a time, sharing one classifier."
    )
    runtime: Runtime = Field(
        default=Runtime.AUTO,
        description="Runtime of the classifier: `tensorflow`, `onnx`, `int8`, or `auto`: TensorFlow if a GPU is "
        "visible; on a CPU ONNX Runtime with `model.int8.onnx`, if the classifier has one and the processor has "
        "`avx512_vnni` or `avx_vnni`, else with `model.onnx`; TensorFlow if the classifier has neither. `onnx` forbids "
        "bytes, `int8` takes them on every processor: without those instructions some answers differ.",
    )
    batch_size: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="Images in one call of the classifier; 0: 8 on ONNX Runtime, whose working memory then fits the "
        "caches of a processor, 32 on TensorFlow.",
    )
    download_threads: int = Field(default=8, ge=1, le=128, description="Objects that a worker downloads at a time.")
    decode_threads: int = Field(
        default=0,
        ge=0,
        le=128,
        description="Images that a worker decodes at a time; 0: one for each processor that it may use.",
    )
    bytes_in_flight: int = Field(
        default=256 * MEBIBYTE,
        ge=MEBIBYTE,
        description="Encoded bytes that a worker holds in memory at a time, over all its chunks.",
    )
    pixel_bytes_in_flight: int = Field(
        default=0,
        ge=0,
        description="Memory of ordinary pictures that a worker decodes at a time, in its threads; 0: 512 MiB, or "
        "128 MiB for each decode thread if that is more.",
    )
    decoded_bytes_in_flight: int = Field(
        default=0,
        ge=0,
        description="Memory of decoded photographs while their tiles are cut, 3 bytes for each pixel, over all chunks; "
        "a larger photograph is decoded alone. 0: 512 MiB, or 128 MiB for each decode thread if that is more.",
    )
    camera_time_zone: ZoneInfo | None = Field(
        default=None,
        description="Time zone of camera clocks whose photos do not name one, as `Europe/Madrid`; empty: such times "
        "are left out.",
    )
    isolated_processes: int = Field(
        default=2,
        ge=1,
        le=256,
        description="Processes that decode unusual pictures (WebP, BMP, odd structures, very large ones); one more "
        "is for interactive jobs. They are started on demand.",
    )
    isolated_processor_seconds: float = Field(
        default=8.0, gt=0, description="Processor time of one picture in such a process; beyond it it is `too_costly`."
    )
    isolated_seconds: float = Field(
        default=120.0,
        gt=0,
        description="Time on the clock of one picture in such a process; beyond it it is `too_costly`.",
    )
    isolated_memory_bytes: int = Field(
        default=512 * MEBIBYTE,
        ge=64 * MEBIBYTE,
        description="Memory of one picture in such a process, in bytes; one that needs more is `too_costly` "
        "or `worker_crashed`.",
    )
    watchdog_seconds: float = Field(
        default=300.0, gt=0, description="A worker whose chunk makes no progress for so long ends its process."
    )
    shutdown_seconds: float = Field(
        default=20.0, gt=0, description="How long a worker that gets a stop signal may take to hand its chunks back."
    )

    # Everywhere
    metrics_host: str = Field(
        default="127.0.0.1",
        description="Address that `/metrics` is served at, for Prometheus; never a public one. `::` is every one.",
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of `/metrics` of this program; 0 serves none. Each program on a machine needs its own.",
    )
    metrics_tenants: int = Field(
        default=20,
        ge=0,
        le=200,
        description="Number of tenants that metrics name, those with the most waiting images first; the others are "
        "one series. 0 names none and reads nothing of them.",
    )
    operator: str | None = Field(
        default=None,
        max_length=100,
        description="Name of the operator who runs commands, for the audit log; `--as NAME` sets it for one command.",
    )
    broker_key_prefix: str = Field(default="phytobatch:", description="Prefix of every key in Redis.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Minimum level of log lines."
    )
    traces_endpoint: str | None = Field(
        default=None,
        description="Address for traces by OTLP over HTTP, as `http://collector:4318/v1/traces`; empty: none are sent.",
    )
    traces_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of traces that are sent, for those that no caller has decided.",
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json` for machines, `console` for people."
    )

    @field_validator(*ADDRESSES, mode="before")
    @classmethod
    def _address(cls, value: object, info: ValidationInfo) -> object:
        name = str(info.field_name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        if not text.strip() and not cls.model_fields[name].is_required():
            return None
        return ADDRESSES[name](text, info.data)

    @field_validator("*")
    @classmethod
    def _no_example(cls, value: object) -> object:
        if isinstance(value, SecretStr) and EXAMPLE_SECRET in value.get_secret_value():
            raise ValueError(
                "has an example secret in it, which everybody knows; `python3 -m deploy.compose` writes a .env with "
                "random ones, and `openssl rand -hex 24` prints one"
            )
        return value

    @field_validator("s3_secret_access_key")
    @classmethod
    def _whole_key(cls, value: object, info: ValidationInfo) -> object:
        if (value is None) != (info.data.get("s3_access_key_id") is None):
            raise ValueError(
                "and PHYTOBATCH_S3_ACCESS_KEY_ID belong together; one of them is empty. Set both, or none where a role "
                "gives access"
            )
        return value

    @field_validator("camera_time_zone", mode="before")
    @classmethod
    def _zone(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return ZoneInfo(value) if value else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone of the IANA list, as `Europe/Madrid` or `UTC`") from None

    @property
    def presign_endpoint_url(self) -> str | None:
        """The S3 address that clients reach."""
        return self.s3_public_endpoint_url or self.s3_endpoint_url

    @property
    def decode_workers(self) -> int:
        """Number of threads for decoding: the setting, or the processors that this process may use."""
        return self.decode_threads or processors()

    @property
    def pixel_bytes(self) -> int:
        """Memory of ordinary pictures that are decoded at a time: the setting, or the amount that suits the threads."""
        return self.pixel_bytes_in_flight or max(512 * MEBIBYTE, 128 * MEBIBYTE * self.decode_workers)

    @property
    def decoded_bytes(self) -> int:
        """Memory of decoded photographs in tiles: the setting, or the amount that suits the threads."""
        return self.decoded_bytes_in_flight or max(512 * MEBIBYTE, 128 * MEBIBYTE * self.decode_workers)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the settings of this process. An empty variable is an absent one, also to the libraries that read theirs.

    Raises:
        ConfigurationError: a variable is missing or invalid; the message names it.
    """
    forget_empty(os.environ)
    wrong = unreadable_authorities(os.environ)
    try:
        settings = Settings()  # the fields come from the environment
    except ValidationError as error:
        wrong += [
            f"{ENV_PREFIX}{'_'.join(map(str, e['loc'])).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False)
        ]
    else:
        if not wrong:
            return settings
    lines = "\n".join(f"  {line}" for line in wrong)
    raise ConfigurationError(f"these environment variables need a value (see docs/configuration.md):\n{lines}")


def environment_table() -> str:
    """Return the Markdown table of every variable, for ``docs/configuration.md``."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `{ENV_PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(environment_table())  # noqa: T201  # this is the command's answer
