"""Which key does what where: the default keys and the agent's own in one table, and the machine that reads it.

Textual's own keymap is not used: it steals keys and ignores errors. Here a wrong keymap is refused whole, with every
mistake named by its line. No widget and no event here: the console feeds names of keys and gets action ids.

    # keymap.toml
    [list]
    "X" = "spam"
    "g x" = "go_parked"
    "z" = ""            # no longer bound
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from supportdesk.desk.actions import BY_ID
from supportdesk.errors import ConfigError
from supportdesk.l10n.catalog import N_, _
from supportdesk.tui.default_keys import BROWSE, DEFAULT_BINDINGS, EVERYWHERE, TEXT, Binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from supportdesk.config import Config

Sequence = tuple[str, ...]

KEY_WORDS: Final = {
    "enter": N_("enter"),
    "esc": N_("esc"),
    "space": N_("space"),
    "up": N_("up arrow"),
    "down": N_("down arrow"),
    "left": N_("left arrow"),
    "right": N_("right arrow"),
    "pageup": N_("page up"),
    "pagedown": N_("page down"),
    "home": N_("home"),
    "end": N_("end"),
}
"""What the keys with a name are called."""

TEXT_CONTEXTS: Final = frozenset(TEXT)
"""Places where letters are text."""

BROKEN_KEYS: Final = frozenset({"^h", "^i", "^j", "^m", "^[", "[", "^enter", "^space"})
"""What terminals cannot tell from backspace, tab, enter and escape, or never send."""

FRAGILE_KEYS: Final = frozenset({"esc", "[", *"OABCDFHPQRS"})
"""What an arrow or function key falls apart into on a slow line: `esc` `[` `B`."""

SHOWS_OR_ASKS: Final = frozenset(
    {"up", "down", "half_page_up", "half_page_down", "first", "last", "open", "fold", "find", "filter", "search"}
    | {"back", "leave", "edit", "next_ticket", "previous_ticket", "refresh", "help", "command", "palette"}
    | {"raw", "timeline", "history", "links", "attachments", "coverage", "edit_views", "save_view", "rename_view"}
    | {"reply", "note", "forward", "new", "canned", "quote", "attach", "detach", "review", "send_later"}
    | {"say_how_to_send", "edit_query", "edit_head", "remove", "next_variant", "previous_variant", "add_variant"}
    | {"day_before", "day_after", "month_before", "month_after", "today", "close_days", "open_days"}
    | {"edit_week", "edit_holidays", "edit_zone", "other_hours"}
)
"""Actions of the console that only move, show, ask or open something to write in. Whatever is not here acts at once."""


def acts_at_once(action: str) -> bool:
    """Whether an action changes something without asking: such a one is never on a fragile key.

    One of the desk asks for an argument that it needs, but for the message, which is the one under the cursor.
    """
    if action in SHOWS_OR_ASKS or action.startswith(("go_", "view_")):
        return False
    spec = BY_ID.get(action)
    return spec is None or not any(param.required and param.kind != "message" for param in spec.params)


@dataclass(frozen=True, slots=True)
class Match:
    """The keys so far are this action."""

    action: str


@dataclass(frozen=True, slots=True)
class Pending:
    """The keys so far begin several actions; `choices` are what can follow, for the hint strip."""

    keys: Sequence
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No action. `consumed`: the key ended or cancelled a prefix and must not be taken for text or anything else."""

    consumed: bool


class Keymap:
    """The compiled keys of every context. Immutable once made."""

    def __init__(self, bindings: Iterable[Binding]) -> None:
        self._actions: dict[str, dict[Sequence, Binding]] = defaultdict(dict)
        for binding in bindings:
            for context in binding.contexts:
                self._actions[context][parse_keys(binding.keys)] = binding

    def action(self, context: str, keys: Sequence) -> str | None:
        """The action of exactly these keys."""
        binding = self._actions[context].get(keys)
        return binding.action if binding is not None else None

    def continuations(self, context: str, keys: Sequence) -> tuple[tuple[str, str], ...]:
        """(next key, label) of every longer sequence that begins so."""
        size = len(keys)
        return tuple(
            (shown_keys(sequence[size]), _(binding.label))
            for sequence, binding in self._actions[context].items()
            if len(sequence) > size and sequence[:size] == keys
        )

    def keys_for(self, context: str, action: str) -> tuple[str, ...]:
        """The sequences of an action, as they are shown: `("u", "z")`."""
        return tuple(
            " ".join(sequence) for sequence, binding in self._actions[context].items() if binding.action == action
        )

    def bindings(self, context: str) -> tuple[Binding, ...]:
        """Everything that is bound in a context, in the order of the table: for the hint bar and help."""
        return tuple(self._actions[context].values())


