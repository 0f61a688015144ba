"""Editing opening hours: whose they are, the change as one action that can be undone, the deadlines that move by it.

A calendar belongs to whoever points to it: mailboxes and markets, several may share one. What a calendar makes of a
span of time is `desk.hours`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from supportdesk.desk.agents import check_actor
from supportdesk.desk.calendar import Calendar, CalendarException, validate
from supportdesk.desk.hours import next_opening
from supportdesk.desk.model import ActionId, Actor
from supportdesk.desk.ports import Change, Insert, NewRef, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.results import Done
from supportdesk.desk.retarget import Moved, retarget
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound
from supportdesk.l10n.catalog import _, ngettext
from supportdesk.l10n.promise import closed_on
from supportdesk.l10n.tags import canonical_language

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader, Row

EVENT = "calendar"
Edit = Callable[[Calendar], Calendar]


@dataclass(frozen=True, slots=True)
class Keeper:
    """Who keeps opening hours: a mailbox or a market. `calendar` is None where none were set: always open."""

    kind: Literal["mailbox", "market"]
    id: int
    name: str
    zone: str
    calendar_id: int | None
    calendar: Calendar | None
    languages: tuple[str, ...] = ()  # that its customers are served in

    @property
    def hours(self) -> Calendar:
        return self.calendar or Calendar.always_open(self.zone)


def list_keepers(reader: Reader) -> tuple[Keeper, ...]:
    """The mailboxes, then the markets."""
    calendars = {row["id"]: Calendar.from_json(row["body"]) for row in reader.rows("calendar")}
    mailboxes = reader.rows("mailbox", order="id")
    return (
        *(
            Keeper(
                "mailbox", row["id"], row["address"], row["zone"], row["calendar_id"],
                calendars.get(row["calendar_id"]), _languages(row["language"], *(row["languages"] or ())),
            )
            for row in mailboxes
        ),
        *(
            Keeper(
                "market", row["id"], row["code"], row["zone"], row["calendar_id"],
                calendars.get(row["calendar_id"]), _languages(row["locale"]),
            )
            for row in reader.rows("market", order="id")
        ),
    )  # fmt: skip


def find_keeper(reader: Reader, mailbox: str = "", market: str = "") -> Keeper:
    """A mailbox by number or one of its addresses, a market by its code; without a word the only mailbox."""
    keepers = list_keepers(reader)
    kind, word = ("market", market) if market else ("mailbox", mailbox)
    mine = [keeper for keeper in keepers if keeper.kind == kind]
    if not word and len(mine) == 1:
        return mine[0]
    wanted = word.casefold()
    aliases = {row["id"]: [alias.casefold() for alias in row["aliases"] or ()] for row in reader.rows("mailbox")}
    for keeper in mine:
        if wanted in (str(keeper.id), keeper.name.casefold()):
            return keeper
        if kind == "mailbox" and wanted in aliases[keeper.id]:
            return keeper
    if kind == "market":
        message = _("there is no market {code}").format(code=word)
    else:
        message = _("there is no mailbox {name}").format(name=word) if word else _("say which mailbox")
    raise NotFound(message, hint=_("known: {names}").format(names=", ".join(keeper.name for keeper in mine) or "–"))


@again_if_busy
def change_hours(desk: Desk, actor: Actor, keeper: Keeper, edit: Edit, said: str) -> Done:
    """Edit the hours of a mailbox or market; `said` says what was done. Open deadlines that were counted by them move.

    The first edit makes a calendar. Raises UsageError for a country that is not known, NotAllowed below admin,
    Conflict where somebody else changed the same hours in the meantime.
    """
    validate(edit(keeper.hours))  # loads the library of holidays, which no transaction waits for
    action_id = new_action_id()
    with desk.store.transaction() as tx:
        changed = _write(tx, actor, keeper, edit, action_id)
    if not changed:
        return Done(action_id, (), _("The opening hours were so already"), undoable=False)
    moved = retarget(desk, actor, **{keeper.kind: keeper.id})
    return Done(action_id, (), _moved(said, len(moved)))


def foresee_hours(desk: Desk, actor: Actor, keeper: Keeper, edit: Edit) -> tuple[Moved, ...] | None:
    """The deadlines that an edit would move; None where the hours are so already. Raises what `change_hours` does."""
    validate(edit(keeper.hours))

    def write(tx: Transaction) -> bool:
        return _write(tx, actor, keeper, edit, new_action_id())

    if not desk.rehearsal().store.run(write):
        return None
    return retarget(desk.rehearsal(write), actor, **{keeper.kind: keeper.id})


def save_calendar(desk: Desk, actor: Actor, name: str, calendar: Calendar) -> int:
    """Store opening hours under a name and return their id; deadlines that were counted by them move."""
    calendar_id = _store_calendar(desk, actor, name, calendar)
    keeper = next((one for one in list_keepers(desk.read) if one.calendar_id == calendar_id), None)
    if keeper is not None:
        retarget(desk, actor, **{keeper.kind: keeper.id})
    return calendar_id


@again_if_busy
def _store_calendar(desk: Desk, actor: Actor, name: str, calendar: Calendar) -> int:
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "admin")
        stored = tx.rows("calendar", {"name": name})
        body = calendar.to_json()
        if stored:
            change: Change = Update("calendar", {"id": stored[0]["id"]}, {"body": stored[0]["body"]}, {"body": body})
        else:
            change = Insert("calendar", {"name": name, "body": body})
        plan = Plan(silent=(change,), events=(PlannedEvent(None, EVENT),), undoable=False)
        tx.apply(plan, actor, new_action_id())
        return int(tx.rows("calendar", {"name": name})[0]["id"])


def move_deadlines_again(desk: Desk, actor: Actor, event: Row) -> tuple[Moved, ...]:
    """After the undo of a change: what was due by the hours that were taken back."""
    kinds = (kind for kind in ("mailbox", "market") if f"{kind}_id" in event)
    return tuple(moved for kind in kinds for moved in retarget(desk, actor, **{kind: event[f"{kind}_id"]}))


# ---- edits -----------------------------------------------------------------------------------------------------------


def with_exception(exception: CalendarException) -> Edit:
    """Close or open some days; the same days once more replace what was said of them."""

    def edit(calendar: Calendar) -> Calendar:
        days = (exception.first, exception.last)
        others = tuple(item for item in calendar.exceptions if (item.first, item.last) != days)
        return replace(calendar, exceptions=(*others, exception))

    return edit


def without_exception(day: date) -> Edit:
    """Take away the closure or opening that holds on a day. Raises NotFound where there is none."""

    def edit(calendar: Calendar) -> Calendar:
        found = exception_on(calendar, day)
        if found is None:
            raise NotFound(
                _("nothing special is planned on {day}").format(day=day.isoformat()), hint="supportdesk hours show"
            )
        return replace(calendar, exceptions=tuple(item for item in calendar.exceptions if item is not found))

    return edit


def exception_on(calendar: Calendar, day: date) -> CalendarException | None:
    """The closure or opening that holds on a day: of several the last."""
    return next((item for item in reversed(calendar.exceptions) if item.first <= day <= item.last), None)


# ---- findings --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about opening hours that customers or deadlines would suffer from."""

    keeper: str
    code: Literal["no_hours", "never_open", "no_notice", "covered", "holiday_country", "zone"]
    text: str


