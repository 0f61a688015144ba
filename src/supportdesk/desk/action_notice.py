"""The sentence that tells an agent what an action did, for a toast or a terminal line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from supportdesk.desk import labels
from supportdesk.desk.arguments import calendar_for
from supportdesk.desk.model import TicketId
from supportdesk.desk.time_phrases import describe
from supportdesk.l10n.catalog import _, current_language, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


def notice(action: str, tickets: Sequence[TicketId], params: Mapping[str, Any] | None = None) -> str:
    """What `action` did: the ticket's number for one, else how many."""
    if not tickets:
        return _("Nothing to change")
    made = _SENTENCES[action](len(tickets))
    values = {
        name: ", ".join(map(str, value)) if isinstance(value, tuple) else value
        for name, value in (params or {}).items()
    }
    return made.format(**{**values, "ticket": tickets[0], "count": len(tickets)})


def in_words(desk: Desk, tickets: tuple[TicketId, ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """An action's resolved arguments as its notice names them: people and mailboxes by name, times in their zone."""
    values = dict(params)
    if not tickets:
        return values
    if "assignee" in values:
        values["assignee"] = next((one.name for one in desk.agents() if one.id == values["assignee"]), "?")
    if "mailbox" in values:
        values["mailbox"] = desk.mailbox(values["mailbox"]).address
    if "until" in values:
        values["until"] = describe(values["until"], calendar_for(desk, tickets), desk.clock.now(), current_language())
    for name, table in (("status", labels.STATUS), ("priority", labels.PRIORITY)):
        if name in values:
            values[name] = labels.word(table, values[name])
    return values


_SENTENCES: Mapping[str, Callable[[int], str]] = {
    "assign": lambda n: ngettext("Assigned #{ticket} to {assignee}", "Assigned {count} tickets to {assignee}", n),
    "unassign": lambda n: ngettext("#{ticket} is nobody's now", "{count} tickets are nobody's now", n),
    "take": lambda n: ngettext("#{ticket} is yours", "{count} tickets are yours", n),
    "take_next": lambda n: ngettext("#{ticket} is yours", "{count} tickets are yours", n),
    "tag": lambda n: ngettext("Tagged #{ticket}: {tags}", "Tagged {count} tickets: {tags}", n),
    "untag": lambda n: ngettext("Took {tags} off #{ticket}", "Took {tags} off {count} tickets", n),
    "snooze": lambda n: ngettext("#{ticket} sleeps until {until}", "{count} tickets sleep until {until}", n),
    "wake": lambda n: ngettext("#{ticket} is awake", "{count} tickets are awake", n),
    "solve": lambda n: ngettext("Solved #{ticket}", "Solved {count} tickets", n),
    "reopen": lambda n: ngettext("Reopened #{ticket}", "Reopened {count} tickets", n),
    "status": lambda n: ngettext(
        "Changed the status of #{ticket}: {status}", "Changed the status of {count} tickets: {status}", n
    ),
    "priority": lambda n: ngettext(
        "Changed the priority of #{ticket}: {priority}", "Changed the priority of {count} tickets: {priority}", n
    ),
    "dismiss": lambda n: ngettext("#{ticket} needs no reply", "{count} tickets need no reply", n),
    "spam": lambda n: ngettext("#{ticket} is spam", "{count} tickets are spam", n),
    "not_spam": lambda n: ngettext("#{ticket} is no spam", "{count} tickets are no spam", n),
    "merge": lambda n: ngettext("Merged #{ticket} into #{into}", "Merged {count} tickets into #{into}", n),
    "accept_suggestion": lambda n: ngettext("Merged #{ticket} into #{into}", "Merged {count} tickets into #{into}", n),
    "split": lambda n: ngettext("Split #{ticket}", "Split {count} tickets", n),
    "language": lambda n: ngettext(
        "#{ticket} is in the language {language}", "{count} tickets are in the language {language}", n
    ),
    "move": lambda n: ngettext("Moved #{ticket} to {mailbox}", "Moved {count} tickets to {mailbox}", n),
    "follow": lambda n: ngettext("You follow #{ticket}", "You follow {count} tickets", n),
    "unfollow": lambda n: ngettext("You follow #{ticket} no more", "You follow {count} tickets no more", n),
    "note": lambda n: ngettext("Noted on #{ticket}", "Noted on {count} tickets", n),
    "call": lambda n: ngettext("Logged a call on #{ticket}", "Logged a call on {count} tickets", n),
    "confirm_participant": lambda n: ngettext(
        "Confirmed a participant of #{ticket}", "Confirmed a participant of {count} tickets", n
    ),
    "sender": lambda n: ngettext(
        "Decided about the sender of #{ticket}", "Decided about the senders of {count} tickets", n
    ),
    "reject_suggestion": lambda n: ngettext(
        "Forgot the suggestion for #{ticket}", "Forgot the suggestions for {count} tickets", n
    ),
    "discard": lambda n: ngettext("Discarded the draft on #{ticket}", "Discarded {count} drafts", n),
    "undo": lambda n: ngettext("Undone on #{ticket}", "Undone on {count} tickets", n),
}
