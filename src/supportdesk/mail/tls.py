"""TLS for mail servers: always verified, TLS 1.2 or newer; plain text for loopback addresses only (RFC 8314)."""

from __future__ import annotations

import ipaddress
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
        raise ConfigError(f"{server.ca_file}: not a file of certificates: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def check_tls_mode(server: Server) -> None:
    """Refuse a TLS mode that is unknown, or none at all outside this machine. Raises ConfigError."""
    if server.tls not in ("implicit", "starttls", "none"):
        raise ConfigError(f"{server.host}: tls = {server.tls!r}: expected implicit, starttls or none")
    if server.tls == "none" and not is_loopback(server.host):
        raise ConfigError(
            f"{server.host}: mail without TLS is accepted for loopback addresses only",
            hint="use tls = implicit (ports 993, 465) or starttls (ports 143, 587)",
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
