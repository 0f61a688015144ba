"""The whole life of a conversation, from the rows that it left: UID, delivery, ticket, reply, the server's own words.

Nothing is asked of a server and nothing is guessed: what stands here was written when it happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from supportdesk.desk import labels
from supportdesk.desk.evidence import explain
from supportdesk.desk.model import TicketId
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Row


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, what kind of thing, one localized sentence, and the same as data."""

    at: datetime
    what: str  # fetched | processed | event | held | tried | outcome | recipient | copied
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps of a ticket and of all that was merged into it, oldest first."""

    ticket_id: TicketId
    steps: tuple[Step, ...]


def trace(desk: Desk, wanted: str) -> Trace:
    """Follow a ticket by its number, or the ticket of a mail by its Message-ID. Raises NotFound."""
    number = wanted.removeprefix("#")
    home = _root(desk, int(number)) if number.isdecimal() else _ticket_of(desk, wanted)
    steps: list[Step] = []
    for ticket_id in _family(desk, home):
        steps += (Step(at, "event", text) for at, text in desk.timeline(ticket_id))
        for message in desk.read.rows("message", {"ticket_id": ticket_id}, order="id"):
            steps += _arrival(desk, message)
        for row in desk.read.rows("outbox", {"ticket_id": ticket_id}, order="id"):
            steps += _departure(desk, row)
    return Trace(home, tuple(sorted(steps, key=lambda step: step.at)))


def _ticket_of(desk: Desk, message_id: str) -> TicketId:
    wanted = f"<{message_id.strip().strip('<>')}>"
    for mail in desk.read.rows("message_mail", {"message_id_norm": [wanted, wanted.casefold()]}, limit=1):
        return _root(desk, desk.read.rows("message", {"id": mail["message_id"]})[0]["ticket_id"])
    for row in desk.read.rows("outbox", {"message_id_header": wanted}, limit=1):
        return _root(desk, row["ticket_id"])
    raise NotFound(_("no message of this desk has the Message-ID {message_id}").format(message_id=wanted))


def _root(desk: Desk, number: int) -> TicketId:
    ticket = desk.read.ticket(TicketId(number))
    while ticket.merged_into is not None:
        ticket = desk.read.ticket(ticket.merged_into)
    return ticket.id


def _family(desk: Desk, home: TicketId) -> list[TicketId]:
    family = [home]
    for member in family:
        family += (TicketId(row["id"]) for row in desk.read.rows("ticket", {"merged_into": member}, order="id"))
    return family


def _arrival(desk: Desk, message: Row) -> Iterator[Step]:
    mails = desk.read.rows("message_mail", {"message_id": message["id"]})
    message_id = mails[0]["message_id_norm"] if mails else ""
    for delivery in desk.read.rows("delivery", {"message_id": message["id"]}, order="id"):
        folder = desk.read.rows("folder", {"id": delivery["folder_id"]})[0]
        box = desk.read.rows("mailbox", {"id": folder["mailbox_id"]})[0]
        where = {"mailbox": box["address"], "folder": folder["name"], "uid": delivery["uid"]}
        data = {
            **where, "uidvalidity": delivery["uidvalidity"], "sha256": delivery["raw_sha"], "size": delivery["size"],
            "delivery": delivery["id"], "message_id": message_id,
        }  # fmt: skip
        text = _("UID {uid} of {folder} at {mailbox} was taken over: {message_id}")
        yield Step(delivery["fetched_at"], "fetched", text.format(**where, message_id=message_id or "—"), data)
        if delivery["processed_at"] is not None:
            text = _("UID {uid} became message {message} of #{ticket} ({outcome})").format(
                uid=delivery["uid"], message=message["id"], ticket=message["ticket_id"], outcome=delivery["outcome"]
            )
            reasons = tuple(explain(message["evidence"]))
            yield Step(
                delivery["processed_at"], "processed", " ".join((f"{text}.", *reasons)),
                {"delivery": delivery["id"], "message": message["id"], "ticket": message["ticket_id"],
                 "outcome": delivery["outcome"], "attempts": delivery["attempts"], "error": delivery["error"]},
            )  # fmt: skip


def _departure(desk: Desk, row: Row) -> Iterator[Step]:
    about = {"reply": row["id"], "message_id": row["message_id_header"]}
    if row["held_at"] is None:
        return
    text = _("reply {reply} was held as {message_id}").format(**about)
    yield Step(row["held_at"], "held", text, {**about, "ticket": row["ticket_id"], "sha256": row["built_sha"]})
    if row["first_try_at"] is None:
        return
    yield Step(row["first_try_at"], "tried", _("reply {reply} was tried for the first time").format(**about), about)
    words = row["server_reply"] or row["error"]
    at = row["sent_at"] or row["updated_at"]
    text = _("reply {reply}: {state} after {attempts} attempts: {words}").format(
        reply=row["id"], state=labels.word(labels.OUTBOX, row["state"]), attempts=row["attempts"], words=words or "—"
    )
    yield Step(
        at, "outcome", text,
        {**about, "state": row["state"], "stage": row["stage"], "attempts": row["attempts"],
         "server_reply": row["server_reply"], "error": row["error"]},
    )  # fmt: skip
    for one in desk.read.rows("outbox_recipient", {"outbox_id": row["id"]}, order="id"):
        text = _("reply {reply} to {address}: {state}").format(
            reply=row["id"], address=one["address"], state=" ".join(filter(None, (one["state"], one["detail"])))
        )
        yield Step(at, "recipient", text, {**about, "address": one["address"], "state": one["state"],
                                           "detail": one["detail"]})  # fmt: skip
    if row["sent_copy"]:
        text = _("reply {reply} in the Sent folder: {state}").format(reply=row["id"], state=row["sent_copy"])
        yield Step(at, "copied", text, {**about, "sent_copy": row["sent_copy"]})
