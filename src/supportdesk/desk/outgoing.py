"""What a row of the outbox becomes on the wire: the arguments of `mail.compose.build`, gathered from what is stored.

The dry run of the review and the one build of the worker use the same function, so that what was shown is what is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from supportdesk.desk.drafts import Rows
from supportdesk.desk.model import Mailbox, OutboxRow
from supportdesk.desk.settings import mailbox_of, signing_keys
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import Address, Fold, OutgoingAttachment, OutgoingMail, without_folds
from supportdesk.mail.recipients import OwnAddresses
from supportdesk.mail.signed import SigningKeys, sign_message_id, sign_plus_address

if TYPE_CHECKING:
    from supportdesk.desk.ports import Blobs, Row

AUTOMATIC = {"acknowledgement": "auto-replied", "bump": "auto-generated"}
NOT_YET_SIGNED = "<sd.review@localhost>"


def outgoing_mail(source: Rows, blobs: Blobs, row: OutboxRow, *, at: datetime) -> OutgoingMail:
    """Everything that makes the reply's bytes, with the Message-ID that it was given when it was held."""
    from supportdesk.mail.compose import kept_references

    mailbox = mailbox_row(source, row)
    instance, keys = _identity(source)
    answered = _one(source, "message", {"id": row.in_reply_to}) if row.in_reply_to is not None else None
    headers = _one(source, "message_mail", {"message_id": row.in_reply_to}) if answered else None
    in_reply_to = str(headers["message_id_norm"]) if headers else ""
    language = row.language or mailbox.language
    attribution, quoted = _quote(source, row, answered, mailbox, language)
    return OutgoingMail(
        message_id=row.message_id_header or NOT_YET_SIGNED,
        date=at,
        from_=Address(mailbox.name or mailbox.shop_name, sending_address(source, mailbox, row.in_reply_to)),
        to=_people(row, "to"),
        cc=_people(row, "cc"),
        bcc=_people(row, "bcc"),
        subject=row.subject,
        text=row.body,
        language=language,
        signature=signature(mailbox, language),
        attribution=attribution,
        quoted=quoted,
        in_reply_to=in_reply_to,
        references=kept_references(tuple(headers["references"] or ()) if headers else (), in_reply_to),
        reply_to=_reply_to(keys, mailbox, row),
        attachments=tuple(
            OutgoingAttachment(file.name, file.content_type, blobs.get(file.blob_sha)) for file in row.attachments
        ),
        automatic=AUTOMATIC.get(row.kind, ""),
        instance=instance,
    )


def mailbox_row(source: Rows, row: OutboxRow) -> Mailbox:
    found = _one(source, "mailbox", {"id": row.mailbox_id})
    if found is None:
        raise NotFound(_("there is no mailbox {id}").format(id=row.mailbox_id))
    return mailbox_of(found)


def takes_smtputf8(source: Rows, row: OutboxRow) -> bool:
    """Whether the mailbox's server is known to take addresses with other letters before the @ (RFC 6531, OUT-3)."""
    return bool(mailbox_row(source, row).settings.get("smtputf8"))


def sign_reply(keys: SigningKeys, instance: str, mailbox: Mailbox, row: OutboxRow | Row) -> str:
    """The Message-ID of an outbox row, the same whenever it is asked for."""
    outbox_id = row.id if isinstance(row, OutboxRow) else row["id"]
    domain = mailbox.address.rpartition("@")[2].encode("idna").decode("ascii")
    return sign_message_id(keys, instance, int(outbox_id), domain)


def signature(mailbox: Mailbox, language: str) -> str:
    """The mailbox's signature in that language, else in its base language, else the one for all ("")."""
    for tag in (language, language.partition("-")[0], ""):
        if mailbox.signatures.get(tag):
            return mailbox.signatures[tag]
    return ""


def sending_address(source: Rows, mailbox: Mailbox, answered: int | None) -> str:
    """Which of the mailbox's addresses the customer wrote to in that message: the reply leaves from there (data.md)."""
    message = _one(source, "message", {"id": answered}) if answered is not None else None
    if message is not None and message["direction"] == "in":
        people = source.rows("message_recipient", {"message_id": answered}, order="id")
        for one in sorted(people, key=lambda row: row["role"] != "to"):
            for address in (mailbox.address, *mailbox.aliases):
                if one["address"] in OwnAddresses.of([address]):
                    return address
    if message is not None and message["direction"] == "out":  # a reminder of our own mail
        headers = _one(source, "message_mail", {"message_id": answered})
        if headers is not None and headers["from_address"] in OwnAddresses.of(mailbox.addresses):
            return str(headers["from_address"])
    return mailbox.address


def _quote(source: Rows, row: OutboxRow, answered: Row | None, mailbox: Mailbox, language: str) -> tuple[str, str]:
    """The attribution line and what the customer wrote last, without what he himself quoted."""
    if not row.quote or answered is None or row.kind not in ("reply", "forward") or answered["direction"] != "in":
        return "", ""
    text = fresh_text(answered)
    if not text:
        return "", ""
    from supportdesk.l10n.attribution import attribution

    headers = _one(source, "message_mail", {"message_id": answered["id"]})
    name = answered["author_name"] or (headers["from_name"] or headers["from_address"] if headers else "")
    return attribution(name, answered["received_at"], language or "en", ZoneInfo(mailbox.zone)), text


def fresh_text(message: Row) -> str:
    """What the writer of a stored message wrote anew: its text without the folded ranges."""
    folds = [Fold(int(start), int(end), kind) for start, end, kind in message["folds"] or ()]
    return without_folds(message["body"], folds)


def _people(row: OutboxRow, role: str) -> tuple[Address, ...]:
    return tuple(Address(one.name, one.address) for one in row.recipients if one.role == role)


def _reply_to(keys: SigningKeys | None, mailbox: Mailbox, row: OutboxRow) -> Address | None:
    """The signed plus-address, where the mail server of the mailbox takes such addresses."""
    if keys is None or not mailbox.settings.get("plus_address"):
        return None
    return Address(mailbox.name or mailbox.shop_name, sign_plus_address(keys, mailbox.address, row.ticket_id))


def _identity(source: Rows) -> tuple[str, SigningKeys | None]:
    keys = source.rows("signing_key")
    instance = _one(source, "setting", {"key": "instance"})
    return (str(instance["value"]) if instance else ""), (signing_keys(list(keys)) if keys else None)


def _one(source: Rows, table: str, where: Row) -> Row | None:
    found: Sequence[Row] = source.rows(table, where, limit=1)
    return found[0] if found else None
