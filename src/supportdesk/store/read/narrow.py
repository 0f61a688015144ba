"""A condition of `desk.model` as SQL on the ticket's row, for both databases; every value is a parameter.

A part that holds for few tickets drives: the statement begins with its index. The others are only asked of each ticket
that is looked at (on SQLite, which keeps no figures of its own, a unary plus says so). Where no part is rare, the view
is walked in the order of its index, or of an index on (column, number), and the first page is soon full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from supportdesk.desk.model import (
    AgentId,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Numbered,
    Property,
    Query,
    Words,
)
from supportdesk.store.connect import Connection
from supportdesk.store.read.fulltext import hits, is_frequent, match_of, roots_of
from supportdesk.store.read.people import anybody_merged, with_the_same
from supportdesk.store.statements import marks
from supportdesk.store.views import LISTINGS, NEEDS_REPLY, NOTIFICATION, OPEN, SNOOZED, Listing
from supportdesk.textfold import Term

FEW: Final = 2_000
"""Tickets, or messages, that may drive a statement: more are dearer to gather than a walk along the view."""

WALKED: Final = frozenset({"all", "solved", "spam", "with_customer"})
"""Views that grow with the desk's age; the others hold what is in hand."""


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    params: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """One condition: how it is asked of a ticket; how an index finds its tickets; what counts those."""

    ask: Sql
    drive: Sql | None = None
    count: Sql | None = None
    size: int = FEW + 1
    ordered: bool = False  # whether that index gives them in the order of their numbers


def grows(listing: Listing) -> bool:
    """Whether a view grows with the desk's age."""
    return any(listing is LISTINGS[view] for view in WALKED)


def base_of(view: str, query: Query) -> Listing:
    """The view that a query is asked in; of the whole desk's tickets only those that its condition leaves anyway."""
    listing = LISTINGS[view]
    if view != "all":
        return listing
    for part in _parts(query.condition):
        if isinstance(part, Property):
            name = f"is:{part.value}" if part.key == "is" else part.key
            if name in _IMPLIED:
                return Listing((_IMPLIED[name],), due=True)
    return listing


def narrow(
    connection: Connection,
    listing: Listing,
    condition: Condition | None,
    *,
    agent_id: AgentId | None,
    now: datetime,
    whole: bool = False,
) -> Sql:
    """The condition, to be put behind that of a view; empty for none. `whole`: all of its tickets are wanted."""
    if condition is None:
        return Sql("")
    make = _Maker(connection, agent_id, now, is_short=not (whole and grows(listing)))
    parts = [make.counted(make.part(part)) for part in _with_days_together(condition)]
    rarest = min(parts, key=lambda part: part.size)
    drives: _Part | None = rarest
    if rarest.drive is None or rarest.size > FEW:
        drives = next((part for part in parts if part.ordered), None) if grows(listing) else None
    found = [part.drive if part is drives and part.drive is not None else part.ask for part in parts]
    return Sql(" AND ".join(sql.text for sql in found), [value for sql in found for value in sql.params])


def _parts(condition: Condition | None) -> Sequence[Condition]:
    if condition is None:
        return ()
    return condition.parts if isinstance(condition, AllOf) else (condition,)


def _with_days_together(condition: Condition) -> list[Condition]:
    """The parts; those about the day of arrival are one, because together they may be rare."""
    parts = list(_parts(condition))
    days = [part for part in parts if isinstance(part, Property) and part.key == "created"]
    if len(days) < 2:
        return parts
    return [AllOf(tuple(days)), *(part for part in parts if part not in days)]


_IMPLIED: Final = {
    "is:open": OPEN,
    "is:unanswered": NEEDS_REPLY,
    "is:overdue": OPEN,
    "due": OPEN,
    "waiting": NEEDS_REPLY,
}

