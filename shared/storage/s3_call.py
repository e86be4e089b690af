"""One call of S3: timed, and with our errors instead of boto3's."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, EndpointProviderError, ParamValidationError

from shared.errors import ObjectMissing, StoreUnavailable
from shared.metrics.definitions import S3_ERRORS, S3_SECONDS

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 15
ATTEMPTS = 3
NO_BUCKET = "NoSuchBucket"
# boto3 asks nobody: a name that can be none.
UNASKABLE = (ParamValidationError, EndpointProviderError)
NEVER_MISSING: frozenset[str] = frozenset()


@contextmanager
def s3_call(operation: str, what: str, *, missing: frozenset[str] = NEVER_MISSING) -> Iterator[None]:
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
            S3_ERRORS.labels(operation, code).inc()
            raise StoreUnavailable(
                f"the object store refused {what} ({code}); check the bucket and the access key"
            ) from error
        except (BotoCoreError, OSError) as error:
            if isinstance(error, UNASKABLE) and NO_BUCKET in missing:
                raise ObjectMissing(f"the object store cannot be asked for {what}: {error}") from error
            S3_ERRORS.labels(operation, type(error).__name__).inc()
            raise StoreUnavailable("the object store cannot be reached; try again in a few seconds") from error
