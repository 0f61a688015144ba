"""The first connection to a mailbox: how many conversations wait for us, and whether they enter the queue.

Until the admin has answered, the mailbox's setting `unconfirmed` keeps the intake away from it: what was fetched waits
in the ledger. "No" makes all of it history (domain.md section 5): the word is stored first, then carried out by whoever
comes next, so that nobody is asked again about what is left of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from supportdesk.desk.agents import check_actor
from supportdesk.desk.model import WORKER, Actor, Mailbox
from supportdesk.desk.ports import Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.mail.acknowledge import AckFacts
from supportdesk.mail.classify import Facts, classify, own_domains
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.recipients import OwnAddresses

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import MailParser

UNCONFIRMED = "unconfirmed"  # True until somebody has answered
HISTORY = "history"  # its value while a "no" is carried out
EVERYTHING = 10_000_000
AT_ONCE = 200
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FirstMail:
    """What a first fetch brought: mails in all, those of history, people's conversations, those that wait."""

    mails: int
    historic: int
    conversations: int
    waiting: int


@dataclass(slots=True)
class _Conversation:
    last_in: datetime = BEGINNING
    last_out: datetime = BEGINNING
    unanswered: set[str] = field(default_factory=set)  # Message-IDs of people that no mail of ours answers

    @property
    def waits(self) -> bool:
        return bool(self.unanswered) and self.last_in > self.last_out


def count_waiting(
    desk: Desk, parser: MailParser, mailbox: Mailbox, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> FirstMail:
    """Read what was fetched and not processed yet, and count; nothing is written."""
    rows = desk.store.ledger.unprocessed(EVERYTHING, mailbox_id=mailbox.id)
    recent = [row for row in rows if not row["historic"] and row["raw_sha"]]
    addresses = [address for box in desk.mailboxes() for address in box.addresses]
    own, domains = OwnAddresses.of(addresses), own_domains(addresses)
    found: dict[str, _Conversation] = {}
    for done, (row, mail) in enumerate(_read(desk, parser, recent), start=1):
        _add(found, row, mail, own, domains)
        progress(done, len(recent))
    distinct = {id(conversation): conversation for conversation in found.values()}.values()
    of_people = [conversation for conversation in distinct if conversation.last_in > BEGINNING]
    return FirstMail(
        mails=len(rows),
        historic=sum(1 for row in rows if row["historic"]),
        conversations=len(of_people),
        waiting=sum(conversation.waits for conversation in of_people),
    )


def confirm(desk: Desk, actor: Actor, mailbox: Mailbox, *, enter: bool) -> Mailbox:
    """Let what was fetched go to the intake: into the queue, or as history with the start moved to now.

    The first word counts; what it asks for can break off anywhere, and `finish_decisions` goes on with it.
    """
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "admin")
        stored = tx.row("mailbox", {"id": mailbox.id})
        assert stored is not None
        if (stored["settings"] or {}).get(UNCONFIRMED) is True:
            after = _decided(stored, None if enter else HISTORY) | ({} if enter else {"start_at": tx.now})
            event = PlannedEvent(None, "mailbox", {"mailbox_id": mailbox.id, "entered": enter})
            change = Update("mailbox", {"id": mailbox.id}, {"version": stored["version"]}, after)
            tx.apply(Plan(silent=(change,), events=(event,), undoable=False), actor, new_action_id())
    finish_decisions(desk)
    return desk.mailbox(mailbox.id)


def finish_decisions(desk: Desk) -> int:
    """Make history of what an admin did not want in the queue, wherever that broke off; of how many mailboxes."""
    decided = [box for box in desk.mailboxes() if box.settings.get(UNCONFIRMED) == HISTORY]
    for box in decided:
        rows = desk.store.ledger.unprocessed(EVERYTHING, mailbox_id=box.id)
        old = [row["id"] for row in rows if not row["historic"] and _was_there(row, box.start_at)]
        for start in range(0, len(old), AT_ONCE):
            desk.store.run(partial(_make_history, delivery_ids=old[start : start + AT_ONCE]))
        desk.store.run(partial(_let_in, mailbox_id=box.id))
    return len(decided)


def _was_there(row: Row, decided_at: datetime | None) -> bool:
    """Whether the admin spoke of it: what comes while his word is carried out is new mail."""
    came = row["internal_date"] or row["fetched_at"]
    return decided_at is None or bool(row["fetched_at"] <= decided_at or came < decided_at)


def _make_history(tx: Transaction, delivery_ids: Sequence[int]) -> None:
    changes = tuple(Update("delivery", {"id": at}, {"outcome": ""}, {"historic": True}) for at in delivery_ids)
    tx.apply(Plan(silent=changes, undoable=False), WORKER, new_action_id())


def _let_in(tx: Transaction, mailbox_id: int) -> None:
    stored = tx.row("mailbox", {"id": mailbox_id})
    if stored is not None and (stored["settings"] or {}).get(UNCONFIRMED) == HISTORY:
        change = Update("mailbox", {"id": mailbox_id}, {"version": stored["version"]}, _decided(stored, None))
        tx.apply(Plan(silent=(change,), undoable=False), WORKER, new_action_id())


def _decided(stored: Row, decision: str | None) -> dict[str, Any]:
    settings = {name: value for name, value in stored["settings"].items() if name != UNCONFIRMED}
    return {"settings": settings | ({UNCONFIRMED: decision} if decision is not None else {})}


def _read(desk: Desk, parser: MailParser, rows: Sequence[Row]) -> Iterator[tuple[Row, ParsedMail]]:
    """Those of the mails that can be read, oldest first."""
    mails = ((desk.blobs.get(row["raw_sha"]), row["internal_date"]) for row in rows)
    for row, result in zip(rows, parser.parse_many(mails), strict=True):
        if isinstance(result, ParsedMail):
            yield row, result


def _add(
    found: dict[str, _Conversation], row: Row, mail: ParsedMail, own: OwnAddresses, domains: frozenset[str]
) -> None:
    """Join the mail with the conversations that it refers to."""
    ids = [one for one in (mail.message_id, *mail.in_reply_to, *mail.references) if one]
    known = [found[one] for one in ids if one in found]
    conversation = known[0] if known else _Conversation()
    for other in known[1:]:
        if other is not conversation:
            conversation.last_in = max(conversation.last_in, other.last_in)
            conversation.last_out = max(conversation.last_out, other.last_out)
            conversation.unanswered |= other.unanswered
            for one in [key for key, value in found.items() if value is other]:
                found[one] = conversation
    for one in ids:
        found[one] = conversation
    at = row["internal_date"] or row["fetched_at"]
    if row["role"] == "sent":
        conversation.last_out = max(conversation.last_out, at)
        conversation.unanswered.clear()
        return
    facts = Facts(own=own, own_domains=domains, instance="", imported=True, ack=AckFacts(enabled=False))
    if classify(mail, facts).kind == "human":
        conversation.last_in = max(conversation.last_in, at)
        conversation.unanswered.add(mail.message_id or f"{row['folder_id']}:{row['uid']}")
        found.setdefault(f"{row['folder_id']}:{row['uid']}", conversation)
