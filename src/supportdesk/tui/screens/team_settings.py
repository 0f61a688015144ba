"""What the whole team shares, as a list: enter changes a value, `u` takes the change back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.desk.team_settings import TEAM_SETTINGS, read_value, shown_value
from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.screens.base import WRITE
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from supportdesk.desk.results import Done


class TeamSettingsScreen(RowsScreen):
    """One row a setting."""

    CONTEXT: ClassVar[str] = "settings"

    def __init__(self) -> None:
        super().__init__()
        self._values: tuple[str, ...] = ()

    def heading(self) -> str:
        return _("What the whole team shares")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("title", safe(_("setting")), 26),
            Column("value", safe(_("value")), 8, flex=1),
        )

    def empty_text(self) -> str:
        return ""

    def about(self, row: int) -> SafeText:
        """What the setting does, and a value that its row has no room for."""
        return SafeText("\n".join((safe(_(TEAM_SETTINGS[row].help)), *self.rows.without_room(row))))

    def read_rows(self) -> list[ListRow]:
        settings = self.session.desk.settings()
        self._values = tuple(shown_value(settings, setting.name) for setting in TEAM_SETTINGS)
        return [
            ListRow(
                number,
                {"title": safe(_(setting.title)), "value": safe(value or "–")},
                {"value": "strong"},
            )
            for number, (setting, value) in enumerate(zip(TEAM_SETTINGS, self._values, strict=True))
        ]

    def can(self, action: str) -> bool:
        return super().can(action) and (action not in ("open", "undo") or self.session.agent.role == "admin")

    def do_open(self) -> None:
        """Change the setting under the cursor."""
        chosen, session = self.chosen(), self.session
        if chosen is None:
            return
        setting = TEAM_SETTINGS[chosen]

        def refused(text: str) -> SafeText:
            try:
                read_value(setting.name, text)
            except SupportdeskError as error:
                return safe(" · ".join(part for part in (error.message, error.hint) if part))
            return EMPTY

        def answered(text: str) -> None:
            value = read_value(setting.name, text)

            def work() -> Done:
                return session.desk.change_settings(session.actor, {setting.name: value})

            self.change(WRITE, work)

        self.ask_line(
            "setting", f"{_(setting.title)}:", answered,
            value=self._values[chosen], refusal=refused, hint=refused,
        )  # fmt: skip
