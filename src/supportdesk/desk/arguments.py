"""Turns what a person typed as an action's arguments into what the plans take: ids, times, clean words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from supportdesk.desk.model import Actor, AgentId, TicketId
from supportdesk.desk.settings import find_hours
from supportdesk.desk.time_phrases import read_snooze
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import _, current_language

if TYPE_CHECKING:
    from supportdesk.desk.actions import Call
    from supportdesk.desk.calendar import Calendar
    from supportdesk.desk.desk import Desk
    from supportdesk.mail.model import Address

LONGEST_TAG = 64


def resolve(call: Call) -> dict[str, Any]:
    """The call's arguments, each in the form that the plans take. Raises UsageError and NotFound."""
    values = {name: value for name, value in call.params.items() if value is not None}
    if "assignee" in values:
        values["assignee"] = find_assignee(call.desk, call.actor, values["assignee"])
    if "tags" in values:
        values["tags"] = clean_tags(values["tags"])
    if "until" in values and not isinstance(values["until"], datetime):
        values["until"] = read_when(call.desk, str(values["until"]), call.tickets)
    elif "until" in values:
        values["until"] = values["until"].astimezone(UTC)
    if "language" in values:
        values["language"] = clean_language(str(values["language"]))
    if "mailbox" in values:
        values["mailbox"] = find_mailbox_id(call.desk, values["mailbox"])
    for name in ("first", "last", "identity"):
        if name in values:
            values[name] = int(values[name])
    return values


def find_assignee(desk: Desk, actor: Actor, value: Any) -> AgentId:
    """An agent by id, login, unambiguous name, or `me`. A disabled agent gets no tickets."""
    if value in ("me", "@me") and actor.id is not None:
        return actor.id
    agents = desk.agents()
    text = str(value).lstrip("@").casefold()
    found = [agent for agent in agents if agent.id == value or agent.login.casefold() == text]
    found = found or [agent for agent in agents if agent.name.casefold() == text]
    if len(found) != 1:
        raise NotFound(
            _("there is no agent {login}").format(login=value), hint=", ".join(agent.login for agent in agents)
        )
    if found[0].state == "disabled":
        raise UsageError(_("{name} is disabled").format(name=found[0].name))
    return found[0].id


def clean_tags(value: str | Iterable[str]) -> tuple[str, ...]:
    """Tags in lower case, each once, in the order typed; a string is split at commas and blanks."""
    words = re.split(r"[,\s]+", value) if isinstance(value, str) else value
    tags = dict.fromkeys(unicodedata.normalize("NFC", word).strip().lstrip("#").casefold() for word in words)
    tags.pop("", None)
    for tag in tags:
        if len(tag) > LONGEST_TAG or any(unicodedata.category(char)[0] == "C" or char.isspace() for char in tag):
            raise UsageError(_("{tag} cannot be a tag").format(tag=repr(tag)))
    if not tags:
        raise UsageError(_("no tag was named"))
    return tuple(tags)


def clean_language(value: str) -> str:
    """A BCP 47 tag as we write it: `it`, `fr-CH`."""
    from babel import Locale

    match = re.fullmatch(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|[0-9]{3}))?", value.strip())
    if match is None:
        raise UsageError(_("{value} is no language tag").format(value=repr(value)), hint="it, de, fr-CH")
    if match[1].lower() not in Locale("en").languages:
        raise UsageError(_("{value} is no language").format(value=repr(value)), hint="it, de, fr-CH")
    return match[1].lower() + (f"-{match[2].upper()}" if match[2] else "")


def read_address(text: str) -> Address:
    """The one address that was typed: `Anna Rossi <anna@example.it>`. Raises UsageError."""
    from supportdesk.mail.recipients import parse_recipients

    try:
        found = parse_recipients(text)
    except UsageError as error:
        raise UsageError(_("{address} is no address").format(address=repr(text)), hint=error.hint) from None
    if len(found) != 1:
        raise UsageError(_("One address belongs here."), hint="Anna Rossi <anna@example.it>")
    return found[0]


def find_mailbox_id(desk: Desk, value: Any) -> int:
    for mailbox in desk.mailboxes():
        if value == mailbox.id or str(value).casefold() in (
            str(mailbox.id),
            *mailbox.addresses,
            mailbox.name.casefold(),
        ):
            return mailbox.id
    raise NotFound(_("there is no mailbox {id}").format(id=value))


def read_when(desk: Desk, text: str, tickets: tuple[TicketId, ...]) -> datetime:
    """The time that a phrase means in the opening hours of the first ticket's mailbox."""
    return read_snooze(text, calendar_for(desk, tickets), desk.clock.now(), current_language()).until


def calendar_for(desk: Desk, tickets: tuple[TicketId, ...]) -> Calendar:
    ticket = desk.read.ticket(tickets[0]) if tickets else None
    return find_hours(desk.read, *((ticket.mailbox_id, ticket.market_id) if ticket is not None else (None,)))
