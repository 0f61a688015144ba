"""The words that find a mail: folded as the search index holds them."""

from __future__ import annotations

from supportdesk.mail.model import ParsedMail
from supportdesk.textfold import fold_message

INDEXED = 200_000  # characters of a body that are searched
PEOPLE = 50  # recipients of one kind who find the mail


def searchable(mail: ParsedMail) -> str:
    """The folded text of a message: subject, body, names, addresses, attachment names. A parsing child has made it."""
    if mail.searchable:
        return mail.searchable
    sender = " ".join(f"{one.name} {one.addr}" for one in (*mail.from_, *mail.reply_to))
    people = " ".join(f"{one.name} {one.addr}" for one in (*mail.to[:PEOPLE], *mail.cc[:PEOPLE]))
    files = " ".join(file.name for file in mail.attachments)
    text = "\n".join((mail.subject, mail.text[:INDEXED], sender, people, files))
    return fold_message(text, subject=mail.subject, sender=sender)
