"""Waiting for news with IDLE, against a server that says exactly what a test wants said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from supportdesk.desk.model import Server
from supportdesk.errors import ConnectionFailed
from supportdesk.mail.imap import ImapSource

REST_OF_THE_LINE = b"FLAGS (\\Recent))\r\n* 86 EXISTS\r\n"


@contextmanager
def served(said: Sequence[bytes], *, then_hangs_up: bool = False) -> Iterator[ImapSource]:
    """A logged-in connection to a server that answers OK, and says these pieces as soon as the client is in IDLE.

    What follows the first piece is sent when the client has said DONE: however long it takes to read, it comes later.
    """
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"* OK ready\r\n")
            for line in lines:
                tag, _, command = line.strip().partition(b" ")
                if command == b"CAPABILITY":
                    connection.sendall(b"* CAPABILITY IMAP4rev1 IDLE\r\n")
                if command == b"IDLE":
                    connection.sendall(b"+ idling\r\n" + b"".join(said[:1]))
                    if then_hangs_up:
                        return
                    lines.readline()
                    connection.sendall(b"".join(said[1:]))
                connection.sendall(tag + b" OK done\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    source = ImapSource(Server("127.0.0.1", listening.getsockname()[1], "none", "anna"), "secret")
    try:
        yield source
    finally:
        source.close()
        thread.join(20)
        listening.close()


def test_news_end_the_waiting():
    with served([b"* 86 EXISTS\r\n"]) as source:
        assert source.idle(20, lambda: False)


def test_half_a_line_is_news_and_no_broken_connection():
    with served([b"* 85 FETCH (", REST_OF_THE_LINE]) as source:
        assert source.idle(20, lambda: False)
        assert source.idle(20, lambda: False), "the connection lives on"


def test_no_news_are_no_news():
    with served([]) as source:
        assert not source.idle(20, lambda: True)


def test_news_that_come_with_the_end_of_the_waiting_are_not_lost():
    with served([b"", b"* 86 EXISTS\r\n"]) as source:
        assert source.idle(20, lambda: True)


@pytest.mark.parametrize("said", [[b"* BYE see you\r\n"], []], ids=["with a word", "without one"])
def test_a_server_that_goes_away_is_noticed(said):
    with served(said, then_hangs_up=True) as source, pytest.raises(ConnectionFailed):
        source.idle(20, lambda: False)
