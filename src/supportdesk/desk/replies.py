"""Sending a reply and taking it back: the stop-on-send check, the undo window, the row that becomes a draft again.

Sending is one transaction (domain.md sections 3 and 4): if somebody else or the customer added something that the
writer has not seen, it stops and the text stays a draft. What delivers a held row is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from supportdesk.desk import automatic, canned_apply, triage
from supportdesk.desk.addressing import joining
from supportdesk.desk.agents import check_actor
from supportdesk.desk.bulk import check_not_spam, name_of, read_facts, update_clocks
from supportdesk.desk.clocks import family_of, root_of
from supportdesk.desk.drafts import make_room, own_draft, read_row, row_of
from supportdesk.desk.model import ActionId, Actor, AgentId, OutboxId, OutboxRow, Ticket, TicketId
from supportdesk.desk.outgoing import fresh_text, mailbox_row, sign_reply
from supportdesk.desk.ports import Change, Delete, Insert, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.reminders import check_can_ask_again
from supportdesk.desk.repeats import BEGINNING, check_not_repeated
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.desk.review import find_errors
from supportdesk.desk.settings import UNDO_WINDOWS, ensure_identity, new_action_id, settings_in
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, Newcomer, NotAllowed, ReplyStopped, UsageError
from supportdesk.l10n.catalog import _, current_language

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

EXCERPT = 160
LATEST = timedelta(days=366)
AFTER = ("", "open", "pending", "on_hold", "solved")
# What brings a ticket to the top again has been dealt with once an answer is on its way.
ANSWERED_BADGES = frozenset({"reply_stopped", "failed", "bounced"})


@again_if_busy
def send(
    desk: Desk,
    actor: Actor,
    outbox_id: OutboxId,
    *,
    seen_seq: int,
    after: str,
    anyway: bool,
    undo_seconds: int | None,
    snooze: datetime | None,
    at: datetime | None = None,
    dismiss: str,
    ask_again: bool = False,
    once: bool = False,
    action_id: ActionId | None = None,
) -> Done:
    """Hold the draft for delivery. Raises ReplyStopped, UsageError (the review's errors), AnswerNeeded, Conflict.

    `seen_seq` is what the writer has seen of the ticket. With `anyway` the newcomers stay unanswered unless he has
    seen them: pass the `seq` of the ReplyStopped once they were shown. With `once` the same text is not sent a second
    time (AlreadySent), by two at once neither. `action_id`: several replies are one action.
    """
    if after not in AFTER:
        raise UsageError(
            _("{value} is no choice for {name}").format(value=after, name="after"), hint=", ".join(AFTER[1:])
        )
    reviewed = read_row(desk.read, outbox_id)
    stopped = find_errors(desk, reviewed)[0] if reviewed.state == "draft" else ()
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = own_draft(tx, actor, outbox_id)
        if row["version"] != reviewed.version:
            raise Conflict(_("the draft was changed in another window"), what="draft", when=row["updated_at"])
        if once and row["kind"] == "new":
            tx.only_one(BEGINNING)  # of two conversations neither would wait for the other's ticket
        ticket = root_of(tx, row["ticket_id"])
        check_not_spam(tx, ticket, actor)
        if row["kind"] == "note":
            raise UsageError(_("a note is not sent"))
        if stopped:
            raise UsageError(stopped[0], hint="; ".join(stopped[1:]))
        # A draft whose ticket was merged meanwhile has seen nothing of the survivor.
        moved = row["ticket_id"] != ticket.id and not anyway
        new = newcomers(tx, ticket, actor.id, 0 if moved else seen_seq, moved_from=row["ticket_id"] if moved else None)
        if new and not anyway:
            raise ReplyStopped(
                _("#{ticket}: something new arrived, the reply was not sent").format(ticket=ticket.id),
                newcomers=new,
                seq=ticket.seq,
                hint=_("It is kept as a draft: read what is new, then send, edit or discard it."),
            )
        if once:
            check_not_repeated(tx, row_of(tx, row), tx.now)
        seconds = settings_in(tx).undo_seconds if undo_seconds is None else undo_seconds
        if seconds not in UNDO_WINDOWS:
            raise UsageError(
                _("the undo window is one of {seconds} seconds").format(seconds=", ".join(map(str, UNDO_WINDOWS)))
            )
        then = canned_apply.read_then(tx, row)
        after = canned_apply.status_after(then, after)
        snooze = snooze or (canned_apply.wake_at(tx, ticket, then) if after not in triage.SETTLED else None)
        if ask_again:
            check_can_ask_again(tx, ticket, row, after)
        if undo_seconds is None:
            seconds = max(seconds, _cooling_off(tx, ticket.id))
        if at is not None:
            _check_time(at, tx.now)
        goes_out = max(at or tx.now, tx.now + timedelta(seconds=seconds))
        action_id = action_id or new_action_id()
        row = {**row, "seen_seq": seen_seq if new else ticket.seq, "ask_again": ask_again}
        tx.apply(_hold(tx, actor, ticket, row, after, goes_out, snooze, action_id), actor, action_id)
        canned_apply.follow(tx, actor, tx.ticket(ticket.id), then, action_id)
        update_clocks(tx, [ticket.id], actor, action_id)
        _settle(tx, ticket.id, actor, after, dismiss, action_id)
        when = _in_words(desk, ticket, at) if at is not None else ""
        told, plain = _notice(ticket, after, seconds, when), _notice(ticket, after, 0, when)
        return Done(action_id, (ticket.id,), told, outbox_id=outbox_id, plain=plain)


def newcomers(
    tx: Transaction, ticket: Ticket, agent_id: AgentId | None, seen_seq: int, *, moved_from: TicketId | None = None
) -> tuple[Newcomer, ...]:
    """What others added to the ticket after `seen_seq`, oldest first: messages, notes, replies on their way.

    Before them stands whoever merged tickets into it meanwhile; with `moved_from`, who merged that one, on which the
    reply was begun. What an agent did himself is not news to him.
    """
    if ticket.seq <= seen_seq:
        return ()
    found = _added(tx, ticket.id, agent_id, seen_seq)
    joined = _joined_after(tx, ticket, seen_seq)
    for member in joined:
        found += _added(tx, member, agent_id, 0)
    moved = _way_to_root(tx, moved_from) if moved_from is not None else set(joined)
    merges = _merges_of(tx, ticket.id, agent_id, moved)
    return (*merges, *sorted(found, key=lambda item: (item.at, item.seq)))


def newcomers_since_held(tx: Transaction, row: Row) -> tuple[Newcomer, ...]:
    """The same for a reply that waits in the outbox: what stood there when it was held has been judged already.

    Its own home counts by seq. The other tickets of the family count their own, so there the time tells; what its
    writer himself merged since is no news to him.
    """
    home, agent_id = tx.ticket(row["ticket_id"]), row["agent_id"]
    found = _added(tx, home.id, agent_id, row["seq"])
    joined = _joined_after(tx, home, row["seq"], not_by=agent_id)
    for member in joined:
        found += _added(tx, member, agent_id, 0)
    for other in family_of(tx, root_of(tx, home.id).id):
        if other.id != home.id and other.id not in joined:
            found += [one for one in _added(tx, other.id, agent_id, 0) if one.at > row["held_at"]]
    return tuple(sorted(found, key=lambda item: (item.at, item.seq)))


@again_if_busy
def cancel_send(desk: Desk, actor: Actor, outbox_id: OutboxId | None = None) -> OutboxRow:
    """Take a reply back that is not on the wire, by default the actor's last one. Raises Conflict when too late."""
    if outbox_id is None:
        outbox_id = last_sent(desk, actor)
    # The log only grows: what the send did can be read before the transaction.
    action = read_row(desk.read, outbox_id).action_id
    details = desk.read.event_details(ActionId(action)) if action else []
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        row = tx.row("outbox", {"id": outbox_id})
        assert row is not None
        if actor.kind == "agent" and row["agent_id"] not in (actor.id, None):
            raise NotAllowed(_("this is a colleague's reply"))
        check_cancellable(tx, row)
        action_id = new_action_id()
        ticket = root_of(tx, row["ticket_id"])
        if row["kind"] in automatic.KINDS:
            automatic.cancel(tx, actor, row, action_id, reason="by_hand")
            return read_row(tx, outbox_id)
        undone = (
            [change for _event, body in details for change in body["changes"]] if row["action_id"] == action else []
        )
        plan = back_to_draft(tx, row) + _status_back(tx, ticket, undone)
        event = PlannedEvent(ticket.id, "cancel_send", {"outbox_id": outbox_id, "of": row["action_id"]})
        tx.apply(plan + Plan(events=(event,), undoable=False), actor, action_id)
        update_clocks(tx, [ticket.id], actor, action_id)
        return read_row(tx, outbox_id)


def last_sent(desk: Desk, actor: Actor) -> OutboxId:
    """The actor's newest reply that is still on its way out."""
    rows = desk.read.rows(
        "outbox", {"agent_id": actor.id, "state": ["held", "deferred", "sending"]}, order="-held_at", limit=1
    )
    if not rows:
        raise Conflict(_("no reply of yours is still on its way out"), what="sent")
    return OutboxId(rows[0]["id"])


def check_cancellable(tx: Transaction, row: Row) -> None:
    """Raises Conflict when the server may have, or has, the reply already."""
    claimed = row["lease_until"] is not None and row["lease_until"] > tx.now
    # A message in the thread: the reply was in doubt once, so somebody may have it although it is being sent again.
    in_thread = bool(tx.rows("message", {"outbox_id": row["id"]}, limit=1))
    if row["state"] not in ("held", "deferred", "failed") or claimed or in_thread:
        raise Conflict(_("it is too late: the reply is {state}").format(state=row["state"]), what=row["state"])
    taken = tx.rows("outbox_recipient", {"outbox_id": row["id"], "state": "accepted"})
    if taken:
        raise Conflict(
            _("it is too late: {address} has it already").format(address=taken[0]["address"]), what=row["state"]
        )


def back_to_draft(tx: Transaction, row: Row) -> Plan:
    """The same row, same id, attachments included, as a draft of its agent again: an undo, or a stop at the release.

    The caller adds its event and updates the clocks: the customer waits again.
    """
    room = make_room(tx, row, row["agent_id"])
    after: dict[str, Any] = {
        "state": "draft",
        "stage": "",
        "held_at": None,
        "not_before": None,
        "next_try": None,
        "first_try_at": None,
        "seq": 0,
        "attempts": 0,
        "error": "",
        "server_reply": "",
        "built_sha": "",
        "lease_owner": "",
        "lease_until": None,
        **room.extra,
    }
    before = {"state": row["state"], "version": row["version"]}
    changes: list[Change] = [*room.changes, Update("outbox", {"id": row["id"]}, before, after)]
    changes += [
        Update("outbox_recipient", {"id": one["id"]}, {}, {"state": "pending", "detail": ""})
        for one in tx.rows("outbox_recipient", {"outbox_id": row["id"]})
        if one["state"] != "pending" or one["detail"]
    ]
    return Plan(silent=tuple(changes))


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _hold(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    row: Row,
    after: str,
    goes_out: datetime,
    snooze: datetime | None,
    action_id: ActionId,
) -> Plan:
    instance, keys = ensure_identity(tx, actor)
    mailbox = mailbox_row(tx, row_of(tx, row))
    held = {
        "state": "held",
        "stage": "",
        "ticket_id": ticket.id,
        "seen_seq": row["seen_seq"],
        "seq": ticket.seq + 1,
        "held_at": tx.now,
        "not_before": goes_out,
        "after_status": after,
        "ask_again": row["ask_again"],
        "canned_edited": canned_apply.is_edited(row),
        "message_id_header": sign_reply(keys, instance, mailbox, row),
        "action_id": action_id,
    }
    before = {"state": "draft", "version": row["version"]}
    facts = read_facts(tx, "send", ticket)
    fields: dict[str, Any] = triage.status_fields(ticket, after, tx.now, facts) if after else {}  # type: ignore[arg-type]
    if snooze is not None:
        fields |= _asleep(actor, tx.now, snooze)
    fields["badges"] = [badge for badge in ticket.badges if badge not in ANSWERED_BADGES]
    data = {"outbox_id": row["id"], **({"status": after} if after else {})}
    return Plan(
        changes=triage.update_ticket(ticket, fields),
        silent=(
            Update("outbox", {"id": row["id"]}, before, held),
            Update("ticket", {"id": ticket.id}, {"seq": ticket.seq}, {"seq": ticket.seq + 1}),
            *joining(tx, actor, ticket, row),
        ),
        events=(PlannedEvent(ticket.id, "reply_held", data),),
    )


def _asleep(actor: Actor, now: datetime, until: datetime) -> dict[str, Any]:
    if not now < until <= now + triage.LONGEST_SNOOZE:
        raise UsageError(_("a ticket sleeps at most one year"))
    return {"snoozed_until": until, "snooze_mode": "until_reply", "snooze_reason": "", "snoozed_by": actor.id}


def _settle(tx: Transaction, ticket_id: TicketId, actor: Actor, after: str, dismiss: str, action_id: ActionId) -> None:
    """A ticket is not solved over the head of a customer whom this reply leaves without an answer."""
    ticket = tx.ticket(ticket_id)
    if after not in triage.SETTLED or ticket.waiting_since is None:
        return
    if not dismiss:
        raise AnswerNeeded(
            _("#{ticket}: a customer still waits whom this reply does not reach").format(ticket=ticket_id),
            param="dismiss",
            hint=_("Say why no reply is needed."),
        )
    changes = triage.dismiss(dismiss, actor, tx.now, read_facts(tx, "dismiss", ticket))
    event = PlannedEvent(ticket_id, "dismiss", {"reason": dismiss})
    tx.apply(Plan(changes=tuple(changes), events=(event,)), actor, action_id)
    update_clocks(tx, [ticket_id], actor, action_id)


def _cooling_off(tx: Transaction, ticket_id: TicketId) -> int:
    """A longer time to think again, where the ticket is marked as angry."""
    settings = settings_in(tx)
    tags = [tag.casefold() for tag in settings.angry_tags]
    angry = any(row["tag"].casefold() in tags for row in tx.rows("ticket_tag", {"ticket_id": ticket_id}))
    return settings.cooling_off_seconds if angry else 0


def _status_back(tx: Transaction, ticket: Ticket, undone: list[Change]) -> Plan:
    """The status that the send changed, where nobody changed it since."""
    changes: list[Change] = []
    for change in undone:
        if isinstance(change, Update) and change.table == "ticket" and change.key["id"] == ticket.id:
            now: Mapping[str, Any] = tx.row("ticket", {"id": ticket.id}) or {}
            if all(now[name] == value for name, value in change.after.items()):
                changes.append(Update("ticket", change.key, change.after, change.before))
        if isinstance(change, Insert) and change.table == "ticket_tag" and tx.row("ticket_tag", change.values):
            changes.append(Delete("ticket_tag", change.values, change.values))
        if isinstance(change, Insert) and change.table == "dismissal":
            changes.append(Update("dismissal", {"id": change.values["id"]}, {"undone": False}, {"undone": True}))
    return Plan(silent=tuple(changes))


def _added(tx: Transaction, home: TicketId, agent_id: AgentId | None, seen_seq: int) -> list[Newcomer]:
    """What others added to that ticket itself after that seq of it."""
    found: list[Newcomer] = []
    for row in tx.rows("message", {"ticket_id": home}, order="seq"):
        own = agent_id is not None and row["agent_id"] == agent_id
        # A sent reply took its place when it was held: its outbox row speaks for it.
        if row["seq"] > seen_seq and not own and row["direction"] != "system" and row["outbox_id"] is None:
            kind = row["kind"] if row["direction"] == "in" or row["kind"] != "mail" else "reply"
            text = _excerpt(fresh_text(row) or row["body"])
            found.append(Newcomer(row["seq"], kind, row["author_name"], row["created_at"], text))
    for row in tx.rows("outbox", {"ticket_id": home}, order="seq"):
        by_colleague = row["agent_id"] is not None and row["agent_id"] != agent_id
        if row["seq"] > seen_seq and by_colleague and row["state"] != "draft":
            author, at = name_of(tx, "agent", row["agent_id"]), row["held_at"] or row["updated_at"]
            found.append(Newcomer(row["seq"], "reply", author, at, _excerpt(row["body"])))
    return found


def _joined_after(tx: Transaction, ticket: Ticket, seen_seq: int, *, not_by: AgentId | None = None) -> list[TicketId]:
    """Tickets that were merged into this one, directly or not, after that seq of it, and not by that agent."""
    family = family_of(tx, ticket.id)
    if len(family) == 1:
        return []
    joined: set[TicketId] = set()
    for row in tx.rows("event", {"ticket_id": ticket.id, "kind": "merged_here"}, order="seq"):
        by_other = not_by is None or row["actor_id"] != not_by
        if row["data"].get("seq", 0) > seen_seq and by_other:
            joined |= set(row["data"].get("merged", ()))
    found: list[TicketId] = []
    for member in family[1:]:
        if member.id in joined or member.merged_into in found:
            found.append(member.id)
    return found


def _way_to_root(tx: Transaction, ticket_id: TicketId) -> set[TicketId]:
    """The ticket and those that it was merged into, but for the last."""
    ticket, way = tx.ticket(ticket_id), set[TicketId]()
    while ticket.merged_into is not None and ticket.id not in way:
        way.add(ticket.id)
        ticket = tx.ticket(ticket.merged_into)
    return way


def _merges_of(tx: Transaction, root: TicketId, agent_id: AgentId | None, moved: set[TicketId]) -> list[Newcomer]:
    """Which colleague merged which of these tickets into the root; of several times the last."""
    found: dict[tuple[TicketId, ...], Newcomer] = {}
    for row in tx.rows("event", {"ticket_id": root, "kind": "merged_here"}, order="seq") if moved else ():
        merged = tuple(sorted(moved.intersection(row["data"].get("merged", ()))))
        if merged and (row["actor_kind"], row["actor_id"]) != ("agent", agent_id):
            names = ", ".join(f"#{ticket}" for ticket in merged)
            told = _("merged {tickets} into #{ticket}").format(tickets=names, ticket=root)
            author = name_of(tx, row["actor_kind"], row["actor_id"])
            found[merged] = Newcomer(row["data"].get("seq", 0), "merge", author, row["at"], told)
    return list(found.values())


def _excerpt(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= EXCERPT else plain[: EXCERPT - 1] + "…"


def _check_time(at: datetime, now: datetime) -> None:
    if not now < at <= now + LATEST:
        raise UsageError(_("a reply waits at most one year, and not in the past"))


def _in_words(desk: Desk, ticket: Ticket, at: datetime) -> str:
    """The time in the agent's language, in the zone of the ticket's mailbox."""
    from supportdesk.desk.arguments import calendar_for
    from supportdesk.desk.time_phrases import describe

    return describe(at, calendar_for(desk, (ticket.id,)), desk.clock.now(), current_language())


def _notice(ticket: Ticket, after: str, seconds: int, when: str) -> str:
    if when:
        sentence = _("Reply to #{ticket} goes out {time}").format(ticket=ticket.id, time=when)
        return _("{sentence}; U takes it back").format(sentence=sentence) if seconds else sentence
    sentence = (_("Reply to #{ticket} sent and solved") if after == "solved" else _("Reply to #{ticket} sent")).format(
        ticket=ticket.id
    )
    return (
        sentence
        if not seconds
        else _("{sentence}; U takes it back for {seconds} s").format(sentence=sentence, seconds=seconds)
    )
