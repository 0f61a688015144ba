"""Finding out which servers an address has: the domain's SRV and MX records, a connection, a TLS handshake. No login.

Without a network, or with a resolver that does not answer, everything here says "unknown" within seconds.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from supportdesk.desk.model import Server
from supportdesk.desk.providers import (
    SRV_SERVICES,
    Guess,
    ServiceRecord,
    domain_of,
    guess_by_records,
    guess_servers,
)

CONNECT_SECONDS = 4.0
DNS_SECONDS = 2.0
DNS_PORT = 53
MX, SRV = 15, 33  # RFC 1035 3.2.2, RFC 2782
Record = TypeVar("Record")


def find_guess(address: str) -> Guess:
    """The servers that the address has: by provider, by its domain's MX or SRV records, else by the usual names."""
    guess = look_up(address)
    if guess.provider or guess.outside:
        return guess
    return Guess(_that_answer(guess.imap), _that_answer(guess.smtp))


def look_up(address: str) -> Guess:
    """The same without a connection to any of them: what the table and DNS say."""
    guess = guess_servers(address)
    if guess.provider:
        return guess
    domain = domain_of(address)
    with ThreadPoolExecutor(max_workers=5) as pool:
        mx = pool.submit(mail_exchangers, domain)
        records = list(pool.map(lambda service: service_records(service, domain), SRV_SERVICES))
        guess = guess_servers(address, mx.result())
    if guess.provider:
        return guess
    return guess_by_records(address, [one for some in records for one in some]) or guess


def mail_exchangers(domain: str) -> tuple[str, ...]:
    """The MX names of a domain, most preferred first; empty when nobody answers (RFC 1035, 5321 5.1)."""
    return tuple(name for _preference, name in sorted(_ask_dns(domain, MX, _read_exchanger)) if name)


def service_records(service: str, domain: str) -> list[ServiceRecord]:
    """Where a domain offers a service (RFC 6186); empty when nobody answers."""

    def read(data: bytes, at: int) -> ServiceRecord:
        priority, weight, port = struct.unpack(">HHH", data[at : at + 6])
        return ServiceRecord(service, priority, weight, port, _read_name(data, at + 6))

    return _ask_dns(f"{service}.{domain}", SRV, read)


def _ask_dns(name: str, kind: int, read: Callable[[bytes, int], Record]) -> list[Record]:
    try:
        question = _question(name.encode("idna"), kind)
    except UnicodeError:
        return []
    for resolver in _resolvers():
        family = socket.AF_INET6 if ":" in resolver else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as link:
                link.settimeout(DNS_SECONDS)
                link.connect((resolver, DNS_PORT))
                link.send(question)
                return _read_answer(link.recv(4096), question[:2], kind, read)
        except (OSError, ValueError, struct.error, IndexError):
            continue
    return []


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


def _question(domain: bytes, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label for label in domain.strip(b".").split(b".") if label)
    header = struct.pack(">HHHHHH", random.randrange(1 << 16), 0x0100, 1, 0, 0, 0)
    return header + labels + b"\0" + struct.pack(">HH", kind, 1)


def _read_answer(data: bytes, identity: bytes, wanted: int, read: Callable[[bytes, int], Record]) -> list[Record]:
    if data[:2] != identity:
        raise ValueError("an answer to another question")
    questions, records = struct.unpack(">HH", data[4:8])
    at = 12
    for _question_number in range(questions):
        at = _skip_name(data, at) + 4
    found: list[Record] = []
    for _record_number in range(records):
        at = _skip_name(data, at)
        kind, _class, _ttl, length = struct.unpack(">HHIH", data[at : at + 10])
        at += 10
        if kind == wanted:
            found.append(read(data, at))
        at += length
    return found


def _read_exchanger(data: bytes, at: int) -> tuple[int, str]:
    return struct.unpack(">H", data[at : at + 2])[0], _read_name(data, at + 2)


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
