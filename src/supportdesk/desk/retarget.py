"""Edited opening hours move the deadlines that are open, and say so on each ticket (domain.md section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.clocks import DUE, recompute
from supportdesk.desk.model import WORKER, Actor, TicketId
from supportdesk.desk.ports import Insert, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.settings import kept_calendar_id, new_action_id
from supportdesk.desk.turns import in_turns

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.desk import Desk

FOLLOWED: Final = "retargeted"
"""The setting that names the newest edits of opening hours whose deadlines have all moved."""
NEWEST_EDITS: Final = 20


@dataclass(frozen=True, slots=True)
class Moved:
    """A ticket whose deadline is another one now: the next that is due, else the one that moved."""

    ticket_id: TicketId
    was: datetime | None
    becomes: datetime | None


def retarget(desk: Desk, actor: Actor, *, mailbox: int | None = None, market: int | None = None) -> tuple[Moved, ...]:
    """Compute the open targets again that run on the hours of a mailbox or a market, by today's policy and calendar.

    Whoever shares those hours is concerned too. Returns what moved.
    """
    tickets = _concerned(desk, mailbox, market)
    action_id = new_action_id()

    def compute_again(tx: Transaction, ticket_id: TicketId) -> Moved | None:
        plan = recompute(tx, ticket_id, refresh=True)
        if plan == Plan():
            return None
        moved = _moved(ticket_id, plan)
        events = (PlannedEvent(ticket_id, "calendar"),) if moved is not None else ()
        tx.apply(plan + Plan(events=events, undoable=False), actor, action_id)
        return moved

    done = (moved for turn in in_turns(desk.store, tickets, compute_again) for _ticket, moved in turn)
    return tuple(moved for moved in done if moved is not None)


def finish_retargeting(desk: Desk) -> int:
    """Do once more what each edit of opening hours does after its commit: whoever made it may have died before.

    Deadlines that have moved already stay. Returns how many did not stand where they should.
    """
    edits = desk.read.rows("event", {"ticket_id": None, "kind": ["calendar", "undo"]}, order="-seq", limit=NEWEST_EDITS)
    seqs = [row["seq"] for row in edits if row["kind"] == "calendar" or row["data"].get("undone") == "calendar"]
    stored = next(iter(desk.read.rows("setting", {"key": FOLLOWED})), None)
    followed = stored["value"] if stored is not None else seqs  # what was before the first worker is not its concern
    if stored is not None and set(seqs) <= set(followed):
        return 0
    keepers = {keeper for row in edits if row["seq"] in set(seqs) - set(followed) for keeper in _keepers(desk, row)}
    moved = sum(len(retarget(desk, WORKER, **{kind: keeper})) for kind, keeper in sorted(keepers))
    key, value = {"key": FOLLOWED}, {"value": seqs}
    change = (
        Insert("setting", {**key, **value}) if stored is None else Update("setting", key, {"value": followed}, value)
    )
    with desk.store.transaction() as tx:
        tx.apply(Plan(silent=(change,), undoable=False), WORKER, new_action_id())
    return moved


def _moved(ticket_id: TicketId, plan: Plan) -> Moved | None:
    """None where all stays: a closure in December leaves alone what is due tomorrow, stored with the new hours."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for change in plan.silent:
        if isinstance(change, Update) and change.table == "ticket" and change.after.keys() & set(DUE):
            before, after = {**change.before, **before}, {**change.after, **after}
    name = next((name for name in ("due_at", *DUE) if name in after), None)
    return Moved(ticket_id, before.get(name), after[name]) if name is not None else None


def _keepers(desk: Desk, edit: Row) -> list[tuple[str, int]]:
    """The mailbox or market whose hours were edited, or whose edit was undone; all of them where it is not told."""
    if edit["kind"] == "undo":
        edit = next(iter(desk.read.rows("event", {"action_id": edit["data"]["of"], "kind": "calendar"})), edit)
    named = [(kind, edit["data"].get(f"{kind}_id")) for kind in ("mailbox", "market")]
    if found := [(kind, keeper) for kind, keeper in named if keeper is not None]:
        return found
    return [(kind, row["id"]) for kind in ("mailbox", "market") for row in desk.read.rows(kind)]


def _concerned(desk: Desk, mailbox: int | None, market: int | None) -> list[TicketId]:
    """The tickets with an open target, or a customer who waits without one, whose hours are those of the two."""
    kept = desk.store.run(lambda tx: (tx.rows("mailbox"), tx.rows("market")))  # a rehearsed edit is seen there alone
    mailboxes, markets = ({row["id"]: row for row in rows} for rows in kept)
    changed = mailboxes.get(mailbox) if mailbox is not None else markets.get(market)
    calendar_id: int | None = changed["calendar_id"] if changed is not None else None

    def is_concerned(ticket: Row) -> bool:
        box = mailboxes.get(ticket["mailbox_id"])
        if box is None or (ticket["due_at"] is None and ticket["waiting_since"] is None):
            return False
        its_market = markets.get(ticket["market_id"] if ticket["market_id"] is not None else box["market_id"])
        if calendar_id is not None:
            return kept_calendar_id(box, its_market) == calendar_id
        # Nobody keeps the hours any more that were taken back.
        return box["id"] == mailbox or (market is not None and its_market is not None and its_market["id"] == market)

    rows = desk.read.rows("ticket", {"merged_into": None, "status": ["new", "open", "pending", "on_hold"]})
    return [TicketId(row["id"]) for row in rows if is_concerned(row)]
