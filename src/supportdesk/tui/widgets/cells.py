"""Text measured in terminal cells: clipping, padding, wrapping. East Asian letters take two, marks none."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


def clip(text: str, cells: int, ellipsis: str = "…") -> str:
    """`text` in at most `cells` cells; what is cut shows as an ellipsis."""
    if cells <= 0:
        return ""
    if (len(text) <= cells and text.isascii()) or cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + ellipsis


def fit(text: str, cells: int, *, align_right: bool = False, ellipsis: str = "…") -> str:
    """`text` in exactly `cells` cells: clipped or padded."""
    clipped = clip(text, cells, ellipsis)
    padding = " " * (cells - (len(clipped) if clipped.isascii() else cell_len(clipped)))
    return padding + clipped if align_right else clipped + padding


def wrap(text: str, cells: int) -> list[str]:
    """Lines of `text` (which may hold newlines), each at most `cells` cells, broken at spaces where there are any."""
    cells = max(cells, 2)
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= cells and (line.isascii() or cell_len(line) <= cells):
            lines.append(line)
        else:
            _wrap_line(line, cells, lines)
    return lines


def _wrap_line(line: str, cells: int, lines: list[str]) -> None:
    start = 0
    while start < len(line):
        end = _reach(line, start, cells)
        if end < len(line):
            space = line.rfind(" ", start, end + 1)
            if space > start:
                lines.append(line[start:space])
                start = space + 1
                continue
        lines.append(line[start:end])
        start = end


def _reach(line: str, start: int, cells: int) -> int:
    """The index after the last character that fits into `cells` from `start`; marks stay with their letter."""
    candidate = line[start : start + cells]
    if candidate.isascii():
        return start + len(candidate)
    used = 0
    at = start
    while at < len(line):
        used += get_character_cell_size(line[at])
        if used > cells:
            break
        at += 1
    return max(at, start + 1)


class Piece(NamedTuple):
    """A run of one style within a line."""

    text: str
    style: Style


def line_of(pieces: list[Piece], width: int, rest: Style) -> Strip:
    """A strip of exactly `width` cells; neighbours of one style become one segment, which saves bytes."""
    segments: list[Segment] = []
    used = 0
    for text, style in pieces:
        if used >= width or not text:
            continue
        length = len(text) if text.isascii() else cell_len(text)
        if used + length > width:
            text = set_cell_size(text, width - used)
            length = width - used
        used += length
        _append(segments, text, style)
    if used < width:
        _append(segments, " " * (width - used), rest)
    return Strip(segments, width)


def _append(segments: list[Segment], text: str, style: Style) -> None:
    if segments and segments[-1].style == style:
        segments[-1] = Segment(segments[-1].text + text, style)
    else:
        segments.append(Segment(text, style))
