"""What an incoming mail changes: the message on its ticket, the ticket's status, the customer, the ledger row.

Called inside the intake's transaction, after the verdict. One mail is one action with its events (domain.md section 1);
the clocks are brought up to date at the end, as after every change of a conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import root_of, targets_of
from supportdesk.desk.correspondents import (
    Correspondent,
    Language,
    decide_language,
    find_correspondent,
    language_of_header,
    remember_language,
)
from supportdesk.desk.model import MAIL, ActionId, Mailbox, Ticket, TicketId
from supportdesk.desk.people import is_available
from supportdesk.desk.ports import Change, Insert, NewRef, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.thanks import says_only_thanks
from supportdesk.desk.triage import update_ticket
from supportdesk.mail.classify import Verdict
from supportdesk.mail.model import Address, ParsedMail
from supportdesk.mail.recipients import OwnAddresses
from supportdesk.mail.subjects import find_order_numbers, strip_reply_prefixes
from supportdesk.mail.thread import Match
from supportdesk.textfold import fold

INDEXED = 200_000  # characters of a body that are searched
PROPOSED = 10  # people in Cc who are noted on a ticket
TICKET, MESSAGE = NewRef("ticket"), NewRef("message")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One mail with everything that was found out about it."""

    delivery: Row
    mail: ParsedMail
    mailbox: Mailbox
    verdict: Verdict
    match: Match
    sender: Correspondent | None
    own: OwnAddresses
    language: str | None  # detected on what the person wrote anew
    action_id: ActionId

    @property
    def historic(self) -> bool:
        return bool(self.delivery["historic"])

    def received_at(self, now: datetime) -> datetime:
        """When the mail server took it: never later than now, never a date that the sender made up."""
        at: datetime = self.delivery["internal_date"] or self.delivery["fetched_at"]
        return min(at, now)

    def evidence(self) -> dict[str, Any]:
        """Why it went where it went, as codes and values: what `why` puts into words."""
        match, verdict = self.match, self.verdict
        flags = {name: True for name in ("external", "subject_changed", "conflict") if getattr(match, name)}
        return {
            "key": match.key,
            "threading": [[one.code, one.value] for one in match.evidence],
            "new_because": match.new_because,
            "rule": verdict.rule,
            "kind": verdict.kind,
            "verdict": [[one.code, one.value] for one in verdict.evidence],
            "no_ack_reason": verdict.no_ack_reason,
            **flags,
        }


def write_message(tx: Transaction, arrival: Arrival) -> None:
    """A message of a person (or a notification, which is a ticket without a clock)."""
    ticket = _joined_ticket(tx, arrival)
    if ticket is None:
        _write_on_new_ticket(tx, arrival)
    else:
        _write_on_ticket(tx, arrival, ticket)


def write_note(tx: Transaction, arrival: Arrival) -> None:
    """Machine mail about a ticket: an absence, a receipt, a bounce. Only a final bounce changes the ticket."""
    assert arrival.match.ticket is not None
    ticket = root_of(tx, TicketId(arrival.match.ticket))
    kind = {"out_of_office": "out_of_office", "bounce": "bounce"}.get(arrival.verdict.kind, "report")
    failed = [one for one in arrival.verdict.bounced if one.opens_ticket]
    changes: dict[str, Any] = {"seq": ticket.seq + 1, "message_count": ticket.message_count + 1}
    silent: list[Change] = []
    if failed and arrival.match.outbox_id is not None:
        silent += _bounced_recipients(tx, arrival)
        changes |= {"status": "open", "solved_at": None, "closed_at": None, "on_hold_until": None}
        changes["badges"] = _with_badges(ticket, "bounced")
    message = _message_values(tx, arrival, ticket.id, ticket.seq + 1, kind=kind, direction="system")
    message["author_kind"] = "machine"
    plan = Plan(
        silent=(
            *_message_rows(arrival, message),
            *update_ticket(ticket, changes),
            *silent,
            _settled(arrival.delivery, tx.now, "note", MESSAGE, arrival.verdict.rule),
        ),
        events=(PlannedEvent(ticket.id, kind, {"message_id": MESSAGE, **_status(changes)}),),
        undoable=False,
    )
    _apply(tx, arrival, plan, ticket.id)


