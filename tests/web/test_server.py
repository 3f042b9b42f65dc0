"""How the server meets clients that fall silent."""

from __future__ import annotations

import socket

import pytest

from storewatch.web.server import bound_silence


def test_a_client_that_sends_or_takes_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bound_silence(listener, 1, 1)
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                connection.setblocking(True)  # as gunicorn does
                with pytest.raises(BlockingIOError):
                    connection.recv(1)
                with pytest.raises(BlockingIOError):
                    connection.sendall(b"x" * (64 << 20))
