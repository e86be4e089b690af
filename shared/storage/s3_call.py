"""A call of S3: timed, and with our errors instead of boto3's."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Literal, get_args

from botocore.exceptions import BotoCoreError, ClientError, EndpointProviderError, ParamValidationError

from shared.errors import ObjectMissing, StoreUnavailable
from shared.metrics.definitions import S3_ERRORS, S3_SECONDS
from shared.metrics.exposition import Zeros

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 15
ATTEMPTS = 3
NO_BUCKET = "NoSuchBucket"
# boto3 refuses the name itself, without a request.
REFUSED_BY_BOTO3 = (ParamValidationError, EndpointProviderError)
NEVER_MISSING: frozenset[str] = frozenset()
# A server that does not have the operation at all.
NOT_KNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "405", "501"})

Operation = Literal[
    "get",
    "get_range",
    "put",
    "head",
    "list",
    "delete",
    "create_bucket",
    "check",
    "create_multipart",
    "upload_part",
    "complete_multipart",
    "abort_multipart",
    "list_multipart",
]
# Codes of stores and networks in trouble. A store may invent codes; those are one series.
OTHER = "other"
ERRORS = frozenset(
    {
        "AccessDenied",
        "InternalError",
        "InvalidAccessKeyId",
        NO_BUCKET,
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "SlowDown",
        "ConnectTimeoutError",
        "ConnectionClosedError",
        "EndpointConnectionError",
        "ReadTimeoutError",
        OTHER,
    }
)
STORE_ZEROS: Zeros = {
    S3_SECONDS: [(operation,) for operation in get_args(Operation)],
    S3_ERRORS: list(product(get_args(Operation), sorted(ERRORS))),
}


@contextmanager
def s3_call(operation: Operation, what: str, *, missing: frozenset[str] = NEVER_MISSING) -> Iterator[None]:
    """Time a call, and turn boto3's errors into ours.

    A code of ``missing`` is permanent for one object, everything else an outage.
    """
    with S3_SECONDS.labels(operation).time():
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in missing:
                raise ObjectMissing(f"the object store has no {what} that we may read ({code})") from error
            _count_error(operation, code)
            raise StoreUnavailable(
                f"the object store refused {what} ({code}); check the bucket and the access key"
            ) from error
        except (BotoCoreError, OSError) as error:
            if isinstance(error, REFUSED_BY_BOTO3) and NO_BUCKET in missing:
                raise ObjectMissing(f"the object store cannot be asked for {what}: {error}") from error
            _count_error(operation, type(error).__name__)
            raise StoreUnavailable("the object store cannot be reached; try again in a few seconds") from error


def _count_error(operation: Operation, error: str) -> None:
    S3_ERRORS.labels(operation, error if error in ERRORS else OTHER).inc()
