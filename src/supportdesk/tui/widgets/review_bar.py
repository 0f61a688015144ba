"""What is looked at before a reply leaves: from, to, what stops it, what deserves a second key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.strip import Strip
from textual.widget import Widget

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.glyphs import UNICODE, Glyphs
from supportdesk.tui.keymap import shown_keys
from supportdesk.tui.widgets.cells import Piece, line_of, wrap

if TYPE_CHECKING:
    from supportdesk.desk.results import Review

LINES_AT_MOST = 9


class ReviewBar(Widget, can_focus=True):
    """Shown above the hints while the reply is reviewed; takes the focus, so that letters are keys."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"review--error", "review--warning", "review--good", "review--muted"}
    DEFAULT_CSS = """
    ReviewBar { height: auto; width: 1fr; background: $panel; color: $foreground; }
    ReviewBar > .review--error { color: $error; text-style: bold; }
    ReviewBar > .review--warning { color: $warning; }
    ReviewBar > .review--good { color: $success; }
    ReviewBar > .review--muted { color: $secondary; }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._glyphs = glyphs
        self._said: list[tuple[str, str]] = []
        self._verdict = ("", "")  # the last line: it stands whatever is scrolled away
        self._top = 0

    def show_reading(self) -> None:
        """The review has begun; what it says is not known yet."""
        self._put([], ("muted", _("Looking at the mail…")))

    def show(self, review: Review, *, ask_again: bool = False, say_how: bool = False) -> None:
        """Show a dry run; `ask_again` says that the key must be pressed once more because of the warnings."""
        glyphs = self._glyphs
        to = ", ".join(str(address) for address in review.recipients)
        said = [("", f"{safe(review.from_address)} {glyphs.outgoing} {safe(to)}"), ("", safe(review.subject))]
        said += [("error", f"{glyphs.failed} {safe(error)}") for error in review.errors]
        said += [("warning", f"{glyphs.overdue} {safe(warning.text)}") for warning in review.warnings]
        if review.errors:
            verdict = ("muted", _("This must be mended first: esc goes back to the text."))
        elif ask_again:
            verdict = ("warning", _("Press the same key once more to send it all the same."))
        elif say_how:
            verdict = ("good", f"{glyphs.sent} " + _("y sends it; esc goes back to the text."))
        else:
            verdict = ("good", f"{glyphs.sent} " + _("ready to send")) if not review.warnings else ("", "")
        self._put(said, verdict)

    def scroll_lines(self, step: int) -> None:
        """Show what did not fit."""
        most = max(0, len(self._lines(self.size.width)) - self._room(self.size.width))
        top = max(0, min(self._top + step, most))
        if top != self._top:
            self._top = top
            self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return min(len(self._lines(width)) + len(self._foot(width)), LINES_AT_MOST)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        room = self._room(width)
        lines = [*self._lines(width)[self._top :][:room], *self._foot(width)]
        if y >= len(lines):
            return Strip.blank(width, plain)
        tone, text = lines[y]
        style = plain + self.get_component_rich_style(f"review--{tone}", partial=True) if tone else plain
        return line_of([Piece(f" {text}", style)], width, plain)

    def _put(self, said: list[tuple[str, str]], verdict: tuple[str, str]) -> None:
        if said != self._said:
            self._top = 0
        self._said, self._verdict = said, verdict
        self.refresh(layout=True)

    def _lines(self, width: int) -> list[tuple[str, str]]:
        return [(tone, line) for tone, text in self._said for line in wrap(text, width - 2)]

    def _room(self, width: int) -> int:
        """Lines for what is said above the foot."""
        return LINES_AT_MOST - len(self._foot(width))

    def _foot(self, width: int) -> list[tuple[str, str]]:
        """How much there is besides what is seen, and what it comes to."""
        foot = [(self._verdict[0], line) for line in wrap(self._verdict[1], width - 2)] if self._verdict[1] else []
        lines, room = len(self._lines(width)), LINES_AT_MOST - len(foot)
        if lines <= room:
            return foot
        last = min(self._top + room - 1, lines)
        place = _("lines {first}–{last} of {count} · {up} {down} show the others").format(
            first=self._top + 1, last=last, count=lines, up=shown_keys("up"), down=shown_keys("down")
        )
        return [("muted", place), *foot]
