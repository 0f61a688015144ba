"""Help and palette, made from what is bound and registered: nothing is listed that does not work here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.actions import BY_ID
from supportdesk.desk.labels import VIEW, word
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.keymap import shown_keys
from supportdesk.tui.present_queue import TABS
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.tui.default_keys import Binding
    from supportdesk.tui.glyphs import Glyphs
    from supportdesk.tui.screens.base import DeskScreen

KEY_CELLS = 16
VIEW_ACTION = "view_"
NOT_CHOSEN = frozenset({"up", "down", "half_page_up", "half_page_down", "first", "last", "palette", "open", "back"})


def help_text(bindings: Sequence[Binding], glyphs: Glyphs, views: Sequence[str] = ()) -> str:
    """Each action with its keys, in the order of the key table; what the registry says about it beside it.

    `views` are the names of the views of the number keys.
    """
    rows: list[tuple[str, str]] = []
    for action, (keys, label) in _by_action(bindings).items():
        title = label
        if action.startswith(VIEW_ACTION):
            names = views or [word(VIEW, view) for view in TABS]
            title = f"{label} {glyphs.separator} {safe(names[int(action.removeprefix(VIEW_ACTION)) - 1])}"
        if (spec := BY_ID.get(action)) is not None and spec.help:
            title = f"{label} {glyphs.separator} {_(spec.help)}"
        rows.append((", ".join(keys), title))
    return keys_text(rows)


def keys_text(rows: Sequence[tuple[str, str]]) -> str:
    """A line for each: the keys, and what they do."""
    return "\n".join(f"{keys:<{KEY_CELLS}} {title}" for keys, title in rows)


def palette_entries(screen: DeskScreen[object]) -> list[PickerEntry]:
    """Everything that can be done here, with its key: the bound actions first, then the rest of the registry."""
    entries: dict[str, PickerEntry] = {}
    for action, (keys, label) in _by_action(screen.bound()).items():
        if action in NOT_CHOSEN or action.startswith(VIEW_ACTION):
            continue
        spec = BY_ID.get(action)
        title = spec.localized_title() if spec is not None else label[:1].upper() + label[1:]
        entries[action] = PickerEntry(action, safe(title), safe(" ".join(keys[:1])), search=f"{action} {label}")
    for action, spec in BY_ID.items():
        if action not in entries and screen.can(action):
            entries[action] = PickerEntry(action, safe(spec.localized_title()), safe(""), search=action)
    return list(entries.values())


def _by_action(bindings: Sequence[Binding]) -> dict[str, tuple[list[str], str]]:
    found: dict[str, tuple[list[str], str]] = {}
    for binding in bindings:
        found.setdefault(binding.action, ([], _(binding.label)))[0].append(shown_keys(binding.keys))
    return found
