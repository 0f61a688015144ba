"""`^o` in a reply: choose lines of what the customer wrote, and answer below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from supportdesk.desk.model import ThreadEntry
    from supportdesk.tui.screens.compose import ComposeScreen


def paragraphs_of(entry: ThreadEntry) -> list[str]:
    """What the writer wrote anew, paragraph by paragraph: without folded quotes and signatures."""
    pieces, at = [], 0
    for start, end, _kind in sorted(entry.folds):
        pieces.append(entry.text[at:start])
        at = max(at, end)
    pieces.append(entry.text[at:])
    text = "".join(pieces).replace("\r\n", "\n")
    return [paragraph.strip("\n") for paragraph in text.split("\n\n") if paragraph.strip()]


def quoted(text: str) -> str:
    """The text as a quotation, with an empty line for the answer below it."""
    return "".join(f"> {line}".rstrip() + "\n" for line in text.split("\n")) + "\n"


def pick_quote(screen: ComposeScreen) -> None:
    """Offer the paragraphs of the conversation, those of the answered message first; the chosen one is quoted."""
    answered = screen.answered_entry()
    incoming = [entry for entry in screen.bundle.entries if entry.direction == "in"]
    incoming.reverse()
    ordered = sorted(incoming, key=lambda entry: entry is not answered)
    found = [(entry, paragraph) for entry in ordered for paragraph in paragraphs_of(entry)]
    if not found:
        screen.tell(_("There is nothing to quote."), severity="warning")
        return

    def chosen(at: str | None) -> None:
        if at is not None:
            screen.insert_quote(quoted(found[int(at)][1]))
        else:
            screen.body.focus()

    entries = [
        PickerEntry(str(at), safe(" ".join(paragraph.split())), safe(entry.author_name))
        for at, (entry, paragraph) in enumerate(found)
    ]
    glyphs = screen.console.glyphs
    dialog = ChooseScreen(
        _("Quote which part?"),
        entries,
        glyphs=glyphs,
        preview=lambda entry: safe(found[int(entry.id)][1], multiline=True),
        large=True,
    )
    screen.put_question(dialog, chosen)
