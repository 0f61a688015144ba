"""What `tab` completes on the `:` line: actions, the values of their arguments, and the arguments that have a name.

What has to be read for it (`Known`) is read once, when the line opens. No widget and no I/O here.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.desk.actions import BY_ID
from supportdesk.desk.labels import CHOICES, word
from supportdesk.l10n.catalog import _, current_language
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.command_line import TICKET, VIEW_COMMANDS, identifier_of, localized_names, other_names
from supportdesk.tui.triage import complete_language, when_presets
from supportdesk.tui.widgets.prompt import Completion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.actions import ActionSpec, Param
    from supportdesk.desk.calendar import Calendar
    from supportdesk.tui.session import Session


@dataclass(slots=True)
class Known:
    """What was read of the desk so far: the tags in use, the tickets of the same customer, whose hours count."""

    session: Session | None = None
    tags: Sequence[str] = ()
    tickets: Sequence[tuple[str, str]] = ()
    calendar: Calendar | None = None


def complete_command(text: str, known: Known) -> list[Completion]:
    """Actions while the first word is typed, then the values of its first argument and the names of the others."""
    head, blank, rest = text.lstrip().partition(" ")
    if not blank:
        return _actions(head)
    spec = BY_ID.get(identifier_of(head))
    if spec is None or not spec.params:
        return []
    named = TICKET.match(rest) if spec.scope != "none" else None
    before = f"{head} {named[0] if named is not None else ''}"
    tail = rest[named.end() :] if named is not None else rest
    param, value, begun = _argument(spec, tail)
    if param is not None:
        before += f"{tail[:begun]}{param.name}="
        return [
            Completion(safe(before + shlex.quote(found)), safe(meaning), safe(found))
            for found, meaning in _values(param, value, known)
            if found.startswith(value) and found != value
        ]
    first, is_last_word = spec.params[0], spec.params[0].kind == "tags"
    typed, kept = (tail[begun:], tail[:begun]) if is_last_word else (tail, "")
    values = [
        Completion(safe(f"{before}{kept}{found}"), safe(meaning))
        for found, meaning in _values(first, typed, known)
        if found.startswith(typed.lstrip("#") if first.kind in ("tags", "ticket") else typed) and found != typed
    ]
    return values + _names(spec, before, tail, begun)


def _actions(head: str) -> list[Completion]:
    known = {
        **{action: _(spec.help) for action, spec in BY_ID.items()},
        **{action: _(text) for action, text in VIEW_COMMANDS.items()},
    }
    local = localized_names() if current_language() != "en" else {}
    found = {
        (not name.startswith(head), name): action
        for action in known
        for name in _matching(head, action, local.get(action, ""))
    }
    found |= {
        (not name.startswith(head), name): action for name, action in other_names().items() if head and head in name
    }
    return [
        Completion(
            SafeText(f"{name} " if action in BY_ID else name),
            safe(" · ".join(filter(None, (local.get(action, "") if name == action else "", known[action])))),
        )
        for (_rank, name), action in sorted(found.items())
    ]


def _matching(typed: str, action: str, local: str) -> list[str]:
    """The name that completes what is typed: the one of the agent's language, else the identifier."""
    if local and typed.casefold() in local:
        return [local]
    return [action] if typed in action else []


def _argument(spec: ActionSpec, tail: str) -> tuple[Param | None, str, int]:
    """The named argument that is being typed, its value so far, and where its word begins; None for another word."""
    begun, quote = 0, ""
    for at, letter in enumerate(tail):
        if letter == quote:
            quote = ""
        elif not quote and letter in "\"'":
            quote = letter
        elif not quote and letter == " ":
            begun = at + 1
    name, equals, value = tail[begun:].partition("=")
    param = next((param for param in spec.params if equals and param.name == name), None)
    return param, value.lstrip("\"'"), begun


def _names(spec: ActionSpec, before: str, tail: str, begun: int) -> list[Completion]:
    """The arguments behind the first that can still be named."""
    return [
        Completion(safe(f"{before}{tail[:begun]}{param.name}="), safe(_(param.help)), safe(f"{param.name}="))
        for param in spec.params[1:]
        if param.name.startswith(tail[begun:]) and f"{param.name}=" not in tail
    ]


def _values(param: Param, typed: str, known: Known) -> list[tuple[str, str]]:
    """What an argument can be, each with its meaning."""
    if param.choices:
        return [(choice, word(CHOICES, choice)) for choice in param.choices]
    session = known.session
    match param.kind:
        case "flag":
            return [("yes", _("yes"))]
        case "tags":
            return [(tag, "") for tag in known.tags]
        case "ticket":
            return list(known.tickets)
        case "language":
            return [(str(one.value), str(one.help)) for one in complete_language(typed)]
        case "when" if known.calendar is not None and session is not None:
            presets = when_presets(typed, known.calendar, session.now())
            return [(str(one.value), str(one.help)) for one in presets]
        case "agent" if session is not None:
            return [(agent.login, agent.name) for agent in session.agents.values() if agent.state != "disabled"]
        case "mailbox" if session is not None:
            return [(mailbox.address, mailbox.shop_name) for mailbox in session.mailboxes.values()]
    return []
