"""Why a ticket does not take an action now: one localized sentence, or None when it does."""

from __future__ import annotations

from supportdesk.desk.model import Actor, Ticket, TicketId
from supportdesk.l10n.catalog import _


def not_merged(ticket: Ticket, _actor: Actor) -> str | None:
    if ticket.merged_into is not None:
        return _("it was merged into #{ticket}").format(ticket=ticket.merged_into)
    return None


def assigned(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (None if ticket.assignee_id is not None else _("nobody has it"))


def not_mine(ticket: Ticket, actor: Actor) -> str | None:
    if actor.id is None:
        return _("only an agent can take a ticket")
    return not_merged(ticket, actor) or (_("it is yours already") if ticket.assignee_id == actor.id else None)


def an_agents(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (None if actor.id is not None else _("only an agent can follow a ticket"))


def can_sleep(ticket: Ticket, actor: Actor) -> str | None:
    settled = ticket.status in ("solved", "closed", "spam")
    return not_merged(ticket, actor) or (_("it needs no snooze: nobody has to move") if settled else None)


def snoozed(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (None if ticket.snoozed_until is not None else _("it is not asleep"))


def unsolved(ticket: Ticket, actor: Actor) -> str | None:
    return not_spam(ticket, actor) or (_("it is solved already") if ticket.status in ("solved", "closed") else None)


def reopenable(ticket: Ticket, actor: Actor) -> str | None:
    return not_spam(ticket, actor) or (_("it is open already") if ticket.status in ("new", "open") else None)


def waiting(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (None if ticket.waiting_since is not None else _("no customer waits here"))


def is_spam(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (None if ticket.status == "spam" else _("it is not spam"))


def not_spam(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (_("it is spam") if ticket.status == "spam" else None)


def has_suggestion(ticket: Ticket, actor: Actor) -> str | None:
    return not_merged(ticket, actor) or (None if suggested(ticket) is not None else _("no ticket is suggested"))


def suggested(ticket: Ticket) -> TicketId | None:
    """The ticket that it seems to belong to, or to repeat."""
    badges = (badge.partition(":") for badge in ticket.badges)
    repeated = next((TicketId(int(detail)) for name, _colon, detail in badges if name == "possible_duplicate"), None)
    return ticket.suggested_id or repeated
