"""A web server on loopback that answers as it is told, path by path."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is answered: after `wait_s`, or `raw` in place of HTTP."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0
    raw: bytes | None = None


@dataclass
class Storefront:
    """`pages` by path; `came` are (path, headers) of each request."""

    host: str
    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    came: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@contextmanager
def storefront(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Storefront]:
    """A storefront until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.came.append((self.path, dict(self.headers.items())))
            page = shop.pages.get(self.path, Page())
            shop.gone.wait(page.wait_s)
            try:
                self.answer(page)
            except OSError:
                self.close_connection = True

        def answer(self, page: Page) -> None:
            if page.raw is not None:
                self.wfile.write(page.raw)
                return
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    shop = Storefront(host, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shop
    finally:
        shop.gone.set()
        server.shutdown()
        thread.join()
        server.server_close()
