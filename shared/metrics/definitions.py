"""The metrics of all programs: name, programs, meaning, labels.

``python -m shared.metrics`` prints the table of ``docs/metrics.md``; a test compares the two. Seconds and bytes are in
the names. Labels take few values: never an id, a path or a text of a client. The one exception is the name that an
operator gave a tenant; a setting limits their number.
"""

from shared.metrics.definition import Program, Table

API = (Program.API,)
WORKER = (Program.WORKER,)
DELIVERER = (Program.DELIVERER,)
BEAT = (Program.BEAT,)
API_AND_WORKER = (*API, *WORKER)
WITH_DATABASE = (*API, *WORKER, *DELIVERER)
EVERY = tuple(Program)

# Upper bounds of histograms, in seconds. Prometheus knows no more than the bucket: if the next bound is five times the
# last, it reports 288 s for 60. So the factor is two and a half at most, and one and a half for the minute or so that
# requests wait on purpose.
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0)
LONG = (
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    45.0,
    60.0,
    90.0,
    120.0,
    180.0,
    300.0,
    600.0,
    1200.0,
    3600.0,
)
TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

TABLE = Table()

# Who is this
BUILD_INFO = TABLE.sampled(
    "phytobatch_build_info", EVERY, "Always 1; the labels say which program this is.", "program", "version"
)
CLASSIFIER_INFO = TABLE.sampled(
    "phytobatch_classifier_info",
    WORKER,
    "Always 1; one series for each classifier that this worker has loaded.",
    "name",
    "version",
    "sha256",
    "runtime",
)

# HTTP
HTTP_REQUESTS = TABLE.counter(
    "phytobatch_http_requests_total",
    API,
    "Requests that were answered; 499: the client left before. `route` is the template, `other` where none fits.",
    "method",
    "route",
    "status",
)
HTTP_SECONDS = TABLE.histogram(
    "phytobatch_http_request_seconds",
    API,
    "From the request to the end of its answer; without the requests that wait on purpose.",
    "method",
    "route",
    buckets=QUICK,
)
HTTP_WAIT_SECONDS = TABLE.histogram(
    "phytobatch_http_wait_seconds",
    API,
    "The same of the requests that wait on purpose: `?wait=`, event streams, `POST /predict`.",
    "method",
    "route",
    buckets=LONG,
)
HTTP_WAITING_CLIENTS = TABLE.sampled(
    "phytobatch_http_waiting_clients",
    API,
    "Clients that hold a waiting place now: `?wait=`, event streams, exports that are sent, `POST /predict`.",
)

# What Postgres knows: the same in every API process
DATABASE_UP = TABLE.sampled(
    "phytobatch_database_up",
    API,
    "1 if Postgres answered the last reading; 0 if not, and then the series of this group are absent.",
)
JOBS = TABLE.sampled("phytobatch_jobs", API, "Unfinished jobs: draft, validating, queued, running, canceling.", "state")
CHUNKS = TABLE.sampled(
    "phytobatch_chunks",
    API,
    "Chunks that are not done: ready (claimable now), delayed (handed back, with a pause), running (leased).",
    "state",
    "kind",
)
IMAGES_WAITING = TABLE.sampled(
    "phytobatch_images_waiting", API, "Images of committed jobs that have no result yet, canceled jobs not counted."
)
IMAGES_PAUSED = TABLE.sampled(
    "phytobatch_images_paused", API, "Those of them that operators hold back; they are no reason for an alert."
)
OLDEST_IMAGE_WAITING = TABLE.sampled(
    "phytobatch_oldest_image_waiting_seconds",
    API,
    "Since the commit (or the retry) of the oldest job that has images without a result; 0 when there is none.",
    "priority",
)
OLDEST_READY_CHUNK = TABLE.sampled(
    "phytobatch_oldest_ready_chunk_seconds",
    API,
    "Seconds since the longest waiting chunk became claimable: the age of the queue; 0 if none waits.",
    "kind",
)
PAUSES = TABLE.sampled(
    "phytobatch_pauses",
    API,
    "Pauses that operators have begun and not ended; `worker` are drained workers. What is paused has no age in the "
    "metrics of waiting.",
    "scope",
)
LAST_BACKUP = TABLE.sampled(
    "phytobatch_last_backup_timestamp_seconds",
    API,
    "Moment of the newest backup that was read again (`made`), or restored and compared (`drilled`); 0 where "
    "`deploy.backup` has noted none.",
    "what",
)
EXPIRED_LEASES = TABLE.sampled(
    "phytobatch_expired_leases", API, "Running chunks whose lease is over now; the next sweep takes them back."
)
EXPORTS = TABLE.sampled("phytobatch_exports", API, "Exports that are not made yet: queued, running.", "state")
OLDEST_EXPORT_WAITING = TABLE.sampled(
    "phytobatch_oldest_export_waiting_seconds",
    API,
    "Since the oldest export that is queued or running was requested; 0 when there is none.",
)
WEBHOOK_DELIVERIES = TABLE.sampled(
    "phytobatch_webhook_deliveries", API, "Deliveries that wait for an attempt (state pending).", "state"
)
WEBHOOK_OLDEST_DUE = TABLE.sampled(
    "phytobatch_webhook_oldest_due_seconds",
    API,
    "Seconds by which the latest delivery is late; those of disabled or paused endpoints are not due. 0 if none is.",
)
WEBHOOK_ENDPOINTS = TABLE.sampled(
    "phytobatch_webhook_endpoints",
    API,
    "Endpoints that are enabled, paused (their breaker is open) or disabled.",
    "state",
)
TENANT_IMAGES_WAITING = TABLE.sampled(
    "phytobatch_tenant_images_waiting",
    API,
    "Images of a tenant that have no result yet. `PHYTOBATCH_METRICS_TENANTS` tenants are named, those with the most "
    "first; the rest is `(others)`.",
    "tenant",
)
TENANT_OLDEST_IMAGE = TABLE.sampled(
    "phytobatch_tenant_oldest_image_waiting_seconds",
    API,
    "Since the commit (or the retry) of a tenant's oldest job that has images without a result; 0 when there is none.",
    "tenant",
)
TENANT_IMAGES = TABLE.sampled(
    "phytobatch_tenant_images",
    API,
    "Images with a result, of a tenant's jobs that are active or ended within the hour: succeeded, failed, rejected.",
    "tenant",
    "status",
)
DATABASE_BYTES = TABLE.sampled("phytobatch_database_bytes", API, "Size of the database on disk.")

