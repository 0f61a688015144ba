"""Which lines of a widget are painted, for tests that nothing is painted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.strip import Strip
    from textual.widget import Widget


def record_painting(widget: Widget) -> list[int]:
    """From now on every `render_line` of the widget is noted in the list that is returned."""
    painted: list[int] = []
    render = widget.render_line

    def render_and_note(y: int) -> Strip:
        painted.append(y)
        return render(y)

    widget.render_line = render_and_note  # type: ignore[method-assign]
    return painted