def write_stub(tx: Transaction, delivery: Row, words: str, action_id: ActionId) -> None:
    """A mail that cannot be read becomes a waiting ticket with the original attached (INGEST-6)."""
    received: datetime = min(delivery["internal_date"] or delivery["fetched_at"], tx.now)
    subject = f"Unreadable mail (UID {delivery['uid']})"
    ticket = {
        "subject": subject, "mailbox_id": delivery["mailbox_id"], "created_at": received, "updated_at": tx.now,
        "seq": 1, "last_message_at": tx.now, "message_count": 1, "has_attachment": bool(delivery["raw_sha"]),
        "badges": ["stub"],
    }  # fmt: skip
    message = {
        "ticket_id": TICKET, "seq": 1, "kind": "stub", "direction": "in", "author_kind": "customer", "subject": subject,
        "received_at": received, "created_at": tx.now, "body": words, "body_source": "none",
        "evidence": {"rule": "unreadable", "verdict": [["parse_failed", words]]},
    }  # fmt: skip
    silent: list[Change] = [Insert("ticket", ticket, TICKET), Insert("message", message, MESSAGE)]
    if delivery["raw_sha"]:
        original = {
            "message_id": MESSAGE, "name": "message.eml", "content_type": "message/rfc822", "size": delivery["size"],
            "blob_sha": delivery["raw_sha"],
        }  # fmt: skip
        silent.append(Insert("attachment", original))
    silent.append(_settled(delivery, tx.now, "message", MESSAGE, "unreadable"))
    events = (PlannedEvent(TICKET, "created", {"message_id": MESSAGE, "stub": True}),)
    applied = tx.apply(Plan(silent=tuple(silent), events=events, undoable=False), MAIL, action_id)
    ticket_id = TicketId(applied.ids[TICKET.name])
    tx.index_message(applied.ids[MESSAGE.name], fold(f"{subject}\n{words}"))
    update_clocks(tx, [ticket_id], MAIL, action_id)


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
    silent = (_settled(delivery, tx.now, outcome, message_id, reason), *changes)
    tx.apply(Plan(silent=silent, events=(event,) if event else (), undoable=False), MAIL, action_id)


# ---- which ticket, and what becomes of it ----------------------------------------------------------------------------


def _joined_ticket(tx: Transaction, arrival: Arrival) -> Ticket | None:
    if arrival.match.ticket is not None:
        return root_of(tx, TicketId(arrival.match.ticket))
    if arrival.verdict.join_newest and arrival.sender is not None and isinstance(arrival.sender.customer_id, int):
        rows = tx.rows(
            "ticket", {"customer_id": arrival.sender.customer_id, "merged_into": None}, order="-id", limit=10
        )
        newest = next((row for row in rows if row["status"] in ("new", "open", "pending", "on_hold")), None)
        return tx.ticket(TicketId(newest["id"])) if newest is not None else None
    return None


def _write_on_new_ticket(tx: Transaction, arrival: Arrival) -> None:
    mail, ours = arrival.mail, arrival.verdict.kind == "own_reply"
    received = arrival.received_at(tx.now)
    customer = _first_recipient(tx, arrival) if ours else arrival.sender
    language = _language(arrival, customer)
    badges = [f"possible_duplicate:{arrival.match.possible_duplicate}"] if arrival.match.possible_duplicate else []
    badges += ["rate"] if arrival.verdict.join_newest else []
    values: dict[str, Any] = {
        "subject": strip_reply_prefixes(mail.subject) or mail.subject,
        "status": "pending" if ours else "new",
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
        "has_attachment": _has_files(mail),
        "order_number": _order_number(arrival),
        "suggested_id": arrival.match.suggested,
        "follow_up_of": arrival.match.follow_up_of,
        "badges": badges,
    }
    tags: list[Change] = []
    if arrival.match.follow_up_of is not None:
        values |= _copied_from(tx.ticket(TicketId(arrival.match.follow_up_of)), values)
        earlier = tx.rows("ticket_tag", {"ticket_id": arrival.match.follow_up_of})
        tags = [Insert("ticket_tag", {"ticket_id": TICKET, "tag": row["tag"]}) for row in earlier]
    if arrival.historic:
        values |= {"status": "closed", "solved_at": received, "closed_at": received}
    message = _message_values(tx, arrival, TICKET, 1)
    people = customer.plan if customer else Plan()
    if customer is not None and not ours:
        people += remember_language(customer, language)
    silent: list[Change] = [
        *people.silent,
        Insert("ticket", values, TICKET),
        *tags,
        *_message_rows(arrival, message),
    ]
    if customer is not None:
        requester = {"ticket_id": TICKET, "identity_id": customer.identity_id, "role": "requester"}
        silent.append(Insert("participant", requester))
    silent += _proposed(tx, arrival, TICKET, customer)
    if arrival.historic and not ours:
        imported = {"ticket_id": TICKET, "up_to_seq": 1, "reason": "imported", "at": tx.now}
        silent.append(Insert("dismissal", imported))
    silent.append(_settled(arrival.delivery, tx.now, "message", MESSAGE, arrival.verdict.rule))
    data = {"message_id": MESSAGE, "status": values["status"], "delivery_id": arrival.delivery["id"]}
    events = (PlannedEvent(TICKET, "created", data),)
    _apply(tx, arrival, Plan(silent=tuple(silent), events=events, undoable=False), None)


