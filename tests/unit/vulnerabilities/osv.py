"""Advisories as OSV writes them."""

from typing import Any

# CVE-2026-40192, the reason for `pillow>=12.2` in pyproject.toml. Its first version and the name GHSA-... are made up.
PILLOW: dict[str, Any] = {
    "schema_version": "1.7.3",
    "id": "GHSA-whj4-6x5x-4v2j",
    "modified": "2026-04-20T10:00:00Z",
    "published": "2026-04-14T18:00:00Z",
    "aliases": ["CVE-2026-40192"],
    "summary": "Pillow: a FITS file can unpack to any size (gzip bomb)",
    "details": "Reading a FITS image with GZIP_1 compression did not bound what it unpacks.",
    "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N"}],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "pillow", "purl": "pkg:pypi/pillow"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "10.3.0"}, {"fixed": "12.2.0"}]}],
            "versions": ["10.3.0", "10.4.0", "11.0.0", "12.0.0", "12.1.0", "12.1.1"],
            "database_specific": {"source": "https://github.com/github/advisory-database"},
        }
    ],
    "references": [{"type": "WEB", "url": "https://nvd.nist.gov/vuln/detail/CVE-2026-40192"}],
}


def advisory(*events: dict[str, str], package: str = "example", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """An advisory about one package with one range of these events; ``fields`` of ``affected`` over it."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
        **fields,
    }
    return {"id": "PYSEC-2026-1", "details": "It can be made to fail.\nIn many ways.", "affected": [affected]}
