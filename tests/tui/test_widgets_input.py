"""What agents type: the prompt line, the picker, the composer."""

from __future__ import annotations

import pytest
from textual import events

from supportdesk.desk.canned_folder import starter_set
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.canned_pick import response_entry
from supportdesk.tui.widgets.composer import Composer
from supportdesk.tui.widgets.guard import SafeApp
from supportdesk.tui.widgets.picker import (
    EntryLines,
    PickerEntry,
    PickerList,
    PreviewPane,
    lines_to_search,
    match_score,
)
from supportdesk.tui.widgets.prompt import Completion, CompletionLines, PromptLine, SafeInput
from tests.tui.conftest import until
from tests.tui.hostile import FORBIDDEN, PAYLOADS

ENTRIES = (
    PickerEntry("where", safe("Where is my order"), safe("wismo"), "dove ordine spedizione"),
    PickerEntry("delay", safe("Delay"), safe("late parcel")),
    PickerEntry("size", safe("Größe falsch"), safe("wrong size")),
)


class Recorder(SafeApp[None]):
    """An app that keeps the messages of one widget."""

    def __init__(self, widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[tuple[str, object]] = []

    def compose(self):
        yield self.widget

    def on_prompt_line_changed(self, message) -> None:
        self.heard.append(("changed", message.value))

    def on_prompt_line_submitted(self, message) -> None:
        self.heard.append(("submitted", (message.purpose, message.value)))

    def on_prompt_line_cancelled(self, message) -> None:
        self.heard.append(("cancelled", message.purpose))

    def on_picker_list_chosen(self, message) -> None:
        self.heard.append(("chosen", message.entry.id))

    def on_picker_list_cancelled(self, message) -> None:
        self.heard.append(("cancelled", None))

    def on_composer_draft_changed(self, message) -> None:
        self.heard.append(("draft", message.text))

    def on_composer_canned_requested(self, message) -> None:
        self.heard.append(("canned", None))


async def test_the_prompt_completes_hints_and_submits() -> None:
    app = Recorder(PromptLine())
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.ask(
            "snooze",
            safe("Snooze until"),
            complete=lambda typed: [
                Completion(safe(word)) for word in ("tomorrow", "monday") if word.startswith(typed)
            ],
            hint=lambda typed: SafeText(f"= {typed}"),
        )
        await pilot.pause()
        await pilot.press("m")
        await pilot.pause()
        assert "monday" in app.widget.query_one(CompletionLines).render_line(0).text
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert ("submitted", ("snooze", "monday")) in app.heard
        assert ("changed", "m") in app.heard
        assert not app.widget.display
        assert app.widget.purpose == ""


async def test_escape_closes_the_prompt_and_gives_the_focus_back() -> None:
    class Two(Recorder):
        def compose(self):
            yield Composer(id="behind")
            yield self.widget

    app = Two(PromptLine())
    async with app.run_test(size=(80, 12)) as pilot:
        app.query_one("#behind").focus()
        await pilot.pause()
        app.widget.ask("filter", safe("filter"))
        await pilot.press("a", "escape")
        await pilot.pause()
        assert ("cancelled", "filter") in app.heard
        assert app.focused is not None
        assert app.focused.id == "behind"


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("wher", "where"),
        ("wismo", "where"),
        ("spedizione", "where"),
        ("grosse", "size"),
        ("dly", "delay"),
        ("GRÖSSE", "size"),
    ],
)
async def test_the_picker_finds_by_any_word_in_any_spelling(typed: str, first: str) -> None:
    app = Recorder(PickerList(ENTRIES))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.query_one(SafeInput).value = typed
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert app.heard == [("chosen", first)]


def test_a_word_start_beats_the_middle_and_both_beat_scattered_letters() -> None:
    scores = [match_score(["or"], text) for text in ("order", "my order", "door", "onr")]
    assert scores == sorted(set(scores), key=lambda score: score or 0)
    assert match_score(["zz"], "order") is None


def test_an_earlier_line_beats_a_later_one() -> None:
    scores = [match_score(["or"], text) for text in ("door", "invoice\norder", "invoice\ncopy\norder", "onr")]
    assert scores == sorted(set(scores), key=lambda score: score or 0)


def test_a_canned_response_is_found_by_what_it_is_called_before_what_another_says() -> None:
    entries = [response_entry(response, "") for response in starter_set()]
    scores = {entry.id: match_score(["adresse"], lines_to_search(entry)) for entry in entries}
    found = sorted((score, key) for key, score in scores.items() if score is not None)
    assert len(found) > 1
    assert found[0][1] == "change-of-address"


