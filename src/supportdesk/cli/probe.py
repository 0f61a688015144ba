"""Finding out which of the guessed servers are there: the domain's MX, a connection, a TLS handshake. No login.

Without a network, or with a resolver that does not answer, everything here says "unknown" within seconds.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from supportdesk.desk.model import Server
from supportdesk.desk.providers import Guess, domain_of, guess_servers

CONNECT_SECONDS = 4.0
DNS_SECONDS = 2.0
MX = 15  # RFC 1035 3.2.2


def find_guess(address: str) -> Guess:
    """The servers that the address probably has: by provider, by its domain's MX, else by the usual names."""
    guess = guess_servers(address)
    if guess.provider:
        return guess
    guess = guess_servers(address, mail_exchangers(domain_of(address)))
    if guess.provider:
        return guess
    return Guess(_that_answer(guess.imap), _that_answer(guess.smtp))


def mail_exchangers(domain: str) -> tuple[str, ...]:
    """The MX names of a domain, most preferred first; empty when nobody answers (RFC 1035, 5321 5.1)."""
    try:
        question = _question(domain.encode("idna"))
    except UnicodeError:
        return ()
    for resolver in _resolvers():
        family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as link:
                link.settimeout(DNS_SECONDS)
                link.connect((resolver, 53))
                link.send(question)
                return _read_answer(link.recv(4096), question[:2])
        except (OSError, ValueError, struct.error, IndexError):
            continue
    return ()


def answers(server: Server) -> bool:
    """Whether something answers there, with a certificate that can be trusted where TLS begins at once."""
    try:
        with socket.create_connection((server.host, server.port), timeout=CONNECT_SECONDS) as link:
            if server.tls == "implicit":
                context = ssl.create_default_context(cafile=server.ca_file or None)
                with context.wrap_socket(link, server_hostname=server.host):
                    return True
            return True
    except (OSError, ssl.SSLError, UnicodeError):
        return False


def _that_answer(servers: Sequence[Server]) -> tuple[Server, ...]:
    with ThreadPoolExecutor(max_workers=len(servers) or 1) as pool:
        there = list(pool.map(answers, servers))
    return tuple(server for server, answered in zip(servers, there, strict=True) if answered)


def _resolvers() -> list[str]:
    try:
        text = Path("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return re.findall(r"^nameserver\s+([0-9A-Fa-f:.]+)\s*$", text, re.MULTILINE)[:2]


def _question(domain: bytes) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in domain.strip(b".").split(b".") if label)
    header = struct.pack(">HHHHHH", random.randrange(1 << 16), 0x0100, 1, 0, 0, 0)
    return header + labels + b"\0" + struct.pack(">HH", MX, 1)


def _read_answer(data: bytes, identity: bytes) -> tuple[str, ...]:
    if data[:2] != identity:
        raise ValueError("an answer to another question")
    questions, records = struct.unpack(">HH", data[4:8])
    at = 12
    for _question_number in range(questions):
        at = _skip_name(data, at) + 4
    found: list[tuple[int, str]] = []
    for _record_number in range(records):
        at = _skip_name(data, at)
        kind, _class, _ttl, length = struct.unpack(">HHIH", data[at : at + 10])
        at += 10
        if kind == MX:
            found.append((struct.unpack(">H", data[at : at + 2])[0], _read_name(data, at + 2)))
        at += length
    return tuple(name for _preference, name in sorted(found) if name)


def _skip_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] & 0xC0:
            return at + 2
        at += data[at] + 1
    return at + 1


def _read_name(data: bytes, at: int) -> str:
    labels: list[str] = []
    for _jump in range(128):  # a pointer that leads back to itself ends here
        length = data[at]
        if length == 0:
            break
        if length & 0xC0:
            at = struct.unpack(">H", data[at : at + 2])[0] & 0x3FFF
            continue
        labels.append(data[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += length + 1
    return ".".join(labels).casefold()
