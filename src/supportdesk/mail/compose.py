"""The bytes of an outgoing mail, built from plain values and read again before anybody may send them.

Pure: the same `OutgoingMail` gives the same bytes. Localized strings, the signature and the quote are arguments. What
is written is then parsed by another program's code (the standard library's) and compared with what was meant, because a
reply with one header too many goes to the wrong person (mail.md OUT-1, OUT-2; reliability.md R10).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from email.utils import format_datetime
from quopri import encodestring
from typing import TYPE_CHECKING

from supportdesk.mail.fields import (
    ComposeError,
    address_field,
    checked,
    ids_field,
    is_message_id,
    parameter_field,
    text_field,
    token_field,
    wire_address,
)
from supportdesk.mail.model import BuiltMail
from supportdesk.mail.replybody import Body, flowed_text, html_text
from supportdesk.mail.reread import verify
from supportdesk.mail.signed import has_ticket_token
from supportdesk.mail.subjects import strip_reply_prefixes

if TYPE_CHECKING:
    from supportdesk.mail.model import OutgoingAttachment, OutgoingMail

__all__ = ["ComposeError", "build", "kept_references", "reply_subject"]

MAX_REFERENCES_KEPT = 20  # of the newest, and the first
AUTOMATIC = ("auto-replied", "auto-generated")

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_INSTANCE = re.compile(r"[a-z0-9]{1,32}")
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def build(mail: OutgoingMail, *, smtputf8: bool = False) -> BuiltMail:
    """The finished mail; `smtputf8` says that the sending server offers RFC 6531, used only if an address needs it.

    Raises ComposeError naming the field that cannot be sent, or what came out other than it was meant. Bcc stands
    only in the envelope. Mail from a program (`automatic`) has the null reverse-path (RFC 3834 3.3) when it answers.
    """
    _check(mail)
    everyone = (*mail.to, *mail.cc, *mail.bcc)
    recipients = tuple(dict.fromkeys(wire_address("recipient", one.addr, smtputf8=smtputf8) for one in everyone))
    sender = wire_address("From", mail.from_.addr, smtputf8=smtputf8)
    body = Body(mail.text, mail.signature, mail.attribution, mail.quoted)
    entity = _entity(mail, body)
    fields = _fields(mail, smtputf8=smtputf8)
    data = b"".join(fields) + b"MIME-Version: 1.0\r\n" + entity
    addresses = [mail.from_, *everyone, *([mail.reply_to] if mail.reply_to else [])]
    utf8 = any(not address.addr.rpartition("@")[0].isascii() for address in addresses)
    built = BuiltMail(
        message_id=mail.message_id,
        sender="" if mail.automatic == "auto-replied" else sender,
        recipients=recipients,
        data=data,
        eightbit=utf8,
        smtputf8=utf8,
    )
    verify(built, mail, flowed_text(body))
    return built


def reply_subject(subject: str) -> str:
    """`Re: …` before the subject of the message answered, with its own prefixes gone and nothing unsendable in it."""
    plain = " ".join(strip_reply_prefixes(_UNSENDABLE.sub(" ", subject)).split())
    return f"Re: {plain}" if plain else "Re:"


def kept_references(references: tuple[str, ...], in_reply_to: str) -> tuple[str, ...]:
    """The References of a reply: those of the message answered and its id, the first and the last 20 (OUT-1).

    What cannot be repeated safely is left out: the ids come from other people's mail.
    """
    ids = [one for one in dict.fromkeys(references) if is_message_id(one) and one != in_reply_to]
    if is_message_id(in_reply_to):
        ids.append(in_reply_to)
    if len(ids) > MAX_REFERENCES_KEPT + 1:
        ids = [ids[0], *ids[-MAX_REFERENCES_KEPT:]]
    return tuple(ids)


def _check(mail: OutgoingMail) -> None:
    if mail.date.tzinfo is None:
        raise ComposeError("Date has no time zone")
    if not is_message_id(mail.message_id) or "@" not in mail.message_id:
        raise ComposeError(f"Message-ID: {mail.message_id!r} is not one")
    if not (mail.to or mail.cc or mail.bcc):
        raise ComposeError("the mail has no recipient", hint="Add one with To.")
    if mail.language and not _LANGUAGE.fullmatch(mail.language):
        raise ComposeError(f"Content-Language: {mail.language!r} is not a language tag")
    if mail.automatic and mail.automatic not in AUTOMATIC:
        raise ComposeError(f"Auto-Submitted: {mail.automatic!r} is neither of {' and '.join(AUTOMATIC)}")
    if mail.automatic and not _INSTANCE.fullmatch(mail.instance):
        raise ComposeError("X-Supportdesk-Instance: an automatic mail needs this installation's name")
    if mail.automatic and mail.quoted:
        raise ComposeError("an automatic mail repeats nothing of what it answers")
    for address in (*mail.to, *mail.cc, *mail.bcc):
        if has_ticket_token(address.addr):
            raise ComposeError(
                f"recipient: {address.addr!r} is the signed address of a ticket, not of a person",
                hint="Mail to it would come back to this desk.",
            )


def _fields(mail: OutgoingMail, *, smtputf8: bool) -> list[bytes]:
    fields = [
        token_field("Date", format_datetime(mail.date)),
        address_field("From", [mail.from_], smtputf8=smtputf8),
    ]
    for name, addresses in (("To", mail.to), ("Cc", mail.cc)):
        if addresses:
            fields.append(address_field(name, addresses, smtputf8=smtputf8))
    if mail.reply_to is not None:
        fields.append(address_field("Reply-To", [mail.reply_to], smtputf8=smtputf8))
    for address in mail.bcc:
        checked("Bcc", address.name)
    fields += [text_field("Subject", mail.subject), ids_field("Message-ID", [mail.message_id])]
    references = kept_references(mail.references, mail.in_reply_to)
    if is_message_id(mail.in_reply_to):
        fields.append(ids_field("In-Reply-To", [mail.in_reply_to]))
    if references:
        fields.append(ids_field("References", references))
    if mail.automatic:
        fields += [
            token_field("Auto-Submitted", mail.automatic),
            token_field("X-Auto-Response-Suppress", "All"),
            token_field("X-Supportdesk-Instance", mail.instance),
        ]
    if mail.language:
        fields.append(token_field("Content-Language", mail.language))
    return fields


@dataclass(frozen=True, slots=True)
class _Part:
    head: bytes
    content: bytes

    @property
    def octets(self) -> bytes:
        return self.head + b"\r\n" + self.content


def _entity(mail: OutgoingMail, body: Body) -> bytes:
    plain = _text_part("plain", flowed_text(body), flowed=True)
    html = _text_part("html", html_text(body, mail.language), flowed=False)
    seed = hashlib.sha256(mail.message_id.encode() + plain.octets + html.octets)
    entity = _multipart("alternative", [plain, html], seed.hexdigest()[:24])
    if mail.attachments:
        attached = [_attachment_part(attachment) for attachment in mail.attachments]
        for part in attached:
            seed.update(part.octets)
        entity = _multipart("mixed", [entity, *attached], seed.hexdigest()[:24])
    return entity.octets


def _multipart(subtype: str, parts: list[_Part], seed: str) -> _Part:
    # "=_" stands in neither quoted-printable nor base64, so no part can hold the boundary.
    boundary = f"=_{subtype[:3]}_{seed}"
    delimiter = f"--{boundary}\r\n".encode()
    content = b"".join(delimiter + part.octets + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return _Part(parameter_field("Content-Type", f"multipart/{subtype}", [("boundary", boundary)]), content)


def _text_part(subtype: str, text: str, *, flowed: bool) -> _Part:
    octets = text.encode("utf-8")
    parameters = [("charset", "utf-8"), *([("format", "flowed")] if flowed else [])]
    head = parameter_field("Content-Type", f"text/{subtype}", parameters)
    # Quoted-printable while it stays readable; base64 is the shorter one for other scripts.
    if sum(octet > 127 for octet in octets) * 6 > len(octets):
        return _Part(head + b"Content-Transfer-Encoding: base64\r\n", _base64(octets.replace(b"\n", b"\r\n")))
    return _Part(head + b"Content-Transfer-Encoding: quoted-printable\r\n", _quoted_printable(octets))


def _attachment_part(attachment: OutgoingAttachment) -> _Part:
    name, media_type = attachment.name, checked("attachment type", attachment.content_type).strip().lower()
    if not name.strip():
        raise ComposeError("an attachment has no name")
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ComposeError(f"attachment {name!r}: {media_type!r} is not a media type")
    if media_type.startswith(("message/", "multipart/")):
        # These may not be base64 (RFC 2046 5.2.1), and anything else could change their octets.
        media_type = "application/octet-stream"
    head = parameter_field("Content-Type", media_type, [])
    head += parameter_field("Content-Disposition", "attachment", [("filename", name)])
    return _Part(head + b"Content-Transfer-Encoding: base64\r\n", _base64(attachment.data))


def _base64(octets: bytes) -> bytes:
    return b"".join(b64encode(octets[at : at + 57]) + b"\r\n" for at in range(0, len(octets), 57))


def _quoted_printable(octets: bytes) -> bytes:
    return encodestring(octets).replace(b"\n", b"\r\n")
