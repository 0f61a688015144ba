"""The conversation reads well at every width, folds without loss, and shows nothing that a mail could obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from supportdesk.mail.model import Fold
from supportdesk.safetext import BODY_LIMIT
from supportdesk.tui.glyphs import ASCII, UNICODE
from supportdesk.tui.widgets.guard import SafeApp
from supportdesk.tui.widgets.thread import Badge, ItemKind, ThreadItem, ThreadView
from supportdesk.tui.widgets.thread_layout import lay_out
from tests.tui.hostile import FORBIDDEN, PAYLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY = "Guten Tag, die Schuhe sind zu klein.\n> Wie war es?\n> Danke\nGruß"
QUOTE = (BODY.index("> Wie"), BODY.index("Gruß"))


def message(number: int, text: str = BODY, **more) -> ThreadItem:
    return ThreadItem(
        ItemKind.INCOMING, f"m{number}", f"Hans Meier <hans{number}@example.com>", "20 Nov 18:02", text, **more
    )


FOLDED = message(1, folds=(Fold(*QUOTE, "quote"),))


class ThreadApp(SafeApp[None]):
    def __init__(self, items: Sequence[ThreadItem], *, at: str | None = None, plain: bool = False) -> None:
        super().__init__()
        self.thread = ThreadView(glyphs=ASCII if plain else UNICODE)
        self.items = items
        self.at = at

    def compose(self):
        yield self.thread

    def on_mount(self) -> None:
        self.thread.focus()
        self.call_after_refresh(self.thread.show, self.items, at=self.at)

    def lines(self) -> list[str]:
        return [self.thread.render_line(y).text.rstrip() for y in range(self.thread.size.height)]


async def test_a_quote_is_folded_and_opens_without_loss() -> None:
    app = ThreadApp([FOLDED])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        shown = app.lines()
        assert "  ▸ 2 quoted lines" in shown
        assert not any("Wie war es" in line for line in shown)
        assert any("Gruß" in line for line in shown)
        assert app.thread.toggle_folds()
        assert "  > Wie war es?" in app.lines()
        assert app.thread.toggle_folds()
        assert app.lines() == shown


async def test_a_note_differs_by_sign_word_and_margin() -> None:
    note = ThreadItem(ItemKind.NOTE, "n1", "Luca", "18:05", "Call him back")
    app = ThreadApp([FOLDED, note])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        shown = "\n".join(app.lines())
        assert "✎ internal note · Luca" in shown
        assert "│ Call him back" in shown


async def test_state_badges_and_attachments_are_words() -> None:
    item = ThreadItem(
        ItemKind.OUTBOX, "o1", "Giulia", "now", "Ciao", attachments=("label.pdf 12 kB",), state="waiting 8 s",
        badges=(Badge("reply", "muted"),),
    )  # fmt: skip
    app = ThreadApp([item], plain=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        shown = app.lines()
        assert shown[0].startswith(">> outbox - Giulia  reply")
        assert shown[0].endswith("now")
        assert "  + label.pdf 12 kB" in shown
        assert "  . waiting 8 s" in shown
        assert all(line.isascii() for line in shown)


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_no_badge_gives_way_to_a_name(width: int) -> None:
    badges = tuple(Badge(words, "warning") for words in ("may be forged", "x" * 90, "many mails", "cut"))
    heading, *rest = lay_out(message(1, "Ciao", badges=badges), (), frozenset(), width, UNICODE)
    rows = [heading, *(line for line in rest if line.role == "badges")]
    told = [badge.text for line in rows for badge in line.badges]
    assert [one[:10] for one in told] == ["may be for", "x" * 10, "many mails", "cut"]
    assert bool(heading.badges) == (width == 200)
    for line in rows[1:]:
        assert cell_len(line.text + "  ".join(badge.text for badge in line.badges)) <= width


async def test_machine_mail_is_one_line_until_it_is_opened() -> None:
    mail = ThreadItem(ItemKind.MACHINE, "a1", "Mailer Daemon", "18:00", "line\n" * 30, collapsed=True)
    app = ThreadApp([mail], at="a1")
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        assert sum(1 for line in app.lines() if line) == 2
        app.thread.toggle_folds()
        assert sum(1 for line in app.lines() if line) == 32


async def test_lines_wrap_at_words_in_every_script() -> None:
    text = "word " * 60 + "\n" + "漢字" * 60 + "\n" + "שלום עולם " * 20 + "\n" + "x" * 200 + "\n" + "👩🎉" * 60
    app = ThreadApp([message(1, text)])
    async with app.run_test(size=(50, 60)) as pilot:
        await pilot.pause()
        shown = app.lines()
        assert max(cell_len(line) for line in shown) <= 50
        assert "".join(shown).count("漢字") == 60
        assert "".join(line.strip() for line in shown).count("x") >= 200
        assert not any(line.strip().endswith(" wor") for line in shown)


async def test_a_thread_of_a_thousand_messages_lays_out_only_what_is_seen() -> None:
    app = ThreadApp([message(number) for number in range(1_000)], at="m500")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "hans500@" in app.lines()[0]
        assert len(app.thread._layouts) < 20
        app.thread.move_to_end()
        assert app.thread.cursor_item is not None
        assert app.thread.cursor_item.id == "m999"
        app.thread.move_to_start()
        assert "hans0@" in app.lines()[0]


async def test_a_giant_body_is_cut_with_a_fold_that_says_how_much() -> None:
    app = ThreadApp([message(1, "line of text\n" * 40_000)])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.thread.move_to_end()
        assert any("more lines" in line for line in app.lines())
        app.thread.toggle_folds()
        app.thread.move_to_end()
        assert BODY_LIMIT < 40_000 * 13
        assert any("line of text" in line for line in app.lines())


async def test_scrolling_stops_at_both_ends_and_takes_the_cursor_along() -> None:
    app = ThreadApp([message(number) for number in range(30)], at="m0")
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.thread.scroll_lines(-5)
        assert "hans0@" in app.lines()[0]
        app.thread.scroll_lines(100_000)
        assert "Gruß" in "".join(app.lines()[-2:])
        assert app.thread.cursor_item is not None
        assert app.thread.cursor_item.id != "m0"


async def test_the_cursor_goes_from_item_to_item_and_through_long_ones() -> None:
    app = ThreadApp([message(0, "line\n" * 50), message(1)], at="m0")
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        app.thread.move_cursor(1)
        assert app.thread.cursor_item is not None
        assert app.thread.cursor_item.id == "m0"
        for _ in range(20):
            app.thread.move_cursor(1)
        assert app.thread.cursor_item.id == "m1"
        for _ in range(20):
            app.thread.move_cursor(-1)
        assert app.thread.cursor_item.id == "m0"
        assert "hans0@" in app.lines()[0]


async def test_a_new_message_leaves_what_is_read_where_it_is() -> None:
    items = [message(number) for number in range(10)]
    app = ThreadApp(items, at="m4")
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        before = app.lines()
        app.thread.replace_items([*items, message(10)])
        assert app.lines() == before
        assert app.thread.cursor_item is not None
        assert app.thread.cursor_item.id == "m4"


async def test_find_opens_the_fold_that_hides_the_word() -> None:
    app = ThreadApp([message(0), FOLDED])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.thread.find("DANKE ") == 2
        assert any("> Danke" in line for line in app.lines())
        assert app.thread.find_next() == (1, 2)
        assert app.thread.find("absent") == 0
        assert app.thread.find("") == 0


async def test_hostile_items_reach_the_screen_as_harmless_text() -> None:
    items = [
        ThreadItem(
            kind, f"{kind}{at}", payload, payload, f"{payload}\n{payload}", attachments=(payload,), state=payload,
            badges=(Badge(payload),),
        )
        for at, payload in enumerate(PAYLOADS)
        for kind in ItemKind
    ]  # fmt: skip
    app = ThreadApp(items)
    async with app.run_test(size=(90, 40)) as pilot:
        await pilot.pause()
        app.thread.move_to_start()
        seen = 0
        for _ in range(200):
            for y in range(app.thread.size.height):
                line = app.thread.render_line(y).text
                assert not FORBIDDEN.search(line)
                assert cell_len(line) == 90
                seen += 1
            app.thread.scroll_lines(40)
        assert seen > len(items)


async def test_before_it_has_a_size_and_without_items_it_is_quiet() -> None:
    thread = ThreadView()
    thread.show([FOLDED])
    assert thread.items == (FOLDED,)
    app = ThreadApp([])
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.thread.move_cursor(1)
        app.thread.scroll_lines(3)
        app.thread.move_to_end()
        assert not app.thread.toggle_folds()
        assert not any(app.lines())
