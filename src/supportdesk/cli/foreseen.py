"""What a dry run tells of an undo and of an edit of opening hours: the tickets, and the deadlines that would move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.errors import Conflict
from supportdesk.l10n.catalog import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from supportdesk.cli.session import Session
    from supportdesk.desk.model import TicketId
    from supportdesk.desk.retarget import Moved
    from supportdesk.desk.undo import Foreseen

SHOWN = 10


def tell_undo(session: Session, action: str) -> int:
    """What taking the action back would do, by default the newest; 5 if it would leave a ticket alone."""
    from supportdesk.desk.model import ActionId

    found = session.desk.foresee_undo(session.actor, ActionId(action) if action else None)
    reasons = {ticket: conflict.message for ticket, conflict in found.done.conflicts.items()}
    kinds = tuple(dict.fromkeys(event.kind for event in found.events))
    value = {
        "dry_run": True, "action_id": found.action_id, "kinds": kinds, "tickets": found.done.tickets,
        "left_alone": reasons, "notice": found.done.notice, "deadlines": found.moved,
    }  # fmt: skip
    session.out.answer(value, [] if session.json else _undo_lines(session, found, reasons))
    return Conflict.exit_code if reasons else 0


def tell_hours(session: Session, moved: Sequence[Moved] | None) -> int:
    """The deadlines that an edit of opening hours would move; None: nothing would be changed."""
    value = {"dry_run": True, "changes": moved is not None, "deadlines": moved or ()}
    so_already = [_("The opening hours were so already")]
    session.out.answer(value, so_already if moved is None else deadline_lines(session, moved, none=True))
    return 0


def foreseen_lines(would: Iterable[TicketId], reasons: Mapping[TicketId, str]) -> Iterator[str]:
    """Which tickets would be changed, and why others would be left alone."""
    for ticket in would:
        yield _("would change #{ticket}").format(ticket=ticket)
    for ticket, reason in reasons.items():
        yield _("would leave #{ticket} alone: {reason}").format(ticket=ticket, reason=reason)


def deadline_lines(session: Session, moved: Sequence[Moved], *, none: bool = False) -> Iterator[str]:
    """How many deadlines would move, and the first of them."""
    if not moved:
        if none:
            yield _("no deadline would move")
        return
    yield ngettext("{count} deadline would move", "{count} deadlines would move", len(moved)).format(count=len(moved))
    for one in moved[:SHOWN]:
        mailbox_id = session.desk.read.ticket(one.ticket_id).mailbox_id
        was, becomes = (session.time(at, mailbox_id) or "—" for at in (one.was, one.becomes))
        yield f"  #{one.ticket_id}: {was} → {becomes}"
    if len(moved) > SHOWN:
        yield "  " + _("and {count} more: --json lists them").format(count=len(moved) - SHOWN)


def _undo_lines(session: Session, found: Foreseen, reasons: Mapping[TicketId, str]) -> Iterator[str]:
    from supportdesk.desk.why import describe_event

    names = {agent.id: agent.name for agent in session.desk.agents()}
    first = found.events[0]
    mailbox_id = session.desk.read.ticket(first.ticket_id).mailbox_id if first.ticket_id is not None else None
    what = describe_event(first, names.get, session.desk.zone_of(mailbox_id))
    yield _("would take back {action}: {what}, {time}").format(
        action=found.action_id, what=what, time=session.time(first.at, mailbox_id)
    )
    yield from foreseen_lines(found.done.tickets, reasons)
    if any(event.kind == "reply_held" for event in found.events):  # a draft again, or the status alone
        yield _("it would say: {notice}").format(notice=found.done.notice)
    yield from deadline_lines(session, found.moved)
