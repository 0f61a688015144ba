"""The files and folders that a path goes on with, as it is typed."""

from __future__ import annotations

import os
from pathlib import Path

from supportdesk.safetext import safe
from supportdesk.tui.present_thread import size
from supportdesk.tui.widgets.prompt import Completion

MOST_READ = 2_000
"""Entries of a folder that are looked at."""


def complete_path(text: str) -> list[Completion]:
    """Names in the folder that begin like the last piece, folders first; hidden ones only when a dot was typed."""
    folder, slash, begun = text.rpartition("/")
    try:
        where = Path(f"{folder}{slash}" or ".").expanduser()
    except RuntimeError:  # the home of nobody: ~stranger/
        return []
    found: list[tuple[bool, str, str]] = []
    try:
        with os.scandir(where) as entries:
            for _number, entry in zip(range(MOST_READ), entries, strict=False):
                hidden = entry.name.startswith(".") and not begun.startswith(".")
                if hidden or not entry.name.casefold().startswith(begun.casefold()):
                    continue
                is_folder = entry.is_dir()
                found.append((not is_folder, entry.name, "" if is_folder else size(entry.stat().st_size)))
    except OSError:  # no such folder, or one that may not be read: there is nothing to offer
        return []
    offered = []
    for is_file, name, octets in sorted(found):
        shown = name if is_file else f"{name}/"
        if safe(name) == name:  # what the terminal would not show as it is cannot be put into the line
            offered.append(Completion(safe(f"{folder}{slash}{shown}"), safe(octets), safe(shown)))
    return offered
