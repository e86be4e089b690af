"""Small stand-ins of two services that are not ours, for the examples that write to them.

Each does what the public documentation of its service says, and refuses what that says it refuses.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.patience import PATIENCE_SECONDS

AXIOM = "application/vnd.deere.axiom.v3+json"
JSON_API = "application/vnd.api+json"
DEERE_PAGE = 2


class StandIn:
    """Use it in a ``with``; ``url`` is its address."""

    def __init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def handle_call(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, answer, more = service.answer(self.command, self.path, headers, body)
                content = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = handle_call  # noqa: N815  # http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="stand-in")

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, object, dict[str, str]]:
        """Status, JSON, headers."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(PATIENCE_SECONDS)
        self._server.server_close()


class FarmOS(StandIn):
    """farmOS 2 to 4: OAuth token, then JSON:API (farmos.org/development/api; Drupal's JSON:API module).

    POST with an id that exists: 409. A log that refers to a quantity that does not exist: 422.
    """

    CLIENT = ("phytobatch", "s3cret")

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, dict[str, Any]]] = {"quantity/standard": {}, "log/observation": {}}

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, object, dict[str, str]]:
        if (method, path) == ("POST", "/oauth/token"):
            return self._token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        if headers.get("authorization") != "Bearer good":
            return 403, {"errors": [{"status": "403"}]}, {}
        if headers.get("content-type") != JSON_API:
            return 415, {"errors": [{"status": "415"}]}, {}
        kind, _, record_id = path.removeprefix("/api/").partition("/")
        bundle, _, record_id = record_id.partition("/")
        return self._write(method, f"{kind}/{bundle}", record_id, json.loads(body)["data"])

    def _token(self, form: dict[str, str]) -> tuple[int, object, dict[str, str]]:
        if (form["grant_type"], form["client_id"], form["client_secret"]) != ("client_credentials", *self.CLIENT):
            return 401, {"error": "invalid_client"}, {}
        return 200, {"token_type": "Bearer", "expires_in": 300, "access_token": "good"}, {}

    def _write(
        self, method: str, kind: str, record_id: str, data: dict[str, Any]
    ) -> tuple[int, object, dict[str, str]]:
        status = self._refusal(method, kind, record_id, data)
        if status:
            return status, {"errors": [{"status": str(status)}]}, {}
        self.records[kind][data["id"]] = data
        address = f"{self.url}/api/{kind}/{data['id']}"
        return (201, {"data": data}, {"Location": address}) if method == "POST" else (200, {"data": data}, {})

    def _refusal(self, method: str, kind: str, record_id: str, data: dict[str, Any]) -> int:
        known = self.records.get(kind, {})
        quantities = {one["id"] for one in data["relationships"].get("quantity", {}).get("data", [])}
        wrong = {
            404: kind not in self.records or (method == "PATCH" and record_id not in known),
            409: method == "POST" and data["id"] in known,
            400: method == "PATCH" and record_id != data["id"],
            422: data["type"] != kind.replace("/", "--") or not quantities <= set(self.records["quantity/standard"]),
        }
        return next((status for status, is_so in wrong.items() if is_so), 0)


class JohnDeere(StandIn):
    """Operations Center, Flags API (developer.deere.com/dev-docs/flags): list of a field in pages, and create."""

    TOKEN = "good"  # noqa: S105  # of the stand-in

    def __init__(self) -> None:
        super().__init__()
        self.flags: list[dict[str, Any]] = []

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, object, dict[str, str]]:
        if headers.get("authorization") != f"Bearer {self.TOKEN}":
            return 401, None, {}
        if headers.get("accept") != AXIOM:
            return 406, None, {}
        parts = urlsplit(path)
        if (method, parts.path) == ("GET", "/platform/organizations/1234/fields/north/flags"):
            return 200, self._page(int(parse_qs(parts.query).get("start", ["0"])[0])), {}
        if (method, parts.path) == ("POST", "/platform/organizations/1234/flags"):
            return self._create(headers, json.loads(body))
        return 404, None, {}

    def _page(self, start: int) -> object:
        address = f"{self.url}/platform/organizations/1234/fields/north/flags"
        links = [{"rel": "self", "uri": address}]
        if start + DEERE_PAGE < len(self.flags):
            links.append({"rel": "nextPage", "uri": f"{address}?start={start + DEERE_PAGE}"})
        return {"links": links, "total": len(self.flags), "values": self.flags[start : start + DEERE_PAGE]}

    def _create(self, headers: dict[str, str], flag: dict[str, Any]) -> tuple[int, object, dict[str, str]]:
        if headers.get("content-type") != AXIOM:
            return 415, None, {}
        links = {link["rel"]: link["uri"] for link in flag.get("links", [])}
        longitude, latitude = flag["geometry"]["coordinates"]
        good = (
            flag["geometry"]["type"] == "Point"
            and abs(longitude) <= 180
            and abs(latitude) <= 90
            and links.get("flagCategory", "").endswith("/platform/flagCategories/disease")
        )
        if not good:
            return 400, {"@type": "Errors"}, {}
        if not links.get("field", "").endswith("/platform/organizations/1234/fields/north"):
            return 404, None, {}
        self.flags.append({**flag, "id": str(len(self.flags))})
        return 201, None, {"Location": f"{self.url}/platform/flags/{len(self.flags) - 1}"}
