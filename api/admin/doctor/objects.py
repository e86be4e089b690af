"""The bucket: reachable, writable, private, open to the uploads of clients and browsers."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO
from urllib.parse import quote, urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.secrets import LOCAL
from api.admin.doctor.subject import Subject
from shared.errors import PhytobatchError
from shared.storage.s3 import S3Store
from shared.storage.store import PresignedPut

PROBES = "probes"
BODY = b"Phytobatch doctor: a probe, to be removed at once.\n"
SECONDS = 5.0
SAME = "a proxy before S3 must keep Host, path, query and body as they are: all are signed"
LIFECYCLE = (
    "add a rule AbortIncompleteMultipartUpload of 7 days (aws s3api put-bucket-lifecycle-configuration): exports and "
    "tools of yours write large objects in parts"
)


@contextmanager
def _probe(subject: Subject) -> Iterator[tuple[S3Store, str]]:
    """Yield a key of our own, and remove what lies there afterwards."""
    key = f"{PROBES}/{uuid.uuid4()}"
    try:
        yield subject.store, key
    finally:
        subject.store.delete([key])


def bucket(subject: Subject) -> Iterator[Finding]:
    """Check that our bucket is there."""
    name = subject.settings.s3_bucket
    try:
        subject.store.check()
    except PhytobatchError as error:
        yield fail(
            "bucket",
            f"{name}: {error}",
            "check PHYTOBATCH_S3_ENDPOINT_URL and the keys; `python -m api.admin create-bucket` makes the bucket",
        )
    else:
        yield ok("bucket", f"{name} answers")


def write_read_delete(subject: Subject) -> Iterator[Finding]:
    """Write, read and remove an object, as every job does."""
    with _probe(subject) as (store, key):
        store.put(key, BytesIO(BODY), size=len(BODY))
        if store.get(key, max_bytes=len(BODY)) != BODY:
            yield fail("objects", "what was read is not what was written", "do not use this server")
            return
    yield ok("objects", "written, read and removed")


def presigned_upload(subject: Subject) -> Iterator[Finding]:
    """Upload as a client does: a PUT at the public address, with nothing but the URL."""
    url = subject.settings.presign_endpoint_url or "AWS"
    with _probe(subject) as (store, key), urllib3.PoolManager(retries=False, timeout=SECONDS) as http:
        target = store.presign_put(key, size=len(BODY), sha256=None, seconds=60)
        try:
            answer = http.request("PUT", target.url, headers=target.headers, body=BODY)
        except urllib3.exceptions.HTTPError as error:
            if _of_the_host_alone(subject):
                yield _signed_for_the_host(subject, target)
                return
            yield warn(
                "uploads",
                f"{url} cannot be reached from here ({type(error).__name__}: {error})",
                "if clients cannot either, check PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL; a certificate of your own "
                "authority needs SSL_CERT_FILE here",
            )
            return
        if answer.status != HTTPStatus.OK:
            yield fail(
                "uploads",
                f"{url} answers {answer.status} to an upload",
                SAME,
            )
        else:
            yield ok("uploads", f"a presigned upload to {url} arrives")


def life_of_urls(subject: Subject) -> Iterator[Finding]:
    """Check that upload URLs live as long as the setting says: those of a role end with its session."""
    seconds = subject.settings.presigned_url_seconds
    promised = datetime.now(UTC) + timedelta(seconds=seconds)
    end = subject.store.presign_put(PROBES, size=len(BODY), sha256=None, seconds=seconds).expires_at
    if end < promised - timedelta(seconds=SECONDS):
        yield ok("upload URLs", f"end with the session of the role, at {end:%H:%M:%S} UTC; clients get new ones then")
    else:
        yield ok("upload URLs", f"are good for {seconds} s")


def _of_the_host_alone(subject: Subject) -> bool:
    """Return whether clients upload to ``localhost`` and the store is elsewhere, as it is in a container."""
    public, store = (
        urlsplit(url or "").hostname
        for url in (subject.settings.presign_endpoint_url, subject.settings.s3_endpoint_url)
    )
    return public in LOCAL and store not in LOCAL


def _signed_for_the_host(subject: Subject, target: PresignedPut) -> Finding:
    """Do as the proxy on the host would: hand the store what was signed for the public address."""
    public, store = urlsplit(target.url), subject.settings.s3_endpoint_url
    with urllib3.PoolManager(retries=False, timeout=SECONDS) as http:
        headers = {**target.headers, "Host": public.netloc}
        answer = http.request("PUT", f"{store}{public.path}?{public.query}", headers=headers, body=BODY)
    url = f"{public.scheme}://{public.netloc}"
    if answer.status == HTTPStatus.OK:
        return ok(
            "uploads", f"the store takes what is signed for {url}; that is this host alone, and not seen from in here"
        )
    return fail("uploads", f"the store answers {answer.status} to an upload that is signed for {url}", SAME)


def privacy(subject: Subject) -> Iterator[Finding]:
    """Ask without a key for an object and for the list of them."""
    with _probe(subject) as (store, key), urllib3.PoolManager(retries=False, timeout=SECONDS) as http:
        store.put(key, BytesIO(BODY), size=len(BODY))
        base = _address(subject)
        targets = {"an object": f"{base}/{quote(key)}", "the list of objects": f"{base}?list-type=2&max-keys=1"}
        shown = [what for what, url in targets.items() if http.request("GET", url).status == HTTPStatus.OK]
    if shown:
        yield fail("privacy", f"anybody can read {' and '.join(shown)}", "take public rights from the bucket's policy")
    else:
        yield ok("privacy", "without a key nothing can be read or listed")


def _address(subject: Subject) -> str:
    """Return the address of the bucket as boto3 writes it, without a signature."""
    url = subject.s3.generate_presigned_url("list_objects_v2", Params={"Bucket": subject.settings.s3_bucket})
    return url.partition("?")[0].rstrip("/")


def uploads_by_browsers(subject: Subject) -> Iterator[Finding]:
    """Ask for permission to PUT, as browsers do."""
    try:
        rules = subject.s3.get_bucket_cors(Bucket=subject.settings.s3_bucket).get("CORSRules", [])
    except (ClientError, BotoCoreError):
        rules = []
    if any("PUT" in rule.get("AllowedMethods", []) for rule in rules):
        yield ok("browsers", "a CORS rule lets them upload")
    else:
        yield warn(
            "browsers",
            "no CORS rule lets them upload; other clients do not need one",
            "`python -m api.admin create-bucket` sets it, where the key may",
        )


def leftovers(subject: Subject) -> Iterator[Finding]:
    """Count parts of unfinished large objects: they take room and are in no list. Workers remove their own."""
    try:
        rules = subject.s3.get_bucket_lifecycle_configuration(Bucket=subject.settings.s3_bucket).get("Rules", [])
    except (ClientError, BotoCoreError):
        rules = []
    if any(rule.get("AbortIncompleteMultipartUpload") and rule.get("Status") == "Enabled" for rule in rules):
        yield ok("leftovers", "unfinished multipart uploads are removed by a rule")
        return
    uploads = subject.s3.list_multipart_uploads(Bucket=subject.settings.s3_bucket).get("Uploads", [])
    if uploads:
        yield warn(
            "leftovers", f"{len(uploads)} multipart uploads were never finished, and no rule removes them", LIFECYCLE
        )
    else:
        yield ok("leftovers", "no unfinished multipart uploads (and no rule that would remove them)")


CHECKS: tuple[Check, ...] = (
    bucket,
    write_read_delete,
    presigned_upload,
    life_of_urls,
    privacy,
    uploads_by_browsers,
    leftovers,
)
