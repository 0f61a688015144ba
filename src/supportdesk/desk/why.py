"""Why a ticket is as it is: how its messages came to it, what was done, and the arithmetic of its deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from supportdesk.desk import labels, sla
from supportdesk.desk.calendar import Calendar
from supportdesk.desk.evidence import explain
from supportdesk.desk.hours import elapsed
from supportdesk.desk.model import EventRow, ThreadEntry, Ticket, TicketId
from supportdesk.desk.results import Why
from supportdesk.l10n import format as localized
from supportdesk.l10n.catalog import N_, _, current_language, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

# One sentence for each kind of event; the placeholders are the event's data and `who`.
SENTENCES: Mapping[str, str] = {
    "created": N_("{who} made the ticket"),
    "message": N_("{who} brought a message"),
    "received": N_("a mail arrived"),
    "bounce": N_("a mail could not be delivered"),
    "out_of_office": N_("an out-of-office answer arrived"),
    "notification": N_("a notification arrived"),
    "report": N_("a delivery report arrived"),
    "forwarded": N_("{who} had forwarded it: its requester became who had written it"),
    "started": N_("{who} started the conversation"),
    "assign": N_("{who} assigned it to {assignee}"),
    "unassign": N_("{who} put it back among the unassigned"),
    "take": N_("{who} took it"),
    "tag": N_("{who} added tags"),
    "untag": N_("{who} took tags off"),
    "snooze": N_("{who} let it sleep until {until}"),
    "wake": N_("{who} woke it"),
    "solve": N_("{who} solved it"),
    "reopen": N_("{who} reopened it"),
    "status": N_("{who} set the status: {status}"),
    "priority": N_("{who} set the priority: {priority}"),
    "dismiss": N_("{who}: no reply needed ({reason})"),
    "spam": N_("{who} marked it as spam"),
    "not_spam": N_("{who} took it out of spam"),
    "merge": N_("{who} merged it into #{into}"),
    "merged_here": N_("{who} merged other tickets into it"),
    "merge_customer": N_("{who} made one customer of {customer} and {into}, who survives"),
    "split": N_("{who} moved messages into a ticket of their own"),
    "split_from": N_("{who} split it from #{from}"),
    "language": N_("{who} set the language"),
    "move": N_("{who} moved it to another mailbox"),
    "follow": N_("{who} follows it"),
    "unfollow": N_("{who} follows it no more"),
    "note": N_("{who} wrote a note"),
    "call": N_("{who} logged a call"),
    "reply_held": N_("{who} sent a reply"),
    "acknowledged": N_("the desk acknowledged it by automatic mail ({variant})"),
    "reminded": N_("the desk reminded the customer by automatic mail ({variant})"),
    "automatic_cancelled": N_("an automatic mail was not sent: {because}"),
    "cancel_send": N_("{who} took a reply back"),
    "reply_sent": N_("a reply was delivered"),
    "reply_deferred": N_("a reply could not be delivered yet"),
    "reply_failed": N_("a reply was refused"),
    "reply_uncertain": N_("it is in doubt whether a reply was delivered"),
    "reply_stopped": N_("a reply was stopped: something new had arrived"),
    "fetched_whole": N_("the rest of a mail that was cut was fetched"),
    "mark_sent": N_("{who} decided that a reply in doubt was delivered"),
    "resend": N_("{who} had a reply in doubt sent again"),
    "retry": N_("{who} had a refused reply sent again"),
    "discard": N_("{who} discarded a draft"),
    "adopt_draft": N_("{who} took over a draft"),
    "undo": N_("{who} undid: {undone}"),
    "auto_close": N_("{who} closed it: it had been solved for days"),
    "auto_solve": N_("{who} solved it: the customer did not answer for days"),
    "hold_ended": N_("{who} opened it: the time on hold is over"),
    "calendar": N_("{who} changed the opening hours, and the deadline moved"),
    "deadline_warning": N_("three quarters of the time to answer were over"),
    "deadline_breached": N_("the deadline passed"),
    "confirm_participant": N_("{who} confirmed a participant"),
    "sender": N_("{who} decided what mail of the sender becomes: {verdict}"),
    "reject_suggestion": N_("{who} rejected the suggested ticket"),
}

CANCELLED: Mapping[str, str] = {
    "answered": N_("the customer had been answered"),
    "by_hand": N_("it was taken back"),
    "conversation_went_on": N_("the conversation had gone on"),
    "customer_wrote": N_("the customer had written"),
    "merged": N_("the ticket had been merged"),
    "spam": N_("the ticket had become spam"),
    "status": N_("the ticket was no longer with the customer"),
    "switched_off": N_("the acknowledgements were switched off"),
    "too_late": N_("the promised time was over"),
    "undone": N_("its action was undone"),
}
"""Why an automatic mail never went out: the codes of `desk.automatic`."""

LABELS: Mapping[str, Mapping[str, str]] = {
    "status": labels.STATUS,
    "priority": labels.PRIORITY,
    "reason": labels.REASON,
    "verdict": labels.VERDICT,
    "because": CANCELLED,
}
"""The data of an event that are identifiers with a word of their own."""


def why(desk: Desk, ticket_id: TicketId) -> Why:
    ticket = desk.read.ticket(ticket_id)
    thread = desk.read.thread(ticket_id)
    zone = desk.zone_of(ticket.mailbox_id)
    origins = [sentence for entry in thread for sentence in _origin(entry)]
    history = [f"{_shown(at, zone)}  {text}" for at, text in timeline(desk, ticket_id)]
    deadline = list(_deadline(desk, ticket, zone))
    data = {
        "ticket": ticket_id,
        "messages": [
            {"id": entry.id, "kind": entry.kind, "evidence": dict(entry.evidence)}
            for entry in thread
            if entry.id is not None
        ],
        "events": [
            {"seq": event.seq, "action": event.action_id, "kind": event.kind, "at": event.at, **dict(event.data)}
            for event in desk.read.events(ticket_id=ticket_id)
        ],
        "waiting_since": ticket.waiting_since,
        "due_at": ticket.due_at,
    }
    return Why((*origins, *history, *deadline), (*origins, *deadline), data)


def timeline(desk: Desk, ticket_id: TicketId) -> tuple[tuple[datetime, str], ...]:
    events = desk.read.events(ticket_id=ticket_id)
    names = {agent.id: agent.name for agent in desk.agents()}
    zone = desk.zone_of(desk.read.ticket(ticket_id).mailbox_id)
    return tuple((event.at, describe_event(event, names.get, zone)) for event in events)


def describe_event(event: EventRow, name_of: Callable[[Any], str | None], zone: ZoneInfo) -> str:
    """One localized sentence: who did what; its times are in `zone`."""
    who = name_of(event.actor_id) if event.actor_id is not None else None
    values = {name: str(value) for name, value in event.data.items()}
    if "assignee_id" in event.data:
        values["assignee"] = name_of(event.data["assignee_id"]) or "?"
    for name in LABELS.keys() & values.keys():
        values[name] = labels.word(LABELS[name], values[name])
    if "until" in values:
        values["until"] = _said(datetime.fromisoformat(values["until"]), zone)
    if "undone" in values:
        values["undone"] = _undone(values["undone"])
    values["who"] = who or _ACTORS[event.actor_kind]()
    sentence = SENTENCES.get(event.kind)
    if sentence is not None:
        try:
            return _(sentence).format(**values)
        except KeyError:  # an event of an earlier version, with less data
            pass
    return f"{values['who']}: {event.kind.replace('_', ' ')}"


def _undone(kind: str) -> str:
    """The title of the action that was taken back."""
    from supportdesk.desk.actions import BY_ID

    return BY_ID[kind].localized_title() if kind in BY_ID else kind.replace("_", " ")


_ACTORS: Mapping[str, Callable[[], str]] = {
    "agent": lambda: _("an agent"),
    "rule": lambda: _("a rule"),
    "mail": lambda: _("the customer's mail"),
    "worker": lambda: _("the desk"),
}


def _origin(entry: ThreadEntry) -> Iterator[str]:
    """How a message came to this ticket, from the evidence that was stored with it."""
    if entry.id is None:
        return
    sentences = list(explain(entry.evidence))
    if sentences:
        yield _("Message {number}, {author}: {sentences}").format(
            number=entry.seq, author=entry.author_name or entry.author_address, sentences=" ".join(sentences)
        )


def _deadline(desk: Desk, ticket: Ticket, zone: ZoneInfo) -> Iterator[str]:
    if ticket.waiting_since is None:
        yield _("No customer waits for an answer here.")
        return
    since = _said(ticket.waiting_since, zone)
    yield _("The customer has been waiting since {time}.").format(time=since)
    snapshot = desk.read.rows("sla_snapshot", {"id": ticket.sla_id}) if ticket.sla_id is not None else []
    if not snapshot or ticket.due_at is None:
        return
    policy, calendar = (
        sla.Policy.from_json(snapshot[0]["body"]["policy"]),
        Calendar.from_json(snapshot[0]["body"]["calendar"]),
    )
    span = policy.first_response if ticket.first_response_at is None else policy.next_response
    due = _said(ticket.due_at, zone)
    if isinstance(span, sla.Days):
        yield ngettext(
            "Due {due}: the same clock time on the next open day.",
            "Due {due}: the same clock time {days} open days later.",
            span.days,
        ).format(due=due, days=span.days)
    elif span is not None:
        yield _("Due {due}: {span} of opening hours after it.").format(due=due, span=_span(span.seconds))
    counted = elapsed(calendar, ticket.waiting_since, ticket.due_at)
    yield _("Opening hours between the two: {span}.").format(span=_span(counted))


def _span(seconds: int) -> str:
    """`24 hours`, `2 hours and 10 minutes`."""
    language = current_language()
    hours, minutes = divmod(seconds // 60, 60)
    parts = [localized.unit(hours, "hour", language)] if hours else []
    parts += [localized.unit(minutes, "minute", language)] if minutes or not hours else []
    return localized.join(parts, language)


def _said(at: datetime, zone: ZoneInfo) -> str:
    return localized.date_time(
        at, current_language(), zone, style="full"
    )  # a weekday needs no article: "fino a lunedì"


def _shown(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
