"""Drafts: opening, saving and giving up a reply or a note that is being written. What sends a reply is `desk.replies`,
what puts a note on its ticket is `desk.notes`.

At most one draft for a ticket, agent and kind. Saving happens every second or two while an agent types: it writes the
row alone, by compare-and-swap on its version, and leaves no event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from supportdesk.desk import canned_apply, guards
from supportdesk.desk.action_notice import notice
from supportdesk.desk.addressing import answered_message, known_identity, reply_addresses
from supportdesk.desk.agents import check_actor
from supportdesk.desk.arguments import clean_language
from supportdesk.desk.bulk import check_guard
from supportdesk.desk.clocks import root_of
from supportdesk.desk.customers import what_is_known
from supportdesk.desk.model import (
    Actor,
    AgentId,
    AttachmentRow,
    MailboxId,
    MessageId,
    OutboxId,
    OutboxKind,
    OutboxRow,
    RecipientRow,
    Ticket,
    TicketId,
    from_row,
)
from supportdesk.desk.ports import Change, Delete, Insert, Looks, NewRef, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.repeats import BEGINNING, begun_with
from supportdesk.desk.reply_language import reply_language
from supportdesk.desk.results import Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import Address
from supportdesk.mail.recipients import clean_name

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader

DRAFT_KINDS: tuple[OutboxKind, ...] = ("reply", "new", "forward", "note")
MAILED_KINDS: tuple[OutboxKind, ...] = ("reply", "new", "forward")
EDITABLE = frozenset({"subject", "body", "language", "quote", "canned_key", "seen_seq", "in_reply_to", "after_status"})
RECIPIENTS = ("to", "cc", "bcc")
LISTED = "supportdesk draft list, supportdesk outbox list"
LARGEST_ATTACHMENT = 25 * 1024 * 1024


class Rows(Protocol):
    """What both a reader and a transaction offer."""

    def rows(self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0) -> list[Row]: ...


# ---- opening ---------------------------------------------------------------------------------------------------------


@again_if_busy
def open_draft(
    desk: Desk, actor: Actor, ticket_id: TicketId, *, kind: str = "reply", in_reply_to: MessageId | None = None
) -> OutboxRow:
    """The agent's draft on the ticket; a new one has recipients, subject, language and what he has seen."""
    if kind not in DRAFT_KINDS:
        raise UsageError(_("{kind} is no kind of draft").format(kind=kind), hint=", ".join(DRAFT_KINDS))
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        ticket = root_of(tx, ticket_id)
        if kind != "note":
            check_guard(guards.not_spam(ticket, actor), ticket)
        existing = find_draft(tx, ticket.id, actor.id, kind)
        if existing is not None:
            return row_of(tx, existing)
        values, people = _begun(tx, ticket, kind, in_reply_to)
        return _insert_draft(tx, actor, ticket.id, values.pop("mailbox_id"), kind, values, people)


def unwritten_reply(desk: Desk, actor: Actor, ticket_id: TicketId, body: str, canned_key: str) -> OutboxRow:
    """The draft that a reply with this text would have; nothing is stored, its number is 0."""
    ticket, now = root_of(desk.read, ticket_id), desk.clock.now()
    values, people = _begun(desk.read, ticket, "reply", None)
    recipients = tuple(
        RecipientRow(role, address.addr.strip(), clean_name(address.name))
        for role, found in people.items()
        for address in found
    )
    return OutboxRow(
        id=OutboxId(0), ticket_id=ticket.id, agent_id=actor.id, kind="reply", state="draft", body=body,
        created_at=now, updated_at=now, version=0, canned_key=canned_key, recipients=recipients, **values,
    )  # fmt: skip


