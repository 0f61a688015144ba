"""The outbox: what is on its way out and what did not get there; the decisions that only a person can take."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from supportdesk.desk.labels import OUTBOX, word
from supportdesk.desk.model import OutboxId, TicketId
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.present_thread import TROUBLE, delivery_state
from supportdesk.tui.screens.base import WRITE
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow
    from supportdesk.desk.results import Done
    from supportdesk.tui.session import TicketBundle

UNSENT: Final = ("held", "sending", "deferred", "uncertain", "failed", "bounced")


class OutboxScreen(RowsScreen):
    """Every reply that is not known to have arrived at the customer's server."""

    CONTEXT: ClassVar[str] = "outbox"
    WRITES: ClassVar[frozenset[str]] = frozenset({"cancel_send"})

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, OutboxRow] = {}

    def heading(self) -> str:
        return _("Outbox")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("number", SafeText("#"), 5, drop=2, align_right=True, tone="muted", grows=True),
            Column("state", safe(_("state")), 21),
            Column("to", safe(_("to")), 20, flex=2, drop=1),
            Column("subject", safe(_("subject")), 20, flex=3, drop=3),
            Column("detail", safe(_("what happened")), 20, flex=4),
        )

    def empty_text(self) -> str:
        return _("Everything is sent.")

    def read_rows(self) -> list[ListRow]:
        session = self.session
        found = session.desk.read.outbox(states=UNSENT)
        self._known = {row.id: row for row in found}
        return [
            ListRow(
                row.id,
                {
                    "number": safe(str(row.ticket_id)),
                    "state": safe(word(OUTBOX, row.state)),
                    "to": safe(", ".join(one.address for one in row.recipients)),
                    "subject": safe(row.subject),
                    "detail": safe(delivery_state(row, session.local_now(row.mailbox_id))),
                },
                {"state": TROUBLE.get(row.state, "")} if row.state in TROUBLE else None,
            )
            for row in found
        ]

    def _row(self) -> OutboxRow | None:
        chosen = self.chosen()
        return self._known.get(chosen) if chosen is not None else None

    def do_open(self) -> None:
        if (row := self._row()) is not None:
            self.console.open_ticket(TicketId(row.ticket_id))

    def do_deliver_again(self) -> None:
        """Send what failed once more, or what is in doubt under the same Message-ID."""
        row, session = self._row(), self.session
        if row is None:
            return
        row_id = OutboxId(row.id)

        def work() -> Done:
            if row.state == "uncertain":
                return session.desk.resolve_uncertain(session.actor, row_id, "resend")
            return session.desk.retry_failed(session.actor, row_id)

        if row.state not in ("uncertain", "failed"):
            self.tell(_("Only what failed or is in doubt can be sent again."), severity="warning")
        else:
            self.change(WRITE, work)

    def do_mark_sent(self) -> None:
        row, session = self._row(), self.session
        if row is None or row.state != "uncertain":
            self.tell(_("Only what is in doubt can be marked as sent."), severity="warning")
            return
        row_id = OutboxId(row.id)
        self.change(WRITE, lambda: session.desk.resolve_uncertain(session.actor, row_id, "mark_sent"))

    def do_cancel_send(self) -> None:
        """Make this reply a draft again, and go on writing it."""
        row, session = self._row(), self.session
        if row is None:
            return
        row_id = OutboxId(row.id)

        def work() -> tuple[OutboxRow, TicketBundle]:
            draft = session.desk.cancel_send(session.actor, row_id)
            return draft, session.load_ticket(draft.ticket_id)

        self.call(WRITE, work, lambda found: self.console.open_draft(found[1], found[0]))
