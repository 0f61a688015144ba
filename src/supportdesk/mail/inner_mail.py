"""The human's mail inside another one: Italian certified mail (postacert.eml), forwards, attached mails."""

from __future__ import annotations

from supportdesk.mail.addresses import parse_addresses
from supportdesk.mail.body import choose_body
from supportdesk.mail.headers import message_id
from supportdesk.mail.limits import DefectLog
from supportdesk.mail.mime import Part, read_tree
from supportdesk.mail.model import InnerMail
from supportdesk.mail.quotes import is_forward
from supportdesk.mail.words import decode_unstructured


def find_inner_mail(root: Part, subject: str) -> InnerMail | None:
    """The first mail that this one carries as a part, or None."""
    certified = "x-trasporto" in root.fields or "x-ricevuta" in root.fields
    first: Part | None = None
    for part in root.walk():
        if part.content_type not in ("message/rfc822", "message/global") or part.children:
            continue
        if part.file_name.casefold() == "postacert.eml":
            return _read("pec", part)
        first = first or part
    if first is None:
        return None
    if certified:
        return _read("pec", first)
    return _read("forward" if is_forward(subject) else "attached", first)


def _read(kind: str, part: Part) -> InnerMail:
    log = DefectLog()
    root = read_tree(part.nested_mail(), log)
    fields = root.fields
    text = choose_body(root, log).text
    from_ = (
        parse_addresses(fields.get("from"), root.charset)
        or parse_addresses(fields.get("sender"))
        or parse_addresses(fields.get("reply-to"))
    )
    return InnerMail(
        kind,
        from_,
        decode_unstructured(fields.get("subject"), root.charset),
        message_id(decode_unstructured(fields.get("message-id"))),
        text,
        part.path or "1",
    )
