"""How one item of a thread becomes lines: pure values, no widget. `thread.ThreadView` shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from supportdesk.l10n.catalog import _, ngettext
from supportdesk.mail.model import Fold
from supportdesk.safetext import BODY_LIMIT, SafeText, safe
from supportdesk.tui.widgets.cells import clip, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from supportdesk.tui.glyphs import Glyphs

MARGIN = "  "
NOTE_MARGIN = "│ "
GAP = "  "
LEAST_HEADING = 16
"""Cells that the sender keeps in a heading before its badges stand below."""


class ItemKind(StrEnum):
    """What an item is; each kind has its own glyph, word and style."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    OUTBOX = "outbox"
    NOTE = "note"
    MACHINE = "machine"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Badge:
    """A word beside the heading ("sender verified"), with a tone: good, warning, error, muted."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """One item, all strings verbatim as stored; `folds` are offsets into `text`.

    `heading` is who, `meta` when, `copies` who else got it (`Cc`, the addresses), `state` what became of it ("waiting
    8 s", "delivered"), `state_tone` its colour, `attachments` one line each. `collapsed` shows nothing but the heading
    until it is opened.
    """

    kind: ItemKind
    id: str
    heading: str
    meta: str = ""
    text: str = ""
    folds: tuple[Fold, ...] = ()
    attachments: tuple[str, ...] = ()
    state: str = ""
    state_tone: str = ""
    badges: tuple[Badge, ...] = ()
    collapsed: bool = False
    copies: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A run of the body that is shown or folded as a whole. `kind`: text, quote, signature, collapsed, rest."""

    kind: str
    text: SafeText
    lines: int


class Line(NamedTuple):
    """One line of the screen: heading (with `right`), badges, copies, text, fold, attachment, state or gap."""

    role: str
    text: str
    tone: str = ""
    right: str = ""
    badges: tuple[Badge, ...] = ()

    @property
    def searchable(self) -> bool:
        return self.role in ("text", "attachment")


def sections_of(item: ThreadItem) -> tuple[Section, ...]:
    """The body cut at its folds, each piece safe; what lies beyond 200,000 characters is a fold too."""
    if item.kind is ItemKind.EVENT or not item.text:
        return ()
    if item.collapsed:
        return (_section("collapsed", item.text),)
    sections: list[Section] = []
    at = 0
    folds = sorted(item.folds, key=lambda fold: fold.start)
    if len(item.text) > BODY_LIMIT:
        folds = [fold if fold.end <= BODY_LIMIT else replace(fold, end=BODY_LIMIT) for fold in folds]
        folds = [fold for fold in folds if fold.start < fold.end]
        folds.append(Fold(BODY_LIMIT, len(item.text), "rest"))
    for fold in folds:
        start, end = max(fold.start, at), min(fold.end, len(item.text))
        if end <= start:
            continue
        if item.text[at:start].strip():
            sections.append(_section("text", item.text[at:start]))
        sections.append(_section(fold.kind, item.text[start:end]))
        at = end
    if item.text[at:].strip():
        sections.append(_section("text", item.text[at:]))
    return tuple(sections)


def lay_out(
    item: ThreadItem, sections: tuple[Section, ...], opened: AbstractSet[int], width: int, glyphs: Glyphs
) -> tuple[Line, ...]:
    """The lines of an item at `width` cells, the last one a gap."""
    if item.kind is ItemKind.EVENT:
        return (Line("heading", f"{glyphs.event} {safe(item.heading)}", "muted", safe(item.meta)),)
    lines = list(_headed(_heading(item, glyphs), width, glyphs))
    if not item.collapsed:
        lines += [_copies(field, people, width, glyphs) for field, people in item.copies]
    tone = "note" if item.kind is ItemKind.NOTE else ""
    margin = NOTE_MARGIN if item.kind is ItemKind.NOTE and glyphs.bar == "│" else MARGIN
    room = width - len(margin)
    for number, section in enumerate(sections):
        if section.kind == "text":
            lines += [Line("text", margin + line, tone) for line in wrap(section.text, room)]
            continue
        is_open = number in opened
        glyph = glyphs.open_fold if is_open else glyphs.closed_fold
        lines.append(Line("fold", clip(f"{margin}{glyph} {fold_label(section)}", width, glyphs.ellipsis), "muted"))
        if is_open:
            lines += [Line("text", margin + line, "muted") for line in wrap(section.text, room)]
    lines += [
        Line("attachment", clip(f"{margin}{glyphs.attachment} {safe(name)}", width, glyphs.ellipsis), "strong")
        for name in item.attachments
    ]
    if item.state:
        state = f"{margin}{_state_glyph(item.state_tone, glyphs)} {safe(item.state)}"
        lines.append(Line("state", clip(state, width, glyphs.ellipsis), item.state_tone or "muted"))
    return (*lines, Line("gap", ""))


def fold_label(section: Section) -> str:
    """What a closed fold says about what is in it."""
    match section.kind:
        case "quote":
            label = ngettext("{count} quoted line", "{count} quoted lines", section.lines)
        case "signature":
            label = ngettext("signature, {count} line", "signature, {count} lines", section.lines)
        case "rest":
            label = ngettext("{count} more line", "{count} more lines", section.lines)
        case _:
            label = ngettext("{count} line", "{count} lines", section.lines)
    return label.format(count=section.lines)


def _section(kind: str, text: str) -> Section:
    shown = SafeText(safe(text, multiline=True).strip("\n"))
    return Section(kind, shown, shown.count("\n") + 1)


def _heading(item: ThreadItem, glyphs: Glyphs) -> Line:
    match item.kind:
        case ItemKind.INCOMING:
            glyph, word, tone = glyphs.incoming, "", ""
        case ItemKind.OUTGOING:
            glyph, word, tone = glyphs.outgoing, "", ""
        case ItemKind.OUTBOX:
            glyph, word, tone = glyphs.outgoing, _("outbox"), ""
        case ItemKind.NOTE:
            glyph, word, tone = glyphs.note, _("internal note"), "note"
        case _:
            glyph, word, tone = glyphs.machine, _("automatic mail"), "muted"
    named = f"{glyph} {word} {glyphs.separator} " if word else f"{glyph} "
    badges = tuple(Badge(safe(badge.text), badge.tone) for badge in item.badges)
    return Line("heading", named + safe(item.heading), tone, safe(item.meta), badges)


def _headed(heading: Line, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """The heading, with its badges below where they leave the sender no room: a warning never gives way to a name."""
    needed = sum(cell_len(GAP) + cell_len(badge.text) for badge in heading.badges)
    right = cell_len(GAP + heading.right) if heading.right else 0
    if width - 1 - right - needed >= LEAST_HEADING or not heading.badges:
        yield heading
        return
    yield heading._replace(badges=())
    row: list[Badge] = []
    free = room = width - len(MARGIN)
    for badge in heading.badges:
        shown = replace(badge, text=clip(badge.text, room, glyphs.ellipsis))
        if row and cell_len(GAP + shown.text) > free:
            yield Line("badges", MARGIN, badges=tuple(row))
            row, free = [], room
        free -= cell_len(GAP + shown.text if row else shown.text)
        row.append(shown)
    yield Line("badges", MARGIN, badges=tuple(row))


def _copies(field: str, people: tuple[str, ...], width: int, glyphs: Glyphs) -> Line:
    """As many addresses as have room on one line, and how many more there are."""
    shown, tail = [safe(one) for one in people], ""
    room = width - cell_len(MARGIN)
    while cell_len(text := f"{field} {', '.join(shown)}{tail}") > room and len(shown) > 1:
        shown = shown[: min(len(shown) - 1, room)]
        left = len(people) - len(shown)
        tail = " " + ngettext("and {count} more", "and {count} more", left).format(count=left)
    if cell_len(text) > room:
        text = clip(f"{field} {shown[0]}", room - cell_len(tail), glyphs.ellipsis) + tail
    return Line("copies", MARGIN + text, "muted")


def _state_glyph(tone: str, glyphs: Glyphs) -> str:
    return {"good": glyphs.sent, "error": glyphs.failed, "warning": glyphs.uncertain}.get(tone, glyphs.waiting)
