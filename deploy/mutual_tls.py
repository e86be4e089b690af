"""The certificate by which the parts of SeaweedFS recognise each other, and refuse everything else.

Its master, volume server, filer and admin server ask for no key of their own: a program that reaches their ports can
read, write and remove everything, past every key of S3. With these files each of them, by HTTP and by gRPC, accepts
only clients with this certificate; S3 still asks for its keys. (``weed scaffold -config=security`` lists the options.)

``python -m deploy.mutual_tls FOLDER`` makes the files that are missing; the local stack calls ``write``.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.usage import description_of

CERTIFICATE, KEY, SETTINGS = "weed.crt", "weed.key", "security.toml"
LOOPBACK = IPv4Address("127.0.0.1")  # all parts are one process, and reach each other there
# "No well-defined expiration date" (RFC 5280, section 4.1.2.5): nothing stops one night because it was not renewed.
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)  # a machine whose clock is late believes it, too
SERVED_BY_HTTP = ("master", "volume", "filer", "admin")
SERVED_BY_GRPC = (*SERVED_BY_HTTP, "s3", "worker", "msg_broker", "msg_agent", "mq", "client")


def write(folder: Path) -> None:
    """Make certificate, key and ``security.toml`` in ``folder``, readable by their owner alone; keep existing ones.

    SeaweedFS reads ``security.toml`` of its working folder. The key is written last but one, the settings last, so that
    the files of a killed run are made again.
    """
    if (folder / SETTINGS).exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    _write_private(folder / CERTIFICATE, _certificate(key).public_bytes(serialization.Encoding.PEM).decode())
    _write_private(folder / KEY, pem)
    _write_private(folder / SETTINGS, _settings(folder))


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Make a certificate that signs itself: it is its own authority, and there can be no second one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "phytobatch objects")])
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(FOREVER)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(LOOPBACK)]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _settings(folder: Path) -> str:
    certificate, key = folder.resolve() / CERTIFICATE, folder.resolve() / KEY
    pair = f'cert = "{certificate}"\nkey = "{key}"\n'
    authority = f'ca = "{certificate}"\n'
    sections = (
        f"[grpc]\n{authority}",
        *(f"[grpc.{part}]\n{pair}" for part in SERVED_BY_GRPC),
        *(f"[https.{part}]\n{pair}{authority}" for part in SERVED_BY_HTTP),
        f"[https.client]\nenabled = true\n{pair}{authority}",
    )
    return "\n".join(sections)


def _write_private(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Make the files in an existing folder."""
    parser = argparse.ArgumentParser(prog="python -m deploy.mutual_tls", description=description_of(__doc__))
    parser.add_argument("folder", type=Path)
    write(parser.parse_args(arguments).folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
