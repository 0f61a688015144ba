"""When the certificates of the mail servers end: a TLS handshake with each of them, no login, all within seconds."""

from __future__ import annotations

import imaplib
import smtplib
import ssl
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from supportdesk.desk.model import Mailbox, Server

SECONDS = 3.0  # for all servers together: what has not answered by then is left to the worker
Protocol = Literal["imap", "smtp"]


def certificate_ends(mailboxes: Iterable[Mailbox]) -> dict[str, datetime]:
    """By "host:port". A server that is away, or whose certificate is refused, is missing: the worker tells of it."""
    servers: dict[str, tuple[Server, Protocol]] = {}
    for box in mailboxes:
        for server, protocol in ((box.imap, "imap"), (box.smtp, "smtp")):
            if server is not None and server.tls != "none":
                servers[f"{server.host}:{server.port}"] = server, protocol  # type: ignore[assignment]
    ends: dict[str, datetime] = {}
    threads = [
        threading.Thread(target=_note, args=(ends, name, server, protocol), daemon=True)
        for name, (server, protocol) in servers.items()
    ]
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(ends)


def _note(ends: dict[str, datetime], name: str, server: Server, protocol: Protocol) -> None:
    with suppress(OSError, imaplib.IMAP4.error, UnicodeError):
        found = _handshake(server, protocol)
        ends[name] = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)


def _handshake(server: Server, protocol: Protocol) -> dict[str, object]:
    """The certificate that the server shows, in the form of `SSLSocket.getpeercert`."""
    context = ssl.create_default_context(cafile=server.ca_file or None)
    where = server.host, server.port
    if server.tls == "implicit" and protocol == "imap":
        with imaplib.IMAP4_SSL(*where, ssl_context=context, timeout=SECONDS) as imap:
            return dict(imap.sock.getpeercert() or {})  # type: ignore[attr-defined]
    if server.tls == "implicit":
        with smtplib.SMTP_SSL(*where, context=context, timeout=SECONDS) as smtp:
            return dict(smtp.sock.getpeercert() or {})  # type: ignore[union-attr]
    if protocol == "imap":
        with imaplib.IMAP4(*where, timeout=SECONDS) as imap:
            imap.starttls(context)
            return dict(imap.sock.getpeercert() or {})  # type: ignore[attr-defined]
    with smtplib.SMTP(*where, timeout=SECONDS) as smtp:
        smtp.starttls(context=context)
        return dict(smtp.sock.getpeercert() or {})  # type: ignore[union-attr]