async def test_the_picker_moves_previews_and_cancels() -> None:
    app = Recorder(PickerList(ENTRIES, preview=lambda entry: SafeText(f"preview of {entry.id}")))
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.press("down", "down", "up")
        await pilot.pause()
        assert app.widget.highlighted == ENTRIES[1]
        pane = app.widget.query_one(PreviewPane)
        await until(pilot, lambda: "preview of delay" in pane.render_line(0).text, "the preview, after the keys")
        await pilot.press("escape")
        await pilot.pause()
        assert app.heard == [("cancelled", None)]


async def test_hundreds_of_entries_are_capped_and_none_is_a_widget() -> None:
    entries = [PickerEntry(str(at), safe(f"Entry {at}")) for at in range(900)]
    app = Recorder(PickerList(entries))
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        lines = app.widget.query_one(EntryLines)
        assert len(lines.entries) == 200
        assert len(lines.children) == 0


async def test_hostile_entries_and_pastes_are_harmless() -> None:
    entries = [PickerEntry(str(at), safe(payload), safe(payload)) for at, payload in enumerate(PAYLOADS)]
    app = Recorder(PickerList(entries, preview=lambda entry: safe(entry.label, multiline=True)))
    async with app.run_test(size=(80, 70)) as pilot:
        await pilot.pause()
        lines = app.widget.query_one(EntryLines)
        for y in range(lines.size.height):
            assert not FORBIDDEN.search(lines.render_line(y).text)
        field = app.widget.query_one(SafeInput)
        app.post_message(events.Paste("\x1b[31mred\x07"))
        await pilot.pause()
        assert field.value == "red"


async def test_the_composer_saves_however_busy_the_keys_and_once_more_for_those_that_follow() -> None:
    app = Recorder(Composer(save_after=30.0, save_at_latest=0.05))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.focus()
        for count in (1, 2):
            await pilot.press("a", "b")
            await until(pilot, lambda count=count: len(app.heard) >= count, "a save in mid-typing")  # type: ignore[misc]
            await until(pilot, lambda: app.heard[-1] == ("draft", app.widget.text), "the whole text")
        assert not app.widget.is_dirty


async def test_the_composer_saves_when_the_focus_leaves() -> None:
    app = Recorder(Composer(save_after=30.0, save_at_latest=30.0))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.focus()
        await pilot.press("c", "i", "a", "o")
        await pilot.pause()
        assert app.heard == []
        app.set_focus(None)
        await pilot.pause()
        assert app.heard == [("draft", "ciao")]


async def test_a_loaded_draft_is_already_saved() -> None:
    app = Recorder(Composer(save_after=0.01, save_at_latest=0.01))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.load("bozza")
        await pilot.pause(0.05)
        assert app.heard == []
        assert app.widget.flush() == "bozza"


async def test_two_colons_ask_for_a_canned_response_and_vanish() -> None:
    app = Recorder(Composer(save_after=30.0, save_at_latest=30.0))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.focus()
        await pilot.press("o", "k", "space", ":", ":")
        await pilot.pause()
        assert ("canned", None) in app.heard
        assert app.widget.text == "ok "
        app.widget.insert_at_cursor("Gentile cliente")
        assert app.widget.text == "ok Gentile cliente"


async def test_colons_inside_a_word_are_text() -> None:
    app = Recorder(Composer(save_after=30.0, save_at_latest=30.0))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.focus()
        await pilot.press("a", ":", ":", "b")
        await pilot.pause()
        assert app.widget.text == "a::b"
        assert app.heard == []


async def test_a_paste_into_the_composer_is_text_once() -> None:
    app = Recorder(Composer(save_after=30.0, save_at_latest=30.0))
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.focus()
        app.post_message(events.Paste("one\r\ntwo\x1b[201~\x1b]52;c;eA==\x07three"))
        await pilot.pause()
        assert app.widget.text == "one\ntwothree"


async def test_nothing_blinks() -> None:
    app = Recorder(Composer())
    async with app.run_test(size=(80, 12)):
        assert app.widget.cursor_blink is False
        assert app.animation_level == "none"


async def test_the_end_of_a_pasted_line_is_a_new_line_where_the_terminal_marks_no_paste() -> None:
    app = Recorder(Composer())
    async with app.run_test(size=(80, 12)) as pilot:
        app.widget.focus()
        await pilot.press(*"uno", "ctrl+j", *"due")
        assert app.widget.text == "uno\ndue"
