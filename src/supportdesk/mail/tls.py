"""TLS for mail servers: always verified, TLS 1.2 or newer; plain text for loopback addresses only (RFC 8314)."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING

from supportdesk.errors import ConfigError

if TYPE_CHECKING:
    from supportdesk.desk.model import Server


def tls_context(server: Server) -> ssl.SSLContext:
    """The context for a server; a private certificate authority is trusted when the mailbox names its file."""
    try:
        context = ssl.create_default_context(cafile=server.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError.because("certificate file", file=server.ca_file, reason=error) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def check_tls_mode(server: Server) -> None:
    """Refuse a TLS mode that is unknown, or none at all outside this machine. Raises ConfigError."""
    if server.tls not in ("implicit", "starttls", "none"):
        raise ConfigError.because("tls mode", server=server.host, mode=server.tls)
    if server.tls == "none" and not is_loopback(server.host):
        raise ConfigError.because("plain text", server=server.host)


def network_reason(error: BaseException) -> str:
    """Why a connection failed: a code of `l10n.server_failures.REASONS`, else what was said."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, socket.gaierror):
        return "no name"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError | EOFError):
        return "broken off"
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING"):
        return "no tls"
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "no route"
    return str(error) or type(error).__name__


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
