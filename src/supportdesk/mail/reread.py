"""The second reading of a finished mail: what the bytes say must be what was meant (reliability.md R10).

It uses the standard library's parser, not the writer's code, so that one mistake cannot hide in both. A difference is
a ComposeError and the mail is not sent.
"""

from __future__ import annotations

import hashlib
import re
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32
from email.utils import collapse_rfc2231_value, getaddresses
from typing import TYPE_CHECKING, Any

from supportdesk.mail.fields import HARD_LINE, ComposeError, is_message_id, wire_address

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message

    from supportdesk.mail.model import Address, BuiltMail, OutgoingMail

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def verify(built: BuiltMail, meant: OutgoingMail, text: str) -> None:
    """Compare the finished bytes with `meant` and with the plain `text`; raise ComposeError naming what differs."""
    _verify_wire(built.data)
    message = BytesParser(policy=compat32).parsebytes(built.data)
    _same("the list of header fields", [name for name, _ in message.raw_items()], _meant_fields(meant))
    _same("Subject", _decoded(message["Subject"]), meant.subject)
    _same("Message-ID", _unfolded(message["Message-ID"]), meant.message_id)
    for name, addresses in (
        ("From", (meant.from_,)),
        ("To", meant.to),
        ("Cc", meant.cc),
        ("Reply-To", (meant.reply_to,) if meant.reply_to else ()),
    ):
        _same(name, _read_addresses(message, name), _meant_addresses(addresses, smtputf8=built.smtputf8))
    everyone = _meant_addresses((*meant.to, *meant.cc, *meant.bcc), smtputf8=built.smtputf8)
    _same("the recipients", sorted(built.recipients), sorted({addr for _, addr in everyone}))
    _verify_parts(message, meant, text)


def _verify_wire(data: bytes) -> None:
    if _BARE.search(data):
        raise ComposeError("the finished mail has a line that does not end in CRLF")
    if b"\0" in data:
        raise ComposeError("the finished mail has a NUL octet")
    if max(map(len, data.split(b"\r\n"))) > HARD_LINE:
        raise ComposeError(f"the finished mail has a line of more than {HARD_LINE} octets")


def _meant_fields(meant: OutgoingMail) -> list[str]:
    # Which of the threading ids could be repeated is the writer's choice; that they hold nothing but ids is ours.
    answered = is_message_id(meant.in_reply_to)
    referred = answered or any(is_message_id(one) for one in meant.references)
    return [
        "Date",
        "From",
        *(["To"] if meant.to else []),
        *(["Cc"] if meant.cc else []),
        *(["Reply-To"] if meant.reply_to else []),
        "Subject",
        "Message-ID",
        *(["In-Reply-To"] if answered else []),
        *(["References"] if referred else []),
        *(["Auto-Submitted", "X-Auto-Response-Suppress", "X-Supportdesk-Instance"] if meant.automatic else []),
        *(["Content-Language"] if meant.language else []),
        "MIME-Version",
        "Content-Type",
    ]


def _verify_parts(message: Message, meant: OutgoingMail, text: str) -> None:
    leaves = [part for part in message.walk() if not part.is_multipart()]
    _same("the number of parts", len(leaves), 2 + len(meant.attachments))
    _same("the text", _payload(leaves[0]).replace(b"\r\n", b"\n").decode("utf-8"), text)
    _same("the HTML part", leaves[1].get_content_type(), "text/html")
    for part, attachment in zip(leaves[2:], meant.attachments, strict=True):
        _same("an attachment's headers", sorted(name for name, _ in part.raw_items()), _ATTACHMENT_FIELDS)
        _same("the name of an attachment", _filename(part), attachment.name)
        _same(
            f"the content of {attachment.name!r}",
            hashlib.sha256(_payload(part)).hexdigest(),
            hashlib.sha256(attachment.data).hexdigest(),
        )


_ATTACHMENT_FIELDS = ["Content-Disposition", "Content-Transfer-Encoding", "Content-Type"]


def _filename(part: Message) -> str:
    """The RFC 2231 name where there is one, else the plain one."""
    parameters: list[tuple[str, Any]] = part.get_params([], "content-disposition")
    named = [value for key, value in parameters if key.lower() == "filename"]
    extended = [value for value in named if isinstance(value, tuple)]
    return collapse_rfc2231_value((extended or named or [""])[0])


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _read_addresses(message: Message, name: str) -> list[tuple[str, str]]:
    raw = [_unfolded(value) for key, value in message.raw_items() if key == name]
    return [(_decoded(display), addr) for display, addr in getaddresses(raw)]


def _meant_addresses(addresses: Iterable[Address], *, smtputf8: bool) -> list[tuple[str, str]]:
    return [(one.name, wire_address("recipient", one.addr, smtputf8=smtputf8)) for one in addresses]


def _unfolded(value: str) -> str:
    return value.encode("ascii", "surrogateescape").decode("utf-8").replace("\r\n", "").strip(" ")


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value.replace("\r\n", ""))))


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ComposeError(
            f"{what} of the finished mail differs from what was meant: {found!r} instead of {expected!r}",
            hint="It was not sent. The draft is unchanged.",
        )
