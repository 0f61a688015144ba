"""What the team shares, setting by setting, as people read and write it: `15`, `24h`, `purtroppo, impossibile`, `off`.

The values themselves and their limits are `desk.settings` and `desk.sla`. The targets of the policy are settings of
their own here: `first_response`, `next_response`, `resolution`, `inside`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal

from supportdesk.desk.results import Done
from supportdesk.desk.settings import DeskSettings, new_action_id, read_settings, update_settings
from supportdesk.desk.sla import Days, OpeningTime, Policy, Span
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor

Kind = Literal["text", "seconds", "days", "whole_days", "words", "span"]


@dataclass(frozen=True, slots=True)
class TeamSetting:
    """One setting: its name, what it is called and what it does (msgids), and how its value is written."""

    name: str
    title: str
    help: str
    kind: Kind


TEAM_SETTINGS: Final = (
    TeamSetting("shop_name", N_("Name of the shop"), N_("The shop's name, where a mailbox has none"), "text"),
    TeamSetting(
        "undo_seconds",
        N_("Undo send"),
        N_("How long a reply can be taken back: 0, 5, 10, 15, 30 or 60 seconds"),
        "seconds",
    ),
    TeamSetting("cooling_off_seconds", N_("Undo send, angry"), N_("The same for tickets marked angry"), "seconds"),
    TeamSetting("angry_tags", N_("Tags of the angry"), N_("The tags that mark a ticket as angry"), "words"),
    TeamSetting(
        "avoided_words",
        N_("Words to avoid"),
        N_("Words that a reply should not have: a second key sends it all the same"),
        "words",
    ),
    TeamSetting(
        "first_response",
        N_("First answer"),
        N_("By when a customer is answered first: 1d (open days), 8h (opening time)"),
        "span",
    ),
    TeamSetting("next_response", N_("Further answers"), N_("By when every further message is answered"), "span"),
    TeamSetting("resolution", N_("Solved by"), N_("By when a ticket is solved"), "span"),
    TeamSetting("inside", N_("Our own goal"), N_("The agents' own goal for an answer"), "span"),
    TeamSetting(
        "closed_after_days",
        N_("Closed after"),
        N_("Solved tickets are closed after so many days, 1 hour to 28 days"),
        "days",
    ),
    TeamSetting(
        "reopen_days", N_("Opened again within"), N_("How long mail to a closed ticket opens it again"), "whole_days"
    ),
    TeamSetting(
        "pending_auto_solve_days",
        N_("Solved by silence"),
        N_("Business days without an answer that solve a ticket"),
        "whole_days",
    ),
    TeamSetting(
        "on_hold_days",
        N_("On hold ends after"),
        N_("Business days after which on hold ends, if nothing else is said"),
        "whole_days",
    ),
)
BY_NAME: Final = {setting.name: setting for setting in TEAM_SETTINGS}


def value_of(settings: DeskSettings, name: str) -> Any:
    """The value as the desk uses it; a target is a Span or None."""
    if BY_NAME[name].kind == "span":
        return getattr(Policy.from_json(settings.policy), name)
    return getattr(settings, name)


def shown_value(settings: DeskSettings, name: str) -> str:
    """The value as it is written, so that `read_value` reads it again."""
    value, kind = value_of(settings, name), BY_NAME[name].kind
    match kind:
        case "words":
            return ", ".join(value)
        case "span":
            return write_span(value)
        case "seconds":
            return f"{value}s"
        case "days" | "whole_days":
            return _write_days(value) if value == int(value) else f"{value * 24:g}h"
        case _:
            return str(value)


def read_value(name: str, text: str) -> Any:
    """The value that a person typed. Raises UsageError naming the nearest setting, or how the value is written."""
    setting = BY_NAME.get(name)
    if setting is None:
        near = get_close_matches(name, BY_NAME, n=1)
        hint = _("did you mean {name}?").format(name=near[0]) if near else ", ".join(BY_NAME)
        raise UsageError(_("no setting is called {name}").format(name=name), hint=hint)
    typed = text.strip()
    match setting.kind:
        case "words":
            return (
                []
                if typed in ("none", _("none"))
                else list(dict.fromkeys(filter(None, map(str.strip, typed.split(",")))))
            )
        case "span":
            return read_span(typed)
        case "seconds":
            return int(_amount(name, typed, "s", "15s"))
        case "whole_days":
            return int(_amount(name, typed, "d", "7d"))
        case "days":
            hours = re.fullmatch(r"(\d+)\s*h", typed)
            return int(hours[1]) / 24 if hours else _amount(name, typed, "d", "4d, 12h")
        case _:
            return typed


def change(desk: Desk, actor: Actor, changes: Mapping[str, Any]) -> Done:
    """Set values by the names of `TEAM_SETTINGS` as one action, which can be undone."""
    targets = {name: value for name, value in changes.items() if name in BY_NAME and BY_NAME[name].kind == "span"}
    plain: dict[str, Any] = {name: value for name, value in changes.items() if name not in targets}
    if targets:
        policy = Policy.from_json(read_settings(desk.read).policy)
        plain["policy"] = Policy(**{**{name: getattr(policy, name) for name in _TARGETS}, **targets}).to_json()
    action_id = update_settings(desk, actor, plain)
    if action_id is None:
        return Done(new_action_id(), (), _("The settings were so already"), undoable=False)
    said = ngettext("Changed the setting {names}", "Changed the settings {names}", len(changes))
    return Done(action_id, (), said.format(names=", ".join(_(BY_NAME[name].title) for name in changes)))


def write_span(span: Span | None) -> str:
    """`1d` in open days, `8h` or `90m` in opening time, `off`: a day's letter and `off` in the agent's language."""
    if span is None:
        return _("off")
    if isinstance(span, Days):
        return _write_days(span.days)
    hours, minutes = divmod(span.seconds // 60, 60)
    return f"{hours}h{f'{minutes}m' if minutes else ''}" if hours else f"{minutes}m"


def read_span(text: str) -> Span | None:
    """What `write_span` wrote, in the agent's language or in English."""
    if text.casefold() in ("off", _("off")):
        return None
    if found := re.fullmatch(rf"(\d+)\s*{_unit('d')}", text):
        return Days(int(found[1]))
    found = re.fullmatch(r"(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?", text)
    if found is None or not any(found.groups()):
        raise UsageError(_("{text} is no target").format(text=repr(text)), hint=_("1d (open days), 8h, 90m or off"))
    return OpeningTime(int(found[1] or 0) * 3600 + int(found[2] or 0) * 60)


_TARGETS: Final = tuple(setting.name for setting in TEAM_SETTINGS if setting.kind == "span")


def _amount(name: str, text: str, unit: str, example: str) -> float:
    found = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*{_unit(unit)}?", text)
    if found is None or ("." in found[1] and BY_NAME[name].kind != "days"):
        raise UsageError(_("{value} is no choice for {name}").format(value=text, name=name), hint=example)
    return float(found[1])


def _write_days(days: float) -> str:
    return _("{days}d").format(days=f"{days:g}")


def _unit(unit: str) -> str:
    """The letters for a unit, as a pattern: that of a day is another one in other languages."""
    return f"(?:{unit}|{re.escape(_('{days}d').format(days=''))})" if unit == "d" else unit
