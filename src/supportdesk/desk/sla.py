"""Targets: by when a ticket must be answered and solved, and which of them is due next (domain.md section 7).

First response, next response and resolution run in sequence; at most one response target is open at a time. A policy
says how long each may take, a calendar (`desk.calendar`) what that is in time; both are stored on the ticket when a
target starts. Who waits since when is `desk.waiting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.hours import business_days_after, deadline, elapsed, next_opening
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

WARN_AT_PERCENT: Final = 75


@dataclass(frozen=True, slots=True)
class Days:
    """The same clock time on the `days`-th open day, closed days skipped: 1 is the promise of 24 h."""

    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise UsageError(_("a promise takes at least one day, not {days}").format(days=self.days))


@dataclass(frozen=True, slots=True)
class OpeningTime:
    """Seconds counted inside opening hours only."""

    seconds: int

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise UsageError(_("a target takes at least one second, not {seconds}").format(seconds=self.seconds))


Span = Days | OpeningTime
PROMISE_24H: Final = Days(1)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long each target may take; None: no such target. `inside` is the goal for responses that only agents see."""

    first_response: Span | None = PROMISE_24H
    next_response: Span | None = PROMISE_24H
    resolution: Span | None = None
    inside: Span | None = OpeningTime(8 * 3600)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready values: `{"first_response": {"days": 1}, "resolution": null, "inside": {"seconds": 28800}, …}`."""
        return {name: _write_span(getattr(self, name)) for name in _TARGET_NAMES}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Policy:
        """Read what `to_json` wrote; a target that is left out takes the default, null switches it off."""
        for name in values:
            if name not in _TARGET_NAMES:
                raise UsageError(
                    _("policy: {name!r} is no target").format(name=name),
                    hint=_("known: {names}").format(names=", ".join(_TARGET_NAMES)),
                )
        return cls(**{name: _read_span(name, value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the clocks run on. `pending` are the spells in status pending, in order; the last may have no end yet."""

    created_at: datetime
    waiting_since: datetime | None = None
    first_response_at: datetime | None = None
    solved_at: datetime | None = None
    pending: tuple[tuple[datetime, datetime | None], ...] = ()


