"""A first mail that a command writes: however often the command is run, one conversation and one mail come of it.

A command that was killed leaves a ticket with an empty draft, a ticket with the text, or a mail on its way. The first
two are gone on with; of the last one `desk.repeats` says when it was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from supportdesk.desk import drafts
from supportdesk.desk.arguments import clean_language
from supportdesk.desk.canned_set import find_canned
from supportdesk.desk.model import OutboxId
from supportdesk.desk.repeats import begun_with, check_not_repeated, is_begun, plain
from supportdesk.errors import StoreError, SupportdeskError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor, MailboxId, OutboxRow, TicketId
    from supportdesk.desk.ports import Looks, Row
    from supportdesk.mail.model import Address


@dataclass(frozen=True, slots=True)
class Beginning:
    """Whom a first mail is to and what it says: a canned response, a text, or the text below it."""

    mailbox_id: MailboxId
    to: Address
    subject: str
    text: str = ""
    language: str = ""
    key: str = ""
    asked: Mapping[str, str] = field(default_factory=dict)


def begin(desk: Desk, actor: Actor, first: Beginning, *, again: bool = False) -> OutboxRow:
    """The draft of a first mail, on a new ticket of that customer.

    Raises AlreadySent where the same was sent a short time ago, unless `again`; MissingValue, NotFound.
    """

    def write(ticket_id: TicketId) -> str:
        rendered = desk.render_canned(actor, ticket_id, first.key, first.asked).text if first.key else ""
        return "\n\n".join(piece for piece in (rendered, first.text.strip("\n")) if piece)

    def start(unless: Callable[[Looks, Row], bool] | None = None) -> OutboxRow:
        to, subject = first.to, first.subject
        return drafts.start_conversation(desk, actor, first.mailbox_id, to, subject, first.language, unless=unless)

    if first.key:
        find_canned(desk.read, first.key)  # or a misspelled one would leave a ticket behind
    first = replace(first, language=clean_language(first.language) if first.language else "")
    row = start(None if again else _same_as(desk, actor, first, write))
    if row.state != "draft":
        check_not_repeated(desk.read, replace(row, id=OutboxId(0)), desk.clock.now())
        row = start()  # it came back meanwhile
    # A text that cannot be written leaves the empty draft, with which the next try goes on.
    fields = {"body": write(row.ticket_id), **({"canned_key": first.key} if first.key else {})}
    return drafts.save_draft(desk, actor, row.id, row.version, fields)


def _same_as(
    desk: Desk, actor: Actor, first: Beginning, write: Callable[[TicketId], str]
) -> Callable[[Looks, Row], bool]:
    """Whether a first mail to that customer is the one that is to be written, or a draft that nothing is in yet."""
    now = desk.clock.now()
    # What a response says to him is known where a conversation with him was begun.
    begun = {row["ticket_id"] for row in begun_with(desk.read, [first.to.addr], first.subject)}
    texts = {text for text in (_text_on(ticket, write) for ticket in begun) if text}

    def is_text(row: Row, written: str) -> bool:
        if row["ticket_id"] not in begun:  # begun since by somebody who was quicker
            begun.add(row["ticket_id"])
            texts.add(_text_on(row["ticket_id"], write))
        return bool(written) and written in texts

    def is_same(source: Looks, row: Row) -> bool:
        if row["mailbox_id"] != first.mailbox_id or not is_begun(source, row, first.to.addr, now):
            return False
        written = plain(row["body"])
        if row["state"] != "draft":
            return is_text(row, written)
        own = row["agent_id"] == actor.id and row["discarded_at"] is None
        fits = not first.language or row["language"] == first.language
        return own and fits and (not written or is_text(row, written))

    return is_same


def _text_on(ticket_id: TicketId, write: Callable[[TicketId], str]) -> str:
    try:
        return plain(write(ticket_id))
    except StoreError:
        raise
    except SupportdeskError:
        return ""  # it cannot be written there; whether it can be here is said where it is
