from typing import Any

import pytest

from deploy.vulnerabilities.errors import NotComplete
from deploy.vulnerabilities.locks import read_pins
from deploy.vulnerabilities.sbom import check

PINS = read_pins("typing-extensions==4.16.0 \\\n    --hash=sha256:aa\n")


def component(name: str, version: str, *hashes: str) -> dict[str, Any]:
    found = [{"alg": "SHA-256", "content": content} for content in hashes]
    return {"name": name, "version": version, "externalReferences": [{"type": "distribution", "hashes": found}]}


def test_a_list_that_has_the_lock_is_good() -> None:
    check("api", PINS, {"components": [component("typing_extensions", "4.16.0", "aa")]})


@pytest.mark.parametrize(
    ("components", "said"),
    [
        ([], "differs from the lock: .'typing-extensions 4.16.0'"),
        ([component("typing-extensions", "4.15.0", "aa")], "4.15.0"),
        ([component("typing-extensions", "4.16.0")], "without a hash: .'typing-extensions 4.16.0'"),
    ],
)
def test_a_list_that_lacks_something_is_none(components: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(NotComplete, match=said):
        check("api", PINS, {"components": components})