TargetKind = Literal["first_response", "next_response", "resolution"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """When agents are told of one target, once each: `warn_at` (75 % of the opening time) and `breach_at`.

    Both lie in opening hours; None without an opening.
    """

    target: TargetKind
    warn_at: datetime | None
    breach_at: datetime | None


@dataclass(frozen=True, slots=True)
class Targets:
    """What is open and when it is due (UTC); None: not running, or answered, or paused.

    `announcements` has one for each open target, `warn_at` and `breach_at` are those of the one that is due next.
    `inside_due` is the agents' own goal for the open response.
    `without_opening`: the calendar has no opening for 400 days, so no time can be named although somebody may wait.
    """

    first_due: datetime | None = None
    next_due: datetime | None = None
    resolution_due: datetime | None = None
    inside_due: datetime | None = None
    announcements: tuple[Announcement, ...] = ()  # the target that is due next first
    without_opening: bool = False

    @property
    def warn_at(self) -> datetime | None:
        return self.announcements[0].warn_at if self.announcements else None

    @property
    def breach_at(self) -> datetime | None:
        return self.announcements[0].breach_at if self.announcements else None

    @property
    def announce_at(self) -> datetime | None:
        """When the first of all announcements is due."""
        return min((one.warn_at for one in self.announcements if one.warn_at is not None), default=None)


def compute(policy: Policy, calendar: Calendar, facts: Facts) -> Targets:
    """The targets of a ticket as it stands.

    First and next response run from `waiting_since`, next response once a first one was given. A customer's first mail
    creates the ticket, so that is creation; a split makes a younger ticket of a customer who has waited longer.
    Resolution runs from creation until solved, without the time in pending; on hold the customer still waits, so it
    goes on.
    """
    started: dict[TargetKind, tuple[datetime, datetime]] = {}
    without_opening = False
    inside_due = None
    response = _open_response(policy, facts)
    if response is not None:
        kind, start, span = response
        due_at = promised(calendar, start, span) if span else None
        without_opening = span is not None and due_at is None
        if due_at is not None:
            started[kind] = (start, due_at)
        inside_due = promised(calendar, start, policy.inside) if policy.inside else None
    paused = bool(facts.pending) and facts.pending[-1][1] is None
    if policy.resolution and facts.solved_at is None and not paused:
        due_at = _resolution_due(policy.resolution, calendar, facts)
        without_opening = without_opening or due_at is None
        if due_at is not None:
            started["resolution"] = (facts.created_at, due_at)
    announcements = [
        _announcement(kind, calendar, start, due_at, facts.pending if kind == "resolution" else ())
        for kind, (start, due_at) in sorted(started.items(), key=lambda target: target[1][1])
    ]
    dues = {kind: due_at for kind, (_, due_at) in started.items()}
    return Targets(
        first_due=dues.get("first_response"),
        next_due=dues.get("next_response"),
        resolution_due=dues.get("resolution"),
        inside_due=inside_due,
        announcements=tuple(announcements),
        without_opening=without_opening,
    )


def due(targets: Targets) -> datetime | None:
    """What the queue is sorted by: the earliest open target; None sorts by `waiting_since`."""
    open_ones = (targets.first_due, targets.next_due, targets.resolution_due)
    return min((moment for moment in open_ones if moment is not None), default=None)


def promised(calendar: Calendar, start: datetime, span: Span) -> datetime | None:
    """When `span` from `start` is over, also in the words of an acknowledgement; None after 400 days without opening.

    A promise in days keeps the clock time, whenever the customer wrote: Friday 18:00 becomes Monday 18:00, also where
    the shop closes at 18:00, and Sunday 09:30 becomes Monday 09:30. Only opening time moves a start outside hours to
    the opening. `unanswered --older` counts the same days.
    """
    if isinstance(span, OpeningTime):
        return deadline(calendar, start, span.seconds)
    return business_days_after(calendar, start, span.days)


def _open_response(policy: Policy, facts: Facts) -> tuple[TargetKind, datetime, Span | None] | None:
    if facts.waiting_since is None:
        return None
    if facts.first_response_at is None:
        return "first_response", facts.waiting_since, policy.first_response
    return "next_response", facts.waiting_since, policy.next_response


def _resolution_due(span: Span, calendar: Calendar, facts: Facts) -> datetime | None:
    unpaused = promised(calendar, facts.created_at, span)
    if unpaused is None or not any(start < unpaused for start, _ in facts.pending):
        return unpaused
    return _after_running(calendar, facts.created_at, elapsed(calendar, facts.created_at, unpaused), facts.pending)


def _after_running(
    calendar: Calendar, start: datetime, seconds: int, pauses: Sequence[tuple[datetime, datetime | None]]
) -> datetime | None:
    """When `seconds` of opening time have run since `start`, not counting the pauses; None while one has no end."""
    for pause_start, pause_end in pauses:
        ran = elapsed(calendar, start, pause_start)
        if seconds <= ran:
            break
        if pause_end is None:
            return None
        seconds, start = seconds - ran, max(start, pause_end)
    return deadline(calendar, start, seconds)


def _announcement(
    target: TargetKind,
    calendar: Calendar,
    start: datetime,
    due_at: datetime,
    pauses: Sequence[tuple[datetime, datetime | None]],
) -> Announcement:
    total = elapsed(calendar, start, due_at) - sum(
        elapsed(calendar, max(start, begins), min(due_at, ends or due_at)) for begins, ends in pauses
    )
    at_three_quarters = _after_running(calendar, start, -(-total * WARN_AT_PERCENT // 100), pauses)
    warn_at = at_three_quarters and next_opening(calendar, at_three_quarters)
    return Announcement(target, warn_at, next_opening(calendar, due_at))


_TARGET_NAMES: Final = ("first_response", "next_response", "resolution", "inside")


def _write_span(span: Span | None) -> dict[str, int] | None:
    if span is None:
        return None
    return {"days": span.days} if isinstance(span, Days) else {"seconds": span.seconds}


def _read_span(name: str, value: object) -> Span | None:
    match value:
        case None:
            return None
        case {"days": int(days), **rest} if not rest and not isinstance(days, bool):
            return Days(days)
        case {"seconds": int(seconds), **rest} if not rest and not isinstance(seconds, bool):
            return OpeningTime(seconds)
    raise UsageError(
        _("policy: {name} is {value!r}, which is no span").format(name=name, value=value),
        hint=_("write {example}").format(example='{"days": 1} or {"seconds": 28800}'),
    )