class KeyMatcher:
    """Reads keys one by one. Pure: no clock, so the hint strip's delay is the caller's."""

    def __init__(self, keymap: Keymap) -> None:
        self._keymap = keymap
        self._context = ""
        self._keys: Sequence = ()

    @property
    def pending(self) -> Sequence:
        """The prefix that waits for its next key."""
        return self._keys

    def feed(self, context: str, key: str) -> Match | Pending | NoMatch:
        """The next key, named as by `key_name`. Another context forgets the prefix."""
        if context != self._context:
            self._context, self._keys = context, ()
        waited = bool(self._keys)
        if waited and key == "esc":
            self.cancel()
            return NoMatch(consumed=True)
        keys = (*self._keys, key)
        if (action := self._keymap.action(context, keys)) is not None:
            self.cancel()
            return Match(action)
        if choices := self._keymap.continuations(context, keys):
            self._keys = keys
            return Pending(keys, choices)
        self.cancel()
        return NoMatch(consumed=waited)

    def cancel(self) -> None:
        """Forget a prefix."""
        self._keys = ()


def key_name(key: str, character: str | None) -> str:
    """The name of a key event: the character it types, else `^d`, `esc`, `enter`, `pagedown`, `f1` …"""
    if character is not None and len(character) == 1 and character.isprintable() and character != " ":
        return character
    return _canonical(key)


def parse_keys(text: str) -> Sequence:
    """`"g m"` → `("g", "m")`; `ctrl+d`, `C-d` and `^d` are one key."""
    return tuple(_canonical(key) for key in text.split())


def shown_keys(keys: str) -> str:
    """A sequence as the agent reads it: `invio`, `g m`, `^d`."""
    return " ".join(_(KEY_WORDS[key]) if key in KEY_WORDS else key for key in keys.split())


def read_keymap(config: Config) -> Keymap:
    """The default keys with the agent's own file over them."""
    from pathlib import Path

    if not config.keymap:
        return compile_keymap()
    path = Path(config.keymap).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(_("{path} cannot be read: {why}").format(path=path, why=why)) from None
    return compile_keymap(text, file=str(path))


def compile_keymap(text: str = "", *, file: str = "keymap.toml") -> Keymap:
    """The default keys with those of a TOML text over them.

    Raises ConfigError that lists every mistake with its line: unknown places and ids, keys no terminal sends, clashes,
    prefixes that hide others, quit or help lost.
    """
    try:
        wanted = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
    table = {
        (context, parse_keys(binding.keys)): binding for binding in DEFAULT_BINDINGS for context in binding.contexts
    }
    labels = {binding.action: binding.label for binding in DEFAULT_BINDINGS}
    ids = frozenset({*labels, *BY_ID})
    problems: list[str] = []
    own: dict[tuple[str, Sequence], int] = {}
    for place, keys, action in _entries(wanted, text, file, problems):
        line = _line_of(text, place, keys)
        where = f"{file}:{line}: [{place}] {keys}"
        sequence = parse_keys(keys)
        problem = _problem_of(place, sequence, action, ids)
        if problem:
            problems.append(f"{where}: {problem}")
            continue
        for context in _contexts(place, sequence):
            if (context, sequence) in own:
                same = _("is the same key as in line {line}").format(line=own[context, sequence])
                problems.append(f"{where}: {same}")
                continue
            own[context, sequence] = line
            table.pop((context, sequence), None)
            if action:
                label = labels.get(action, action.replace("_", " "))
                table[context, sequence] = Binding(" ".join(sequence), action, label, (context,))
    problems += _prefix_conflicts(table, own, file)
    problems += _lost_ways_out(table, file)
    if problems:
        raise ConfigError("\n".join(problems), hint=_("without the file the default keys apply"))
    return Keymap(
        Binding(binding.keys, binding.action, binding.label, (context,), binding.priority)
        for (context, _sequence), binding in table.items()
    )


