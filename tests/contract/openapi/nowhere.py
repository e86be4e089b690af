"""Settings of a service whose servers do not exist: it can describe itself and do nothing else."""

from shared.settings import Settings

NOWHERE = Settings(
    database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing",
    redis_url="redis://127.0.0.1:1/0",
    s3_bucket="none",
    s3_endpoint_url="http://127.0.0.1:1",
    s3_access_key_id="none",
    s3_secret_access_key="none",  # noqa: S106  # a word for a server that does not exist
)
