"""What a delivery attempt changes: the outbox row, its recipients, the message in the thread, the ticket, the clocks.

One transaction for each verdict (domain.md section 4). A refusal or a delivery in doubt puts the customer back among
the unanswered, because the clocks are computed from what is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from supportdesk.desk.automatic import KINDS
from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import root_of
from supportdesk.desk.model import WORKER, OutboxId, Ticket
from supportdesk.desk.outgoing import sending_address
from supportdesk.desk.ports import Change, Insert, NewRef, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.settings import mailbox_of, new_action_id
from supportdesk.desk.triage import AWAKE, update_ticket
from supportdesk.mail.fields import wire_key
from supportdesk.mail.model import SendResult
from supportdesk.mail.smtp_verdict import is_worth_one_more_try
from supportdesk.textfold import fold_message

RETRY_MINUTES = (1, 5, 15, 60)
GIVE_UP_AFTER = timedelta(hours=48)
MESSAGE = NewRef("message")
# What a ticket is when we must move again, whatever it was before.
OPEN_AGAIN = {"status": "open", "on_hold_until": None, "solved_at": None, "closed_at": None, "auto_solved": False}


def confirm_delivered(tx: Transaction, outbox_id: OutboxId, words: str) -> bool:
    """A reply in doubt was delivered after all: its copy or a report proves it. True if that changed something."""
    row = tx.row("outbox", {"id": outbox_id})
    if row is None or row["state"] != "uncertain":
        return False
    write_verdict(tx, row, SendResult("sent", "dot_sent", words))
    return True


def write_verdict(tx: Transaction, row: Row, result: SendResult) -> None:
    """One transaction: the row's state, each recipient's, the message in the thread, the ticket, its clocks."""
    ticket = root_of(tx, row["ticket_id"])
    recipients = tx.rows("outbox_recipient", {"outbox_id": row["id"]}, order="id")
    if row["kind"] in KINDS and result.verdict == "uncertain":
        # A program's mail is not worth a decision, and never worth a second copy (OUT-6).
        result = replace(result, verdict="sent")
    states = _recipient_states(recipients, result, doubted=row["state"] == "uncertain")
    state = _row_state(row, states, result, tx.now)
    after: dict[str, Any] = {
        "state": state, "stage": result.stage or row["stage"], "lease_owner": "", "lease_until": None,
        "error": "" if state == "sent" and result.verdict == "sent" else result.detail[:1000], "next_try": None,
    }  # fmt: skip
    if state == "deferred":
        after |= {"stage": _stage_kept(result), "next_try": tx.now + retry_after(row["attempts"])}
    if state == "sent":
        after |= {"sent_at": row["sent_at"] or tx.now, "server_reply": result.detail[:1000], "sent_copy": "pending"}
    seen = {"state": row["state"], "version": row["version"]}
    silent: list[Change] = [Update("outbox", {"id": row["id"]}, seen, after)]
    for one in recipients:
        new_state, words = states[one["id"]]
        if (new_state, words) != (one["state"], one["detail"]):
            changed = {"state": new_state, "detail": words[:1000]}
            silent.append(Update("outbox_recipient", {"id": one["id"]}, {"state": one["state"]}, changed))
    silent += _message_changes(tx, row, ticket, recipients, states, state)
    refused = [one for one in recipients if states[one["id"]][0] == "failed" and one["state"] != "failed"]
    # A refusal stays on the ticket until an agent acts; delay and doubt while any reply is delayed or in doubt.
    over = tuple({"deferred", "uncertain"} - {state} - _troubles_of_others(tx, row))
    badge = "failed" if refused else "" if state == "sent" else state
    ticket_after: dict[str, Any] = {"badges": with_badges(ticket, add=badge, without=over)}
    if (state == "failed" or refused) and row["kind"] != "acknowledgement":
        ticket_after |= {**OPEN_AGAIN, **AWAKE}
    silent += update_ticket(ticket, ticket_after)
    data = {"outbox_id": row["id"], "attempt": row["attempts"]}
    if "status" in ticket_after and ticket.status != "open":
        data["status"] = "open"
    event = PlannedEvent(ticket.id, f"reply_{state}", data)
    action_id = new_action_id()
    applied = tx.apply(Plan(silent=tuple(silent), events=(event,), undoable=False), WORKER, action_id)
    if MESSAGE.name in applied.ids:
        people = " ".join(f"{one['name']} {one['address']}" for one in recipients)
        folded = fold_message(f"{row['subject']}\n{row['body']}\n{people}", subject=row["subject"])
        tx.index_message(applied.ids[MESSAGE.name], folded)
    update_clocks(tx, [ticket.id], WORKER, action_id)


def _stage_kept(result: SendResult) -> str:
    """How far a deferred mail came; "" where its server said nothing of it, so that it waits for the account alone."""
    return "" if result.account_problem or result.stage == "connected" else result.stage


def _troubles_of_others(tx: Transaction, row: Row) -> set[str]:
    others = tx.rows("outbox", {"ticket_id": row["ticket_id"], "state": ["deferred", "uncertain"]})
    return {one["state"] for one in others if one["id"] != row["id"]}


def _recipient_states(recipients: Sequence[Row], result: SendResult, *, doubted: bool) -> dict[int, tuple[str, str]]:
    """What each recipient's state is now, by what the server said of him, else by the verdict on the whole.

    What proves a `doubted` mail delivered says nothing of who was put off before its text was sent.
    """
    told = {wire_key(one.address): one for one in result.recipients}
    whole = {"sent": "accepted", "deferred": "deferred", "failed": "failed", "uncertain": "pending"}[result.verdict]
    states = {}
    for one in recipients:
        known = told.get(wire_key(one["address"]))
        put_off = doubted and result.verdict == "sent" and one["state"] == "deferred"
        if put_off or one["state"] in ("accepted", "failed", "bounced"):
            states[one["id"]] = (one["state"], one["detail"])
        elif known is not None and known.state != "accepted":
            states[one["id"]] = _at_most_once(one, known.state, known.detail)
        else:
            # RCPT was fine, but the mail was taken only if the final reply says so.
            words = known.detail if known and whole == "accepted" else result.detail
            states[one["id"]] = (whole, words) if result.account_problem else _at_most_once(one, whole, words)
    return states


def _at_most_once(before: Row, state: str, words: str) -> tuple[str, str]:
    """The state and words; a refusal by policy that says to try later is believed once (OUT-7)."""
    again = state == before["state"] == "deferred" and is_worth_one_more_try(before["detail"])
    return ("failed" if again and is_worth_one_more_try(words) else state), words


def _row_state(row: Row, states: dict[int, tuple[str, str]], result: SendResult, now: datetime) -> str:
    if result.verdict == "uncertain":
        return "uncertain"
    found = {state for state, _ in states.values()}
    if "deferred" in found:
        if row["first_try_at"] is not None and now - row["first_try_at"] > GIVE_UP_AFTER:
            for key, (state, words) in states.items():
                if state == "deferred":
                    states[key] = ("failed", words)
            return "sent" if "accepted" in found else "failed"
        return "deferred"
    return "sent" if "accepted" in found or not found else "failed"


def retry_after(attempts: int) -> timedelta:
    """1, 5, 15, 60 minutes after the first tries, then hourly (domain.md section 4)."""
    return timedelta(minutes=RETRY_MINUTES[min(max(attempts, 1), len(RETRY_MINUTES)) - 1])


def _message_changes(
    tx: Transaction, row: Row, ticket: Ticket, recipients: Sequence[Row], states: dict[int, tuple[str, str]], state: str
) -> list[Change]:
    """The message in the thread: made when the reply is sent or in doubt, its recipients kept up to date after."""
    found = tx.rows("message", {"outbox_id": row["id"]}, limit=1)
    if found:
        copies = {
            one["address"].casefold(): one for one in tx.rows("message_recipient", {"message_id": found[0]["id"]})
        }
        changes: list[Change] = []
        for one in recipients:
            copy, (new_state, words) = copies.get(one["address"].casefold()), states[one["id"]]
            if copy is not None and copy["state"] != new_state:
                changed = {"state": new_state, "detail": words[:1000]}
                changes.append(Update("message_recipient", {"id": copy["id"]}, {"state": copy["state"]}, changed))
        return changes
    if state not in ("sent", "uncertain") and not any(one == "accepted" for one, _ in states.values()):
        return []
    mailbox = tx.row("mailbox", {"id": row["mailbox_id"]})
    agent = tx.row("agent", {"id": row["agent_id"]}) if row["agent_id"] is not None else None
    answered = tx.row("message_mail", {"message_id": row["in_reply_to"]}) if row["in_reply_to"] is not None else None
    files = tx.rows("attachment", {"outbox_id": row["id"]}, order="id")
    message = {
        "ticket_id": ticket.id, "seq": row["seq"] or ticket.seq, "direction": "out", "kind": "mail",
        "author_kind": "machine" if row["kind"] in KINDS else "agent", "agent_id": row["agent_id"],
        "author_name": agent["name"] if agent else (mailbox["shop_name"] if mailbox else ""),
        "external_id": row["message_id_header"], "received_at": tx.now, "created_at": tx.now,
        "subject": row["subject"], "body": row["body"], "language": row["language"], "outbox_id": row["id"],
    }  # fmt: skip
    headers = {
        "message_id": MESSAGE, "mailbox_id": row["mailbox_id"], "raw_sha": row["built_sha"],
        "message_id_norm": row["message_id_header"],
        "in_reply_to": answered["message_id_norm"] if answered else "",
        "references": [*(answered["references"] or ()), answered["message_id_norm"]][-50:] if answered else [],
        "from_name": mailbox["name"] if mailbox else "",
        "from_address": sending_address(tx, mailbox_of(mailbox), row["in_reply_to"]) if mailbox else "",
    }  # fmt: skip
    made: list[Change] = [Insert("message", message, MESSAGE), Insert("message_mail", headers)]
    for one in recipients:
        new_state, words = states[one["id"]]
        copy_values = {"role": one["role"], "address": one["address"], "name": one["name"], "state": new_state}
        made.append(Insert("message_recipient", {"message_id": MESSAGE, **copy_values, "detail": words[:1000]}))
    made += [Update("attachment", {"id": file["id"]}, {"message_id": None}, {"message_id": MESSAGE}) for file in files]
    count: dict[str, Any] = {"message_count": ticket.message_count + 1}
    if row["kind"] not in KINDS:  # a program's mail is no activity
        count["last_message_at"] = tx.now
    if files:
        count["has_attachment"] = True
    return [*made, *update_ticket(ticket, count)]


def with_badges(ticket: Ticket, *, add: str = "", without: tuple[str, ...] = ()) -> list[str]:
    return list(dict.fromkeys([*(one for one in ticket.badges if one not in without), *([add] if add else [])]))
