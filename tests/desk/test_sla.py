"""Targets in sequence, their pauses, their warnings, and what is due next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.hours import elapsed, is_open
from supportdesk.desk.sla import PROMISE_24H, Days, Facts, OpeningTime, Policy, Targets, compute, due, promised
from supportdesk.errors import UsageError

NINE_TO_SIX = ((540, 1080),)
OFFICE = Calendar("Europe/Rome", (NINE_TO_SIX, NINE_TO_SIX, NINE_TO_SIX, NINE_TO_SIX, NINE_TO_SIX, (), ()))
NEVER = Calendar("Europe/Rome", ((), (), (), (), (), (), ()))
DEFAULT = Policy()
SOLVING = Policy(resolution=OpeningTime(18 * 3600))
HOUR = 3600


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Rome")).astimezone(UTC)


FRIDAY, MONDAY, TUESDAY = "2026-11-27", "2026-11-30", "2026-12-01"


def test_by_default_the_first_response_is_due_at_the_same_clock_time_on_the_next_open_day():
    created = rome(f"{FRIDAY} 18:00")
    targets = compute(DEFAULT, OFFICE, Facts(created, waiting_since=created))
    assert targets.first_due == due(targets) == rome(f"{MONDAY} 18:00")
    assert (targets.next_due, targets.resolution_due) == (None, None)
    assert targets.inside_due == rome(f"{MONDAY} 17:00")


@pytest.mark.parametrize(
    ("start", "promise"),
    [
        ("2026-11-25 10:00", "2026-11-26 10:00"),
        ("2026-11-28 11:00", f"{MONDAY} 11:00"),
        ("2026-11-28 23:00", f"{MONDAY} 23:00"),
        ("2026-11-29 03:00", f"{MONDAY} 03:00"),
        (f"{MONDAY} 22:00", f"{TUESDAY} 22:00"),
    ],
)
def test_a_promise_keeps_the_clock_time_also_of_a_mail_outside_hours(start: str, promise: str):
    assert promised(OFFICE, rome(start), PROMISE_24H) == rome(promise)


def test_the_next_response_runs_from_waiting_since_once_the_first_was_given():
    facts = Facts(rome(f"{FRIDAY} 10:00"), rome(f"{MONDAY} 11:00"), first_response_at=rome(f"{FRIDAY} 12:00"))
    targets = compute(Policy(next_response=OpeningTime(2 * HOUR)), OFFICE, facts)
    assert targets.first_due is None
    assert targets.next_due == due(targets) == rome(f"{MONDAY} 13:00")
    assert targets.warn_at == rome(f"{MONDAY} 12:30")
    assert targets.breach_at == rome(f"{MONDAY} 13:00")


def test_nothing_is_due_while_nobody_waits():
    assert compute(DEFAULT, OFFICE, Facts(rome(f"{FRIDAY} 10:00"))) == Targets()
    assert due(Targets()) is None


def test_a_dismissed_beginning_does_not_make_the_first_question_late():
    targets = compute(DEFAULT, OFFICE, Facts(rome("2026-11-02 10:00"), waiting_since=rome(f"{FRIDAY} 10:00")))
    assert targets.first_due == rome(f"{MONDAY} 10:00")


def test_a_target_that_is_switched_off_is_not_due():
    created = rome(f"{FRIDAY} 10:00")
    targets = compute(Policy(first_response=None, inside=None), OFFICE, Facts(created, created))
    assert targets == Targets()


def test_resolution_pauses_in_pending_and_goes_on_afterwards():
    created = rome(f"{FRIDAY} 09:00")
    assert compute(SOLVING, OFFICE, Facts(created)).resolution_due == rome(f"{MONDAY} 18:00")
    asked = rome(f"{FRIDAY} 10:00")
    assert compute(SOLVING, OFFICE, Facts(created, pending=((asked, None),))).resolution_due is None
    answered = rome(f"{FRIDAY} 15:00")
    resumed = compute(SOLVING, OFFICE, Facts(created, pending=((asked, answered),)))
    assert resumed.resolution_due == rome(f"{TUESDAY} 14:00")
    assert elapsed(OFFICE, created, resumed.warn_at or created) == int(18.5 * HOUR)  # 13.5 h run + 5 h paused
    twice = compute(
        SOLVING, OFFICE, Facts(created, pending=((asked, answered), (rome(f"{MONDAY} 09:00"), rome(f"{MONDAY} 10:00"))))
    )
    assert twice.resolution_due == rome(f"{TUESDAY} 15:00")


def test_a_pause_after_the_breach_does_not_heal_it():
    created = rome(f"{FRIDAY} 09:00")
    pause = (rome(f"{TUESDAY} 09:00"), rome(f"{TUESDAY} 12:00"))
    assert compute(SOLVING, OFFICE, Facts(created, pending=(pause,))).resolution_due == rome(f"{MONDAY} 18:00")


def test_a_solved_ticket_has_no_resolution_due():
    created = rome(f"{FRIDAY} 09:00")
    assert compute(SOLVING, OFFICE, Facts(created, solved_at=rome(f"{FRIDAY} 10:00"))) == Targets()


def test_the_queue_goes_by_the_earliest_target_and_so_does_the_warning():
    created = rome(f"{FRIDAY} 09:00")
    targets = compute(Policy(resolution=OpeningTime(4 * HOUR)), OFFICE, Facts(created, created))
    assert targets.first_due == rome(f"{MONDAY} 09:00")
    assert due(targets) == targets.resolution_due == rome(f"{FRIDAY} 13:00")
    assert targets.warn_at == rome(f"{FRIDAY} 12:00")


def test_a_breach_at_night_is_told_in_the_morning():
    start = rome("2026-11-26 22:00")
    targets = compute(DEFAULT, OFFICE, Facts(start, start))
    assert targets.first_due == rome(f"{FRIDAY} 22:00")
    assert targets.breach_at == rome(f"{MONDAY} 09:00")
    assert targets.warn_at == rome(f"{FRIDAY} 15:45")  # 75 % of the nine hours of Friday


def test_a_calendar_without_openings_says_so_and_does_not_fail():
    created = rome(f"{FRIDAY} 09:00")
    targets = compute(SOLVING, NEVER, Facts(created, created))
    assert targets == Targets(without_opening=True)


def test_without_a_calendar_a_day_is_a_day():
    created = rome("2026-11-28 03:00")
    targets = compute(DEFAULT, Calendar.always_open(), Facts(created, created))
    assert targets.first_due == created + timedelta(days=1)
    assert targets.warn_at == created + timedelta(hours=18)


def test_a_policy_survives_json():
    policy = Policy(OpeningTime(60), None, Days(3), None)
    assert Policy.from_json(json.loads(json.dumps(policy.to_json()))) == policy
    assert Policy.from_json({}) == DEFAULT


@pytest.mark.parametrize(
    "values",
    [
        {"first": {"days": 1}},
        {"resolution": {"days": 0}},
        {"resolution": {"seconds": -5}},
        {"resolution": {"days": 1, "seconds": 5}},
        {"resolution": {"days": True}},
        {"resolution": "1d"},
    ],
)
def test_a_wrong_policy_is_refused(values: dict[str, object]):
    with pytest.raises(UsageError):
        Policy.from_json(values)


def opens_on_the_day_of(start: datetime) -> bool:
    return bool(OFFICE.week[start.astimezone(ZoneInfo(OFFICE.zone)).weekday()])


spans = st.one_of(st.integers(1, 5).map(Days), st.integers(60, 90 * HOUR).map(OpeningTime))
minutes = st.integers(0, 60 * 24 * 60)


@given(minutes, minutes, spans)
@settings(max_examples=150, deadline=None)
def test_who_waits_longer_is_due_no_later(first: int, second: int, span: Days | OpeningTime):
    base = rome("2026-10-01 00:00")
    earlier, later = (base + timedelta(minutes=m) for m in sorted((first, second)))
    policy = Policy(first_response=span)
    one, two = (compute(policy, OFFICE, Facts(start, start)) for start in (earlier, later))
    assert one.first_due is not None
    assert two.first_due is not None
    # The clock time of a closed day is kept as well: Saturday 10:00 is due before Friday 18:00.
    if isinstance(span, OpeningTime) or all(opens_on_the_day_of(start) for start in (earlier, later)):
        assert one.first_due <= two.first_due
    for start, targets in ((earlier, one), (later, two)):
        assert targets.warn_at is not None
        assert targets.breach_at is not None
        assert start <= targets.warn_at <= targets.breach_at
        assert is_open(OFFICE, targets.warn_at)
        assert is_open(OFFICE, targets.breach_at)


@given(st.lists(minutes, min_size=2, max_size=6, unique=True), st.integers(60, 60 * HOUR))
@settings(max_examples=150, deadline=None)
def test_what_ran_outside_the_pauses_is_exactly_the_target(marks: list[int], seconds: int):
    base = rome("2026-10-01 00:00")
    moments = [base + timedelta(minutes=m) for m in sorted(marks)]
    pauses = tuple(zip(moments[::2], moments[1::2], strict=False))
    targets = compute(Policy(resolution=OpeningTime(seconds)), OFFICE, Facts(base, pending=pauses))
    assert targets.resolution_due is not None
    paused = sum(elapsed(OFFICE, a, min(b, targets.resolution_due)) for a, b in pauses)
    assert elapsed(OFFICE, base, targets.resolution_due) - paused == seconds
