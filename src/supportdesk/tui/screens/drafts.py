"""Drafts: replies and notes that were begun and neither sent nor given up; the agent's own, then his colleagues'."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.desk.model import OutboxId
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui import ages
from supportdesk.tui.screens.base import READ, WRITE
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow


class DraftsScreen(RowsScreen):
    """Newest first; enter goes on writing, a colleague's draft after it was taken over."""

    CONTEXT: ClassVar[str] = "drafts"
    WRITES: ClassVar[frozenset[str]] = frozenset({"open"})

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, OutboxRow] = {}

    def heading(self) -> str:
        return _("Drafts, yours first")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("number", SafeText("#"), 5, align_right=True, tone="muted", grows=True),
            Column("written", safe(_("written")), 12, tone="muted"),
            Column("owner", safe(_("whose")), 10, drop=2),
            Column("to", safe(_("to")), 14, flex=1, drop=1),
            Column("subject", safe(_("subject")), 20, flex=2, drop=3),
            Column("text", safe(_("text")), 28, flex=3),
        )

    def empty_text(self) -> str:
        return _("Nobody is writing anything.")

    def read_rows(self) -> list[ListRow]:
        session = self.session
        found = session.desk.drafts(session.actor, everybody=True)
        found.sort(key=lambda row: row.agent_id != session.agent.id)
        self._known = {row.id: row for row in found}
        return [
            ListRow(
                row.id,
                {
                    "number": safe(str(row.ticket_id)),
                    "written": safe(ages.moment(row.updated_at, session.local_now(row.mailbox_id))),
                    "owner": safe(self._owner(row)),
                    "to": safe(_("note") if row.kind == "note" else _names(row)),
                    "subject": safe(row.subject),
                    "text": safe(row.body),
                },
                tone="" if row.agent_id == session.agent.id else "muted",
            )
            for row in found
        ]

    def do_open(self) -> None:
        """Go on writing; what a colleague writes is taken over first."""
        chosen = self.chosen()
        row = self._known.get(chosen) if chosen is not None else None
        if row is None:
            return
        if row.agent_id == self.session.agent.id:
            self._write(row)
            return

        def pressed(key: str | None) -> None:
            if key == "y":
                self._adopt(row)

        title = _("Take over the draft of {name}?").format(name=self._owner(row) or "?")
        keys = [("y", _("yes")), ("esc", _("no"))]
        self.put_question(DialogScreen(title, row.body, keys), pressed)

    def _adopt(self, row: OutboxRow) -> None:
        session = self.session
        self.call(WRITE, lambda: session.desk.adopt_draft(session.actor, row.id), self._write)

    def _write(self, row: OutboxRow) -> None:
        session = self.session
        self.call(
            READ,
            lambda: session.load_ticket(row.ticket_id),
            lambda bundle: self.console.open_draft(bundle, row),
        )

    def _owner(self, row: OutboxRow) -> str:
        agent = self.session.agents.get(row.agent_id) if row.agent_id is not None else None
        return agent.name if agent is not None else ""

    def do_discard(self) -> None:
        chosen, session = self.chosen(), self.session
        if chosen is not None:
            self.change(WRITE, lambda: session.desk.discard_draft(session.actor, OutboxId(chosen)))


def _names(row: OutboxRow) -> str:
    return ", ".join(one.name or one.address for one in row.recipients)
