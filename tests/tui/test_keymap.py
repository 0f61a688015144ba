"""Keys reach their actions, and a wrong keymap is refused with every mistake named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.config import Config
from supportdesk.desk.actions import BY_ID
from supportdesk.errors import ConfigError
from supportdesk.l10n.catalog import use_language
from supportdesk.tui.default_keys import DEFAULT_BINDINGS, EVERYWHERE
from supportdesk.tui.keymap import (
    BROKEN_KEYS,
    FRAGILE_KEYS,
    SHOWS_OR_ASKS,
    KeyMatcher,
    Match,
    NoMatch,
    Pending,
    acts_at_once,
    compile_keymap,
    key_name,
    parse_keys,
    read_keymap,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_default_keys_are_in_order() -> None:
    keymap = compile_keymap()
    assert keymap.action("list", ("r",)) == "reply"
    assert keymap.keys_for("list", "undo") == ("u", "z")
    seen = [(context, parse_keys(binding.keys)) for binding in DEFAULT_BINDINGS for context in binding.contexts]
    assert len(seen) == len(set(seen))


def test_nothing_acts_at_once_on_a_key_that_an_arrow_falls_apart_into() -> None:
    for binding in DEFAULT_BINDINGS:
        keys = parse_keys(binding.keys)
        assert not (acts_at_once(binding.action) and len(keys) == 1 and keys[0] in FRAGILE_KEYS), binding
        assert not BROKEN_KEYS & set(keys), binding


@pytest.mark.parametrize("context", EVERYWHERE)
def test_an_arrow_in_pieces_changes_nothing(context: str) -> None:
    for final in "ABCDFHPQRS":
        matcher = KeyMatcher(compile_keymap())
        for key in ("esc", "[", final):
            match matcher.feed(context, key):
                case Match(action):
                    assert not acts_at_once(action)


@pytest.mark.parametrize(
    "action",
    ["take", "take_next", "unassign", "solve", "reopen", "wake", "spam", "not_spam", "follow", "undo", "cancel_send"]
    + ["accept_suggestion", "reject_suggestion", "same_customer", "confirm_participant", "split", "select_all"]
    + ["send", "send_and_solve", "deliver_again", "mark_sent", "discard", "release", "fetch_junk", "fetch_whole"]
    + ["share_view", "remove_view", "move_view_up", "save_note", "save_canned", "remove_planned", "quit"]
    + ["what_somebody_adds_tomorrow"],
)
def test_what_acts_at_once_is_known(action: str) -> None:
    assert acts_at_once(action)


@pytest.mark.parametrize(
    "action", ["assign", "status", "snooze", "tag", "priority", "merge", "move", "language", "dismiss", "call", "reply"]
)
def test_what_asks_first_may_have_any_key(action: str) -> None:
    assert compile_keymap(f'[ticket]\n"A" = "{action}"\n').action("ticket", ("A",)) == action


def test_no_agent_can_put_what_acts_at_once_on_a_fragile_key() -> None:
    bound = {binding.action for binding in DEFAULT_BINDINGS} | set(BY_ID)
    assert bound >= SHOWS_OR_ASKS, "each of them is there"
    for action in sorted(action for action in bound if acts_at_once(action)):
        with pytest.raises(ConfigError, match=f"and `{action}` acts at once"):
            compile_keymap(f'[list]\n"A" = "{action}"\n')


def test_a_keymap_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"keys\.toml cannot be read"):
        read_keymap(Config(source=None, database="", keymap=str(tmp_path / "keys.toml")))


WRONG = """\
[lists]
"x" = "spam"
[list]
"X" = "spamm"
"A" = "take"
"^i" = "take"
"g" = "spam"
"^y" = "undo"
"ctrl+y" = "undo"
"k" = 3
"?" = ""
"" = "undo"
[compose]
"x" = "canned"
"""


def test_the_complaints_are_in_the_agents_language() -> None:
    def said() -> tuple[list[str], str]:
        with pytest.raises(ConfigError) as raised:
            compile_keymap(WRONG)
        return raised.value.message.splitlines(), raised.value.hint

    english, hint = said()
    use_language("it")
    try:
        italian, suggerimento = said()
    finally:
        use_language("en")
    assert len(english) == len(italian) > 10
    assert not set(english) & set(italian), "each line is translated"
    assert hint != suggerimento
    assert "keymap.toml:4: [list] X: non esiste l’azione `spamm`; forse `spam`?" in italian


def test_a_prefix_waits_and_then_matches() -> None:
    matcher = KeyMatcher(compile_keymap())
    waiting = matcher.feed("list", "g")
    assert isinstance(waiting, Pending)
    assert ("m", "mine") in waiting.choices
    assert matcher.feed("list", "m") == Match("go_mine")
    assert matcher.pending == ()


def test_escape_cancels_a_prefix_and_does_nothing_else() -> None:
    matcher = KeyMatcher(compile_keymap())
    matcher.feed("list", "g")
    assert matcher.feed("list", "esc") == NoMatch(consumed=True)
    assert matcher.feed("list", "esc") == Match("back")


def test_a_wrong_second_key_is_swallowed() -> None:
    matcher = KeyMatcher(compile_keymap())
    matcher.feed("list", "g")
    assert matcher.feed("list", "r") == NoMatch(consumed=True)
    assert matcher.feed("list", "r") == Match("reply")


def test_another_place_forgets_the_prefix() -> None:
    matcher = KeyMatcher(compile_keymap())
    matcher.feed("list", "g")
    assert matcher.feed("compose", "m") == NoMatch(consumed=False)


@pytest.mark.parametrize(
    ("key", "character", "name"),
    [
        ("slash", "/", "/"),
        ("G", "G", "G"),
        ("ctrl+d", "\x04", "^d"),
        ("escape", "\x1b", "esc"),
        ("enter", "\r", "enter"),
        ("space", " ", "space"),
        ("pagedown", None, "pagedown"),
        ("f1", None, "f1"),
        ("vertical_line", "|", "|"),
        ("è", "è", "è"),
    ],
)
def test_a_key_is_named_as_on_the_screen(key: str, character: str | None, name: str) -> None:
    assert key_name(key, character) == name


def test_an_agent_can_move_a_key_and_drop_one() -> None:
    keymap = compile_keymap('[list]\n"X" = "spam"\n"!" = ""\n[global]\n"ctrl+y" = "undo"\n')
    assert keymap.action("list", ("X",)) == "spam"
    assert keymap.action("list", ("!",)) is None
    assert keymap.action("ticket", ("!",)) == "spam"
    assert keymap.action("compose", ("^y",)) == "undo"


def test_actions_without_a_default_key_can_be_bound() -> None:
    assert compile_keymap('[ticket]\n"Z" = "split"\n').action("ticket", ("Z",)) == "split"


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ('[list]\n\n"X" = "spamm"\n', "keymap.toml:3: [list] X: there is no action `spamm`; did you mean `spam`?"),
        ('[lists]\n"X" = "spam"\n', "keymap.toml:1: there is no place `lists`; did you mean `list`?"),
        ('[list]\n"ctrl+i" = "take"\n', "keymap.toml:2: [list] ctrl+i: no terminal sends `^i`"),
        ('[list]\n"g" = "spam"\n', "keymap.toml:2: [list] `g` is an action and the beginning of `g g`"),
        ('[list]\n"r r" = "spam"\n', "keymap.toml:2: [list] `r` is an action and the beginning of `r r`"),
        ('[list]\n"^y" = "spam"\n"ctrl+y" = "undo"\n', "keymap.toml:3: [list] ctrl+y: is the same key as in line 2"),
        ('[compose]\n"x" = "canned"\n', "keymap.toml:2: [compose] x: letters are text here"),
        ('[list]\n"B" = "spam"\n', "on a slow line an arrow key can arrive as `B`"),
        ('[global]\n"^q" = ""\n', "[list] no key is left for `quit`"),
        ('[list]\n"?" = "filter"\n', "[list] no key is left for `help`"),
        ('[list]\n"x" = 3\n', "keymap.toml:2: [list] x: an action id in quotes belongs here"),
        ('[list\n"x" = 3\n', "keymap.toml: "),
    ],
)
def test_a_wrong_keymap_is_refused_with_line_and_reason(toml: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compile_keymap(toml)
    assert complaint in raised.value.message


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        compile_keymap('[list]\n"X" = "spamm"\n"Y" = "undoo"\n')
    assert len(raised.value.message.splitlines()) == 2
