"""Lines of text under construction: blanks collapsed, prefixes for quotes and lists, margins between paragraphs,
and tables.
"""

from __future__ import annotations

from unicodedata import east_asian_width

_TABLE_WIDTH = 110
_CELL_WIDTH = 48
_ROW_WIDTH = 100


class TextBuilder:
    """Collects lines. A prefix is put before each line; its first form only before the first one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.marks: list[tuple[int, int]] = []  # half-open ranges of line numbers that are quoted
        self.written = 0
        self._current: list[str] = []
        self._space = False  # a blank is due before the next word
        self._margin = False
        self._firsts: list[str] = []
        self._others: list[str] = []
        self._cut = -1

    @property
    def line_number(self) -> int:
        return len(self.lines)

    def add(self, text: str) -> None:
        """Add running text whose blanks are already collapsed to single spaces."""
        if not text:
            return
        if not self._current:
            text = text.lstrip(" ")
            if not text:
                return
            self._space = False
        elif text[0] == " ":
            self._space = True
            text = text[1:]
        if not text:
            return
        if self._space:
            self._current.append(" ")
            self.written += 1
            self._space = False
        if text[-1] == " ":
            self._space = True
            text = text[:-1]
        if text:
            self._current.append(text)
            self.written += len(text)

    def add_verbatim(self, text: str) -> None:
        if text:
            self._current.append(text)
            self.written += len(text)

    def add_after(self, text: str) -> None:
        """Add a mark to what was written last, even where a line end is already behind it."""
        if not self._current and self.lines and not self._margin:
            self.lines[-1] += text
        else:
            self._current.append(text if self._current else text.lstrip())
            self.written += len(text)

    def recent(self, length: int) -> str:
        """About the last `length` characters written, at most 400."""
        wanted = min(length, 400)
        pieces: list[str] = []
        found = 0
        for piece in reversed(self._current):
            if found >= wanted:
                break
            pieces.append(piece)
            found += len(piece)
        text = "".join(reversed(pieces))
        if found < wanted and self.lines:
            text = " ".join([*self.lines[-3:], text])
        return text[-wanted:] if wanted else ""

    def new_line(self) -> None:
        """End the line if anything is on it."""
        if self._current:
            self._flush("".join(self._current).rstrip())

    def line_break(self) -> None:
        """End the line, also an empty one."""
        self._flush("".join(self._current).rstrip())

    def paragraph(self) -> None:
        """End the line and ask for an empty one before the next."""
        self.new_line()
        self._margin = bool(self.lines)

    def push_prefix(self, first: str, other: str) -> None:
        self.new_line()
        if self._margin:
            self._blank()
        self._firsts.append(first)
        self._others.append(other)

    def pop_prefix(self) -> None:
        self.new_line()
        if self._firsts:
            self._firsts.pop()
            self._others.pop()

    def mark(self, first: int) -> None:
        """What was written from line `first` on is quoted."""
        self.new_line()
        if first < len(self.lines):
            self.marks.append((first, len(self.lines)))

    def mark_to_end(self) -> None:
        """Everything from here on is quoted."""
        if self._cut < 0:
            self._cut = len(self.lines)

    def append(self, other: TextBuilder) -> None:
        """Take over another builder's finished lines, under our own prefix."""
        other.new_line()
        self.new_line()
        base = len(self.lines)
        for line in other.lines:
            self._flush(line)
        shift = len(self.lines) - len(other.lines)
        self.marks.extend((start + shift, end + shift) for start, end in other.marks if base <= start + shift)

    def finish(self) -> tuple[str, list[tuple[int, int]]]:
        """The text without margins at its ends, and the quoted ranges of characters in it."""
        self.new_line()
        if self._cut >= 0:
            self.marks.append((self._cut, len(self.lines)))
        lines = self.lines
        first, last = 0, len(lines)
        while first < last and not lines[first].strip():
            first += 1
        while last > first and not lines[last - 1].strip():
            last -= 1
        kept: list[str] = []
        new_number = [0] * (len(lines) + 1)
        for number in range(first, last):
            new_number[number] = len(kept)
            # Never more than two empty lines: layout tables are full of them.
            if lines[number].strip() or len(kept) < 2 or kept[-1] or kept[-2]:
                kept.append(lines[number] if lines[number].strip() else "")
        for number in range(last, len(lines) + 1):
            new_number[number] = len(kept)
        starts = [0]
        for line in kept:
            starts.append(starts[-1] + len(line) + 1)
        text = "\n".join(kept)
        ranges = [(starts[new_number[start]], min(starts[new_number[end]], len(text))) for start, end in self.marks]
        return text, [(start, end) for start, end in ranges if start < end]

    def _blank(self) -> None:
        prefix = "".join(self._others).rstrip()
        if self.lines and self.lines[-1].strip(" >"):
            self.lines.append(prefix)
        self._margin = False

    def _flush(self, text: str) -> None:
        self._current.clear()
        self._space = False
        if not text.strip():
            if self.lines and self._others:
                self.lines.append("".join(self._others).rstrip())
            elif self.lines:
                self.lines.append("")
            return
        if self._margin:
            self._blank()
        if self._firsts:
            text = "".join(self._firsts) + text
            self._firsts = self._others[:]
        self.lines.append(text)


def lay_out_table(rows: list[list[TextBuilder]], out: TextBuilder) -> None:
    """Write a table: aligned columns where it holds data, else cell after cell (mail is full of tables that are
    layout).
    """
    filled: list[list[TextBuilder]] = []
    for row in rows:
        for cell in row:
            cell.new_line()
        if any(line.strip() for cell in row for line in cell.lines):
            filled.append(row)
    if _is_data(filled):
        _write_columns([[_one(cell) for cell in row] for row in filled], out)
        return
    for row in filled:
        cells = [cell for cell in row if any(line.strip() for line in cell.lines)]
        single = [_one(cell) for cell in cells]
        if (
            len(cells) > 1
            and all(text is not None for text in single)
            and sum(len(text or "") + 2 for text in single) <= _ROW_WIDTH
        ):
            out.new_line()
            out.add_verbatim("  ".join(text or "" for text in single))
            out.new_line()
        else:
            for cell in cells:
                out.append(cell)


def _one(cell: TextBuilder) -> str | None:
    """The only line of a cell, "" for an empty one, None where it has several."""
    lines = [line.strip() for line in cell.lines if line.strip()]
    return "" if not lines else lines[0] if len(lines) == 1 else None


def _is_data(rows: list[list[TextBuilder]]) -> bool:
    widths = {len(row) for row in rows}
    if len(rows) < 2 or len(widths) != 1 or max(widths) < 2 or max(widths) > 20:
        return False
    texts = [[_one(cell) for cell in row] for row in rows]
    if any(text is None or len(text) > _CELL_WIDTH for row in texts for text in row):
        return False
    if sum(1 for row in texts if sum(1 for text in row if text) >= 2) < 2:
        return False
    return sum(max(_width(row[column] or "") for row in texts) + 2 for column in range(max(widths))) <= _TABLE_WIDTH


def _write_columns(rows: list[list[str | None]], out: TextBuilder) -> None:
    columns = [column for column in range(len(rows[0])) if any(row[column] for row in rows)]
    widths = {column: max(_width(row[column] or "") for row in rows) for column in columns}
    out.new_line()
    for row in rows:
        out.add_verbatim(
            "  ".join(
                (row[column] or "") + " " * (widths[column] - _width(row[column] or "")) for column in columns
            ).rstrip()
        )
        out.new_line()


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
