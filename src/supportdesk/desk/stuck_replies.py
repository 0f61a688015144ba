"""Replies that did not simply go out, in doubt or refused by the server: what a person decides about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportdesk.desk.agents import check_actor
from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import root_of
from supportdesk.desk.model import Actor, OutboxId
from supportdesk.desk.ports import Change, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.restored import flag_in
from supportdesk.desk.results import Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound, UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

DECISIONS = ("resend", "mark_sent")


@again_if_busy
def resolve_uncertain(desk: Desk, actor: Actor, outbox_id: OutboxId, decision: str) -> Done:
    """Send a reply in doubt again, with the same Message-ID, or take it as delivered."""
    if decision not in DECISIONS:
        raise UsageError(_("{value} is no choice").format(value=decision), hint=", ".join(DECISIONS))
    if decision == "resend":
        return _send_again(desk, actor, outbox_id, "uncertain", "resend")
    with desk.store.transaction() as tx:
        row = _checked(tx, actor, outbox_id, "uncertain")
        # Whom the server put off has not got it, whatever became of the others' copy: he is tried again.
        put_off = bool(tx.rows("outbox_recipient", {"outbox_id": outbox_id, "state": "deferred"}, limit=1))
        after = {
            "state": "deferred" if put_off else "sent",
            "stage": "" if put_off else row["stage"],
            "sent_at": row["sent_at"] or (None if put_off else tx.now),
            "error": "",
            "next_try": tx.now if put_off else None,
            "lease_until": None,
        }
        changes = _recipients(tx, "outbox_recipient", {"outbox_id": outbox_id}, ("pending",), "accepted")
        for message in tx.rows("message", {"outbox_id": outbox_id}):
            changes += _recipients(tx, "message_recipient", {"message_id": message["id"]}, ("pending",), "accepted")
        notice = _("Reply {id} counts as sent").format(id=outbox_id)
        return _write(tx, actor, row, after, changes, "mark_sent", notice)


@again_if_busy
def retry_failed(desk: Desk, actor: Actor, outbox_id: OutboxId) -> Done:
    """Try a refused reply once more, to the recipients that were refused."""
    return _send_again(desk, actor, outbox_id, "failed", "retry")


def _send_again(desk: Desk, actor: Actor, outbox_id: OutboxId, state: str, kind: str) -> Done:
    with desk.store.transaction() as tx:
        row = _checked(tx, actor, outbox_id, state)
        # Deferred and due now: the built bytes and the Message-ID stay the same, the 48 hours of retries begin anew.
        after = {
            "state": "deferred",
            "stage": "",
            "next_try": tx.now,
            "first_try_at": None,
            "error": "",
            "lease_owner": "",
            "lease_until": None,
        }
        changes = _recipients(tx, "outbox_recipient", {"outbox_id": outbox_id}, ("failed", "deferred"), "pending")
        return _write(tx, actor, row, after, changes, kind, _("Reply {id} is sent again").format(id=outbox_id))


def _checked(tx: Transaction, actor: Actor, outbox_id: OutboxId, state: str) -> Row:
    check_actor(tx, actor)
    row = tx.row("outbox", {"id": outbox_id})
    if row is None:
        raise NotFound(_("there is no reply {id}").format(id=outbox_id), hint="supportdesk outbox list")
    if row["state"] != state:
        raise Conflict(
            _("the reply is {state}, not {wanted}").format(state=row["state"], wanted=state), what=row["state"]
        )
    flag_in(tx, row)
    return tx.row("outbox", {"id": outbox_id}) or row


def _recipients(tx: Transaction, table: str, where: Row, states: tuple[str, ...], state: str) -> list[Change]:
    return [
        Update(table, {"id": one["id"]}, {"state": one["state"]}, {"state": state})
        for one in tx.rows(table, where)
        if one["state"] in states
    ]


def _write(
    tx: Transaction, actor: Actor, row: Row, after: dict[str, Any], changes: list[Change], kind: str, notice: str
) -> Done:
    action_id, ticket = new_action_id(), root_of(tx, row["ticket_id"])
    update = Update("outbox", {"id": row["id"]}, {"state": row["state"], "version": row["version"]}, after)
    badges = [badge for badge in ticket.badges if badge not in ("failed", "uncertain")]
    if badges != list(ticket.badges):
        changes.append(Update("ticket", {"id": ticket.id}, {"badges": list(ticket.badges)}, {"badges": badges}))
    event = PlannedEvent(ticket.id, kind, {"outbox_id": row["id"]})
    tx.apply(Plan(silent=(update, *changes), events=(event,), undoable=False), actor, action_id)
    update_clocks(tx, [ticket.id], actor, action_id)
    return Done(action_id, (ticket.id,), notice, outbox_id=OutboxId(row["id"]), undoable=False)
