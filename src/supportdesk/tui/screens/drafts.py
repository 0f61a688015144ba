"""The agent's drafts: replies that were begun and not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.desk.model import OutboxId
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui import ages
from supportdesk.tui.screens.base import READ, WRITE
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.widgets.virtual_list import Column, ListRow

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow
    from supportdesk.desk.results import Done


class DraftsScreen(RowsScreen):
    """Newest first; enter goes on writing."""

    CONTEXT: ClassVar[str] = "drafts"

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, OutboxRow] = {}

    def heading(self) -> str:
        return _("Your drafts")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("number", SafeText("#"), 5, align_right=True, tone="muted"),
            Column("written", safe(_("written")), 12, tone="muted"),
            Column("to", safe(_("to")), 18, flex=1, drop=1),
            Column("subject", safe(_("subject")), 20, flex=2, drop=2),
            Column("text", safe(_("text")), 20, flex=3),
        )

    def empty_text(self) -> str:
        return _("There is no draft of yours.")

    def read_rows(self) -> list[ListRow]:
        session = self.session
        found = session.desk.drafts(session.actor)
        self._known = {row.id: row for row in found}
        now = session.now()
        return [
            ListRow(
                row.id,
                {
                    "number": safe(str(row.ticket_id)),
                    "written": safe(ages.moment(row.updated_at, now)),
                    "to": safe(", ".join(one.name or one.address for one in row.recipients)),
                    "subject": safe(row.subject),
                    "text": safe(row.body),
                },
            )
            for row in found
        ]

    def do_open(self) -> None:
        chosen = self.chosen()
        row, session = self._known.get(chosen) if chosen is not None else None, self.session
        if row is not None:
            draft = row
            self.call(
                READ,
                lambda: session.load_ticket(draft.ticket_id),
                lambda bundle: self.console.open_composer(bundle, draft),
            )

    def do_discard(self) -> None:
        chosen, session = self.chosen(), self.session
        if chosen is not None:
            self.change(WRITE, lambda: session.desk.discard_draft(session.actor, OutboxId(chosen)))

    def do_undo(self) -> None:
        session = self.session

        def work() -> Done:
            return session.desk.undo(session.actor)

        self.change(WRITE, work)