def _write_on_ticket(tx: Transaction, arrival: Arrival, ticket: Ticket) -> None:
    now, mail = tx.now, arrival.mail
    role = _role(tx, arrival, ticket)
    ours = arrival.verdict.kind == "own_reply"
    internal = role == "third_party"
    message = _message_values(tx, arrival, ticket.id, ticket.seq + 1)
    if internal:
        message |= {"direction": "internal", "author_kind": "third_party"}
    elif role == "external":
        message["author_kind"] = "external"
    language = _language(arrival, arrival.sender)
    changes: dict[str, Any] = {
        "seq": ticket.seq + 1,
        "message_count": ticket.message_count + 1,
        "last_message_at": ticket.last_message_at if arrival.historic else now,
        "has_attachment": ticket.has_attachment or _has_files(mail),
    }
    if not ticket.order_number:
        changes["order_number"] = _order_number(arrival)
    moves = arrival.verdict.moves_clock and not ours and not arrival.historic
    if moves:
        changes |= _after_customer_message(tx, arrival, ticket, internal=internal)
        if not ticket.language and language.tag:
            changes |= {"language": language.tag, "language_source": language.source}
    elif ours and not arrival.historic and ticket.status in ("new", "open"):
        changes["status"] = "pending"
    people = arrival.sender.plan if arrival.sender else Plan()
    if arrival.sender is not None and role in ("requester", "cc"):
        people += remember_language(arrival.sender, language)
    silent: list[Change] = [
        *people.silent,
        *_message_rows(arrival, message),
        *update_ticket(ticket, changes),
    ]
    if role == "external" and arrival.sender is not None:
        participant = {"ticket_id": ticket.id, "identity_id": arrival.sender.identity_id, "role": "external"}
        if not _takes_part(tx, ticket.id, arrival.sender):
            silent.append(Insert("participant", participant))
    silent += _proposed(tx, arrival, ticket.id, arrival.sender)
    silent.append(_settled(arrival.delivery, now, "message", MESSAGE, arrival.verdict.rule))
    data = {"message_id": MESSAGE, "delivery_id": arrival.delivery["id"], **_status(changes)}
    events = (PlannedEvent(ticket.id, "received", data),)
    _apply(tx, arrival, Plan(silent=tuple(silent), events=events, undoable=False), ticket.id)
    if moves:
        _pull_wake_up(tx, ticket.id, arrival.action_id)


def _after_customer_message(tx: Transaction, arrival: Arrival, ticket: Ticket, *, internal: bool) -> dict[str, Any]:
    """The table of domain.md section 1: a message of a person on a ticket that exists."""
    flags = [name for name in ("external", "subject_changed", "conflict") if getattr(arrival.match, name)]
    if not internal and says_only_thanks(arrival.mail.fresh_text) and ticket.status in ("pending", "solved"):
        # Flagged, and in `unanswered` until somebody confirms it: the status stays.
        return {"badges": _with_badges(ticket, "thanks", *flags)}
    changes: dict[str, Any] = {"badges": _with_badges(ticket, *flags)}
    if ticket.snooze_mode == "until_reply":
        changes |= {"snoozed_until": None, "snooze_mode": None, "snooze_reason": "", "snoozed_by": None}
    if ticket.status in ("new", "open"):
        return changes
    changes |= {"status": "open", "on_hold_until": None, "solved_at": None, "closed_at": None, "auto_solved": False}
    if ticket.status == "closed":
        changes["reopened_count"] = ticket.reopened_count + 1
    if ticket.assignee_id is not None:
        owner = tx.row("agent", {"id": ticket.assignee_id})
        if owner is None or not is_available(owner, tx.now):
            changes["assignee_id"] = None
    return changes


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
    if arrival.sender.customer_id == ticket.customer_id:
        return "requester"
    found = _takes_part(tx, ticket.id, arrival.sender)
    return str(found["role"]) if found is not None else "requester"


