"""A reply is saved while it is typed, looked at before it leaves, stopped by what nobody has seen, and taken back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events

from supportdesk.errors import StoreFailed
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.note import NoteScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.prompt import SafeInput
from tests.tui.composing import FIRST, composer, reviewed, stored
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until
from tests.tui.hostile import FORBIDDEN


async def test_a_reply_goes_to_the_customer_and_into_the_outbox(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        assert "giulia@example.it" in shown(app)
        await pilot.press(*"Arriva domani mattina con il corriere, grazie.")
        await reviewed(pilot, app)
        await pilot.press("y")
        await until(pilot, lambda: stored(shop, "held"), "the reply is held")
        await until(pilot, lambda: app.screen is not screen, "back in the list")
        queue = await list_shown(pilot, 3)
        assert queue.current_id() == 2
        assert shop.house.ticket(FIRST).status == "pending"
        assert "U takes it back" in notices(app)


async def test_what_is_typed_is_saved_without_a_key_more(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press(*"Buongiorno")
        await until(pilot, lambda: [row.body for row in stored(shop)] == ["Buongiorno"], "the draft")


async def test_leaving_keeps_the_draft_and_r_comes_back_to_it(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press(*"Un momento", "escape")
        await list_shown(pilot)
        assert [row.body for row in stored(shop)] == ["Un momento"]
        screen = await composer(pilot)
        assert screen.body.text == "Un momento"


async def test_a_reply_that_nobody_wrote_anything_into_leaves_no_draft(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press("escape")
        await list_shown(pilot)
        assert stored(shop) == []


async def test_u_takes_the_last_reply_back_into_the_composer(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press(*"Arriva domani", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("y")
        await list_shown(pilot, 3)
        await pilot.press("U")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.body.text == "Arriva domani", "the text")
        assert [row.state for row in stored(shop, "draft", "held")] == ["draft"]


async def test_a_reply_stops_when_the_customer_has_written_again(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press(*"Arriva domani")
        shop.house.customer_writes("È arrivato, grazie lo stesso!", sender="giulia@example.it", ticket=FIRST)
        await until(pilot, lambda: "something new arrived" in shown(app), "the warning")
        await reviewed(pilot, app)
        await pilot.press("y")
        await until(pilot, lambda: "The reply was not sent" in shown(app), "the stop")
        assert "grazie lo stesso" in shown(app)
        assert stored(shop, "held") == []
        await pilot.press("e")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.body.has_focus, "the text")
        await reviewed(pilot, app)
        await pilot.press("y")
        await until(pilot, lambda: stored(shop, "held"), "sent, now that it was seen")


async def test_the_wrong_language_wants_a_second_key(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        await pilot.press(*"Your parcel will arrive tomorrow morning with the courier, thank you for your patience.")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen.context == "review", "the review")
        await pilot.press("y")
        await until(pilot, lambda: "once more" in shown(app), "the second key is asked for")
        assert stored(shop, "held") == []
        await pilot.press("y")
        await until(pilot, lambda: stored(shop, "held"), "sent")


async def test_a_draft_that_the_database_refuses_is_called_unsaved_and_written_as_soon_as_it_takes_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        tries: list[int] = []

        def refuse(*_given: object, **_fields: object) -> None:
            tries.append(len(tries))
            raise StoreFailed("the disk is full")

        monkeypatch.setattr(screen.session.desk, "save_draft", refuse)
        await pilot.press(*"Arriva")
        await until(pilot, lambda: len(tries) > 1, "a second try")
        assert "not saved yet" in shown(app)
        monkeypatch.undo()
        await until(pilot, lambda: [row.body for row in stored(shop)] == ["Arriva"], "the draft")
        await until(pilot, lambda: "not saved yet" not in shown(app), "saved")


async def test_a_colleague_sees_that_the_reply_is_being_written(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        read = shop.house.desk.read
        await until(
            pilot, lambda: [mode for *_, mode in read.presence(FIRST, now=screen.session.now())] == ["replying"]
        )
        await pilot.press("escape")
        await until(pilot, lambda: read.presence(FIRST, now=screen.session.now()) == [], "nobody")


async def test_send_and_solve_solves(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press(*"Arriva domani", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("e")
        await until(pilot, lambda: shop.house.ticket(FIRST).status == "solved", "solved")


async def test_send_and_ask_again_leaves_it_pending_with_a_reminder_to_come(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await composer(pilot)
        await pilot.press(*"Quale taglia desidera?", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        assert "send and ask again" in shown(app)
        await pilot.press("b")
        await until(pilot, lambda: stored(shop, "held"), "the reply is held")
    (held,) = stored(shop, "held")
    assert (held.ask_again, shop.house.ticket(FIRST).status) == (True, "pending")


async def test_send_and_snooze_asks_until_when(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        await pilot.press(*"Arriva domani", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("s")
        await until(pilot, lambda: screen.prompt.purpose == "when", "the question")
        await pilot.press(*"3d", "enter")
        await until(pilot, lambda: shop.house.ticket(FIRST).snoozed_until is not None, "asleep")


async def test_recipients_and_subject_can_be_changed(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        screen.query_one("#cc").focus()
        await pilot.press(*"Luca <luca@example.it>, zoe@example.fr")
        screen.query_one("#subject", SafeInput).value = "Il pacco"
        screen.body.focus()
        await until(pilot, lambda: stored(shop) and stored(shop)[0].subject == "Il pacco", "the subject")
        copies = [(one.name, one.address) for one in stored(shop)[0].recipients if one.role == "cc"]
        assert copies == [("Luca", "luca@example.it"), ("", "zoe@example.fr")]


async def test_a_note_is_kept_while_it_is_written_and_only_agents_see_it(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("n")
        note = await screen_of(pilot, NoteScreen)
        await until(pilot, lambda: note.body.has_focus, "the note")
        await pilot.press(*"Chiesto al magazzino", "escape")
        await list_shown(pilot)
        assert [(row.kind, row.body) for row in stored(shop)] == [("note", "Chiesto al magazzino")]
        await pilot.press("n")
        again = await screen_of(pilot, NoteScreen)
        await until(pilot, lambda: again.body.text, "what was begun")
        await pilot.press("ctrl+s")
        await until(
            pilot, lambda: [one.kind for one in shop.house.desk.read.thread(FIRST)] == ["mail", "note"], "the note"
        )
        await list_shown(pilot)
        assert stored(shop) == []


async def test_a_note_goes_on_in_a_fresh_draft_when_another_window_has_added_it(shop: Shop) -> None:
    house = shop.house
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("n")
        note = await screen_of(pilot, NoteScreen)
        await until(pilot, lambda: note.body.has_focus, "the note")
        await pilot.press(*"Prima")
        await until(pilot, lambda: [row.body for row in stored(shop)] == ["Prima"], "saved")
        house.desk.add_note(house.giulia, FIRST, "Prima", draft=stored(shop)[0].id)
        await pilot.press(*" e poi")
        await until(pilot, lambda: [row.body for row in stored(shop)] == ["Prima e poi"], "nothing is lost")


async def test_a_colleagues_draft_is_listed_and_taken_over(shop: Shop) -> None:
    house = shop.house
    row = house.draft(FIRST, house.luca, "Cara Giulia, il pacco")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "d")
        await until(pilot, lambda: "Luca Neri" in shown(app) and "il pacco" in shown(app), "the draft")
        await pilot.press("enter")
        await until(pilot, lambda: "Take over the draft of Luca Neri?" in shown(app), "the question")
        await pilot.press("y")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.body.text == "Cara Giulia, il pacco", "the text")
        assert house.desk.outbox_row(row.id).agent_id == house.giulia.id


async def test_a_new_conversation_begins_with_an_address_and_a_subject(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("c")
        await until(pilot, lambda: queue.prompt.purpose == "address", "to whom")
        await pilot.press(*"Nina Ek <nina@example.se>", "enter")
        await until(pilot, lambda: queue.prompt.purpose == "subject", "about what")
        await pilot.press(*"La tua tazza", "enter")
        await screen_of(pilot, ComposeScreen)
        assert "nina@example.se" in shown(app)


PASTED = "👩‍👧 ❤️ 👍🏽 🇮🇹 \u200fעברית\u200e \u202bx\u202c\tna\u200cme"


async def test_what_is_pasted_is_stored_byte_for_byte_and_only_shown_otherwise(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        app.post_message(events.Paste(f"{PASTED}\x1b[31m\x9b\x07!"))
        await until(pilot, lambda: [row.body for row in stored(shop)] == [f"{PASTED}!"], "the draft")
        subject = screen.query_one("#subject", SafeInput)
        subject.value = ""
        subject.focus()
        app.post_message(events.Paste("👩‍👧 ❤️\u200f 🇮🇹"))
        await until(pilot, lambda: [row.subject for row in stored(shop)] == ["👩‍👧 ❤️\u200f 🇮🇹"], "the subject")
        assert "👍   IT" in shown(app) or "👍 IT" in shown(app)
        assert not FORBIDDEN.search(shown(app).replace("\n", ""))


async def test_a_recipient_that_is_no_address_is_named_and_its_field_is_ready(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        screen = await composer(pilot)
        await pilot.press(*"Ciao")
        to = screen.query_one("#to", SafeInput)
        to.value = "pippo"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "“pippo” is no address: name@domain is one." in notices(app), "the reason")
        assert to.has_focus
        to.value = "giulia@example.it"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Ciao" in screen.body.text and screen.context == "review", "the review")
        await pilot.press("enter")
        await until(pilot, lambda: "y sends it" in shown(app), "how it is sent")
        assert not stored(shop, "held")


@pytest.mark.parametrize("size", [(80, 24), (100, 28), (120, 40)])
async def test_a_short_conversation_leaves_the_rest_of_the_screen_to_the_text(
    shop: Shop, size: tuple[int, int]
) -> None:
    app = shop.console()
    async with app.run_test(size=size) as pilot:
        screen = await composer(pilot)
        await until(pilot, lambda: 0 < screen.conversation.size.height <= 4, "as many lines as it has")
        assert "dove è il mio ordine" in shown(app)
        room = size[1] - 6
        await until(pilot, lambda: screen.body.size.height == room - screen.conversation.size.height, "the rest")


async def test_a_long_conversation_takes_no_more_than_half(shop: Shop) -> None:
    shop.house.customer_writes("riga\n" * 80, sender="giulia@example.it", ticket=FIRST)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        await until(pilot, lambda: screen.conversation.size.height == 9, "half of what there is")
        assert screen.body.size.height >= 9


async def test_send_later_asks_when_and_the_reply_waits_until_then(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        await pilot.press(*"Arriva domani", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("l")
        await until(pilot, lambda: screen.prompt.purpose == "when", "the question")
        await pilot.press(*"3d", "enter")
        await until(pilot, lambda: stored(shop, "held"), "it waits")
        (row,) = stored(shop, "held")
        assert row.not_before is not None and (row.not_before - screen.session.now()).days >= 1
        await until(pilot, lambda: "goes out" in notices(app), "the notice")


async def test_the_seconds_in_which_a_reply_can_be_taken_back_are_counted_down(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press(*"Arriva domani", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("y")
        await until(pilot, lambda: "U takes the reply back: 1" in shown(app).split("\n")[0], "the countdown")
        await pilot.press("U")
        await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: "U takes the reply back" not in shown(app), "it has ended")


async def test_known_addresses_are_offered_and_tab_takes_one(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        line = screen.query_one("#cc", SafeInput)
        line.focus()
        await pilot.press(*"luca@example.it, mei")
        await until(pilot, lambda: re.search(r"Hans Meier +hans@example.de", shown(app)), "by a word of the name")
        await pilot.press("tab")
        assert line.value == "luca@example.it, Hans Meier <hans@example.de>"
        await until(pilot, lambda: shown(app).count("hans@example.de") == 1, "the offer is gone")
        await pilot.press("tab")
        await until(pilot, lambda: not line.has_focus, "the next field")


async def test_a_file_is_attached_by_its_path_with_completion(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "fattura 5521.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / ".hidden").write_bytes(b"x")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: screen.prompt.purpose == "attach", "the question")
        screen.prompt.query_one(SafeInput).value = ""
        app.post_message(events.Paste(f"{tmp_path}/f"))
        await until(pilot, lambda: "folder/" in shown(app) and "fattura 5521.pdf" in shown(app), "both")
        assert ".hidden" not in shown(app)
        await pilot.press("down", "tab")
        await until(pilot, lambda: screen.prompt.value == f"{tmp_path}/fattura 5521.pdf", "taken")
        await pilot.press("enter")
        await until(pilot, lambda: stored(shop) and stored(shop)[0].attachments, "attached")
        assert [(one.name, one.size) for one in stored(shop)[0].attachments] == [("fattura 5521.pdf", 8)]


async def test_a_part_of_what_the_customer_wrote_is_quoted_and_answered_below(shop: Shop) -> None:
    text = "Prima domanda?\ndue righe\n\nSeconda domanda?"
    shop.house.customer_writes(text, sender="giulia@example.it", ticket=FIRST)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "Quote which part?" in shown(app), "the parts")
        await pilot.press(*"prima", "enter")
        await until(pilot, lambda: screen.body.text == "> Prima domanda?\n> due righe\n\n", "the quotation")
        await until(pilot, lambda: screen.body.has_focus, "the text")
        await pilot.press(*"si")
        await until(pilot, lambda: screen.body.text == "> Prima domanda?\n> due righe\n\nsi", "the answer below it")


@pytest.mark.parametrize("wish", ["next", "list", "stay"])
async def test_after_a_sent_reply_the_console_goes_on_as_the_agent_has_set_it(shop: Shop, wish: str) -> None:
    app = shop.console()
    app.config = replace(app.config, after_action=wish)
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        first, second = queue.tickets.spine[:2]
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        await pilot.press("r")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.is_ready and screen.body.has_focus, "the composer")
        await pilot.press(*"Arriva domani mattina con il corriere, grazie.")
        await reviewed(pilot, app)
        await pilot.press("y")
        if wish == "list":
            await until(pilot, lambda: app.screen is queue, "the list")
        else:
            at = second if wish == "next" else first
            await until(pilot, lambda: app.screen is ticket and ticket.current_id() == at, "the ticket")
