"""The queue shows who waits, narrows, acts, stands still and takes back what was refused."""

from __future__ import annotations

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until


async def test_the_list_is_in_the_order_of_what_is_due_next_with_its_counts(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        assert list(queue.tickets.spine) == [1, 2, 3, 4]
        await until(pilot, lambda: "1 Needs reply 4" in shown(app), "the counts")
        screen = shown(app)
        assert "Giulia Rossi" in screen
        assert "Bottega Verde" in screen
        assert "nobody delivers" in screen


async def test_a_ticket_in_a_language_that_nobody_reads_is_marked_and_comes_after_ones_own(shop: Shop) -> None:
    shop.house.customer_writes(sender="ola@example.no", subject="Hvor er pakken?", language="nb")
    shop.house.customer_writes(sender="rosa@example.com", subject="Il mio pacco", language="it")
    app = shop.console()
    async with app.run_test(size=(140, 40)) as pilot:
        queue = await list_shown(pilot, 6)
        await until(pilot, lambda: "Hvor er pakken?" in shown(app), "the rows")
        marked = [line for line in shown(app).splitlines() if "no nb reader" in line]
        assert len(marked) == 1
        assert "Hvor er pakken?" in marked[0]
        assert "!nb" in marked[0]
        spine = list(queue.tickets.spine)
        assert spine.index(6) < spine.index(5)
        queue.tickets.move_to_id(5)
        await pilot.press("enter")
        await until(pilot, lambda: "nobody reads nb" in shown(app), "the line above the conversation")


async def test_a_hostile_subject_is_shown_and_does_nothing(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await until(pilot, lambda: "re: [/b] Where is my [@click=app" in shown(app), "the subject as it is")
        await pilot.press("G", "enter")
        await until(pilot, lambda: "Where?" in shown(app), "the ticket")
        assert "\x1b" not in shown(app)


async def test_a_filter_narrows_while_it_is_typed_and_escape_ends_it(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("slash", *"schu")
        await until(pilot, lambda: list(queue.tickets.spine) == [2], "only Hans")
        await pilot.press("enter")
        await pilot.press("escape")
        await list_shown(pilot, 4)


async def test_taking_a_ticket_shows_the_owner_and_can_be_undone(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("i")
        await until(pilot, lambda: shop.house.ticket(TicketId(1)).assignee_id == shop.house.giulia.id, "the owner")
        await until(pilot, lambda: "u undoes it" in notices(app), "the notice")
        await pilot.press("u")
        await until(pilot, lambda: shop.house.ticket(TicketId(1)).assignee_id is None, "the undo")


async def test_solving_a_waiting_ticket_asks_why_and_takes_it_off_the_list(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("e")
        await until(pilot, lambda: "only thanks" in shown(app), "the reasons")
        await pilot.press("enter")
        await until(pilot, lambda: list(queue.tickets.spine) == [2, 3, 4], "three are left")
        assert shop.house.ticket(TicketId(1)).status == "solved"
        await pilot.press("u")
        await until(pilot, lambda: list(queue.tickets.spine) == [1, 2, 3, 4], "it is back")


async def test_an_action_on_what_a_colleague_has_changed_is_refused_with_his_name(shop: Shop) -> None:
    house = shop.house
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("p")
        await until(pilot, lambda: "urgent" in shown(app), "the priorities")
        house.desk.perform("priority", house.luca, [TicketId(1)], {"priority": "low"})
        await pilot.press(*"urgent", "enter")
        await until(pilot, lambda: "Luca" in notices(app), "who was first")
        assert house.ticket(TicketId(1)).priority == "low"
        await until(pilot, lambda: app.screen is queue and "urgent" not in shown(app), "the row as it is")


async def test_what_a_colleague_does_shows_by_itself_and_moves_nothing(shop: Shop) -> None:
    house = shop.house
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("j")
        house.customer_writes("Ciao", sender="neu@example.it", name="Nuova Cliente", subject="Domanda")
        house.desk.perform("take", house.luca, [TicketId(3)])
        await until(pilot, lambda: "1 new" in shown(app), "the news")
        assert list(queue.tickets.spine) == [1, 2, 3, 4]
        await until(pilot, lambda: "Luca" in shown(app), "the new owner")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: len(queue.tickets.spine) == 5, "the new ticket")
        assert queue.current_id() == 2


async def test_an_action_on_a_selection_is_one_step(shop: Shop) -> None:
    house = shop.house
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("x", "x")
        await until(pilot, lambda: "2 selected" in shown(app), "the selection")
        await pilot.press("t")
        await until(pilot, lambda: app.screen.query_one("PromptLine").display, "the prompt")
        await pilot.press(*"urgente", "enter")
        await until(pilot, lambda: house.desk.read.tags(TicketId(2)) == ("urgente",), "tagged")
        assert house.desk.read.tags(TicketId(1)) == ("urgente",)
        assert house.desk.read.tags(TicketId(3)) == ()
        await pilot.press("u")
        await until(pilot, lambda: house.desk.read.tags(TicketId(1)) == (), "both undone")


async def test_a_snooze_shows_the_time_that_it_means(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("s")
        await until(pilot, lambda: "enter go on" in shown(app), "the prompt with its own keys")
        assert "r reply" not in shown(app)
        await pilot.press(*"tomorrow 9am")
        await until(pilot, lambda: "9:00" in shown(app), "the parsed time")
        await pilot.press("escape")
        await until(pilot, lambda: "r reply" in shown(app), "the keys of the queue again")
        await pilot.press("2")
        await until(pilot, lambda: not queue.tickets.spine, "my own tickets")
        assert "T takes the most urgent" in shown(app)


async def test_the_command_line_runs_what_it_completes(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("colon", *"assi")
        await until(pilot, lambda: "Give the ticket to an agent" in shown(app), "the completion")
        await pilot.press("tab", *"luca", "enter")
        await until(pilot, lambda: shop.house.ticket(TicketId(1)).assignee_id == shop.house.luca.id, "assigned")
        await until(pilot, lambda: not queue.prompt.purpose, "the line is closed")


async def test_help_lists_what_is_bound_here_and_nothing_else(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 60)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Keys of this place" in shown(app), "help")
        actions = {binding.action for binding in queue.bound()}
        assert {"reply", "take", "filter", "quit", "go_outbox"} <= actions
        assert "forward" in actions
        assert "follow" in actions and "fold" not in actions


async def test_a_narrow_console_shows_one_pane_and_a_tiny_one_says_so(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        assert not queue.query_one("#preview").display
        await pilot.resize_terminal(40, 10)
        await until(pilot, lambda: "too small" in shown(app) and "60 × 20" in shown(app), "the whole sentence")
        await pilot.resize_terminal(150, 40)
        await until(pilot, lambda: queue.query_one("#customer").display, "the customer")


async def test_esc_in_the_filter_leaves_the_cursor_where_it_was(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("j", "j")
        before = queue.current_id()
        await pilot.press("/", *"Giulia")
        await until(pilot, lambda: len(queue.tickets.spine) == 1, "narrowed")
        await pilot.press("escape")
        await list_shown(pilot)
        await until(pilot, lambda: queue.current_id() == before, "the ticket before")


async def test_a_window_that_grows_shows_the_ticket_under_the_cursor(shop: Shop) -> None:
    async with shop.console().run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: queue.preview.ticket == queue.current_id() == 1, "the preview")


async def test_escape_after_a_search_comes_back_to_the_view_it_was_begun_in(shop: Shop) -> None:
    async with shop.console().run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("g", "u")
        await until(pilot, lambda: queue.listing.view == "unassigned", "the unassigned")
        await pilot.press("g", "/", *"Ordine", "enter", "escape")
        await until(pilot, lambda: (queue.listing.view, queue.listing.text) == ("unassigned", ""), "back there")


async def test_the_whole_desk_is_searched_and_an_empty_answer_is_said(shop: Shop) -> None:
    shop.house.desk.perform("solve", shop.house.giulia, (TicketId(1),), {"dismiss": "no_action"})
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot, 3)
        await pilot.press("g", "/", *"Ordine 5521")
        await until(pilot, lambda: queue.current_id() == 1, "the solved ticket")
        await pilot.press("enter", "colon", *"search qwertz", "enter")
        await until(pilot, lambda: "No ticket contains “qwertz”." in shown(app), "nothing")
        await pilot.press("escape", "1")
        await list_shown(pilot, 3)


async def test_a_snooze_phrase_that_is_not_understood_stays_to_be_mended(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("s")
        await until(pilot, lambda: queue.prompt.purpose == "when", "the question")
        await pilot.press(*"pippo", "enter")
        await until(pilot, lambda: "pippo" in shown(app).splitlines()[-2].partition("pippo")[2], "what is wrong")
        assert (queue.prompt.purpose, queue.prompt.value) == ("when", "pippo")
        assert "#1: " in shown(app)


async def test_a_command_names_the_ticket_that_it_is_for(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("colon")
        await until(pilot, lambda: "acts on #1" in shown(app), "the hint")
        await pilot.press(*"priority #3 high", "enter")
        await until(pilot, lambda: shop.house.ticket(TicketId(3)).priority == "high", "the other ticket")
        assert shop.house.ticket(TicketId(1)).priority == "normal"


async def test_a_notice_goes_with_the_next_key_and_stands_over_the_hints(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportdesk.tui.app.NOTICE_STAYS", -1.0)
    app = shop.console()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await list_shown(pilot)
        await pilot.press("i")
        await until(pilot, lambda: "u undoes it" in shown(app).splitlines()[-1], "the notice")
        await pilot.press("j")
        await until(pilot, lambda: "reply" in shown(app).splitlines()[-1], "the hints again")


async def test_a_long_subject_leaves_status_owner_and_due_in_the_header(shop: Shop) -> None:
    shop.house.customer_writes("?", sender="long@example.it", name="Long", subject="Lungo " * 30)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 5)
        app.open_ticket(TicketId(5))
        await screen_of(pilot, TicketScreen)
        await until(pilot, lambda: "#5 Lungo" in shown(app), "the ticket")
        header = next(line for line in shown(app).splitlines() if "#5 Lungo" in line)
        assert "new" in header and "nobody's" in header and "due in" in header


async def test_the_way_out_does_not_wait_for_a_prefix_key(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "ctrl+q")
        await until(pilot, lambda: app.return_code is not None, "left")
