"""imapclient on a wire that has limits: of time and of bytes for each command, whatever the server does.

A read timeout alone is none: a server that sends one byte a minute keeps a connection for ever, and one that never ends
its answer fills the memory. Here every command has a deadline and an allowance, and what exceeds them ends the
connection (mail.md SYNC-8, reliability.md C15). It works below TLS' plain text, before imaplib sees a byte.
"""

from __future__ import annotations

import imaplib
import socket
import ssl
import time
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError

CONNECT_SECONDS = 15.0
READ_SECONDS = 60.0  # without a single byte
COMMAND_SECONDS = 900.0  # from the command to the end of its answer
COMMAND_BYTES = 96 * 1024 * 1024
COMMAND_LINES = 200_000
LITERAL_LIMIT = 64 * 1024 * 1024


class Allowance:
    """What the server may still send in answer to the command of now, and until when."""

    def __init__(self) -> None:
        self.renew(READ_SECONDS)

    def renew(self, seconds: float) -> None:
        """A command begins now."""
        self._until = time.monotonic() + seconds
        self._bytes = COMMAND_BYTES
        self._lines = COMMAND_LINES

    def left(self) -> float:
        """How long to wait for the next byte. Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer has no end")
        return min(left, READ_SECONDS)

    def count(self, octets: int) -> None:
        self._bytes -= octets
        if self._bytes < 0:
            raise IMAPClientAbortError(f"the server sent more than {COMMAND_BYTES} bytes in answer to one command")

    def count_line(self) -> None:
        self._lines -= 1
        if self._lines < 0:
            raise IMAPClientAbortError(f"the server sent more than {COMMAND_LINES} lines in answer to one command")

    def check_literal(self, size: int) -> None:
        if size > LITERAL_LIMIT:
            raise IMAPClientAbortError(f"the server announced {size} bytes at once, more than {LITERAL_LIMIT}")


class BoundedClient(IMAPClient):  # type: ignore[misc]
    """An IMAPClient whose server has an `allowance`, from its greeting on. `tls` None is plain text, for STARTTLS."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.allowance = Allowance()
        timeout = SocketTimeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        super().__init__(host, port=port, ssl=tls is not None, ssl_context=tls, timeout=timeout)

    def starttls(self, ssl_context: ssl.SSLContext) -> Any:
        return super().starttls(_bounded(ssl_context, self.allowance))

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 — imapclient's name
        return _BoundedConnection(self.host, self.port, self.ssl_context, self.allowance)


class _BoundedConnection(imaplib.IMAP4):
    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, allowance: Allowance) -> None:
        self._tls, self._allowance = tls, allowance
        super().__init__(host, port, timeout=CONNECT_SECONDS)

    def read(self, size: int) -> bytes:
        self._allowance.check_literal(size)
        return bytes(super().read(size))

    def readline(self) -> bytes:
        self._allowance.count_line()
        try:
            return bytes(super().readline())
        except self.abort:
            raise
        except self.error as error:  # too long a line: where the next one begins nobody knows
            raise IMAPClientAbortError(str(error)) from None

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made = socket.create_connection((self.host, self.port), timeout)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a search is written in pieces: 40 ms each else
        if self._tls is not None:
            return _bounded(self._tls, self._allowance).wrap_socket(made, server_hostname=self.host)
        plain = _BoundedSocket(made.family, made.type, made.proto, made.detach())
        plain.allowance = self._allowance
        plain.settimeout(timeout)
        return plain


class _Bounded:
    """What both kinds of socket do before and after they read."""

    allowance: Allowance

    def _receive(self, read: Any, *arguments: Any) -> int:
        one: Any = self
        if one.gettimeout():  # not while somebody only looks whether there is something
            one.settimeout(self.allowance.left())
        octets: int = read(*arguments)
        self.allowance.count(octets)
        return octets


class _BoundedSocket(_Bounded, socket.socket):
    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return self._receive(super().recv_into, buffer, nbytes, flags)


class _BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        return self._receive(super().recv_into, buffer, nbytes, flags)


def _bounded(context: ssl.SSLContext, allowance: Allowance) -> ssl.SSLContext:
    """The context, making sockets that keep to the allowance."""
    context.sslsocket_class = type("_BoundedTlsSocket", (_BoundedTlsSocket,), {"allowance": allowance})
    return context
