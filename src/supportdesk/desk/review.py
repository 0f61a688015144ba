"""The review bar: a dry run of a reply that says what would stop it and what deserves a second look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from supportdesk.desk.drafts import read_row
from supportdesk.desk.model import OutboxId, OutboxRow
from supportdesk.desk.outgoing import outgoing_mail, takes_smtputf8
from supportdesk.desk.recipient_guards import recipient_warnings
from supportdesk.desk.repeats import repeat_warning
from supportdesk.desk.reply_guards import wording_warnings
from supportdesk.desk.results import Review, ReviewWarning
from supportdesk.errors import SupportdeskError
from supportdesk.l10n.attachment_words import announces_file
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader
    from supportdesk.mail.model import OutgoingMail

LARGEST_MAIL = 25 * 1024 * 1024

_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def review(desk: Desk, outbox_id: OutboxId) -> Review:
    """Read the row and build its mail without sending it; never raises for what is wrong with the text."""
    row = read_row(desk.read, outbox_id)
    errors, mail = find_errors(desk, row)
    repeated = repeat_warning(desk.read, row, desk.clock.now())
    return Review(
        errors=errors,
        warnings=(*((repeated,) if repeated is not None else ()), *find_warnings(desk.read, row)),
        recipients=tuple(Address(one.name, one.address) for one in row.recipients),
        subject=row.subject,
        preview_text=_preview(mail) if mail is not None else row.body,
        from_address=str(mail.from_) if mail is not None else "",
    )


def find_errors(desk: Desk, row: OutboxRow) -> tuple[tuple[str, ...], OutgoingMail | None]:
    """What stops the reply, and its mail as far as it could be put together."""
    from supportdesk.mail.compose import build

    errors = list(_errors(row))
    mail: OutgoingMail | None = None
    try:
        mail = outgoing_mail(desk.read, desk.blobs, row, at=desk.clock.now())
        if not errors:
            build(mail, smtputf8=takes_smtputf8(desk.read, row))
    except (SupportdeskError, UnicodeError) as error:
        errors.append(_told(error))
    return tuple(errors), mail


def _errors(row: OutboxRow) -> Iterator[str]:
    if not any(one.role in ("to", "cc", "bcc") for one in row.recipients):
        yield _("There is nobody to send it to")
    if not row.body.strip() and not row.attachments:
        yield _("The text is empty")
    left = _BRACES.search(row.body) or _BRACES.search(row.subject)
    if left is not None:
        yield _("A value was not filled in: {name}").format(name=left[0])
    if sum(file.size for file in row.attachments) > LARGEST_MAIL:
        yield _("The attachments are larger than {size} MB together").format(size=LARGEST_MAIL // 2**20)


def find_warnings(source: Reader, row: OutboxRow) -> Iterator[ReviewWarning]:
    """What deserves a second look before it is sent."""
    wording = list(wording_warnings(source, row))
    yield from wording
    if not row.subject.strip():
        yield ReviewWarning("subject", _("The subject is empty"))
    # Words for the third party, or in the wrong language, are looked up in every language.
    elsewhere = row.kind == "forward" or any(one.code == "language" for one in wording)
    if not row.attachments and (said := announces_file(row.body, "" if elsewhere else row.language)):
        yield ReviewWarning("attachment", _("The text says “{found}”, and nothing is attached").format(found=said))
    yield from recipient_warnings(source, row)
    norms = [one.address.casefold() for one in row.recipients]
    known = source.rows("customer_identity", {"kind": "email", "value_norm": norms}) if norms else []
    for identity in known:
        if identity["bounced_at"] is not None:
            yield ReviewWarning("bounced", _("Mail to {address} came back before").format(address=identity["value"]))
    strangers = {
        one["identity_id"]
        for one in source.rows("participant", {"ticket_id": row.ticket_id})
        if one["role"] in ("external", "proposed")
    }
    for identity in known:
        if identity["id"] in strangers:
            yield ReviewWarning(
                "external", _("{address} joined from outside and was not confirmed").format(address=identity["value"])
            )


def _preview(mail: OutgoingMail) -> str:
    parts = [mail.text.rstrip()]
    if mail.signature:
        parts.append(f"-- \n{mail.signature}")
    if mail.quoted:
        parts.append("\n".join([mail.attribution, *(f"> {line}" for line in mail.quoted.splitlines())]))
    return "\n\n".join(part for part in parts if part)


def _told(error: Exception) -> str:
    if isinstance(error, SupportdeskError):
        return f"{error.message} {error.hint}".strip()
    return str(error)