# Work
IMAGES = TABLE.counter(
    "phytobatch_images_total",
    WORKER,
    "Images that got their result here: succeeded, failed or rejected; `code` is the reason, empty for succeeded.",
    "status",
    "code",
)
CHUNK_ATTEMPTS = TABLE.counter("phytobatch_chunk_attempts_total", WORKER, "Chunks that were claimed.", "kind")
CHUNKS_ENDED = TABLE.counter(
    "phytobatch_chunks_total",
    WORKER,
    "Outcomes of claimed chunks: finished, canceled, handed_back (stop, outage, or the turn of another tenant), "
    "set_aside (only unusual pictures are left, for the isolated slot), outdated (an export whose job was retried), "
    "lease_lost, fault (ours).",
    "kind",
    "outcome",
)
LEASE_EXPIRIES = TABLE.counter(
    "phytobatch_lease_expiries_total",
    WORKER,
    "Leases that this worker took back: they ran out, or the connection of their worker ended.",
)
EXPORTS_ENDED = TABLE.counter(
    "phytobatch_exports_total",
    WORKER,
    "Outcomes of claimed exports: made, failed (the format cannot hold it), handed_back (stop or outage), outdated "
    "(the job was retried), lease_lost, fault (ours), given_up (every attempt lost its worker).",
    "format",
    "outcome",
)
EXPORT_SECONDS = TABLE.histogram(
    "phytobatch_export_seconds", WORKER, "One attempt to make an export, whatever became of it.", "format", buckets=LONG
)
STAGE_SECONDS = TABLE.histogram(
    "phytobatch_stage_seconds",
    WORKER,
    "Time in a stage: download and decode of one image, predict of one batch, write of one chunk's results.",
    "stage",
    buckets=QUICK,
)
BATCH_FILL = TABLE.histogram(
    "phytobatch_batch_fill_ratio", WORKER, "Images in a batch, by the size of a full one.", buckets=TENTHS
)
SLOTS = TABLE.sampled(
    "phytobatch_slots",
    WORKER,
    "Chunks that this worker takes at a time; its express and isolated slots are not counted.",
)
SLOTS_BUSY = TABLE.sampled(
    "phytobatch_slots_busy", WORKER, "Slots with a chunk now; the express and isolated slots not counted."
)
BYTES_IN_FLIGHT = TABLE.sampled(
    "phytobatch_bytes_in_flight", WORKER, "Encoded bytes in memory now, between download and decode."
)
GPU_MEMORY = TABLE.sampled(
    "phytobatch_gpu_memory_bytes",
    WORKER,
    "Memory of a GPU that TensorFlow holds now (current) and held at its maximum (peak); absent without a GPU.",
    "device",
    "kind",
)

# Webhooks
WEBHOOK_ATTEMPTS = TABLE.counter(
    "phytobatch_webhook_attempts_total",
    DELIVERER,
    "Attempts by their outcome: delivered, the class of the status (4xx, 5xx), or a word as timeout.",
    "result",
)
WEBHOOK_ATTEMPT_SECONDS = TABLE.histogram(
    "phytobatch_webhook_attempt_seconds", DELIVERER, "One attempt: name, connection, TLS, answer.", buckets=QUICK
)
WEBHOOKS_IN_FLIGHT = TABLE.sampled("phytobatch_webhook_under_way", DELIVERER, "Attempts in flight now.")

# Beat
BEAT_REQUESTS = TABLE.counter(
    "phytobatch_beat_requests_total",
    BEAT,
    "Periodic tasks that beat requested: published, or failed (Redis did not take them).",
    "outcome",
)

# The servers that all depend on
S3_SECONDS = TABLE.histogram(
    "phytobatch_s3_seconds",
    API_AND_WORKER,
    "One call of the object store, with its retries.",
    "operation",
    buckets=QUICK,
)
S3_ERRORS = TABLE.counter(
    "phytobatch_s3_errors_total",
    API_AND_WORKER,
    "Calls that failed by the object store's fault (its code, or the error of the connection; `other` for rare ones); "
    "a missing object is not one.",
    "operation",
    "error",
)
DATABASE_SECONDS = TABLE.histogram(
    "phytobatch_database_transaction_seconds",
    WITH_DATABASE,
    "One transaction, from asking for a connection to the end of the commit.",
    buckets=QUICK,
)
DATABASE_OUTAGES = TABLE.counter(
    "phytobatch_database_outages_total", WITH_DATABASE, "Transactions that failed because Postgres was unreachable."
)
WAKEUPS = TABLE.counter("phytobatch_wakeups_published_total", API_AND_WORKER, "Wake-up messages that were published.")
REDIS_ERRORS = TABLE.counter(
    "phytobatch_redis_errors_total", API_AND_WORKER, "Times that Redis did not answer; nothing is lost by that."
)