@again_if_busy
def start_conversation(
    desk: Desk,
    actor: Actor,
    mailbox_id: MailboxId,
    to: Address,
    subject: str,
    language: str = "",
    *,
    unless: Callable[[Looks, Row], bool] | None = None,
) -> OutboxRow:
    """A new ticket of this customer with a draft on it: we write first.

    The newest first mail to him under this subject that is what is asked for (`unless`) is returned instead.
    """
    if not to.addr.strip():
        raise UsageError(_("a conversation needs an address"))
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        mailbox = tx.row("mailbox", {"id": mailbox_id})
        if mailbox is None:
            raise NotFound(_("there is no mailbox {id}").format(id=mailbox_id))
        if unless is not None:
            tx.only_one(BEGINNING)
            begun = sorted(begun_with(tx, [to.addr], subject), key=lambda row: int(row["id"]), reverse=True)
            if known := next((row for row in begun if unless(tx, row)), None):
                return row_of(tx, known)
        action_id = new_action_id()
        identity, customer = known_identity(tx, actor, to)
        chosen = clean_language(language) if language else customer["language"] or mailbox["language"]
        ref = NewRef("ticket")
        ticket = Insert(
            "ticket",
            {
                "subject": subject,
                "status": "open",
                "kind": "human",
                "mailbox_id": mailbox_id,
                "market_id": mailbox["market_id"],
                "customer_id": customer["id"],
                "assignee_id": actor.id,
                "language": chosen,
                "language_source": "hand" if language else customer["language_source"] or "mailbox",
                "created_at": tx.now,
                "updated_at": tx.now,
            },
            ref,
        )
        part = Insert("participant", {"ticket_id": ref, "identity_id": identity["id"], "role": "requester"})
        event = PlannedEvent(ref, "started", {"mailbox_id": mailbox_id})
        applied = tx.apply(Plan(silent=(ticket, part), events=(event,), undoable=False), actor, action_id)
        ticket_id = TicketId(applied.ids[ref.name])
        served, manners = mailbox["languages"] or (), mailbox["settings"] or {}
        written = chosen if language else reply_language(chosen, served, manners)
        values = {"subject": subject, "language": written, "quote": False, "seen_seq": 0}
        return _insert_draft(tx, actor, ticket_id, mailbox_id, "new", values, {"to": (to,)})


# ---- changing --------------------------------------------------------------------------------------------------------


@again_if_busy
def save_draft(desk: Desk, actor: Actor, outbox_id: OutboxId, version: int, fields: Mapping[str, Any]) -> OutboxRow:
    """Write what the agent typed. Raises Conflict when the row was changed elsewhere or is no draft any more."""
    unknown = set(fields) - EDITABLE - set(RECIPIENTS)
    if unknown:
        raise UsageError(_("a draft has no {names}").format(names=", ".join(sorted(unknown))))
    taken = canned_apply.take(desk, outbox_id, fields)
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = own_draft(tx, actor, outbox_id)
        if row["version"] != version:
            raise Conflict(_("the draft was changed in another window"), what="draft", when=row["updated_at"])
        changes: list[Change] = list(taken.files) if taken is not None else []
        for role in RECIPIENTS:
            if role in fields:
                changes += _replace_recipients(tx, outbox_id, role, fields[role])
        after = {name: fields[name] for name in EDITABLE & set(fields) if row[name] != fields[name]}
        after |= taken.columns if taken is not None else {}
        if after or changes:
            changes.append(_next_version(tx, row, after))
            tx.apply(Plan(silent=tuple(changes), undoable=False), actor, new_action_id())
        return read_row(tx, outbox_id)


