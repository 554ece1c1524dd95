"""A proxy before the desk, as sites have them: one that passes everything on, one whose desk is away, one that holds answers back."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx

from tests.desk_process import PLAIN

_NOT_PASSED_ON = {"transfer-encoding", "connection", "content-length", "content-encoding"}


class HttpProxy:
    """`mode`: "pass"; "away": 503 for everything, and streams end; "hold": of a stream only the head, its body is kept back."""

    def __init__(self, upstream: str) -> None:
        self.mode = "pass"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, upstream))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.mode = "away"
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: HttpProxy, upstream: str) -> type[BaseHTTPRequestHandler]:  # noqa: C901 (a class, not a way)
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if proxy.mode == "away":
                self.send_error(503)
                return
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {key: value for key, value in self.headers.items() if key.lower() != "accept-encoding"}
            with (
                httpx.Client(timeout=30, **PLAIN) as client,
                client.stream(self.command, upstream + self.path, headers=headers, content=body) as answer,
            ):
                self.send_response(answer.status_code)
                for key, value in answer.headers.multi_items():
                    if key.lower() not in _NOT_PASSED_ON:
                        self.send_header(key, value)
                self.end_headers()
                self._pass_on(answer)

        do_POST = do_GET  # noqa: N815 (the name is http.server's)

        def _pass_on(self, answer: httpx.Response) -> None:
            stream = self.path.startswith("/stream")
            for part in answer.iter_raw():
                if stream and proxy.mode == "away":
                    return
                if stream and proxy.mode == "hold":
                    continue
                try:
                    self.wfile.write(part)
                    self.wfile.flush()
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
