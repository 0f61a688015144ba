"""The servers of the tests keep a silent connection, whatever the collector thinks of it."""

from __future__ import annotations

import gc
import socket

import pytest

from tests.support.processes import wait_until
from tests.support.smtp_stub import SILENCE, running_smtp_stub


def test_a_connection_that_is_silent_is_not_collected() -> None:
    with running_smtp_stub() as stub:
        stub.script["banner"] = SILENCE
        with socket.create_connection(("127.0.0.1", stub.port)) as client:
            wait_until(lambda: stub.connections == 1, seconds=30, what="the connection")
            for _again in range(3):
                gc.collect()
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(1)
