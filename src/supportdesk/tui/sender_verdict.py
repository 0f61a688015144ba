"""The question what mail of a sender becomes, wherever one stands under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportdesk.desk.labels import CHOICES, word
from supportdesk.desk.model import SENDER_VERDICTS
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.tui.screens.base import DeskScreen


def ask_verdict(screen: DeskScreen[Any], address: str, then: Callable[[str], None]) -> None:
    """Choose what mail of that address becomes from now on; esc leaves it as it is."""

    def chosen(verdict: str | None) -> None:
        if verdict is not None:
            then(verdict)

    entries = [PickerEntry(verdict, safe(word(CHOICES, verdict))) for verdict in SENDER_VERDICTS]
    title = _("What does mail of {address} become?").format(address=address)
    screen.put_question(ChooseScreen(title, entries, glyphs=screen.console.glyphs), chosen)