_NAMES = {
    "escape": "esc",
    "return": "enter",
    "page_down": "pagedown",
    "page_up": "pageup",
    "slash": "/",
    "question_mark": "?",
    "colon": ":",
}
_TOML_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*=""")
_TOML_TABLE = re.compile(r"\s*\[\s*([A-Za-z0-9_-]+)\s*\]")


def _canonical(key: str) -> str:
    lowered = key.lower()
    for prefix in ("ctrl+", "c-"):
        if lowered.startswith(prefix) and len(key) > len(prefix):
            return f"^{lowered.removeprefix(prefix)}"
    if len(key) == 2 and key[0] == "^":
        return lowered
    return _NAMES.get(lowered, key if len(key) == 1 else lowered)


def _entries(wanted: Mapping[str, object], text: str, file: str, problems: list[str]) -> Iterable[tuple[str, str, str]]:
    places = ("global", *EVERYWHERE)
    for place, entries in wanted.items():
        if place not in places or not isinstance(entries, dict):
            wrong = _("there is no place `{place}`").format(place=place) + _nearest(place, places)
            problems.append(f"{file}:{_line_of(text, '', place)}: {wrong}")
            continue
        for keys, action in entries.items():
            if isinstance(action, str):
                yield place, keys, action
            else:
                where = f"{file}:{_line_of(text, place, keys)}: [{place}] {keys}"
                problems.append(f"{where}: " + _("an action id in quotes belongs here"))


def _problem_of(place: str, sequence: Sequence, action: str, ids: frozenset[str]) -> str:
    if not sequence:
        return _("a key is missing")
    if action and action not in ids:
        return _("there is no action `{action}`").format(action=action) + _nearest(action, ids)
    broken = [key for key in sequence if key in BROKEN_KEYS]
    if broken:
        return _("no terminal sends `{key}` apart from another key").format(key=broken[0])
    if place in TEXT_CONTEXTS and len(sequence[0]) == 1:
        return _("letters are text here: begin with ^ or a function key")
    if action and len(sequence) == 1 and sequence[0] in FRAGILE_KEYS and acts_at_once(action):
        words = _("on a slow line an arrow key can arrive as `{key}`, and `{action}` acts at once")
        return words.format(key=sequence[0], action=action)
    return ""


def _contexts(place: str, sequence: Sequence) -> tuple[str, ...]:
    """`[global]` reaches the places where its key cannot be text."""
    if place != "global":
        return (place,)
    return BROWSE if len(sequence[0]) == 1 else EVERYWHERE


def _prefix_conflicts(
    table: Mapping[tuple[str, Sequence], Binding], own: Mapping[tuple[str, Sequence], int], file: str
) -> list[str]:
    problems: list[str] = []
    for context, sequence in table:
        for size in range(1, len(sequence)):
            shorter = (context, sequence[:size])
            if shorter not in table:
                continue
            line = own.get(shorter) or own.get((context, sequence), 0)
            words = _("`{short}` is an action and the beginning of `{long}`: unbind one of them")
            wrong = words.format(short=" ".join(shorter[1]), long=" ".join(sequence))
            problems.append(f"{file}:{line}: [{context}] {wrong}")
    return problems


def _lost_ways_out(table: Mapping[tuple[str, Sequence], Binding], file: str) -> list[str]:
    bound = {(context, binding.action) for (context, _sequence), binding in table.items()}
    return [
        f"{file}: [{context}] " + _("no key is left for `{action}`").format(action=action)
        for context in EVERYWHERE
        for action in ("quit", "help")
        if (context, action) not in bound
    ]


def _nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, sorted(known), n=1)
    return "; " + _("did you mean `{word}`?").format(word=close[0]) if close else ""


def _line_of(text: str, place: str, key: str) -> int:
    """The line where a key or, with no place, a table stands; TOML's reader does not tell."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if table := _TOML_TABLE.match(line):
            current = table.group(1)
            if not place and current == key:
                return number
        elif (entry := _TOML_KEY.match(line)) and (current == place or not place):
            quoted, literal, bare = entry.groups()
            written = bare or literal or (quoted or "").replace('\\"', '"').replace("\\\\", "\\")
            if written == key:
                return number
    return 1
