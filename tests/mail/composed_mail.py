"""A short and a full mail to go out, and readers of what was written that share nothing with the writer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from supportdesk.mail.model import Address, BuiltMail, OutgoingAttachment, OutgoingMail

PLAIN = OutgoingMail(
    message_id="<sd.a7k2.12.abcdefghijklmnopqrst@shop.example>",
    date=datetime(2026, 11, 20, 17, 30, 5, tzinfo=UTC),
    from_=Address("Bottega Rossi", "support@shop.example"),
    to=(Address("Hans Meier", "hans@customer.example"),),
    cc=(),
    bcc=(),
    subject="Re: Mein Paket",
    text="Guten Tag,\n\ndas Paket ist unterwegs.",
    language="de",
)
FULL = replace(
    PLAIN,
    cc=(Address("Jörg, Müller", "joerg@customer.example"),),
    bcc=(Address("Secret", "secret@boss.example"),),
    reply_to=Address("", "support+t.4.abcdefghijklmnopqrst@shop.example"),
    in_reply_to="<q2@customer.example>",
    references=("<q1@customer.example>",),
    signature="Anna\nBottega Rossi",
    attribution="Am 20. November schrieb Hans Meier:",
    quoted="Wo ist mein Paket?\n> alt",
    attachments=(OutgoingAttachment("Rücksendung.pdf", "application/pdf", b"%PDF\x00\r\n.\r\n"),),
)


def header_block(built: BuiltMail) -> bytes:
    return built.data.split(b"\r\n\r\n", 1)[0]


def header_names(built: BuiltMail) -> list[str]:
    """Read by hand, so that no parser's leniency hides a header."""
    return re.findall(r"^([^\s:]+):", header_block(built).decode("utf-8"), re.MULTILINE)


def reread(built: BuiltMail) -> EmailMessage:
    """Another reader: the standard library's new policy, which neither the writer nor its check uses."""
    message = message_from_bytes(built.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def plain_text(built: BuiltMail) -> str:
    part = reread(built).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html(built: BuiltMail) -> str:
    part = reread(built).get_body(("html",))
    assert part is not None
    return str(part.get_content())
