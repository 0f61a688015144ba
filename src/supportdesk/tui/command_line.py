"""The `:` line: `snooze tomorrow 9am`, `assign luca`, `status on_hold until="mon 9:00"`. Read from the action registry.

The words after an action fill its first argument; `name=value` names another one. The console's own actions (go, quit,
help) take no arguments. No widget here.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from supportdesk.desk.actions import BY_ID, ActionSpec, find_action
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _
from supportdesk.safetext import EMPTY, SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

VIEW_COMMANDS: Mapping[str, str] = {
    "open": N_("Open the ticket with that number"),
    "search": N_("Search all tickets, closed ones too"),
    "go_mine": N_("Your tickets"),
    "go_unassigned": N_("The tickets of nobody"),
    "go_all": N_("All tickets"),
    "go_snoozed": N_("The tickets that sleep"),
    "go_views": N_("All views, standing and saved"),
    "save_view": N_("Save the filter as a view"),
    "edit_views": N_("Rename, order, share and remove the saved views"),
    "go_canned": N_("The canned responses"),
    "go_drafts": N_("Your drafts"),
    "go_outbox": N_("What is on its way out"),
    "go_parked": N_("Mail that became no ticket"),
    "go_notices": N_("What you are told and have not looked at"),
    "go_calendar": N_("The opening hours, and what is planned"),
    "go_settings": N_("What the whole team shares"),
    "new": N_("Write to a customer first"),
    "raw": N_("The message as it came"),
    "fetch_whole": N_("What is missing of a mail that was too large"),
    "timeline": N_("What happened to the ticket"),
    "history": N_("Everything that this customer has written about"),
    "translate": N_("The message as the admin's command renders it"),
    "links": N_("The links of the conversation"),
    "attachments": N_("The attachments of the conversation"),
    "help": N_("The keys of this place"),
    "quit": N_("Leave the console"),
}
VIEW_NAMES: Mapping[str, str] = {
    "open": N_("open ticket"),
    "search": N_("search"),
    "go_mine": N_("mine"),
    "go_unassigned": N_("unassigned"),
    "go_all": N_("all"),
    "go_snoozed": N_("snoozed"),
    "go_views": N_("views"),
    "save_view": N_("save view"),
    "edit_views": N_("change views"),
    "go_canned": N_("canned responses"),
    "go_calendar": N_("opening hours"),
    "go_settings": N_("team settings"),
    "go_drafts": N_("drafts"),
    "go_outbox": N_("outbox"),
    "go_parked": N_("parked"),
    "go_notices": N_("notices"),
    "new": N_("new conversation"),
    "raw": N_("raw message"),
    "fetch_whole": N_("fetch whole"),
    "timeline": N_("timeline"),
    "history": N_("history"),
    "links": N_("links"),
    "attachments": N_("attachments"),
    "translate": N_("translate"),
    "help": N_("help"),
    "quit": N_("quit"),
}
"""What the console's own commands are called in the agent's language, where that is not English."""

ALIASES: Mapping[str, tuple[str, str]] = {"hand_over": ("assign", N_("hand over"))}
"""Other names of actions: the action, and what the name is in the agent's language."""

TRUE_WORDS = frozenset({"yes", "true", "1", "on"})


@dataclass(frozen=True, slots=True)
class Command:
    """A line that was read. `rest` are the words as typed."""

    action: str
    params: Mapping[str, Any] = field(default_factory=dict)
    rest: str = ""
    ticket: int | None = None


TICKET = re.compile(r"#(\d+)\s+(?=\S)")
"""A ticket that is named before an action's own words: `snooze #7 tomorrow`."""


def read_command(line: str) -> Command | None:
    """The action and its arguments; None for an empty line. Raises UsageError with the nearest action."""
    head, _blank, rest = line.strip().partition(" ")
    if not head:
        return None
    if head.lstrip("#").isdigit() and not rest:
        return Command("open", rest=head)
    head = identifier_of(head)
    if head in VIEW_COMMANDS:
        return Command(head, rest=rest.strip())
    spec = find_action(head)
    rest = rest.strip()
    # `merge #12` says into which, `wake #12` can only say which one.
    whole = None if spec.params else re.fullmatch(r"#(\d+)", rest)
    if spec.scope != "none" and (named := TICKET.match(rest) or whole) is not None:
        rest = rest[named.end() :]
        return Command(head, _arguments(spec, rest), rest, int(named[1]))
    return Command(head, _arguments(spec, rest), rest)


def localized_names() -> dict[str, str]:
    """What each command is called in the agent's language, by its identifier: `assign` → `assegna`."""
    names = {action: _(name) for action, name in VIEW_NAMES.items()}
    names |= {action: spec.localized_title() for action, spec in BY_ID.items()}
    return {action: _as_name(name) for action, name in names.items()}


def other_names() -> dict[str, str]:
    """What else actions are called, in English and in the agent's language: `hand_over` → `assign`."""
    return {called: action for name, (action, local) in ALIASES.items() for called in (name, _as_name(_(local)))}


def identifier_of(name: str) -> str:
    """The identifier of a command, which may be named in the agent's language or otherwise; else what was typed.

    A dash counts as an underline, and neither is needed in the other name of an action.
    """
    written = name.replace("-", "_")
    if written in BY_ID or written in VIEW_COMMANDS:
        return written
    known = {local: action for action, local in localized_names().items()}
    others = other_names()
    others |= {called.replace("_", ""): action for called, action in others.items()}
    return known.get(written.casefold()) or others.get(written.casefold()) or name


def refuse_command(line: str) -> SafeText:
    """What in a line is not understood; nothing if all is."""
    try:
        read_command(line)
    except UsageError as error:
        return safe(" · ".join(part for part in (error.message, error.hint) if part))
    return EMPTY


def _as_name(words: str) -> str:
    return "_".join(re.findall(r"\w+", words.casefold()))


def _arguments(spec: ActionSpec, rest: str) -> dict[str, Any]:
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise UsageError(_("a quotation mark is not closed")) from error
    kinds = {param.name: param.kind for param in spec.params}
    params: dict[str, Any] = {}
    free: list[str] = []
    for item in words:
        name, equals, value = item.partition("=")
        if equals and name in kinds:
            params[name] = value.casefold() in TRUE_WORDS if kinds[name] == "flag" else value
        else:
            free.append(item)
    if free and not spec.params:
        raise UsageError(_("{action} takes no arguments").format(action=spec.id))
    if free:
        params.setdefault(spec.params[0].name, " ".join(free))
    return params
