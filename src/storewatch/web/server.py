"""gunicorn, set up for us: one process with threads, no control socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Server(BaseApplication):  # type: ignore[misc]
    """Serves one app until SIGTERM; then it ends the requests under way, and takes no new ones."""

    def __init__(self, app: Flask, listener: int) -> None:
        """`listener`: the descriptor of a socket that listens. Who handed it over keeps those who knock."""
        self._app = app
        self._options: dict[str, Any] = {
            "bind": f"fd://{listener}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": 16,
            "control_socket_disable": True,
            "graceful_timeout": 20,
            "when_ready": _bound_silence,
            "post_worker_init": self._tell_of_the_end,
            "loglevel": "warning",
            "logger_class": _Log,
            "errorlog": None,  # no handler of its own: it logs as everything else does
            "forwarded_allow_ips": "",  # by default it believes any local client; `guard` decides that
        }
        super().__init__()

    def load_config(self) -> None:
        """Takes our options and nothing from files or the environment."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def _tell_of_the_end(self, worker: Any) -> None:
        """A request that waits for something need not wait on."""
        self._app.extensions["storewatch.ending"] = lambda: not worker.alive

    def load(self) -> WSGIApplication:
        """The app."""
        return _answered_whole(self._app)


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's own, whose lines go to the root's handler."""

    def setup(self, cfg: Any) -> None:
        """Sets it up."""
        super().setup(cfg)
        self.error_log.propagate = True


# --- clients that fall silent ---------------------------------------------------------------------

_SILENT_S, _DEAF_S = 30, 60


def _bound_silence(arbiter: Any) -> None:
    for listener in arbiter.LISTENERS:
        bound_silence(listener.sock, _SILENT_S, _DEAF_S)


def bound_silence(listener: socket.socket, silent_s: int, deaf_s: int) -> None:
    """Each connection is given up whose client sends nothing, or takes nothing, for so many seconds.

    Else one that is gone without a word would hold its thread for ever, and sixteen of them the service.
    Linux hands these limits on to accepted connections; a timeout of Python's, gunicorn would take off.
    """
    for option, seconds in ((socket.SO_RCVTIMEO, silent_s), (socket.SO_SNDTIMEO, deaf_s)):
        listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))


# --- answers that come before the body was read ---------------------------------------------------

_LONGEST_S, _STALLED_S = 5.0, 1.0


def _answered_whole(app: WSGIApplication) -> WSGIApplication:
    """After the answer, reads what is left of the request's body, for some seconds.

    An upload may be refused before it was read, as too large or for want of a login. Were the connection
    closed with bytes unread, the kernel would reset it, and the answer could get lost: a proxy says 502.
    """

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = app(environ, start_response)
        if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
            return ClosingIterator(answer, lambda: _read_out(environ))
        return answer

    return application


def _read_out(environ: WSGIEnvironment) -> None:
    until, peer = time.monotonic() + _LONGEST_S, environ["gunicorn.socket"]
    before = peer.gettimeout()
    peer.settimeout(_STALLED_S)
    with contextlib.suppress(OSError, ParseException):
        while time.monotonic() < until and environ["wsgi.input"].read(65536):
            pass
    with contextlib.suppress(OSError):
        peer.settimeout(before)
