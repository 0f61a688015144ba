"""Signed ids: the Message-ID and the plus-address by which an answer finds its ticket (data.md, "Signed ids").

A Message-ID names an outbox row, a plus-address names a ticket. Both carry 100 bits of HMAC-SHA256, read without
regard to case because mail programs change it. What they mean for a ticket is `mail.thread`'s business.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAC_LENGTH = 20

# Separate purposes: the MAC of outbox row 7 must say nothing about ticket 7.
_MESSAGE_PURPOSE = b"supportdesk/message-id"
_TICKET_PURPOSE = b"supportdesk/plus-address"

_INSTANCE = re.compile(r"[a-z0-9]{1,32}")
_NUMBER = r"([1-9][0-9]{0,17})"
_MAC = rf"([A-Za-z2-7]{{{MAC_LENGTH}}})"
# ASCII classes, no IGNORECASE: the Kelvin sign and the long s would fold into letters.
# Without its domain it is the envelope id under which the mail was sent (RFC 3461 4.4).
_MESSAGE_ID = re.compile(rf"<?[sS][dD]\.([A-Za-z0-9]{{1,32}})\.{_NUMBER}\.{_MAC}(?:@[!-=?-~]+)?>?")
_PLUS_ADDRESS = re.compile(rf"([^\s@<>]+)\+[tT]\.{_NUMBER}\.{_MAC}@([^\s@<>]+)")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One row of `signing_key`; the secret is at least 16 bytes."""

    id: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError(f"signing key {self.id} is shorter than 16 bytes")


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and the older ones that are still believed."""

    current: SigningKey
    older: tuple[SigningKey, ...] = ()

    def __iter__(self) -> Iterator[SigningKey]:
        return iter((self.current, *self.older))


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A Message-ID that this installation made for an outbox row."""

    outbox_id: int
    key_id: int


@dataclass(frozen=True, slots=True)
class SignedTicket:
    """A plus-address that this installation made for a ticket; `address` is the mailbox without the token."""

    ticket: int
    address: str
    key_id: int


@dataclass(frozen=True, slots=True)
class Forged:
    """It has the form of one of our ids and no key of ours made it: never believed, but logged."""

    text: str


def sign_message_id(keys: SigningKeys, instance: str, outbox_id: int, domain: str) -> str:
    """The Message-ID of an outbox row: `<sd.INSTANCE.OUTBOX.MAC@domain>`. Raises ValueError on an unusable part."""
    if not _INSTANCE.fullmatch(instance):
        raise ValueError(f"an instance is 1 to 32 of a-z and 0-9, not {instance!r}")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", domain):
        raise ValueError(f"a Message-ID needs an ASCII domain, not {domain!r}")
    mac = _mac(keys.current, _MESSAGE_PURPOSE, instance, _checked(outbox_id))
    return f"<sd.{instance}.{outbox_id}.{mac}@{domain.lower()}>"


def sign_plus_address(keys: SigningKeys, address: str, ticket: int) -> str:
    """The Reply-To of a ticket's mail: `support+t.TICKET.MAC@domain`. Raises ValueError on an unusable part."""
    local, at, domain = address.rpartition("@")
    if not (local and at and domain):
        raise ValueError(f"not an address: {address!r}")
    return f"{local}+t.{ticket}.{_mac(keys.current, _TICKET_PURPOSE, '', _checked(ticket))}@{domain}"


def read_message_id(keys: SigningKeys, instance: str, text: str) -> SignedMessage | Forged | None:
    """Which outbox row a Message-ID names; None when it is foreign, another installation's included."""
    found = _MESSAGE_ID.fullmatch(text.strip())
    if found is None or found[1].lower() != instance:
        return None
    key = _key_that_made(found[3], keys, _MESSAGE_PURPOSE, instance, int(found[2]))
    return Forged(text.strip()) if key is None else SignedMessage(int(found[2]), key.id)


def read_plus_address(keys: SigningKeys, address: str) -> SignedTicket | Forged | None:
    """Which ticket a recipient address names; None when it carries no token."""
    found = _PLUS_ADDRESS.fullmatch(address.strip())
    if found is None:
        return None
    key = _key_that_made(found[3], keys, _TICKET_PURPOSE, "", int(found[2]))
    return Forged(address.strip()) if key is None else SignedTicket(int(found[2]), f"{found[1]}@{found[4]}", key.id)


def has_ticket_token(address: str) -> bool:
    """Whether an address has the form of a signed plus-address, whoever made it (SEC-7: never a recipient)."""
    return _PLUS_ADDRESS.fullmatch(address.strip()) is not None


def _mac(key: SigningKey, purpose: bytes, instance: str, number: int) -> str:
    digest = hmac.new(key.secret, b"\0".join((purpose, instance.encode(), b"%d" % number)), hashlib.sha256).digest()
    return b32encode(digest[:15]).decode("ascii").lower()[:MAC_LENGTH]


def _key_that_made(mac: str, keys: SigningKeys, purpose: bytes, instance: str, number: int) -> SigningKey | None:
    given, maker = mac.lower().encode(), None
    for key in keys:
        if hmac.compare_digest(given, _mac(key, purpose, instance, number).encode()):
            maker = key
    return maker


def _checked(number: int) -> int:
    if not 0 < number < 10**18:
        raise ValueError(f"an id is a positive number, not {number}")
    return number
