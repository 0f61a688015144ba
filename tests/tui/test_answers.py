"""What a terminal answers is taken out of the input, in whatever pieces it comes; no key and no paste is."""

from __future__ import annotations

import random

import pytest
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

from supportdesk.tui.answers import AnswerFilter, TypingParser
from tests.tui.replies import terminal_reply

ANSWERS = 2_000


def typed(filter_: AnswerFilter, *pieces: str) -> str:
    return "".join(filter_.feed(piece) for piece in pieces)


def test_no_answer_is_typing_however_it_is_cut() -> None:
    """D07."""
    chance = random.Random(20261122)
    for _unused in range(ANSWERS):
        answer = terminal_reply(chance).decode()
        cut = chance.randrange(3, len(answer))
        heard = [*TypingParser().feed(answer), *TypingParser().feed(answer + "j")]
        keys = [event.key for event in heard if isinstance(event, events.Key)]
        assert keys == ["j"], repr(answer)
        if answer[1] != "[" or (answer[2] in "?>=" and not answer.endswith("$y")):
            assert typed(AnswerFilter(), "a", answer[:cut], answer[cut:], "b") == "ab", repr((answer, cut))


@pytest.mark.parametrize("sequence", sorted(ANSI_SEQUENCES_KEYS))
def test_every_key_that_textual_knows_is_let_through(sequence: str) -> None:
    now = [0.0]
    filter_ = AnswerFilter(lambda: now[0])
    passed = filter_.feed(sequence)
    now[0] = 1.0
    assert passed + filter_.overdue() == sequence


@pytest.mark.parametrize(
    "data",
    [
        "\x1b[200~text \x1b[201~", "\x1b[<0;10;20M", "\x1b[<0;10;20m", "\x1b[I", "\x1b[O", "\x1b[?2026;2$y",
        "\x1b[48;24;80;480;800t", "\x1b[97;5u", "\x1b[1;5A", "ciao, perché?", "\x1b", "\x1b[", "\x1bO", "\x1bj",
    ],
)  # fmt: skip
def test_pastes_the_mouse_and_modes_are_let_through(data: str) -> None:
    assert AnswerFilter().feed(data) == data


def test_an_alt_key_is_typed_after_a_moment_and_a_broken_answer_is_not() -> None:
    now = [0.0]
    filter_ = AnswerFilter(lambda: now[0])
    assert filter_.feed("\x1bP") == filter_.overdue() == ""
    now[0] = 0.2
    assert filter_.overdue() == "\x1bP"
    assert filter_.feed("\x1bP1$rrm -rf") == ""
    now[0] = 0.5
    assert filter_.overdue() == ""
    now[0] = 2.0
    assert filter_.overdue() == ""
    assert filter_.feed("j") == "j"
