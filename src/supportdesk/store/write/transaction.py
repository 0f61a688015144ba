"""One writing transaction: plans become rows, events and their details, by compare-and-swap (desk.ports.Transaction).

The tables are SQLModel's; the statements here are plain DB-API on the column map of those tables: an insert costs half
of what it costs through Core, and the first write of a process need not wait for SQLAlchemy to be imported.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeGuard, TypeVar

from supportdesk.desk.model import ActionId, Actor, Ticket, TicketId, standing_views
from supportdesk.desk.ports import Applied, Change, Delete, Insert, NewRef, Plan, Update
from supportdesk.errors import AlreadyDone, Conflict, NotFound, StoreError, SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.store.columns import table
from supportdesk.store.connect import Connection, Duplicate
from supportdesk.store.hydrate import ticket_from
from supportdesk.store.lost_commit import CommitMark, mark_commit
from supportdesk.store.schema_extras import put_texts
from supportdesk.store.statements import (
    Statement,
    delete_row,
    groups,
    insert_and_read,
    insert_row,
    insert_rows,
    insertion,
    select_rows,
    update_and_read,
    update_row,
    updating,
)
from supportdesk.store.values import clean_text, to_time
from supportdesk.store.write.absence import Absence
from supportdesk.store.write.changes import shares_of, to_detail
from supportdesk.store.write.remembered import REMEMBERED_TABLES, Remembered, Wording, read_shared_rows

Row = Mapping[str, Any]
Found = TypeVar("Found")

SILENT_TABLES = frozenset({"presence", "ticket_seen", "ticket_follow"})
"""Reading and following a ticket does not change it: rows of these tables leave its version alone."""

WORKS = 0x5344
"""The space of the advisory locks of `only_one`."""

DERIVED = {
    "message": frozenset({"subject", "body", "body_source", "folds", "links", "language", "external_id"}),
    "message_mail": frozenset({"message_id_norm", "in_reply_to", "references", "thread_root", "fingerprint"}),
    "ticket": frozenset({"has_attachment", "announce_at"}),
}
"""What follows from the raw mail alone and is made anew by `reindex`, or from the log; everything else was decided."""


class WriteTransaction:
    """What a `with store.transaction() as tx:` block works with."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        is_awaited: Callable[[], bool] = lambda: False,
        remembered: Remembered | None = None,
    ) -> None:
        self.connection = connection
        self.now = now
        self.is_awaited = is_awaited  # whether somebody else waits to write: a batch ends at once
        self._worked = time.monotonic if connection.is_postgres else time.thread_time
        self._began = self._worked()
        self.wrote = False
        self._depth = 0
        self._actions: list[str] = []
        self._deltas: dict[tuple[str, int], int] = {}
        self._known: dict[TicketId, Ticket] = {}  # as they are now: nobody else can write to what was read here
        self._remembered = remembered or Remembered()
        self._wording: Wording | None = None  # of the shared rows, until this transaction writes one
        self._made: dict[Hashable, Any] = {}  # of that wording
        self._made_anew = False
        self._texts: dict[int, str] = {}  # what waits to be indexed, by message
        self._absence = Absence(connection)
        self._own_txid = 0
        self._later: list[tuple[Statement, Callable[[], SupportdeskError]]] = []  # with what a miss means
        self._unreleased = False
        self._new_messages: set[int] = set()

    def elapsed(self) -> float:
        """Seconds that the transaction has worked: a batch ends it before 0.02, so that agents never wait for long.

        On SQLite only the processor's count: on a machine that is busy with others a batch would else be one mail, and
        whoever waits for the turnstile is seen.
        """
        return self._worked() - self._began

    def refuse_failed(self) -> None:
        """Raises StoreError after an error that the caller swallowed: Postgres would answer COMMIT with a rollback."""
        if self.connection.failed:
            raise StoreError("an error inside the transaction was swallowed; nothing was written")

    # ---- reads that see the transaction's own writes ----

    def ticket(self, ticket_id: TicketId) -> Ticket:
        return self._tickets([ticket_id])[ticket_id]

    def row(self, table: str, key: Row) -> Row | None:
        found = self.rows(table, key, limit=1)
        return found[0] if found else None

    def rows(
        self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0, columns: Sequence[str] = ()
    ) -> list[Row]:
        if where and self._absence.holds(table, where):
            return []
        return list(select_rows(self.connection, table, where, order=order, limit=limit, columns=columns))

    def claim(self, table: str, where: Row) -> bool:
        return bool(select_rows(self.connection, table, where, skip_locked=True, columns=tuple(where)))

    def expect(self, wanted: Mapping[tuple[str, str], Iterable[str]]) -> None:
        self._absence.ask(wanted)

    def remember(self, key: Hashable, find: Callable[[], Found]) -> Found:
        self._read_shared_rows()
        if key not in self._made:
            value = find()
            self._read_shared_rows()  # `find` may have written some
            self._made[key] = value
            self._made_anew = True
        found: Found = self._made[key]
        return found

    # ---- writes ----

    def apply(self, plan: Plan, actor: Actor, action_id: ActionId) -> Applied:
        """Write a plan. Raises AlreadyDone when the log holds this action on these tickets, Conflict on a lost race."""
        self.wrote = True
        try:
            return self._apply(plan, actor, action_id)
        except BaseException:
            self._later.clear()
            raise

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        self._depth += 1
        name = f"level_{self._depth}"
        deltas, texts = dict(self._deltas), dict(self._texts)
        if self._unreleased and self._depth == 1:
            self.connection.run_in_a_row(f"RELEASE SAVEPOINT {name}", f"SAVEPOINT {name}")
        else:
            self.connection.execute(f"SAVEPOINT {name}")
        self._unreleased = False
        try:
            yield
        except BaseException:
            self._deltas, self._texts = deltas, texts
            self._known.clear()
            self._wording = None
            self._later.clear()
            if self.connection.in_transaction:  # a full or failing disk makes SQLite give up the whole transaction
                self.connection.run_in_a_row(f"ROLLBACK TO SAVEPOINT {name}", f"RELEASE SAVEPOINT {name}")
            raise
        else:
            if self.connection.is_postgres and self._depth == 1:
                self._unreleased = True  # the next one releases it in the same breath, or the commit does
            else:
                self.connection.execute(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1

    def only_one(self, work: str) -> None:
        """On Postgres by a lock that ends with the transaction; on SQLite nobody else writes anyway."""
        if self.connection.is_postgres:
            found = self.connection.execute(
                "SELECT pg_advisory_xact_lock(?, ?), pg_current_xact_id()::text",
                (WORKS, zlib.crc32(work.encode()) >> 1),
            )
            self._own_txid = int(found[0][1])

    def index_message(self, message_id: int, folded: str) -> None:
        """Put a message's folded text into message_text and the search index."""
        self.wrote = True
        # FTS5 writes a segment at each savepoint: all texts of a transaction go in at its end, as one.
        self._texts[message_id] = clean_text(folded)

    def finish(self) -> CommitMark | None:
        """What a transaction does once, before its commit: index its texts, append the view counts, wake listeners.

        SQLite's readers see the file change by themselves. By the mark Postgres can be asked whether it committed.
        """
        put_texts(self.connection, self._texts, new=self._new_messages)
        rows = [
            {"view": view, "agent_id": agent, "delta": delta} for (view, agent), delta in self._deltas.items() if delta
        ]
        if rows:
            insert_rows(self.connection, "view_count_delta", rows)
        self._keep_remembered()
        if not self.connection.is_postgres:
            return None
        return mark_commit(self.connection, self._actions, notify=self.wrote)

    def rewrite(self, table: str, key: Row, after: Row) -> None:
        """Set derived columns of one row (DERIVED). Nothing was decided: no event, and no ticket's version grows."""
        if not set(after) <= DERIVED.get(table, frozenset()):
            raise ValueError(f"not all of these are derived columns of {table}: {', '.join(after)}")
        self.wrote = True
        self._absence.forget(table, after)
        if table == "ticket":
            self._known.pop(key["id"], None)
        update_row(self.connection, table, key, {}, after)

    # ---- what the team shares ----

    def _read_shared_rows(self) -> None:
        if self._wording is None:
            self._wording = read_shared_rows(self.connection)
            self._made, self._made_anew = self._remembered.of(self._wording), False

    def _keep_remembered(self) -> None:
        """For the next transaction. On Postgres others may write while we read: what was read must be so still."""
        if self._wording is None or not self._made_anew:
            return
        if not self.connection.is_postgres or read_shared_rows(self.connection) == self._wording:
            self._remembered.keep(self._wording, self._made)

    # ---- the parts of apply ----

    def _apply(self, plan: Plan, actor: Actor, action_id: ActionId) -> Applied:
        self._refuse_repetition(plan, action_id)
        touched = self._touched(plan)
        before = self._tickets(touched)
        ids: dict[str, int] = {}
        done: list[tuple[int, Change]] = []
        new: list[TicketId] = []
        listed = (*plan.changes, *plan.silent)
        last_update = {change.key["id"]: at for at, change in enumerate(listed) if _changes_ticket(change)}
        for at, change in enumerate(listed):
            if change.table == "message_text":
                raise ValueError("index_message keeps the search index equal to message_text; a plan would not")
            if at >= len(plan.changes) and _can_wait(change):
                self._write_later(change, ids, before)
                continue
            self._write_what_waits()
            grow = _changes_ticket(change) and last_update[change.key["id"]] == at
            written = self._write(change, ids, before, grow=grow)
            if isinstance(written, Insert) and written.table == "ticket":
                new.append(TicketId(written.values["id"]))
            if at < len(plan.changes):
                done.append((at, written))
        self._grow_tickets([ticket for ticket in touched if ticket not in last_update])
        self._count_views(before, [*touched, *new])
        self._log(plan, done, actor, action_id, ids)
        self._write_what_waits()
        return Applied(action_id, ids)

    def _refuse_repetition(self, plan: Plan, action_id: ActionId) -> None:
        if not plan.events or self._absence.holds("event", {"action_id": action_id}):
            return
        raw = self.connection.execute("SELECT kind, ticket_id, at FROM event WHERE action_id = ?", (action_id,))
        if not raw:
            return
        done = {(kind, ticket) for kind, ticket, _ in raw}
        kinds = {kind for kind, _ in done}
        for event in plan.events:
            repeated = (
                event.kind in kinds if isinstance(event.ticket_id, NewRef) else (event.kind, event.ticket_id) in done
            )
            if repeated:
                raise AlreadyDone(_("this action was already written"), what=event.kind, when=to_time(raw[0][2]))

    def _touched(self, plan: Plan) -> list[TicketId]:
        """Existing tickets that the plan changes, themselves or by a row that belongs to them; in order of id."""
        found: set[int] = set()
        for change in (*plan.changes, *plan.silent):
            if change.table == "ticket":
                if not isinstance(change, Insert):
                    found.add(change.key["id"])
            elif change.table == "outbox" and not plan.events:
                continue  # a draft that is being typed: what becomes of it leaves an event
            elif change.table not in SILENT_TABLES and "ticket_id" in table(change.table).kinds:
                found.update(self._owners(change))
        return sorted(TicketId(ticket) for ticket in found)

    def _owners(self, change: Change) -> list[int]:
        if isinstance(change, Insert):
            named = [change.values.get("ticket_id")]
        else:
            named = [change.key.get("ticket_id"), change.before.get("ticket_id")]
            if isinstance(change, Update):
                named.append(change.after.get("ticket_id"))
            if named[0] is None and named[1] is None:
                row = self.row(change.table, change.key)
                named.append(row.get("ticket_id") if row else None)
        return [ticket for ticket in named if isinstance(ticket, int)]

    def _tickets(self, ids: Sequence[TicketId]) -> dict[TicketId, Ticket]:
        for some in groups(ticket for ticket in ids if ticket not in self._known):
            for row in select_rows(self.connection, "ticket", {"id": some}, order="id", lock=True):
                self._know(row)
        if missing := [ticket for ticket in ids if ticket not in self._known]:
            raise NotFound(_("there is no ticket {ticket}").format(ticket=missing[0]))
        return {ticket: self._known[ticket] for ticket in ids}

    def _write(self, change: Change, ids: dict[str, int], before: Mapping[TicketId, Ticket], *, grow: bool) -> Change:
        if change.table in REMEMBERED_TABLES:
            self._wording = None
        try:
            if isinstance(change, Insert):
                return self._insert(change, ids)
            key = _resolved(change.key, ids)
            expected = _resolved(change.before, ids)
            if isinstance(change, Delete):
                if change.table == "ticket":
                    self._known.pop(key["id"], None)
                if delete_row(self.connection, change.table, key, expected) != 1:
                    raise self._conflict(change, key, before)
                return Delete(change.table, key, expected)
            after = _resolved(change.after, ids)
            self._absence.forget(change.table, after)
            if self._update(change.table, key, expected, after, grow=grow) != 1:
                raise self._conflict(change, key, before)
            return Update(change.table, key, expected, after)
        except Duplicate as error:
            raise self._conflict(change, {}, before) from error

    def _write_later(self, change: Insert | Update, ids: Mapping[str, int], before: Mapping[TicketId, Ticket]) -> None:
        """Take in what nobody asks the answer of: it goes to the database together with what follows."""
        if change.table in REMEMBERED_TABLES:
            self._wording = None
        if isinstance(change, Insert):
            values, key = _resolved(change.values, ids), {}
            statement = insertion(change.table, values)
        else:
            values, key = _resolved(change.after, ids), _resolved(change.key, ids)
            statement = self._updating(change.table, key, _resolved(change.before, ids), values)
        self._absence.forget(change.table, values)
        self._later.append((statement, partial(self._conflict, change, key, before)))

    def _write_what_waits(self) -> None:
        if not self._later:
            return
        later, self._later = self._later, []
        try:
            counts = self.connection.change_each([statement for statement, _missed in later])
        except Duplicate as error:  # of an update: an insert that meets its like changes nothing
            conflict = next(missed for (sql, _), missed in later if sql.startswith("UPDATE"))
            raise conflict() from error
        for count, (_statement, missed) in zip(counts, later, strict=True):
            if count != 1:
                raise missed()

    def _insert(self, change: Insert, ids: dict[str, int]) -> Insert:
        values = _resolved(change.values, ids)
        self._absence.forget(change.table, values)
        given: int | None
        if change.table == "ticket":
            row = insert_and_read(self.connection, "ticket", values)
            given = self._know(row).id
        else:
            given = insert_row(self.connection, change.table, values)
        if given is None:
            return Insert(change.table, values)
        if change.table == "message":
            self._new_messages.add(given)
        if change.ref is not None:
            ids[change.ref.name] = given
        return Insert(change.table, {**values, table(change.table).identity: given})

    def _update(self, name: str, key: Row, before: Row, after: Row, *, grow: bool) -> int:
        if name != "ticket":
            return self.connection.change(*self._updating(name, key, before, after))
        after = {column: value for column, value in after.items() if column not in {"version", "updated_at"}}
        if grow:
            after["updated_at"] = self.now
        if not after:
            return len(select_rows(self.connection, name, {**before, **key}))
        rows = update_and_read(self.connection, name, key, before, after, ("version",) if grow else ())
        return len([self._know(row) for row in rows])

    def _updating(self, name: str, key: Row, before: Row, after: Row) -> Statement:
        """The update of a row that is no ticket: the version grows, where there is one."""
        kinds = table(name).kinds
        after = {column: value for column, value in after.items() if column != "version"}
        if "updated_at" in kinds:
            after = {"updated_at": self.now, **after}
        return updating(name, key, before, after, ("version",) if "version" in kinds else ())

    def _know(self, row: Row) -> Ticket:
        ticket = ticket_from(row)
        self._known[ticket.id] = ticket
        return ticket

    def _grow_tickets(self, touched: Sequence[TicketId]) -> None:
        for ticket in touched:
            for row in update_and_read(
                self.connection, "ticket", {"id": ticket}, {}, {"updated_at": self.now}, ("version",)
            ):
                self._know(row)

    def _count_views(self, before: Mapping[TicketId, Ticket], ids: Sequence[TicketId]) -> None:
        for ticket in ids:
            was = standing_views(before[ticket]) if ticket in before else frozenset()
            now = standing_views(self._known[ticket])
            for place in now - was:
                self._deltas[place] = self._deltas.get(place, 0) + 1
            for place in was - now:
                self._deltas[place] = self._deltas.get(place, 0) - 1

    def _log(
        self, plan: Plan, done: list[tuple[int, Change]], actor: Actor, action_id: ActionId, ids: dict[str, int]
    ) -> None:
        if not plan.events:
            return
        self._actions.append(action_id)
        self._absence.forget("event", {"action_id": action_id})
        tickets: list[int | None] = [_resolved(event.ticket_id, ids) for event in plan.events]
        if len({(event.kind, ticket) for event, ticket in zip(plan.events, tickets, strict=True)}) < len(tickets):
            raise ValueError("a plan holds two events of one kind for one ticket")
        shares = shares_of(done, tickets)
        for at, (event, ticket) in enumerate(zip(plan.events, tickets, strict=True)):
            values: dict[str, Any] = {
                "action_id": action_id, "ticket_id": ticket, "actor_kind": actor.kind, "actor_id": actor.id,
                "kind": event.kind, "at": self.now, "data": _resolved(event.data, ids),
            }  # fmt: skip
            if self.connection.is_postgres:
                values["txid"] = self._txid()
            if not shares[at]:
                self._later.append((insertion("event", values), partial(self._already_done, event.kind)))
                continue
            try:
                seq = insert_row(self.connection, "event", values)
            except Duplicate as error:
                raise self._already_done(event.kind) from error
            body = to_detail(shares[at], undoable=plan.undoable)
            insert_row(self.connection, "event_detail", {"event_seq": seq, "body": body})

    def _already_done(self, kind: str) -> AlreadyDone:
        return AlreadyDone(_("this action was already written"), what=kind, when=self.now)

    def _txid(self) -> int:
        if not self._own_txid:
            self._own_txid = int(self.connection.execute("SELECT pg_current_xact_id()::text")[0][0])
        return self._own_txid

    def _conflict(self, change: Change, key: Row, before: Mapping[TicketId, Ticket]) -> Conflict:
        """Who was first: the latest event of the ticket that the change belongs to."""
        if self.connection.failed:
            return Conflict(_("somebody else was first: {table}").format(table=change.table), what=change.table)
        ticket = key.get("id") if change.table == "ticket" else next(iter(self._owners(change)), None)
        if ticket is None and len(before) == 1:
            ticket = next(iter(before))
        found = self.connection.execute(
            "SELECT event.kind, event.at, event.actor_kind, agent.name FROM event"
            " LEFT JOIN agent ON agent.id = event.actor_id WHERE event.ticket_id = ? ORDER BY event.seq DESC LIMIT 1",
            (ticket,),
        )
        if not found:
            return Conflict(_("somebody else was first: {table}").format(table=change.table), what=change.table)
        kind, at, actor_kind, name = found[0]
        who = name or actor_kind
        told = _("{who} was first: {kind} on #{ticket}").format(who=who, kind=kind, ticket=ticket)
        return Conflict(told, who=who, what=kind, when=to_time(at))


def _changes_ticket(change: Change) -> TypeGuard[Update]:
    return change.table == "ticket" and isinstance(change, Update)


def _can_wait(change: Change) -> TypeGuard[Insert | Update]:
    """Whether the rest of the plan goes on without the answer: nothing refers to the row, and no ticket is it."""
    if isinstance(change, Insert):
        return change.ref is None and change.table not in ("ticket", "message")
    return isinstance(change, Update) and change.table != "ticket"


def _resolved(values: Any, ids: Mapping[str, int]) -> Any:
    """The values with every NewRef, however deep, replaced by the id that its row got."""
    if type(values) in _PLAIN:
        return values
    if isinstance(values, NewRef):
        try:
            return ids[values.name]
        except KeyError:
            raise StoreError(f"a plan refers to {values.name!r} before it inserts it") from None
    if isinstance(values, dict | Mapping):  # what a row is, before a look at every class that may be one
        return {key: value if type(value) in _PLAIN else _resolved(value, ids) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [_resolved(value, ids) for value in values]
    return values


_PLAIN: Final = frozenset({str, int, bool, float, bytes, datetime, type(None)})