def check_hours(keeper: Keeper, now: datetime) -> Iterator[Finding]:
    """What is wrong with the hours of one keeper: nothing is guessed, each finding names the day or the language."""
    calendar = keeper.calendar
    if calendar is None:
        if keeper.kind == "mailbox":
            yield Finding(keeper.name, "no_hours", _("no opening hours are set: it is always open"))
        return
    if next_opening(calendar, now) is None:
        yield Finding(keeper.name, "never_open", _("there is no opening within 400 days: nothing is ever due"))
    if not calendar.holidays_country:
        text = _("no public holidays are set: it is open at Christmas")
        yield Finding(keeper.name, "holiday_country", text)
    if calendar.zone != keeper.zone:
        text = _("the hours are those of {zone}, everything else is in {own}").format(
            zone=calendar.zone, own=keeper.zone
        )
        yield Finding(keeper.name, "zone", text)
    today = now.date()
    for at, item in enumerate(calendar.exceptions):
        if item.last < today - timedelta(days=1):
            continue
        days = item.first.isoformat() if item.first == item.last else f"{item.first} – {item.last}"
        if not _holds_somewhere(calendar, at):
            text = _("{days}: what is planned later covers all of it").format(days=days)
            yield Finding(keeper.name, "covered", text)
            continue
        missing = [tag for tag in keeper.languages if not _has_notice(item, tag)]
        # Who closes without a word has customers who wait for nothing; a longer day needs no words.
        if missing and not item.intervals:
            text = _("{days}: closed without a notice in {languages}").format(days=days, languages=", ".join(missing))
            yield Finding(keeper.name, "no_notice", text)


