"""One canned response: read in every variant with the customer's data, and changed here or in the agent's editor."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from supportdesk.errors import Conflict, SupportdeskError
from supportdesk.l10n.catalog import _, current_language
from supportdesk.safetext import safe
from supportdesk.tui.canned_pick import stand_in
from supportdesk.tui.editor import edit_text
from supportdesk.tui.screens.base import READ, WRITE, DeskScreen
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.unsaved_edits import UnsavedEdit, UnsavedEdits, offer
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.composer import Composer
from supportdesk.tui.widgets.side import TextPages

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from supportdesk.desk.canned import Entry
    from supportdesk.desk.model import TicketId
    from supportdesk.desk.results import Done
    from supportdesk.tui.feed import Changed

    Shown = tuple[Entry, dict[str, str]]


class CannedTextScreen(DeskScreen[None]):
    """A variant at a time, as the customer of the ticket would get it; what is not known shows its name."""

    CONTEXT: ClassVar[str] = "canned_text"
    WRITES: ClassVar[frozenset[str]] = frozenset({"edit", "add_variant"})

    def __init__(self, key: str, ticket_id: TicketId | None) -> None:
        super().__init__()
        self._key, self._ticket_id = key, ticket_id
        self._entry: Entry | None = None
        self._texts: dict[str, str] = {}
        self._tag = ""

    def compose_body(self) -> ComposeResult:
        yield StatusLine(id="title")
        yield TextPages(safe(""))

    def can(self, action: str) -> bool:
        """Who may not save a text is not let write one."""
        return super().can(action) and (action not in self.WRITES or self.session.agent.role != "agent")

    def on_mount(self) -> None:
        self.query_one(TextPages).focus()
        with self.console.typed_ahead.following():
            self.reload()

    def on_news(self, changed: Changed) -> None:
        self.reload()

    def on_screen_resume(self) -> None:
        if self.is_ready:
            self.reload()

    def reload(self) -> None:
        session, key, ticket_id = self.session, self._key, self._ticket_id

        def work() -> Shown | None:
            entry = next((one for one in session.desk.canned_entries() if one.response.key == key), None)
            if entry is None:
                return None
            response, texts = entry.response, {}
            for variant in response.variants:
                try:
                    made = session.desk.preview_canned(
                        session.actor, ticket_id, response, variant, partial(stand_in, response)
                    )
                    texts[str(variant.tag)] = f"{made.subject}\n\n{made.text}" if made.subject else made.text
                except SupportdeskError as error:
                    texts[str(variant.tag)] = f"{error.message}\n\n{variant.body}"
            return entry, texts

        self.call(READ, work, self._show, replaces="canned", is_rows=True)

    def _show(self, found: Shown | None) -> None:
        if found is None:
            self.dismiss()
            return
        self._entry, self._texts = found
        if self._tag not in self._texts:
            source = self._entry.response.source
            self._tag = source if source in self._texts else next(iter(self._texts), "")
        self._show_variant()

    def _show_variant(self) -> None:
        assert self._entry is not None
        response = self._entry.response
        variant = response.variant(self._tag) if self._tag else None
        parts = [StatusPart(safe(response.title(current_language())), "strong")]
        if variant is not None:
            place = _("{number} of {count}").format(
                number=list(self._texts).index(self._tag) + 1, count=len(self._texts)
            )
            parts += [StatusPart(safe(self._tag), "strong"), StatusPart(safe(place), "muted")]
        if variant is not None and response.is_outdated(variant):
            parts.append(StatusPart(safe(_("older than {tag}").format(tag=response.source)), "warning"))
        self.query_one("#title", StatusLine).show(parts)
        text = self._texts.get(self._tag) or _("Nothing is written yet: + adds a variant.")
        self.query_one(TextPages).show(safe(text, multiline=True))

    # ---- actions

    def do_next_variant(self) -> None:
        self._move(1)

    def do_previous_variant(self) -> None:
        self._move(-1)

    def do_down(self) -> None:
        self.query_one(TextPages).scroll_lines(1)

    def do_up(self) -> None:
        self.query_one(TextPages).scroll_lines(-1)

    def do_half_page_down(self) -> None:
        self.query_one(TextPages).scroll_half_pages(1)

    def do_half_page_up(self) -> None:
        self.query_one(TextPages).scroll_half_pages(-1)

    def do_back(self) -> None:
        self.dismiss()

    def do_edit(self) -> None:
        """Write on the text of this variant."""
        if self._entry is not None and self._tag:
            self._edit(self._tag)

    def do_add_variant(self) -> None:
        """Write it in another language or form of address; the source stands there to be translated."""

        def named(tag: str) -> None:
            from supportdesk.desk.canned_edit import with_text

            assert self._entry is not None
            with_text(self._entry.response, tag.strip(), "-")  # raises for what is no tag
            self._edit(tag.strip())

        self.ask_line("tag", _("Language, and @formal for the formal text (fr, de@formal):"), named)

    def do_undo(self) -> None:
        session = self.session

        def undone(done: Done) -> None:
            self.tell(done.notice)
            self.reload()

        self.call(WRITE, lambda: session.desk.undo(session.actor), undone)

    def _edit(self, tag: str) -> None:
        """Write on it; an edit that was begun earlier and not saved is offered first."""
        assert self._entry is not None
        self._tag = tag
        entry, edits = self._entry, UnsavedEdits(self.session)
        what = f"{entry.response.title(current_language())} · {tag}"

        def write(edit: UnsavedEdit | None) -> None:
            self.console.show_at_once(CannedEditScreen(entry, tag, edit))

        def found(edit: UnsavedEdit | None) -> None:
            variant = entry.response.variant(tag)
            if edit is None or (variant is not None and edit.text.rstrip("\n") == variant.body.rstrip("\n")):
                write(None)
            else:
                offer(self, edit, what, entry.version, write)

        self.call(READ, lambda: edits.find(entry.response.key, tag), found)

    def _move(self, step: int) -> None:
        tags = list(self._texts)
        if self._tag in tags:
            self._tag = tags[(tags.index(self._tag) + step) % len(tags)]
            self._show_variant()


class CannedEditScreen(DeskScreen[None]):
    """The text of one variant, with its placeholders; the desk gets it when it is saved, until then it is kept here.

    `edit`: what was begun earlier. It goes on from the response as that stood before the agent then.
    """

    CONTEXT: ClassVar[str] = "canned_edit"

    def __init__(self, entry: Entry, tag: str, edit: UnsavedEdit | None = None) -> None:
        super().__init__()
        self._entry = entry if edit is None else replace(entry, version=edit.version)
        self._tag, self._begun = tag, edit
        self._before = ""

    def compose_body(self) -> ComposeResult:
        yield StatusLine(id="title")
        yield Composer(offers_canned=False, id="body")  # `::` in a template is only text

    @property
    def body(self) -> Composer:
        return self.query_one("#body", Composer)

    def on_mount(self) -> None:
        response = self._entry.response
        variant = response.variant(self._tag) or (response.variant(response.source) if response.source else None)
        self._before = variant.body.rstrip("\n") if variant is not None else "{{ customer.greeting }}\n\n"
        self.body.load(self._before if self._begun is None else self._begun.text)
        self.body.focus()
        self._show_title()

    @property
    def is_changed(self) -> bool:
        """Whether something stands here that the desk does not have."""
        return self._begun is not None or self.body.text != self._before

    def _show_title(self) -> None:
        title = f"{self._entry.response.title(current_language())} · {self._tag}"
        right = [StatusPart(safe(_("not saved yet")), "warning")] if self.is_changed else []
        self.query_one("#title", StatusLine).show([StatusPart(safe(title), "strong")], right)

    # ---- keeping what is not saved

    def on_text_area_changed(self) -> None:
        self._show_title()

    def on_composer_draft_changed(self, message: Composer.DraftChanged) -> None:
        message.stop()
        self._keep(message.text)

    def save_now(self) -> None:
        if self.body.is_dirty:
            self._keep(self.body.flush())

    def _keep(self, text: str, then: Callable[[], object] = lambda: None) -> None:
        edits, response = UnsavedEdits(self.session), self._entry.response
        edit = UnsavedEdit(response.key, self._tag, self._entry.version, text, self.session.now())

        def kept(_nothing: None) -> None:
            then()

        self.call(WRITE, lambda: edits.keep(edit), kept)

    def _leave_it(self) -> None:
        """Back, and it is offered again."""
        self._keep(self.body.flush(), then=self.dismiss)

    def _discard(self) -> None:
        edits, key, tag = UnsavedEdits(self.session), self._entry.response.key, self._tag
        self.body.flush()
        self.call(WRITE, lambda: edits.forget(key, tag), self._go)

    def _go(self, _nothing: None = None) -> None:
        self.dismiss()

    def do_save_canned(self) -> None:
        """Store the text; a translation counts as made from the source as it is now."""
        self._save(self._entry)

    def do_editor(self) -> None:
        """Go on in the agent's own editor."""
        if self.session.restricted:
            self.tell(_("There is no external editor here."), severity="warning")
            return
        try:
            text = edit_text(self.app, self.body.text)
        except SupportdeskError as error:
            self.tell_error(error)
            return
        self.body.text = text
        self.body.focus()

    def do_leave(self) -> None:
        """Back; what was changed is saved, kept for later or given up as the agent says."""
        if not self.is_changed:
            self._discard()  # what was typed and taken back again
            return
        answers: dict[str, Callable[[], object]] = {
            "s": self.do_save_canned, "l": self._leave_it, "d": self._discard
        }  # fmt: skip
        keys = [("s", _("save")), ("l", _("later")), ("d", _("discard")), ("esc", _("go on writing"))]
        self._ask(_("The text was changed"), _("Save it?"), keys, answers)

    def do_quit(self) -> None:
        if self.is_changed:
            self.do_leave()
        else:
            super().do_quit()

    def _save(self, entry: Entry) -> None:
        from supportdesk.desk.canned_edit import with_text

        session, tag, text = self.session, self._tag, self.body.flush()
        edits = UnsavedEdits(session)

        def work() -> Done:
            done = session.desk.save_canned(session.actor, with_text(entry.response, tag, text), entry.version)
            edits.forget(entry.response.key, tag)
            return done

        self._keep(text)  # until it is saved, whatever comes between

        self.call(WRITE, work, self._saved, failed=self._not_saved)

    def _saved(self, done: Done) -> None:
        self.tell(f"{done.notice}  ·  " + _("u undoes it"))
        self.dismiss()

    def _not_saved(self, error: Exception) -> None:
        if not isinstance(error, Conflict):
            self.tell_error(error)
            return
        keys = [("s", _("save mine over it")), ("d", _("discard mine")), ("esc", _("go on writing"))]
        self._ask(error.message, self.body.text, keys, {"s": self._save_over, "d": self._discard})

    def _save_over(self) -> None:
        """On top of what the colleague stored: only this variant's text is replaced."""
        session, key = self.session, self._entry.response.key

        def work() -> Entry:
            return next(one for one in session.desk.canned_entries() if one.response.key == key)

        self.call(READ, work, self._save)

    def _ask(self, title: str, text: str, keys: list[tuple[str, str]], then: dict[str, Callable[[], object]]) -> None:
        def pressed(key: str | None) -> None:
            if key in then:
                then[str(key)]()
            else:
                self.body.focus()

        self.put_question(DialogScreen(title, text, keys), pressed)
