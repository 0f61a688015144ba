"""A console that notes which screen it has painted last: `python -m tests.tui.seen_console FILE`.

So whoever reads its bytes knows that they are those of that screen.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.config import load_config
from supportdesk.tui.app import Console, run_console

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen


def watch(noted: Path) -> None:
    paint = Console._display

    def display(self: Console, screen: Screen[object], renderable: RenderableType | None) -> None:
        paint(self, screen, renderable)
        noted.write_text(type(self.screen).__name__)

    Console._display = display  # type: ignore[method-assign]


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    sys.exit(run_console(load_config(), start_worker=False))
