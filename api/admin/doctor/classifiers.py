"""Classifiers: one is the default, files match the register, and workers run them."""

import hashlib
from collections.abc import Iterator

from botocore.exceptions import ClientError
from sqlalchemy import select

from api.admin.classifiers import shipped_folders
from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject
from shared.classifiers import registry
from shared.classifiers.bundle import read_folder
from shared.contracts.manifest import MODEL_FILE
from shared.db.models import Classifier
from shared.errors import PhytobatchError
from shared.jobs.chunks import pools_of
from shared.storage.keys import model_key

PIECE = 1024 * 1024
RUN = """
    SELECT count(*) FILTER (WHERE state = 'ready' AND not_before < now() - interval '2 minutes') AS late,
           count(*) FILTER (WHERE state = 'running') AS running,
           coalesce(max(done_at) FILTER (WHERE worker IS NOT NULL) > now() - interval '1 day', false) AS lately
    FROM chunks WHERE pool = ANY(:pools)
"""


def default(subject: Subject) -> Iterator[Finding]:
    """Check that jobs that name no classifier can be committed."""
    try:
        chosen = _default(subject)
    except PhytobatchError as error:
        yield fail("default classifier", str(error), "`python -m api.admin register-classifier --default`")
        return
    yield ok("default classifier", f"{chosen.name}@{chosen.version}")


def _default(subject: Subject) -> Classifier:
    with subject.database.begin() as session:
        return registry.resolve(session)


def served(subject: Subject) -> Iterator[Finding]:
    """Check that workers run the default. A worker is known by the chunks that it ran, so silence proves nothing."""
    chosen = _default(subject)
    title = f"{chosen.name}@{chosen.version}"
    row = subject.row(RUN, pools=pools_of(chosen.id))
    if row.late and not row.running:
        yield fail(
            "default served",
            f"{row.late} chunks for {title} are due for minutes, and no worker takes them",
            "start a worker that serves it (PHYTOBATCH_CLASSIFIERS), or choose another default",
        )
    elif row.running or row.lately:
        yield ok("default served", f"workers run {title}")
    else:
        yield ok("default served", f"nothing asked for {title} in a day, so nobody can tell")


def files(subject: Subject) -> Iterator[Finding]:
    """Compare the folder of this installation with the register: a version stands for one file of weights."""
    chosen = subject.settings.classifier_dir
    for folder in [chosen] if chosen is not None else shipped_folders():
        try:
            manifest = read_folder(folder)
        except PhytobatchError as error:
            yield fail("classifier files", str(error), "install the classifier again")
            continue
        title = f"{manifest.name}@{manifest.version}"
        with subject.database.begin() as session:
            known = session.scalars(
                select(Classifier).where(Classifier.name == manifest.name, Classifier.version == manifest.version)
            ).one_or_none()
        if known is None:
            yield warn("classifier files", f"{title} is not registered", "`python -m api.admin register-classifier`")
        elif known.sha256 != manifest.sha256:
            yield fail(
                "classifier files",
                f"{title} here is {manifest.sha256[:12]}, registered is {known.sha256[:12]}",
                "give other weights another version; workers with these files do not start",
            )
        else:
            yield ok("classifier files", f"{title} is what the register says ({known.sha256[:12]})")


def published(subject: Subject) -> Iterator[Finding]:
    """Read and hash the default's weights in the bucket."""
    chosen = _default(subject)
    key = model_key(chosen.name, chosen.version, MODEL_FILE)
    digest = hashlib.sha256()
    try:
        body = subject.s3.get_object(Bucket=subject.settings.s3_bucket, Key=key)["Body"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in {"NoSuchKey", "404"}:
            raise
        yield _not_published(subject, chosen)
        return
    for piece in body.iter_chunks(PIECE):
        digest.update(piece)
    if digest.hexdigest() == chosen.sha256:
        yield ok("published files", f"{key} is what the register says")
    else:
        yield fail(
            "published files",
            f"{key} is {digest.hexdigest()[:12]}, registered is {chosen.sha256[:12]}",
            "publish the right folder again: `python -m api.admin publish-classifier FOLDER`",
        )


def _not_published(subject: Subject, chosen: Classifier) -> Finding:
    title = f"{chosen.name}@{chosen.version}"
    if title in subject.settings.classifiers.replace(" ", "").split(","):
        return fail(
            "published files",
            f"workers are to serve {title}, and it is not in the bucket",
            "`python -m api.admin publish-classifier FOLDER`",
        )
    return ok("published files", f"{title} is not in the bucket; workers have it from their installation")


CHECKS: tuple[Check, ...] = (default, served, files, published)
