"""What an incoming mail changes: the message on its ticket, the ticket's status, the customer, the ledger row.

Called inside the intake's transaction, after the verdict. One mail is one action with its events (domain.md section 1);
the clocks are brought up to date at the end, as after every change of a conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from supportdesk.desk.agents import is_available
from supportdesk.desk.arrival import Arrival, received_at
from supportdesk.desk.bounces import bounced_recipients, final_bounces
from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import first_clocks, root_of, targets_of
from supportdesk.desk.correspondents import Correspondent, find_correspondent, remember_language
from supportdesk.desk.delivery_verdicts import OPEN_AGAIN
from supportdesk.desk.message_rows import (
    MESSAGE,
    TICKET,
    message_rows,
    message_values,
    participant,
    proposed_people,
    settled,
)
from supportdesk.desk.model import MAIL, ActionId, MessageId, Ticket, TicketId
from supportdesk.desk.ports import Change, Insert, Plan, PlannedEvent, Row, Transaction
from supportdesk.desk.thanks import says_only_thanks
from supportdesk.desk.triage import AWAKE, update_ticket
from supportdesk.l10n.catalog import _
from supportdesk.mail.searchable import searchable
from supportdesk.mail.subjects import strip_reply_prefixes
from supportdesk.textfold import fold_message

WORKED_ON = ("new", "open", "pending", "on_hold")


def write_message(tx: Transaction, arrival: Arrival) -> tuple[TicketId, MessageId]:
    """A message of a person (or a notification, which is a ticket without a clock): its ticket, and its own id."""
    ticket = _joined_ticket(tx, arrival)
    return _write_on_new_ticket(tx, arrival) if ticket is None else _write_on_ticket(tx, arrival, ticket)


def write_note(tx: Transaction, arrival: Arrival) -> None:
    """Machine mail about a ticket: an absence, a receipt, a bounce. Only a final bounce changes the ticket."""
    assert arrival.match.ticket is not None
    ticket = root_of(tx, TicketId(arrival.match.ticket))
    kind = {"out_of_office": "out_of_office", "bounce": "bounce"}.get(arrival.verdict.kind, "report")
    changes: dict[str, Any] = {"seq": ticket.seq + 1, "message_count": ticket.message_count + 1}
    silent: list[Change] = []
    if final_bounces(arrival):
        silent += bounced_recipients(tx, arrival, ticket)
        changes |= {**OPEN_AGAIN, **AWAKE, "badges": _with_badges(ticket, "bounced")}
    message = message_values(tx, arrival, ticket.id, ticket.seq + 1, kind=kind, direction="system")
    message["author_kind"] = "machine"
    plan = Plan(
        silent=(
            *message_rows(arrival, message),
            *update_ticket(ticket, changes),
            *silent,
            settled(arrival.delivery, tx.now, "note", MESSAGE, arrival.verdict.rule),
        ),
        events=(PlannedEvent(ticket.id, kind, {"message_id": MESSAGE, **_status(changes)}),),
        undoable=False,
    )
    _apply(tx, arrival, plan, ticket.id)


def write_stub(tx: Transaction, delivery: Row, words: str, action_id: ActionId) -> None:
    """A mail that cannot be read becomes a waiting ticket with the original attached (INGEST-6)."""
    received, historic = received_at(delivery, tx.now), bool(delivery["historic"])
    subject = _("Unreadable mail (UID {uid})").format(uid=delivery["uid"])
    ticket: dict[str, Any] = {
        "subject": subject, "mailbox_id": delivery["mailbox_id"], "created_at": received, "updated_at": tx.now,
        "seq": 1, "last_message_at": received if historic else tx.now, "message_count": 1,
        "has_attachment": bool(delivery["raw_sha"]), "badges": ["stub"],
    }  # fmt: skip
    if historic:
        ticket |= _closed_at(received)
    message = {
        "ticket_id": TICKET, "seq": 1, "kind": "stub", "direction": "in", "author_kind": "customer", "subject": subject,
        "received_at": received, "created_at": tx.now, "historic": historic, "body": words, "body_source": "none",
        "evidence": {"rule": "unreadable", "verdict": [["parse_failed", words]]},
    }  # fmt: skip
    snapshot, clocks = first_clocks(tx, ticket, message)
    silent: list[Change] = [
        *snapshot.silent,
        Insert("ticket", {**ticket, **clocks}, TICKET),
        Insert("message", message, MESSAGE),
    ]
    if delivery["raw_sha"]:
        original = {
            "message_id": MESSAGE, "name": "message.eml", "content_type": "message/rfc822", "size": delivery["size"],
            "blob_sha": delivery["raw_sha"],
        }  # fmt: skip
        silent.append(Insert("attachment", original))
        headers = {"message_id": MESSAGE, "mailbox_id": delivery["mailbox_id"], "raw_sha": delivery["raw_sha"]}
        silent.append(Insert("message_mail", {**headers, "fingerprint": stub_fingerprint(delivery)}))
    silent.append(settled(delivery, tx.now, "message", MESSAGE, "unreadable"))
    events = (PlannedEvent(TICKET, "created", {"message_id": MESSAGE, "stub": True}),)
    applied = tx.apply(Plan(silent=tuple(silent), events=events, undoable=False), MAIL, action_id)
    tx.index_message(applied.ids[MESSAGE.name], fold_message(f"{subject}\n{words}", subject=subject))


def stub_fingerprint(delivery: Row) -> str:
    """The content identity of a mail that could not be read: its bytes."""
    return f"raw:{delivery['raw_sha']}"


def settle(
    tx: Transaction,
    delivery: Row,
    outcome: str,
    message_id: int | None,
    reason: str,
    action_id: ActionId,
    *changes: Change,
    event: PlannedEvent | None = None,
) -> None:
    """Give a delivery an outcome that leaves no new message: duplicate, echo, parked."""
    silent = (settled(delivery, tx.now, outcome, message_id, reason), *changes)
    tx.apply(Plan(silent=silent, events=(event,) if event else (), undoable=False), MAIL, action_id)


# ---- which ticket, and what becomes of it ----------------------------------------------------------------------------


def _joined_ticket(tx: Transaction, arrival: Arrival) -> Ticket | None:
    if arrival.match.ticket is not None:
        return root_of(tx, TicketId(arrival.match.ticket))
    if arrival.verdict.join_newest and arrival.sender is not None and arrival.sender.person is not None:
        his = {"customer_id": arrival.sender.person.members, "merged_into": None}
        rows = tx.rows("ticket", his, order="-id", limit=10)
        newest = next((row for row in rows if row["status"] in WORKED_ON), None)
        return tx.ticket(TicketId(newest["id"])) if newest is not None else None
    return None


def _write_on_new_ticket(tx: Transaction, arrival: Arrival) -> tuple[TicketId, MessageId]:
    mail, ours = arrival.mail, arrival.is_ours
    received = arrival.received_at(tx.now)
    customer = _first_recipient(tx, arrival) if ours else arrival.sender
    language = arrival.language_of(tx, customer)
    values: dict[str, Any] = {
        "subject": strip_reply_prefixes(mail.subject) or mail.subject,
        **(_after_our_answer(arrival, received) if ours else {"status": "new"}),
        "kind": "notification" if arrival.verdict.kind == "notification" else "human",
        "mailbox_id": arrival.mailbox.id,
        "market_id": arrival.mailbox.market_id,
        "customer_id": customer.customer_id if customer else None,
        "language": language.tag,
        "language_source": language.source,
        "created_at": received,
        "updated_at": tx.now,
        "seq": 1,
        "message_count": 1,
        "last_message_at": received if arrival.historic else tx.now,
        "has_attachment": arrival.has_files,
        "order_number": arrival.order_number,
        "suggested_id": arrival.match.suggested,
        "follow_up_of": arrival.match.follow_up_of,
        "badges": list(_new_badges(arrival)),
    }
    tags: list[Change] = []
    if arrival.match.follow_up_of is not None:
        values |= _copied_from(tx.ticket(TicketId(arrival.match.follow_up_of)), values)
        earlier = tx.rows("ticket_tag", {"ticket_id": arrival.match.follow_up_of})
        tags = [Insert("ticket_tag", {"ticket_id": TICKET, "tag": row["tag"]}) for row in earlier]
    if arrival.historic:
        values |= _closed_at(received)
    message = message_values(tx, arrival, TICKET, 1)
    people = customer.plan if customer else Plan()
    if customer is not None and not ours:
        people = remember_language(customer, language)
    snapshot, clocks = first_clocks(tx, values, message)
    silent: list[Change] = [
        *people.silent,
        *snapshot.silent,
        Insert("ticket", {**values, **clocks}, TICKET),
        *tags,
        *message_rows(arrival, message),
    ]
    if customer is not None:
        requester = {"ticket_id": TICKET, "identity_id": customer.identity_id, "role": "requester"}
        silent.append(Insert("participant", requester))
    silent += proposed_people(tx, arrival, TICKET, customer)
    if arrival.historic and not ours:
        imported = {"ticket_id": TICKET, "up_to_seq": 1, "reason": "imported", "at": tx.now}
        silent.append(Insert("dismissal", imported))
    silent.append(settled(arrival.delivery, tx.now, "message", MESSAGE, arrival.verdict.rule))
    data = {"message_id": MESSAGE, "status": values["status"], "delivery_id": arrival.delivery["id"]}
    events = (PlannedEvent(TICKET, "created", data),)
    return _apply(tx, arrival, Plan(silent=tuple(silent), events=events, undoable=False), None)


def _write_on_ticket(tx: Transaction, arrival: Arrival, ticket: Ticket) -> tuple[TicketId, MessageId]:
    role, ours = _role(tx, arrival, ticket), arrival.is_ours
    internal = role == "third_party"
    message = message_values(tx, arrival, ticket.id, ticket.seq + 1)
    if internal:
        message |= {"direction": "internal", "author_kind": "third_party"}
    elif role == "external":
        message["author_kind"] = "external"
    language = arrival.language_of(tx, arrival.sender)
    changes: dict[str, Any] = {
        "seq": ticket.seq + 1,
        "message_count": ticket.message_count + 1,
        "last_message_at": ticket.last_message_at if arrival.historic else tx.now,
        "has_attachment": ticket.has_attachment or arrival.has_files,
    }
    if not ticket.order_number:
        changes["order_number"] = arrival.order_number
    moves = arrival.verdict.moves_clock and not ours and not arrival.historic
    if moves:
        changes |= _after_customer_message(tx, arrival, ticket, internal=internal)
        if not ticket.language and language.tag:
            changes |= {"language": language.tag, "language_source": language.source}
    people = arrival.sender.plan if arrival.sender else Plan()
    if arrival.sender is not None and role in ("requester", "cc"):
        people = remember_language(arrival.sender, language)
    silent: list[Change] = [
        *people.silent,
        *message_rows(arrival, message),
        *update_ticket(ticket, changes),
    ]
    if role == "external" and arrival.sender is not None and not participant(tx, ticket.id, arrival.sender):
        outsider = {"ticket_id": ticket.id, "identity_id": arrival.sender.identity_id, "role": "external"}
        silent.append(Insert("participant", outsider))
    silent += proposed_people(tx, arrival, ticket.id, arrival.sender)
    silent.append(settled(arrival.delivery, tx.now, "message", MESSAGE, arrival.verdict.rule))
    data = {"message_id": MESSAGE, "delivery_id": arrival.delivery["id"], **_status(changes)}
    events = (PlannedEvent(ticket.id, "received", data),)
    written = _apply(tx, arrival, Plan(silent=tuple(silent), events=events, undoable=False), ticket.id)
    if moves:
        _pull_wake_up(tx, ticket.id, arrival.action_id)
    elif ours and not arrival.historic:
        _hand_over(tx, ticket.id, arrival)
    return written


def _after_customer_message(tx: Transaction, arrival: Arrival, ticket: Ticket, *, internal: bool) -> dict[str, Any]:
    """The table of domain.md section 1: a message of a person on a ticket that exists."""
    if not internal and ticket.status in ("pending", "solved") and says_only_thanks(arrival.mail.fresh_text):
        # Flagged, and in `unanswered` until somebody confirms it: the status stays.
        return {"badges": _with_badges(ticket, "thanks", *arrival.flags)}
    rate = ["rate"] if arrival.verdict.join_newest else []
    changes: dict[str, Any] = {"badges": _with_badges(ticket, *arrival.flags, *rate)}
    if ticket.snooze_mode == "until_reply":
        changes |= AWAKE
    if ticket.assignee_id is not None:
        owner = tx.row("agent", {"id": ticket.assignee_id})
        if owner is None or not is_available(owner, tx.now):
            changes["assignee_id"] = None
    if ticket.status in ("new", "open"):
        return changes
    if ticket.status == "closed":
        changes["reopened_count"] = ticket.reopened_count + 1
    return changes | OPEN_AGAIN


def _hand_over(tx: Transaction, ticket_id: TicketId, arrival: Arrival) -> None:
    """Answered in another mail program: the customer moves next, if nothing that came after it waits."""
    ticket = tx.ticket(ticket_id)
    if ticket.status in ("new", "open") and ticket.waiting_since is None:
        changes = _after_our_answer(arrival, arrival.received_at(tx.now))
        event = PlannedEvent(ticket_id, "status", {"status": changes["status"]})
        plan = Plan(silent=update_ticket(ticket, changes), events=(event,), undoable=False)
        tx.apply(plan, MAIL, arrival.action_id)


def _after_our_answer(arrival: Arrival, received: datetime) -> dict[str, Any]:
    """A conversation that had ended with us long before we came is over; housekeeping closes it."""
    return {"status": "solved", "solved_at": received} if arrival.is_old_news else {"status": "pending"}


def _pull_wake_up(tx: Transaction, ticket_id: TicketId, action_id: ActionId) -> None:
    """A message under a snooze that lasts regardless pulls its end to the 75 % warning."""
    ticket = tx.ticket(ticket_id)
    if ticket.snooze_mode != "regardless" or ticket.snoozed_until is None:
        return
    warn_at = targets_of(tx, ticket).warn_at
    if warn_at is not None and ticket.snoozed_until > warn_at:
        earlier = update_ticket(ticket, {"snoozed_until": max(warn_at, tx.now)})
        tx.apply(Plan(silent=earlier, undoable=False), MAIL, action_id)


def _role(tx: Transaction, arrival: Arrival, ticket: Ticket) -> str:
    """As whom the sender stands on the ticket: requester, cc, third_party, external, or "" for ourselves."""
    if arrival.sender is None:
        return ""
    if arrival.match.external:
        return "external"
    if arrival.sender.person is not None and ticket.customer_id in arrival.sender.person.members:
        return "requester"
    found = participant(tx, ticket.id, arrival.sender)
    return str(found["role"]) if found is not None else "requester"


def _copied_from(earlier: Ticket, values: dict[str, Any]) -> dict[str, Any]:
    """Fields, never messages: the follow-up of a closed ticket begins where it ended."""
    return {
        "order_number": values["order_number"] or earlier.order_number,
        "priority": earlier.priority,
        "language": values["language"] or earlier.language,
        "language_source": values["language_source"] or earlier.language_source,
    }


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _apply(tx: Transaction, arrival: Arrival, plan: Plan, ticket_id: TicketId | None) -> tuple[TicketId, MessageId]:
    applied = tx.apply(plan, MAIL, arrival.action_id)
    tx.index_message(applied.ids[MESSAGE.name], searchable(arrival.mail))
    if ticket_id is not None:  # a new ticket was written with its clocks
        update_clocks(tx, [ticket_id], MAIL, arrival.action_id)
    home = ticket_id if ticket_id is not None else TicketId(applied.ids[TICKET.name])
    return home, MessageId(applied.ids[MESSAGE.name])


def _closed_at(received: datetime) -> dict[str, Any]:
    """History arrives closed, as of its own time."""
    return {"status": "closed", "solved_at": received, "closed_at": received}


def _new_badges(arrival: Arrival) -> Iterator[str]:
    if arrival.match.possible_duplicate:
        yield f"possible_duplicate:{arrival.match.possible_duplicate}"
    if arrival.match.suggested:
        yield f"suggested:{arrival.match.suggested}"
    if arrival.match.new_because == "spam":
        yield "after_spam"
    if arrival.verdict.join_newest:
        yield "rate"
    if arrival.is_from_junk:
        yield "junk"


def _with_badges(ticket: Ticket, *badges: str) -> list[str]:
    return list(dict.fromkeys((*ticket.badges, *badges)))


def _status(changes: dict[str, Any]) -> dict[str, Any]:
    return {"status": changes["status"]} if "status" in changes else {}


def _first_recipient(tx: Transaction, arrival: Arrival) -> Correspondent | None:
    for address in (*arrival.mail.to, *arrival.mail.cc):
        if address.addr not in arrival.own:
            return find_correspondent(tx, address, tx.now)
    return None
