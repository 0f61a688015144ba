"""What a list shows: its columns, a row's cells in them, and how many cells of the screen each column gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supportdesk.safetext import SafeText


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list. `flex` shares what is left over; the highest `drop` goes first when the line is short.

    `grows`: nothing in it is ever cut; it is as wide as the widest cell that was shown.
    """

    key: str
    title: SafeText
    width: int
    flex: int = 0
    drop: int = 0
    align_right: bool = False
    tone: str = ""
    grows: bool = False


@dataclass(frozen=True, slots=True)
class ListRow:
    """One hydrated row: a cell for each column's key. `tones` colour single cells, `tone` the whole row:
    muted, good, warning, error, strong."""

    id: int
    cells: Mapping[str, SafeText]
    tones: Mapping[str, str] | None = None
    tone: str = ""


def grown(columns: Sequence[Column], row: ListRow) -> tuple[Column, ...]:
    """The columns with room for the row's cells in those that grow."""
    return tuple(
        replace(column, width=max(column.width, cell_len(row.cells.get(column.key, "")))) if column.grows else column
        for column in columns
    )


def share_width(columns: Sequence[Column], width: int) -> tuple[tuple[Column, int], ...]:
    """Leave out columns, highest `drop` first, until the rest fits two cells apart; `flex` shares the surplus."""
    kept = list(columns)
    while len(kept) > 1 and sum(column.width + 2 for column in kept) - 2 > width:
        worst = max(kept, key=lambda column: column.drop)
        if worst.drop == 0:
            break
        kept.remove(worst)
    surplus = max(0, width - sum(column.width + 2 for column in kept) + 2)
    weights = sum(column.flex for column in kept)
    shared: list[tuple[Column, int]] = []
    for column in kept:
        extra = surplus * column.flex // weights if weights else 0
        surplus -= extra
        weights -= column.flex
        shared.append((column, column.width + extra))
    return tuple(shared)
