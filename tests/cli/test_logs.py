"""F07: the log tells what happened to whom without saying who: no address, no body, no secret; and no flood."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.cli import failures, logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger("supportdesk.worker")


@pytest.fixture
def written() -> Iterator[Callable[[], list[str]]]:
    """What the log has said since it was set up, at DEBUG and as JSON."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with redirect_stderr(stream):
        logs.set_up(verbose=True, as_json=True)
    yield lambda: stream.getvalue().splitlines()
    root.handlers[:], root.level = before, level


def fail_with(words: str) -> None:
    try:
        int(words)
    except ValueError:
        log.exception("delivery %d failed", 7)


def test_f07_no_address_and_no_value_of_an_error_gets_into_the_log(written: Callable[[], list[str]]) -> None:
    log.debug("%s: took over %d new messages", "Aiuto@Bottega.example", 3)
    log.warning("550 5.1.1 <rosa.bianchi+x@example.com>: no such user; ask postmaster@esämple.it")
    fail_with("UNIQUE failed: rosa@example.com, the body of a mail, password hush")
    printed = "\n".join(written())
    assert "@" not in printed
    for secret in ("rosa", "Bottega", "body of a mail", "hush"):
        assert secret not in printed
    told = [json.loads(line) for line in written()]
    assert [one["level"] for one in told] == ["debug", "warning", "error"]
    assert told[0]["words"].startswith("<addr:")
    assert told[2]["places"][-1] == "ValueError"
    assert "fail_with" in told[2]["places"][0]


def test_the_same_address_is_the_same_hash() -> None:
    assert logs.hide_addresses("a@b.example") == logs.hide_addresses("A@B.example")
    assert logs.hide_addresses("a@b.example") != logs.hide_addresses("c@b.example")


def test_i02_one_cause_is_told_once_a_minute_and_what_was_left_out_is_counted(
    written: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: moment[0])
    for _number in range(50):
        log.warning("%s: %s", "a@b.example", "login refused")
        moment[0] += 1.0
    log.warning("%s: %s", "other@b.example", "login refused")
    moment[0] += 60.0
    log.warning("%s: %s", "a@b.example", "login refused")
    told = [json.loads(line) for line in written()]
    assert [one["more"] for one in told] == [0, 0, 49]


def test_a_line_of_hostile_words_stays_one_line(written: Callable[[], list[str]]) -> None:
    log.warning("%s", "NO\r\n2026-01-01 INFO forged \x1b[2J")
    [line] = written()
    assert "\x1b" not in line


def test_an_error_that_nobody_expected_is_told_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(ValueError, match="Giulia") as caught:
        int("Giulia Rossi")
    assert failures.crash(caught.value) == 1
    told = capsys.readouterr().err
    assert "ValueError (test_logs.py:" in told
    assert "Giulia" not in told + "".join(path.read_text() for path in tmp_path.rglob("crash.log"))


def test_a_log_on_a_full_disk_stops_nobody_and_says_nothing_in_other_words(capsys: pytest.CaptureFixture[str]) -> None:
    """The line itself would come with the values that it hides."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        with Path("/dev/full").open("wb", buffering=0) as full:
            with redirect_stderr(io.TextIOWrapper(full, write_through=True)):
                logs.set_up(verbose=False, as_json=True)
            log.warning("%s: login refused", "aiuto@bottega.example")
    finally:
        root.handlers[:], root.level = before, level
    assert "bottega" not in capsys.readouterr().err
