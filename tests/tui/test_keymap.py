"""Keys reach their actions, and a wrong keymap is refused with every mistake named."""

from __future__ import annotations

import pytest

from supportdesk.errors import ConfigError
from supportdesk.tui.default_keys import DEFAULT_BINDINGS, EVERYWHERE
from supportdesk.tui.keymap import (
    BROKEN_KEYS,
    FRAGILE_KEYS,
    IMMEDIATE,
    KeyMatcher,
    Match,
    NoMatch,
    Pending,
    compile_keymap,
    key_name,
    parse_keys,
)


def test_the_default_keys_are_in_order() -> None:
    keymap = compile_keymap()
    assert keymap.action("list", ("r",)) == "reply"
    assert keymap.keys_for("list", "undo") == ("u", "z")
    seen = [(context, parse_keys(binding.keys)) for binding in DEFAULT_BINDINGS for context in binding.contexts]
    assert len(seen) == len(set(seen))


def test_nothing_acts_at_once_on_a_key_that_an_arrow_falls_apart_into() -> None:
    for binding in DEFAULT_BINDINGS:
        keys = parse_keys(binding.keys)
        assert not (binding.action in IMMEDIATE and len(keys) == 1 and keys[0] in FRAGILE_KEYS), binding
        assert not BROKEN_KEYS & set(keys), binding


@pytest.mark.parametrize("context", EVERYWHERE)
def test_an_arrow_in_pieces_changes_nothing(context: str) -> None:
    for final in "ABCDFHPQRS":
        matcher = KeyMatcher(compile_keymap())
        for key in ("esc", "[", final):
            match matcher.feed(context, key):
                case Match(action):
                    assert action not in IMMEDIATE


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
    assert compile_keymap('[ticket]\n"Z" = "split"\n', known=["split"]).action("ticket", ("Z",)) == "split"


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
