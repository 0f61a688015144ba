"""A small run of the fuzzer, and that a run can be repeated."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from tests.fuzz.__main__ import fuzz, seed_mails
from tests.fuzz.mutate import LARGEST, MUTATIONS, mutated
from tests.fuzz.samples import SAMPLES


def test_mutated_mails_crash_nothing() -> None:
    found = fuzz(20260301, range(2_000), seed_mails())
    assert found.runs == 2_000
    assert found.crashes == {}


def test_the_seed_and_the_number_alone_say_which_mail_it_is() -> None:
    first = [mutated(Random(f"7:{number}"), SAMPLES) for number in range(50)]
    assert first == [mutated(Random(f"7:{number}"), SAMPLES) for number in range(50)]
    assert len(set(first)) > 45
    assert first != [mutated(Random(f"8:{number}"), SAMPLES) for number in range(50)]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_every_mutation_changes_something_and_survives_nothing_to_change(mutation) -> None:
    assert any(mutation(Random(number), SAMPLES[0], SAMPLES) != SAMPLES[0] for number in range(20))
    assert isinstance(mutation(Random(1), b"", SAMPLES), bytes)
    assert len(mutated(Random(1), [b"x" * 2 * LARGEST])) <= LARGEST


def test_a_crash_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: bytes) -> None:
        raise ValueError("broken")

    monkeypatch.setattr("tests.fuzz.__main__.parse", broken)
    assert fuzz(1, range(3), SAMPLES).crashes == dict.fromkeys(range(3), "ValueError: broken")


def test_a_mail_that_takes_too_long_is_found_whatever_catches_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(raw: bytes) -> None:
        while True:
            with suppress(Exception):
                sum(range(1000))

    monkeypatch.setattr("tests.fuzz.__main__.SECONDS", 0.05)
    monkeypatch.setattr("tests.fuzz.__main__.parse", slow)
    assert fuzz(1, [0], SAMPLES).crashes == {0: "OutOfTime: more than 0.05 s"}