# What a ticket's state is called, as conditions without parameters.
_STATES: Final = {
    "open": OPEN,
    "unanswered": NEEDS_REPLY,
    "notification": NOTIFICATION,
    "solved": "ticket.status IN ('solved', 'closed')",
    **{status: f"ticket.status = '{status}'" for status in ("new", "pending", "on_hold", "closed", "spam")},
}
_HAS: Final = {
    "attachment": "ticket.has_attachment",
    "deadline": "ticket.due_at IS NOT NULL",
    "order": "ticket.order_number <> ''",
    "tag": "EXISTS (SELECT 1 FROM ticket_tag WHERE ticket_tag.ticket_id = ticket.id)",
}
_UNREAD: Final = """ticket.seq > coalesce((
    SELECT seq FROM ticket_seen WHERE ticket_seen.ticket_id = ticket.id AND ticket_seen.agent_id = ?), 0)"""
_LISTED: Final = {
    "draft": "SELECT ticket_id FROM outbox WHERE state = 'draft' AND discarded_at IS NULL",
    "note": "SELECT ticket_id FROM message WHERE kind = 'note'",
}

_HOLDS_A_HIT: Final = """EXISTS (
    WITH RECURSIVE family (id) AS (
        SELECT ticket.id UNION ALL SELECT merged.id FROM family JOIN ticket AS merged ON merged.merged_into = family.id)
    SELECT 1 FROM (SELECT message.id FROM family JOIN message ON message.ticket_id = family.id{fence}) AS own
        WHERE (own.id IN ({hits})) IS TRUE)"""
"""The hits are gathered once, by their ids alone; each ticket that is looked at asks whether one of its messages, or of
those of a ticket that was merged into it, is among them. `IS TRUE` keeps Postgres from making a join of it, and the
fence from reading all messages of the desk for each ticket, because it counts the gathering each time."""

_HOLDS_IT: Final = """EXISTS (
    WITH RECURSIVE family (id) AS (
        SELECT ticket.id UNION ALL SELECT merged.id FROM family JOIN ticket AS merged ON merged.merged_into = family.id)
    SELECT 1 FROM family JOIN message ON message.ticket_id = family.id
        JOIN message_text ON message_text.message_id = message.id WHERE search @@ CAST(? AS tsquery))"""
"""The same on Postgres for words that many messages hold, where few tickets are looked at: their texts are asked."""

_HOMES_OF_HITS: Final = """ticket.id IN (
    WITH RECURSIVE home (id) AS (
        SELECT ticket_id FROM message WHERE id IN ({hits})
        UNION SELECT merged.merged_into FROM home JOIN ticket AS merged ON merged.id = home.id
            WHERE merged.merged_into IS NOT NULL)
    SELECT id FROM home)"""

_CUSTOMERS: Final = """SELECT customer_id FROM customer_identity WHERE id IN (
        SELECT identity_id FROM message WHERE id IN ({hits}))"""

_DISTINCT_LANGUAGES: Final = """WITH RECURSIVE used (tag) AS (
        SELECT min(language) FROM ticket
        UNION ALL SELECT (SELECT min(language) FROM ticket WHERE language > used.tag) FROM used WHERE tag IS NOT NULL)
    SELECT tag FROM used WHERE tag IS NOT NULL"""


def used_languages(connection: Connection) -> list[str]:
    """The languages of the tickets, by hops along their index."""
    return [row[0] for row in connection.execute(_DISTINCT_LANGUAGES)]


