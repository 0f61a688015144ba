"""The demo's mail server for SMTP: aiosmtpd on a free port of 127.0.0.1, which puts what it takes into IMAP mailboxes.

It is both the shop's submission server (who logs in may write to every example domain) and the world's way to the shop
(who does not log in may write to the shop only). It relays nothing and knows no other host: nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import imaplib
import signal
import time
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from supportdesk.demo.children import say_ready

# RFC 2606 and RFC 6761: domains that can never belong to anybody.
EXAMPLE_DOMAINS = ("example", "test", "invalid", "example.com", "example.net", "example.org")
LARGEST_MAIL = 35 * 1024 * 1024


def is_example(address: str) -> bool:
    """Whether the address is in a domain that is reserved for examples."""
    domain = address.rpartition("@")[2].casefold()
    return any(domain == name or domain.endswith(f".{name}") for name in EXAMPLE_DOMAINS)


def serve_smtp(settings: dict[str, Any]) -> None:
    """Serve until SIGTERM.

    `imap_port`; `shop` and `world`: {"account", "password", "addresses"}, the world's being a catch-all of every
    customer; `refused`: addresses that are answered with 550.
    """
    asyncio.run(_serve(_PostOffice(settings)))


async def _serve(office: _PostOffice) -> None:
    def connection() -> SMTP:
        return SMTP(
            office,
            hostname="localhost",
            ident="bottega mail",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            authenticator=office.authenticate,
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, host="127.0.0.1", port=0)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    say_ready(port=server.sockets[0].getsockname()[1])
    await stopped.wait()
    server.close()


class _PostOffice:
    """Decides who may write to whom, and delivers. The names of its methods are aiosmtpd's."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._imap_port = int(settings["imap_port"])
        self._shop: dict[str, Any] = settings["shop"]
        self._world: dict[str, Any] = settings["world"]
        self._refused = {address.casefold() for address in settings["refused"]}
        self._delivering = asyncio.Lock()

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (
            self._shop["account"],
            self._shop["password"],
        )
        return AuthResult(success=known, handled=known)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if not is_example(address):
            return f"550 5.7.1 <{address}>: nothing leaves this machine; only example domains are served here"
        if address.casefold() in self._refused:
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table"
        if not session.authenticated and not self._is_shop(address):
            return f"554 5.7.1 <{address}>: Relay access denied"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        data = envelope.content
        assert isinstance(data, bytes)
        copies = [(address, _with_trace(data, envelope.mail_from or "", address)) for address in envelope.rcpt_tos]
        async with self._delivering:
            await asyncio.to_thread(self._deliver, copies)
        return "250 2.0.0 Ok: delivered"

    def _deliver(self, copies: Iterable[tuple[str, bytes]]) -> None:
        """Put each copy into its account's INBOX, over IMAP as a delivery agent would over LMTP."""
        for address, data in copies:
            account = self._shop if self._is_shop(address) else self._world
            with imaplib.IMAP4("127.0.0.1", self._imap_port) as connection:
                connection.login(account["account"], account["password"])
                now = imaplib.Time2Internaldate(time.time())
                status, words = connection.append("INBOX", "", now, data)
                if status != "OK":
                    raise OSError(f"the mailbox of {address} took nothing: {words!r}")

    def _is_shop(self, address: str) -> bool:
        local, _, domain = address.casefold().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" in self._shop["addresses"]


def _with_trace(data: bytes, sender: str, recipient: str) -> bytes:
    """The mail as a delivery agent leaves it: Return-Path, Delivered-To and Received above (RFC 5321 4.4)."""
    trace = (
        f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
        f"Received: from localhost ([127.0.0.1]) by mail.example with ESMTP for <{recipient}>;\r\n\t{formatdate()}\r\n"
    )
    return trace.encode() + data