def _takes_part(tx: Transaction, ticket_id: TicketId, sender: Correspondent) -> Row | None:
    if not isinstance(sender.identity_id, int):
        return None
    return next(
        iter(tx.rows("participant", {"ticket_id": ticket_id, "identity_id": sender.identity_id}, limit=1)), None
    )


def _copied_from(earlier: Ticket, values: dict[str, Any]) -> dict[str, Any]:
    """Fields, never messages: the follow-up of a closed ticket begins where it ended."""
    return {
        "order_number": values["order_number"] or earlier.order_number,
        "priority": earlier.priority,
        "language": values["language"] or earlier.language,
        "language_source": values["language_source"] or earlier.language_source,
    }


# ---- the rows of a message -------------------------------------------------------------------------------------------


def _message_values(
    tx: Transaction, arrival: Arrival, ticket_id: TicketId | NewRef, seq: int, *, kind: str = "", direction: str = ""
) -> dict[str, Any]:
    mail, verdict = arrival.mail, arrival.verdict
    ours = verdict.kind == "own_reply"
    notification = verdict.kind == "notification"
    sender = verdict.sender
    name = sender.name or sender.addr if sender is not None else ""
    return {
        "ticket_id": ticket_id,
        "seq": seq,
        "channel": "mail",
        "direction": direction or ("out" if ours else "in"),
        "kind": kind or ("notification" if notification else "mail"),
        "author_kind": "agent" if ours else "machine" if notification else "customer",
        "identity_id": arrival.sender.identity_id if arrival.sender is not None else None,
        "author_name": name,
        "external_id": mail.message_id,
        "received_at": arrival.received_at(tx.now),
        "created_at": tx.now,
        "historic": arrival.historic,
        "subject": mail.subject,
        "body": mail.text,
        "body_source": mail.text_source,
        "folds": [[one.start, one.end, one.kind] for one in mail.folds],
        "links": [[one.number, one.url, one.host, one.text] for one in mail.links],
        "language": arrival.language or "",
        "evidence": arrival.evidence(),
        "badges": ["partial"] if arrival.delivery["size"] > mail.size + 1024 else [],
    }


def _message_rows(arrival: Arrival, message: dict[str, Any]) -> Iterable[Change]:
    mail = arrival.mail
    author = next(iter((*mail.from_, *mail.sender)), Address("", mail.return_path or ""))
    if message["direction"] == "system":
        message = {**message, "identity_id": None}
    yield Insert("message", message, MESSAGE)
    yield Insert(
        "message_mail",
        {
            "message_id": MESSAGE,
            "mailbox_id": arrival.mailbox.id,
            "raw_sha": arrival.delivery["raw_sha"],
            "message_id_norm": mail.message_id,
            "in_reply_to": " ".join(mail.in_reply_to)[:2000],
            "references": list(mail.references[-50:]),
            "fingerprint": mail.fingerprint,
            "from_name": author.name,
            "from_address": author.addr,
            "reply_to": [[one.name, one.addr] for one in mail.reply_to[:10]],
        },
    )
    for role, people in (("to", mail.to), ("cc", mail.cc)):
        for one in people[:200]:
            state = "accepted" if message["direction"] == "out" else ""
            row = {"message_id": MESSAGE, "role": role, "address": one.addr, "name": one.name, "state": state}
            yield Insert("message_recipient", row)
    for file in mail.attachments:
        yield Insert(
            "attachment",
            {
                "message_id": MESSAGE, "part": file.part, "name": file.name, "content_type": file.content_type,
                "size": file.size, "inline": file.inline, "content_id": file.content_id,
            },
        )  # fmt: skip


def _proposed(
    tx: Transaction, arrival: Arrival, ticket_id: TicketId | NewRef, sender: Correspondent | None
) -> Iterable[Change]:
    """People in Cc are proposed: they get no history and no quote until an agent confirms them (R13)."""
    known = {arrival.verdict.sender.norm} if arrival.verdict.sender is not None else set()
    if sender is not None:
        known.add(sender.address.norm)
    for number, address in enumerate(arrival.mail.cc[:PROPOSED]):
        if address.norm in known or address.addr in arrival.own:
            continue
        known.add(address.norm)
        person = find_correspondent(tx, address, tx.now, ref=f"cc{number}")
        if isinstance(ticket_id, int) and _takes_part(tx, ticket_id, person) is not None:
            continue
        yield from person.plan.silent
        yield Insert("participant", {"ticket_id": ticket_id, "identity_id": person.identity_id, "role": "proposed"})


