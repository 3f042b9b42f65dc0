"""gunicorn, set up for us: one process with threads, no control socket."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication


class Server(BaseApplication):  # type: ignore[misc]
    """Serves one app until SIGTERM."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        self._app = app
        self._options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": 16,
            "control_socket_disable": True,
            "graceful_timeout": 20,
            "loglevel": "warning",
            "forwarded_allow_ips": "",  # by default it believes any local client; `guard` decides that
        }
        super().__init__()

    def load_config(self) -> None:
        """Takes our options and nothing from files or the environment."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The app."""
        return self._app
