"""A mail that pretends: its file's end, its link's host, its sender's name, our own words (D06 of reliability.md).

The screens are kept as text in tests/tui/spoofed; `python -m tests.tui.spoofing` writes them anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.tui.themes import THEMES
from tests.tui.conftest import PATIENCE, list_shown, shown, until
from tests.tui.spoofing import LANGUAGES, SCREENS, SIZES, content, kept, spoofed_console, visit

if TYPE_CHECKING:
    from rich.style import Style
    from textual.pilot import Pilot

    from supportdesk.tui.app import Console

SAID_OF_IT = ("sender not verified", "its name shows another address", "answers go to", "a program in disguise")
SAID_BY_IT = (
    "✓ sender verified · open",
    "servizio@bottega.example <",
    "Luca Neri ✓ sender verified",
    "fatturagpj.exe 2 B",
)
STATE, SUBJECT = "new · nobody's · due in 23h", SAID_BY_IT[0]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_a_mail_pretends_is_seen_through_on_every_screen(language: str, size: tuple[int, int]) -> None:
    seen = []

    async def look(pilot: Pilot[int], screen: str) -> None:
        expected = kept(screen, language, size).read_text()
        seen.append(screen)
        for _try in range(int(PATIENCE / 0.05)):
            if content(pilot.app) == expected:
                return
            await pilot.pause(0.05)
        assert content(pilot.app) == expected

    await visit(language, size, look)
    assert seen == list(SCREENS)


def test_the_kept_screens_show_who_it_is() -> None:
    for size in SIZES:
        ticket, links, files = (kept(screen, "en", size).read_text() for screen in ("ticket", "links", "files"))
        assert [told for told in (*SAID_OF_IT, "altro@evil.example", "\u27e6RLO\u27e7") if told not in ticket] == []
        assert "! xn--bttega-wqf" in links and "! evil.example" in links and "goes to" in links
        assert "fatturagpj.exe" in files and "listino.pdf.exe" in files


async def test_no_theme_shows_what_a_mail_says_as_it_shows_what_is_said_of_it() -> None:
    with spoofed_console("en") as app:
        async with app.run_test(size=(120, 40)) as pilot:
            await list_shown(pilot, 2)
            await pilot.press("enter")
            await until(pilot, lambda: all(words in shown(app) for words in (*SAID_OF_IT, *SAID_BY_IT)), "the ticket")
            painted = set()
            for theme in THEMES:
                app.theme = theme.name
                await pilot.pause()
                ours, theirs = looks_of(app, *SAID_OF_IT), looks_of(app, *SAID_BY_IT)
                assert ours and theirs and not ours & theirs, theme.name
                assert not looks_of(app, STATE) & looks_of(app, SUBJECT), theme.name
                painted.add(frozenset(ours))
            assert len(painted) >= len(THEMES) - 1, "each was painted"


def looks_of(app: Console, *words: str) -> set[Style]:
    """How the first letter of each of these words is painted."""
    looks = set()
    for strip in app.screen._compositor.render_strips():
        text = "".join(segment.text for segment in strip)
        for at in (text.find(wanted) for wanted in words):
            if at >= 0:
                [letter] = list(strip.crop(at, at + 1))
                assert letter.style is not None
                looks.add(letter.style.clear_meta_and_links())
    return looks