def _bounced_recipients(tx: Transaction, arrival: Arrival) -> Iterable[Change]:
    """The recipients that the report gives up: on the reply, on its message, and on the address for later."""
    outbox_id = arrival.match.outbox_id
    rows = tx.rows("outbox_recipient", {"outbox_id": outbox_id})
    messages = tx.rows("message", {"outbox_id": outbox_id})
    copies = tx.rows("message_recipient", {"message_id": [row["id"] for row in messages]}) if messages else []
    left = {row["address"].casefold() for row in rows if row["state"] in ("accepted", "pending", "deferred")}
    for one in arrival.verdict.bounced:
        if not one.opens_ticket:
            continue
        words = f"{one.status} {one.diagnostic}".strip()
        wanted = one.address.casefold() or (next(iter(left)) if len(left) == 1 else "")
        left.discard(wanted)
        for table, found in (("outbox_recipient", rows), ("message_recipient", copies)):
            for row in found:
                if row["address"].casefold() == wanted and row["state"] != "bounced":
                    yield Update(
                        table, {"id": row["id"]}, {"state": row["state"]}, {"state": "bounced", "detail": words}
                    )
        for identity in (
            tx.rows("customer_identity", {"kind": "email", "value_norm": wanted}) if one.flags_address else ()
        ):
            before = {"bounced_at": identity["bounced_at"]}
            yield Update("customer_identity", {"id": identity["id"]}, before, {"bounced_at": tx.now, "bounce": words})
    outbox = tx.row("outbox", {"id": outbox_id})
    if not left and outbox is not None and outbox["state"] in ("sent", "uncertain", "deferred"):
        after = {"state": "bounced", "error": arrival.mail.subject[:500], "next_try": None}
        yield Update("outbox", {"id": outbox_id}, {"state": outbox["state"]}, after)


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _apply(tx: Transaction, arrival: Arrival, plan: Plan, ticket_id: TicketId | None) -> None:
    applied = tx.apply(plan, MAIL, arrival.action_id)
    home = ticket_id if ticket_id is not None else TicketId(applied.ids[TICKET.name])
    tx.index_message(applied.ids[MESSAGE.name], searchable(arrival.mail))
    update_clocks(tx, [home], MAIL, arrival.action_id)


def searchable(mail: ParsedMail) -> str:
    """The folded text that finds a message: subject, body, names, addresses, attachment names."""
    people = " ".join(f"{one.name} {one.addr}" for one in (*mail.from_, *mail.to[:50], *mail.cc[:50], *mail.reply_to))
    files = " ".join(file.name for file in mail.attachments)
    return fold("\n".join((mail.subject, mail.text[:INDEXED], people, files)))


def _settled(delivery: Row, now: datetime, outcome: str, message_id: int | NewRef | None, reason: str) -> Update:
    after = {"outcome": outcome, "message_id": message_id, "reason": reason, "processed_at": now}
    return Update("delivery", {"id": delivery["id"]}, {"outcome": ""}, after)


def _with_badges(ticket: Ticket, *badges: str) -> list[str]:
    return list(dict.fromkeys((*ticket.badges, *badges)))


def _status(changes: dict[str, Any]) -> dict[str, Any]:
    return {"status": changes["status"]} if "status" in changes else {}


def _language(arrival: Arrival, person: Correspondent | None) -> Language:
    header = language_of_header(arrival.mail.header("Content-Language"))
    return decide_language(
        person.customer if person else None, header=header, detected=arrival.language, mailbox=arrival.mailbox.language
    )


def _first_recipient(tx: Transaction, arrival: Arrival) -> Correspondent | None:
    for address in (*arrival.mail.to, *arrival.mail.cc):
        if address.addr not in arrival.own:
            return find_correspondent(tx, address, tx.now)
    return None


def _order_number(arrival: Arrival) -> str:
    text = f"{arrival.mail.subject}\n{arrival.mail.fresh_text}"
    return next(iter(find_order_numbers(text, arrival.mailbox.order_pattern)), "")


def _has_files(mail: ParsedMail) -> bool:
    return any(not file.inline for file in mail.attachments)
