"""Receives spans by OTLP over HTTP, as a collector does (OTLP 1.x, "OTLP/HTTP")."""

import gzip
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)


@dataclass(frozen=True)
class SeenSpan:
    """A span as a test reads it."""

    name: str
    service: str
    trace_id: str
    attributes: dict[str, str]
    is_error: bool


class Collector:
    """Use with ``with``; ``spans`` grows while programs send."""

    def __init__(self) -> None:
        self.spans: list[SeenSpan] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address for ``PHYTOBATCH_TRACES_ENDPOINT``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def take(self, body: bytes) -> None:
        """Note every span of a request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    SeenSpan(
                        name=one.name,
                        service=about["service.name"],
                        trace_id=one.trace_id.hex(),
                        attributes={a.key: a.value.string_value or str(a.value.int_value) for a in one.attributes},
                        is_error=one.status.code == one.status.STATUS_CODE_ERROR,
                    )
                    for one in scope.spans
                ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
