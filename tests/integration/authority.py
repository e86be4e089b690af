"""Certificates for tests, made by openssl."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

WITH_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that signs what it is asked for."""

    folder: Path
    asked: list[str | None] = field(default_factory=list)  # the names of the TLS greetings that servers got

    def make(self, **certificates: str) -> None:
        """The authority, and a certificate for each name or address, as ``name="DNS:example.org"``."""
        self._key("ca")
        self._openssl(
            *("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=Test authority", "-days", "2", "-out", "ca.pem"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        for name, alternative in certificates.items():
            self._sign(name, alternative)

    @property
    def file(self) -> Path:
        """Its own certificate."""
        return self.folder / "ca.pem"

    def server(self, certificate: str = "name") -> ssl.SSLContext:
        """What a server serves with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
        context.sni_callback = lambda _socket, name, _context: self.asked.append(name)
        return context

    def trusting(self) -> ssl.SSLContext:
        """What a client trusts: this authority, as one of a company would be given by ``SSL_CERT_FILE``."""
        return ssl.create_default_context(cafile=self.file)

    def _sign(self, name: str, alternative: str) -> None:
        self._key(name)
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", "/CN=receiver", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(
            f"subjectAltName={alternative}\nbasicConstraints=critical,CA:FALSE\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        )
        self._openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem"),
        )

    def _key(self, name: str) -> None:
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=PATIENCE_SECONDS
        )
