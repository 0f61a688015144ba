"""The canned responses: browse and narrow them, see what is written in which language, read and change one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _, current_language, ngettext
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.editor import edit_text
from supportdesk.tui.screens.base import READ, WRITE
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.unsaved_edits import HEAD, UnsavedEdit, UnsavedEdits, offer
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.canned import CannedResponse, Entry
    from supportdesk.desk.canned_coverage import Row
    from supportdesk.desk.model import TicketId
    from supportdesk.desk.results import Done


EDITS = frozenset({"edit_head", "new", "remove"})


class CannedScreen(RowsScreen):
    """By group and title, fragments and automatic texts at the end; `ticket_id` tells whose customer a text is for."""

    CONTEXT: ClassVar[str] = "canned"

    def __init__(self, ticket_id: TicketId | None = None) -> None:
        super().__init__()
        self._ticket_id = ticket_id
        self._entries: list[Entry] = []
        self._words = ""
        self._unsaved: list[UnsavedEdit] = []

    def can(self, action: str) -> bool:
        """Who may not save a response is not let write one."""
        return super().can(action) and (action not in EDITS or self.session.agent.role != "agent")

    def heading(self) -> str:
        return _("Canned responses")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("group", safe(_("group")), 14, flex=1, drop=2, tone="muted"),
            Column("title", safe(_("title")), 24, flex=3),
            Column("shortcut", safe(_("shortcut")), 9, drop=4),
            Column("used", safe(_("used")), 6, align_right=True, drop=3),
            Column("edited", safe(_("edited")), 8, align_right=True, drop=3),
            Column("written", safe(_("written")), 26, flex=1, drop=1),
        )

    def empty_text(self) -> str:
        if self._words:
            return _("No response has these words.")
        return _("This desk has no canned responses yet: supportdesk canned import")

    def read_rows(self) -> list[ListRow]:
        from supportdesk.desk.canned import search
        from supportdesk.desk.canned_coverage import matrix
        from supportdesk.textfold import fold

        self._unsaved = UnsavedEdits(self.session).every()
        entries = {entry.response.key: entry for entry in self.session.desk.canned_entries()}
        states = {row.key: row for row in matrix([entry.response for entry in entries.values()]).rows}
        found = search((entry.response for entry in entries.values()), self._words, fold)
        self._entries = sorted((entries[one.key] for one in found), key=_place)
        return [self._row(at, entry, states.get(entry.response.key)) for at, entry in enumerate(self._entries)]

    def show_rows(self, rows: Sequence[ListRow]) -> None:
        super().show_rows(rows)
        self._show_title()

    def _show_title(self) -> None:
        """What is listed, and what this agent began to edit and has not saved."""
        title = f"{self.heading()} / {self._words}" if self._words else self.heading()
        parts = [StatusPart(safe(title), "strong")]
        if self._unsaved:
            names = ", ".join(dict.fromkeys(f"{edit.key} {edit.tag}".strip() for edit in self._unsaved))
            parts.append(StatusPart(safe(_("not saved yet: {names}").format(names=names)), "warning"))
        self.query_one("#title", StatusLine).show(parts)

    def _row(self, at: int, entry: Entry, state: Row | None) -> ListRow:
        ui, response = current_language(), entry.response
        edited = f"{round(100 * entry.edited / entry.uses)} %" if entry.uses else ""
        whole = state is None or state.complete
        return ListRow(
            at,
            {
                "group": safe(_group(response)),
                "title": safe(response.title(ui)),
                "shortcut": safe(response.shortcut),
                "used": SafeText(str(entry.uses or "")),
                "edited": SafeText(edited),
                "written": safe(_written(response, state)),
            },
            tones={} if whole else {"written": "warning"},
        )

    def entry(self) -> Entry | None:
        """The response under the cursor."""
        at = self.chosen()
        return self._entries[at] if at is not None and at < len(self._entries) else None

    # ---- actions

    def do_open(self) -> None:
        """Read it as the customer would get it, in every variant."""
        from supportdesk.tui.screens.canned_text import CannedTextScreen

        if (entry := self.entry()) is not None:
            self.console.show_at_once(CannedTextScreen(entry.response.key, self._ticket_id))

    def do_filter(self) -> None:
        """Narrow the list while typing."""

        def narrow(words: str) -> None:
            self._words = words
            self._show_title()
            self.reload()

        self.ask_line("filter", "/", narrow, value=self._words, live=narrow, cancelled=lambda: narrow(""))

    def do_coverage(self) -> None:
        """Response by language and form of address: what is missing, what is older than its source."""
        session = self.session

        def work() -> str:
            from supportdesk.desk.canned_coverage import matrix

            responses = [entry.response for entry in session.desk.canned_entries()]
            titles = {response.key: response.title(current_language()) for response in responses}
            return _matrix_text(matrix(responses), titles, self.console.size.width)

        self.call(READ, work, lambda text: self.console.show_text(_("What is written in which language"), text))

    def do_edit_head(self) -> None:
        """Change titles, keywords, fields, and what sending does, in the agent's editor.

        What was refused, or written by an editor that outlived the console, is offered first.
        """
        entry = self.entry()
        if entry is None or self._refuses_editor():
            return
        edits, what = UnsavedEdits(self.session), entry.response.title(current_language())

        def found(edit: UnsavedEdit | None) -> None:
            if edit is None:
                self._edit_head(entry, None)
            else:
                offer(self, edit, what, entry.version, lambda taken: self._edit_head(entry, taken))

        self.call(READ, lambda: edits.find(entry.response.key, HEAD), found)

    def _edit_head(self, entry: Entry, begun: UnsavedEdit | None) -> None:
        from supportdesk.desk.canned_edit import head_text, with_head

        session, edits, key = self.session, UnsavedEdits(self.session), entry.response.key
        before = head_text(entry.response)
        try:
            text = edit_text(self.app, before if begun is None else begun.text).rstrip("\n") + "\n"
        except SupportdeskError as error:
            self.tell_error(error)
            return
        if text == before:
            self.call(WRITE, lambda: edits.forget(key, HEAD), lambda _nothing: self.reload())
            return

        def work() -> Done:
            edits.keep(UnsavedEdit(key, HEAD, entry.version, text, session.now()))
            done = session.desk.save_canned(session.actor, with_head(entry.response, text), entry.version)
            edits.forget(key, HEAD)
            return done

        def failed(error: Exception) -> None:
            self.reload()
            self.tell_error(error)

        def saved(done: Done) -> None:
            self.tell(done.notice)
            self.reload()

        self.call(WRITE, work, saved, failed=failed)

    def do_new(self) -> None:
        """Begin an entry; its text is written in the language that the agent speaks."""
        from supportdesk.desk.canned_edit import new_response

        session, language = self.session, current_language()

        def named(key: str) -> None:
            response = new_response(key.strip(), language)
            self.change(WRITE, lambda: session.desk.save_canned(session.actor, response, 0))

        self.ask_line("key", _("Key (lower-case words joined by hyphens):"), named)

    def do_remove(self) -> None:
        session, entry = self.session, self.entry()
        if entry is None:
            return
        response, version = entry.response, entry.version

        def pressed(key: str | None) -> None:
            if key == "y":
                self.change(WRITE, lambda: session.desk.remove_canned(session.actor, response.key, version))

        title = _("Remove “{title}”?").format(title=response.title(current_language()))
        count = ngettext("It has {count} variant.", "It has {count} variants.", len(response.variants))
        keys = [("y", _("yes")), ("esc", _("no"))]
        text = count.format(count=len(response.variants)) + " " + _("u brings it back.")
        self.put_question(DialogScreen(title, text, keys), pressed)

    def _refuses_editor(self) -> bool:
        if self.session.restricted:
            self.tell(_("There is no external editor here."), severity="warning")
        return self.session.restricted


def _place(entry: Entry) -> tuple[object, ...]:
    from supportdesk.desk.automatic_texts import is_automatic

    response, ui = entry.response, current_language()
    kind = 2 if is_automatic(response.key) else 1 if response.fragment else 0
    return kind, not response.group, response.group_name(ui).casefold(), response.title(ui).casefold()


def _group(response: CannedResponse) -> str:
    from supportdesk.desk.automatic_texts import is_automatic

    if is_automatic(response.key):
        return _("automatic")
    return _("fragment") if response.fragment else response.group_name(current_language())


def _written(response: CannedResponse, state: Row | None) -> str:
    """What lacks and nothing else, where something does; automatic texts have languages of their own."""
    if state is not None and state.complete:
        return _("all {count}").format(count=len(state.states))
    if state is None:
        return " ".join(str(variant.tag) for variant in response.variants)
    missing = [tag for tag, one in state.states.items() if not one]
    outdated = [tag for tag, one in state.states.items() if one == "outdated"]
    parts = []
    if missing:
        parts.append(_("missing: {tags}").format(tags=" ".join(missing)))
    if outdated:
        parts.append(_("outdated: {tags}").format(tags=" ".join(outdated)))
    return " · ".join(parts)


def _matrix_text(found: object, titles: dict[str, str], width: int) -> str:
    """Columns of three letters stand under their tags, which are told below: nine variants fit into 80 columns."""
    from supportdesk.desk.canned_coverage import Matrix

    assert isinstance(found, Matrix)
    cell = max((len(_short(tag)) for tag in found.tags), default=0) + 1
    room = max(16, width - 4 - cell * len(found.tags))
    marks = {"": "--", "written": "ok", "outdated": "old"}
    lines = [" " * room + "".join(f"{_short(tag):>{cell}}" for tag in found.tags)]
    for row in found.rows:
        title = titles[row.key]
        name = title if len(title) < room else f"{title[: room - 2]}…"
        lines.append(f"{name:<{room}}" + "".join(f"{marks[row.states[tag]]:>{cell}}" for tag in found.tags))
    legend = _("ok written · old: its source has changed since · -- missing · de+ is de@formal")
    return "\n".join([*lines, "", legend])


def _short(tag: str) -> str:
    return tag.replace("@formal", "+")
