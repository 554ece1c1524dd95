"""Serves the page on the box itself: to look at, never to change anything."""

import ipaddress
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import BoundedSemaphore, Thread
from typing import Any

import msgspec

from edge.config import StatusPageConfig
from edge.status_page import view
from edge.status_page.snapshot import Snapshot

_log = logging.getLogger("undertone.page")

# Who sends nothing for so long is hung up on.
_PATIENCE_S = 5.0
# Somebody who looks needs one or two; more at once are hung up on, for the lines come first.
_AT_ONCE = 8
_HEADERS = {
    "Content-Security-Policy": view.POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class StatusPage:
    """`show` it a snapshot from one thread; it serves the last one, whoever asks, in threads of its own."""

    def __init__(self, config: StatusPageConfig) -> None:
        self._config = config
        self._latest: Snapshot | None = None
        self._server: _Server | None = None

    @property
    def url(self) -> str | None:
        """Where it is; None where it is not served."""
        if self._server is None:
            return None
        host, port = self._server.server_address[:2]
        return f"http://[{host!s}]:{port}/" if ":" in str(host) else f"http://{host!s}:{port}/"

    def start(self) -> None:
        """Serve. That somebody else has the port is told in the journal: a box is for hearing, and goes on."""
        if not self._config.port:
            return
        try:
            self._server = _Server(self._config, lambda: self._latest)
        except OSError as error:
            _log.warning(
                "page.unserved address=%s port=%d reason=%r remedy='set status_page.port to a free one, or to 0 for none'",
                self._config.address, self._config.port, error.strerror,
            )  # fmt: skip
            return
        Thread(target=self._server.serve_forever, name="status-page", daemon=True).start()
        _log.info("page.served url=%s", self.url)

    def show(self, snapshot: Snapshot) -> None:
        """From now on, this."""
        self._latest = snapshot

    def stop(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # A port that another box has is taken, not shared.
    allow_reuse_port = False

    def __init__(self, config: StatusPageConfig, latest: Callable[[], Snapshot | None]) -> None:
        self.address_family = socket.AF_INET6 if ":" in config.address else socket.AF_INET
        self.latest = latest
        self._free = BoundedSemaphore(_AT_ONCE)
        super().__init__((config.address, config.port), _Handler)

    def server_bind(self) -> None:
        """Bind, and no more: HTTPServer asks the name service for the address's name, which can take half a minute."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (as socketserver has it)
        """Answer in a thread, while there is one to spare."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """In that thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Who went away in the middle is nobody's fault."""
        _log.debug("page.unanswered", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        """Answer."""
        if not is_own_name(self.headers.get("Host")):
            # A page elsewhere whose name was made to mean this box (DNS rebinding) would read what is here.
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"ask for this box by its address\n")
            return
        latest = self.server.latest()
        match self.path.partition("?")[0]:
            case "/":
                self._answer(HTTPStatus.OK, "text/html", view.draw(latest).encode())
            case "/page.js":
                self._answer(HTTPStatus.OK, "text/javascript", view.SCRIPT)
            case "/status.json" if latest is not None:
                self._answer(HTTPStatus.OK, "application/json", msgspec.json.encode(latest, enc_hook=str))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not here; see /\n")

    do_HEAD = do_GET  # noqa: N815 (as http.server has it)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """Every other method: this page is to look at."""
        if name.startswith("do_"):
            return self._refuse
        raise AttributeError(name)

    def _refuse(self) -> None:
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"this page is to look at\n", Allow="GET, HEAD")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes, **more: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **more, "Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if getattr(self, "command", None) != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 (as http.server has it)
        """What is no request at all."""
        self._answer(HTTPStatus(code), "text/plain", f"{HTTPStatus(code).phrase}\n".encode())

    def version_string(self) -> str:
        """Nobody need know which Python it is."""
        return "undertone"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Who looks is not logged."""


def is_own_name(host: str | None) -> bool:
    """Whether a Host header means this box: an address, localhost, or the name that it gives itself (.local, too)."""
    if not host:
        return False
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    own = socket.gethostname().lower()
    if name.lower().removesuffix(".") in {"localhost", own, f"{own.partition('.')[0]}.local"}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