def starter_notices(first: date, last: date, languages: Iterable[str], today: date) -> dict[str, str]:
    """What customers read of a closure for which nobody wrote more: a sentence in each language that has one."""
    said = {tag: closed_on(first, last, tag, today) for tag in languages}
    return {tag: text for tag, text in said.items() if text}


def _has_notice(exception: CalendarException, language: str) -> bool:
    return any(canonical_language(tag) == canonical_language(language) and text.strip()
               for tag, text in exception.notices.items())  # fmt: skip


def _holds_somewhere(calendar: Calendar, at: int) -> bool:
    item = calendar.exceptions[at]
    days = (item.first + timedelta(days=number) for number in range((item.last - item.first).days + 1))
    return any(exception_on(calendar, day) is item for day in days)


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _write(tx: Transaction, actor: Actor, keeper: Keeper, edit: Edit, action_id: ActionId) -> bool:
    """Whether anything was changed by it."""
    check_actor(tx, actor, "admin")
    owner = tx.row(keeper.kind, {"id": keeper.id})
    if owner is None or owner["calendar_id"] != keeper.calendar_id:
        raise Conflict(_("{what} was changed in the meantime").format(what=keeper.name), what=keeper.name)
    stored = tx.row("calendar", {"id": keeper.calendar_id}) if keeper.calendar_id is not None else None
    before = Calendar.from_json(stored["body"]) if stored is not None else Calendar.always_open(keeper.zone)
    changes = tuple(_changes(tx, keeper, owner, stored, edit(before)))
    if changes:
        event = PlannedEvent(None, EVENT, {f"{keeper.kind}_id": keeper.id})
        tx.apply(Plan(changes=changes, events=(event,)), actor, action_id)
    return bool(changes)


def _changes(tx: Transaction, keeper: Keeper, owner: Row, stored: Row | None, calendar: Calendar) -> Iterator[Change]:
    body = calendar.to_json()
    if stored is None:
        ref = NewRef("calendar")
        yield Insert("calendar", {"name": _free_name(tx, keeper.name), "body": body}, ref)
        yield Update(keeper.kind, {"id": keeper.id}, {"calendar_id": owner["calendar_id"]}, {"calendar_id": ref})
    elif stored["body"] != body:
        yield Update("calendar", {"id": stored["id"]}, {"body": stored["body"]}, {"body": body})
    if keeper.kind == "mailbox" and calendar.zone != owner["zone"]:
        yield Update("mailbox", {"id": keeper.id}, {"zone": owner["zone"]}, {"zone": calendar.zone})


def _free_name(tx: Transaction, name: str) -> str:
    taken = {row["name"] for row in tx.rows("calendar")}
    return next(free for free in (name, *(f"{name} {number}" for number in range(2, 1000))) if free not in taken)


def _languages(*tags: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(canonical_language(tag) for tag in tags if tag))


def _moved(said: str, moved: int) -> str:
    if not moved:
        return said
    text = ngettext("{said}; {count} deadline moved", "{said}; {count} deadlines moved", moved)
    return text.format(said=said, count=moved)