class _Maker:
    """Makes the parts; one for each query."""

    def __init__(self, connection: Connection, agent_id: AgentId | None, now: datetime, *, is_short: bool) -> None:
        self.connection, self.agent_id, self.now = connection, agent_id, now
        self.is_short = is_short  # whether few tickets are looked at where a condition holds for many
        self.only_asked = "" if connection.is_postgres else "+"

    def part(self, condition: Condition) -> _Part:
        match condition:
            case Words():
                return self._words(condition)
            case Numbered(number):
                root = next(iter(roots_of(self.connection, [number])), 0)
                found = Sql("ticket.id = ?", [root])
                return _Part(found, found, Sql("SELECT 1", []))
            case Not(part):
                asked = self.part(part).ask
                return _Part(Sql(f"NOT (({asked.text}) IS TRUE)", asked.params))
            case AllOf(parts):
                return self._days(parts) if _are_days(parts) else _Part(_joined([self.part(p).ask for p in parts]))
            case AnyOf(parts):
                return self._any(parts)
            case Property():
                return self._property(condition)

    def counted(self, part: _Part) -> _Part:
        """The part with how many tickets it holds for, as far as that matters."""
        if part.count is None:
            return part
        sql = f"SELECT count(*) FROM ({part.count.text} LIMIT {FEW + 1}) AS found"
        return replace(part, size=int(self.connection.execute(sql, part.count.params)[0][0]))

    def _words(self, words: Words) -> _Part:
        match = match_of(self.connection, words)
        if not match:
            nothing = Sql("1 = 0")
            return _Part(nothing, nothing, Sql("SELECT 1 WHERE 1 = 0"))
        if self.connection.is_postgres and self.is_short and is_frequent(self.connection, match):
            return _Part(Sql(_HOLDS_IT, [match]))
        found = hits(self.connection)
        return _Part(
            Sql(_HOLDS_A_HIT.format(hits=found, fence=" OFFSET 0" if self.connection.is_postgres else ""), [match]),
            Sql(_HOMES_OF_HITS.format(hits=found), [match]),
            Sql(found, [match]),
        )

    def _any(self, parts: Sequence[Condition]) -> _Part:
        made = [self.part(part) for part in parts]
        ask = _joined([part.ask for part in made], " OR ")
        if not all(part.drive is not None and part.count is not None for part in made):
            return _Part(ask)
        drive = _joined([part.drive for part in made if part.drive is not None], " OR ")
        counts = [part.count for part in made if part.count is not None]
        union = " UNION ALL ".join(f"SELECT * FROM ({count.text} LIMIT {FEW + 1}) AS found" for count in counts)
        return _Part(ask, drive, Sql(union, [value for count in counts for value in count.params]))

    def _property(self, wanted: Property) -> _Part:
        return _MAKERS[wanted.key](self, wanted)

    def _state(self, wanted: Property) -> _Part:
        match wanted.value:
            case "unread" if self.agent_id is None:
                return _Part(Sql("1 = 0"))
            case "unread":
                return _Part(Sql(_UNREAD, [self.agent_id]))
            case "snoozed":
                return _Part(Sql(f"({SNOOZED} AND snoozed_until > ?)", [self.now]))
            case "overdue":
                return _Part(Sql(f"({OPEN} AND due_at < ?)", [self.now]))
        return _Part(Sql(f"({_STATES[cast('str', wanted.value)]})"))

    def _has(self, wanted: Property) -> _Part:
        if (listed := _LISTED.get(cast("str", wanted.value))) is not None:
            found = Sql(f"ticket.id IN ({listed})")
            return _Part(Sql(self.only_asked + found.text), found, Sql(listed))
        return _Part(Sql(_HAS[cast("str", wanted.value)]))

    def _assignee(self, wanted: Property) -> _Part:
        if wanted.value == "none" or (wanted.value == "me" and self.agent_id is None):
            return _Part(Sql("ticket.assignee_id IS NULL" if wanted.value == "none" else "1 = 0"))
        return self._column("assignee_id", [self.agent_id if wanted.value == "me" else wanted.value])

    def _language(self, wanted: Property) -> _Part:
        tag = cast("str", wanted.value)
        if not tag or "-" in tag:
            return self._column("language", [tag])
        regions = [used for used in used_languages(self.connection) if used.startswith(f"{tag}-")]
        return self._column("language", [tag, *regions])

    def _order(self, wanted: Property) -> _Part:
        number = cast("str", wanted.value)
        return self._column("order_number", list(dict.fromkeys((number, number.upper(), number.lower()))))

    def _tag(self, wanted: Property) -> _Part:
        tagged = "SELECT ticket_id FROM ticket_tag WHERE tag = ?"
        ask = "EXISTS (SELECT 1 FROM ticket_tag WHERE ticket_tag.ticket_id = ticket.id AND ticket_tag.tag = ?)"
        return _Part(
            Sql(ask, [wanted.value]), Sql(f"ticket.id IN ({tagged})", [wanted.value]), Sql(tagged, [wanted.value])
        )

    def _customer(self, wanted: Property) -> _Part:
        match = match_of(self.connection, Words(cast("tuple[Term, ...]", wanted.value), "from"))
        customers = _CUSTOMERS.format(hits=hits(self.connection))
        if anybody_merged(self.connection):
            customers = with_the_same(customers)
        return _Part(
            Sql(f"{self.only_asked}ticket.customer_id IN ({customers})", [match]),
            Sql(f"ticket.customer_id IN ({customers})", [match]),
            Sql(f"SELECT 1 FROM ticket WHERE customer_id IN ({customers})", [match]),
        )

    def _days(self, days: Sequence[Condition]) -> _Part:
        tests = [day for day in days if isinstance(day, Property)]
        params = [test.value for test in tests]
        ask = " AND ".join(f"{self.only_asked}ticket.created_at {test.comparison} ?" for test in tests)
        came = " AND ".join(f"created_at {test.comparison} ?" for test in tests)
        found = f"SELECT id FROM ticket WHERE {came}"
        return _Part(Sql(ask, params), Sql(f"ticket.id IN ({found})", params), Sql(found, params))

    def _due(self, wanted: Property) -> _Part:
        moment = self.now + wanted.value if isinstance(wanted.value, timedelta) else wanted.value
        return _Part(Sql(f"({OPEN} AND due_at {wanted.comparison} ?)", [moment]))

    def _waiting(self, wanted: Property) -> _Part:
        assert isinstance(wanted.value, timedelta)
        turned = wanted.comparison.translate(str.maketrans("<>", "><"))  # longer means since earlier
        return _Part(Sql(f"({NEEDS_REPLY} AND waiting_since {turned} ?)", [self.now - wanted.value]))

    def _column(self, column: str, values: Sequence[Any]) -> _Part:
        """A column of the ticket that an index begins with."""
        places, more = marks(values), " AND ticket.order_number <> ''" if column == "order_number" else ""
        where = f"ticket.{column} IN ({places}){more}" if len(values) > 1 else f"ticket.{column} = ?{more}"
        return _Part(
            Sql(f"{self.only_asked}{where}", list(values)),
            Sql(where, list(values)),
            Sql(f"SELECT 1 FROM ticket WHERE {where}", list(values)),
            ordered=True,
        )


def _joined(found: Sequence[Sql], word: str = " AND ") -> Sql:
    text = word.join(f"({sql.text})" for sql in found)
    return Sql(f"({text})", [value for sql in found for value in sql.params])


def _are_days(parts: Sequence[Condition]) -> bool:
    return all(isinstance(part, Property) and part.key == "created" for part in parts)


_MAKERS: Final[dict[str, Callable[[_Maker, Property], _Part]]] = {
    "is": _Maker._state,
    "has": _Maker._has,
    "assignee": _Maker._assignee,
    "lang": _Maker._language,
    "order": _Maker._order,
    "tag": _Maker._tag,
    "customer": _Maker._customer,
    "created": lambda maker, wanted: maker._days((wanted,)),
    "due": _Maker._due,
    "waiting": _Maker._waiting,
    "mailbox": lambda maker, wanted: maker._column("mailbox_id", [wanted.value]),
    "status": lambda maker, wanted: maker._column("status", [wanted.value]),
    "priority": lambda _maker, wanted: _Part(Sql("ticket.priority = ?", [wanted.value])),
}
