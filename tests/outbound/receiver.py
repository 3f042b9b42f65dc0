"""A web server on loopback that keeps what it is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """What came: (path, headers, body) of each request, and `at` when; `status` is what it answers next, and
    `location` where a redirect leads.
    """

    port: int
    status: int = 204
    location: str = ""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=1"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.at.append(time.time())
            receiver.came.append((self.path, dict(self.headers.items()), body))
            self.send_response(receiver.status)
            if 300 <= receiver.status < 400:
                elsewhere = f"http://127.0.0.1:{receiver.port}/elsewhere"
                self.send_header("Location", receiver.location or elsewhere)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