@again_if_busy
def attach(desk: Desk, actor: Actor, outbox_id: OutboxId, name: str, content_type: str, data: bytes) -> OutboxRow:
    """Add a file to the draft; its bytes are durable before the row that names them."""
    if len(data) > LARGEST_ATTACHMENT:
        raise UsageError(_("{name} is larger than {size} MB").format(name=name, size=LARGEST_ATTACHMENT // 2**20))
    sha = desk.blobs.put(data)
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = own_draft(tx, actor, outbox_id)
        if row["kind"] == "note":
            raise UsageError(_("a note takes no files"))
        attachment = Insert(
            "attachment",
            {"outbox_id": outbox_id, "name": name, "content_type": content_type, "size": len(data), "blob_sha": sha},
        )
        tx.apply(Plan(silent=(attachment, _next_version(tx, row, {})), undoable=False), actor, new_action_id())
        return read_row(tx, outbox_id)


@again_if_busy
def detach(desk: Desk, actor: Actor, outbox_id: OutboxId, attachment_id: int) -> OutboxRow:
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = own_draft(tx, actor, outbox_id)
        found = tx.rows("attachment", {"id": attachment_id, "outbox_id": outbox_id})
        if not found:
            raise NotFound(_("the draft has no attachment {id}").format(id=attachment_id))
        gone = Delete("attachment", {"id": attachment_id}, found[0])
        tx.apply(Plan(silent=(gone, _next_version(tx, row, {})), undoable=False), actor, new_action_id())
        return read_row(tx, outbox_id)


@again_if_busy
def discard_draft(desk: Desk, actor: Actor, outbox_id: OutboxId) -> Done:
    """Give the draft up; an undo brings it back, unless there was nothing written in it."""
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = own_draft(tx, actor, outbox_id)
        action_id, ticket_id = new_action_id(), TicketId(row["ticket_id"])
        if not row["body"].strip() and not tx.rows("attachment", {"outbox_id": outbox_id}, limit=1):
            tx.apply(Plan(silent=removal(tx, row), undoable=False), actor, action_id)
            return Done(action_id, (ticket_id,), notice("discard", [ticket_id]), undoable=False)
        given_up = Update("outbox", {"id": outbox_id}, {"discarded_at": None}, {"discarded_at": tx.now})
        event = PlannedEvent(ticket_id, "discard", {"outbox_id": outbox_id})
        tx.apply(Plan(changes=(given_up,), events=(event,)), actor, action_id)
        return Done(action_id, (ticket_id,), notice("discard", [ticket_id]), outbox_id=outbox_id)


@again_if_busy
def adopt_draft(desk: Desk, actor: Actor, outbox_id: OutboxId) -> OutboxRow:
    """Take over a colleague's draft. A draft that the agent has on that ticket already goes on below it."""
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = _draft(tx, outbox_id)
        if row["agent_id"] == actor.id:
            return row_of(tx, row)
        plan = make_room(tx, row, actor.id)
        after = {"agent_id": actor.id, **plan.extra}
        adopted = Update("outbox", {"id": outbox_id}, {"version": row["version"], "state": "draft"}, after)
        event = PlannedEvent(
            TicketId(row["ticket_id"]), "adopt_draft", {"outbox_id": outbox_id, "from": row["agent_id"]}
        )
        tx.apply(Plan(silent=(*plan.changes, adopted), events=(event,), undoable=False), actor, new_action_id())
        return read_row(tx, outbox_id)


def removal(tx: Transaction, row: Row) -> tuple[Change, ...]:
    """What takes a draft without files out of the table."""
    people = tx.rows("outbox_recipient", {"outbox_id": row["id"]})
    gone = [Delete("outbox_recipient", {"id": one["id"]}, one) for one in people]
    return (*gone, Delete("outbox", {"id": row["id"]}, row))


@dataclass(frozen=True, slots=True)
class Room:
    """What lets a row be an agent's draft: write `changes` first, `extra` columns with the row itself."""

    changes: tuple[Change, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def make_room(tx: Transaction, row: Row, agent_id: AgentId | None) -> Room:
    """No word is lost: where the agent has another draft there, its text goes below the row's and it is given up."""
    other = find_draft(tx, TicketId(row["ticket_id"]), agent_id, row["kind"])
    if other is None or other["id"] == row["id"]:
        return Room()
    given_up = Update("outbox", {"id": other["id"]}, {"discarded_at": None}, {"discarded_at": tx.now})
    moved = [
        Update("attachment", {"id": file["id"]}, {"outbox_id": other["id"]}, {"outbox_id": row["id"]})
        for file in tx.rows("attachment", {"outbox_id": other["id"]})
    ]
    texts = [text for text in (row["body"].rstrip(), other["body"].strip()) if text]
    return Room((given_up, *moved), {"body": "\n\n".join(texts)})


# ---- reading ---------------------------------------------------------------------------------------------------------


def list_drafts(reader: Reader, actor: Actor, *, everybody: bool = False) -> list[OutboxRow]:
    where: dict[str, Any] = {"state": "draft"} if everybody else {"state": "draft", "agent_id": actor.id}
    rows = reader.rows("outbox", where, order="-updated_at")
    return [row_of(reader, row) for row in rows if row["discarded_at"] is None]


def read_row(source: Rows, outbox_id: OutboxId) -> OutboxRow:
    rows = source.rows("outbox", {"id": outbox_id})
    if not rows:
        raise NotFound(_("there is no reply {id}").format(id=outbox_id), hint=LISTED)
    return row_of(source, rows[0])


def row_of(source: Rows, row: Row) -> OutboxRow:
    recipients = source.rows("outbox_recipient", {"outbox_id": row["id"]}, order="id")
    files = source.rows("attachment", {"outbox_id": row["id"]}, order="id")
    return from_row(
        OutboxRow,
        {
            **row,
            "recipients": tuple(from_row(RecipientRow, item) for item in recipients),
            "attachments": tuple(from_row(AttachmentRow, item) for item in files),
        },
    )


def find_draft(tx: Transaction, ticket_id: TicketId, agent_id: AgentId | None, kind: str) -> Row | None:
    rows = tx.rows("outbox", {"ticket_id": ticket_id, "kind": kind, "state": "draft"}, order="id")
    return next((row for row in rows if row["agent_id"] == agent_id and row["discarded_at"] is None), None)


def own_draft(tx: Transaction, actor: Actor, outbox_id: OutboxId) -> Row:
    """The row, if it is the actor's draft. A colleague's has to be adopted first."""
    row = _draft(tx, outbox_id)
    if actor.kind == "agent" and row["agent_id"] != actor.id:
        raise NotAllowed(_("this is a colleague's draft"), hint=_("Adopt it first."))
    return row


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _draft(tx: Transaction, outbox_id: OutboxId) -> Row:
    row = tx.row("outbox", {"id": outbox_id})
    if row is None:
        raise NotFound(_("there is no reply {id}").format(id=outbox_id), hint=LISTED)
    if row["state"] != "draft":
        raise Conflict(_("the reply is no draft any more"), what=row["state"], when=row["held_at"])
    if row["discarded_at"] is not None:
        raise Conflict(_("the draft was discarded"), what="discarded", when=row["discarded_at"])
    return row


def _next_version(tx: Transaction, row: Row, after: Mapping[str, Any]) -> Update:
    seen = {"version": row["version"], "state": "draft"}
    return Update("outbox", {"id": row["id"]}, seen, {**after, "updated_at": tx.now})


def _insert_draft(
    tx: Transaction,
    actor: Actor,
    ticket_id: TicketId,
    mailbox_id: MailboxId,
    kind: str,
    values: Mapping[str, Any],
    recipients: Mapping[str, Sequence[Address]],
) -> OutboxRow:
    ref = NewRef("outbox")
    row = {
        "ticket_id": ticket_id,
        "agent_id": actor.id,
        "mailbox_id": mailbox_id,
        "kind": kind,
        "state": "draft",
        "created_at": tx.now,
        "updated_at": tx.now,
        **values,
    }
    people = [_recipient(ref, role, address) for role, found in recipients.items() for address in found]
    applied = tx.apply(Plan(silent=(Insert("outbox", row, ref), *people), undoable=False), actor, new_action_id())
    return read_row(tx, OutboxId(applied.ids[ref.name]))


def _recipient(outbox_id: OutboxId | NewRef, role: str, address: Address) -> Insert:
    return Insert(
        "outbox_recipient",
        {
            "outbox_id": outbox_id,
            "role": role,
            "address": address.addr.strip(),
            "name": clean_name(address.name),
            "state": "pending",
        },
    )


def _replace_recipients(tx: Transaction, outbox_id: OutboxId, role: str, wanted: Sequence[Address]) -> list[Change]:
    stored = tx.rows("outbox_recipient", {"outbox_id": outbox_id, "role": role}, order="id")
    unique = {address.norm: address for address in wanted}
    if [(row["address"], row["name"]) for row in stored] == [(one.addr, one.name) for one in unique.values()]:
        return []
    gone: list[Change] = [Delete("outbox_recipient", {"id": row["id"]}, row) for row in stored]
    return gone + [_recipient(outbox_id, role, address) for address in unique.values()]


def _begun(
    tx: Looks, ticket: Ticket, kind: str, in_reply_to: MessageId | None
) -> tuple[dict[str, Any], dict[str, tuple[Address, ...]]]:
    """The columns that a new draft starts with, and its recipients by role."""
    from supportdesk.mail.compose import reply_subject

    answered = answered_message(tx, ticket, in_reply_to)
    mailbox_id = _mailbox_for(tx, ticket, answered)
    to, cc = reply_addresses(tx, ticket, answered) if kind == "reply" else ((), ())
    subjects = {"reply": reply_subject(ticket.subject), "forward": f"Fwd: {ticket.subject}"}
    values = {
        "mailbox_id": mailbox_id,
        "subject": subjects.get(kind, ticket.subject),
        "in_reply_to": answered["id"] if answered is not None else None,
        "seen_seq": ticket.seq,
        "language": _reply_language(tx, ticket, mailbox_id),
        "quote": _quotes(tx, mailbox_id),
    }
    return values, {"to": to, "cc": cc}


def _mailbox_for(tx: Looks, ticket: Ticket, answered: Row | None) -> MailboxId:
    """A reply leaves from the address that was written to."""
    headers = tx.row("message_mail", {"message_id": answered["id"]}) if answered is not None else None
    if headers is not None and headers["mailbox_id"] is not None and ticket.mailbox_id is None:
        return MailboxId(headers["mailbox_id"])
    if ticket.mailbox_id is not None:
        return ticket.mailbox_id
    mailboxes = tx.rows("mailbox", order="id", limit=1)
    if not mailboxes:
        raise NotFound(_("there is no mailbox to write from"), hint="supportdesk mailbox add")
    return MailboxId(mailboxes[0]["id"])


def _reply_language(tx: Looks, ticket: Ticket, mailbox_id: MailboxId) -> str:
    """The ticket's, else the customer's, else the mailbox's; another where the shop does not serve that one."""
    customer = what_is_known(tx, ticket.customer_id)
    mailbox = tx.row("mailbox", {"id": mailbox_id})
    language = ticket.language or str(customer.get("language", ""))
    if mailbox is None:
        return language
    return reply_language(language or mailbox["language"], mailbox["languages"] or (), mailbox["settings"] or {})


def _quotes(tx: Looks, mailbox_id: MailboxId) -> bool:
    mailbox = tx.row("mailbox", {"id": mailbox_id})
    return bool((mailbox["settings"] or {}).get("quote_last", True)) if mailbox is not None else True
