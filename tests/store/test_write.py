"""Plans become rows and events in one transaction; whoever comes second is told who was first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Change, Delete, Insert, NewRef, Plan, PlannedEvent, Update
from supportdesk.errors import AlreadyDone, Conflict, NotFound, StoreError, UsageError
from tests.store.desk import action, add_ticket, apply, set_ticket

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from supportdesk.store.write.transaction import WriteTransaction
    from tests.store.desk import SmallDesk
    from tests.support.clock import FakeClock


def test_new_refs_are_resolved_in_values_and_events_however_deep(store: SqlStore, desk: SmallDesk) -> None:
    done = apply(
        store,
        Plan(
            (
                Insert(
                    "ticket",
                    {"subject": "x", "created_at": store.clock.now(), "updated_at": store.clock.now()},
                    NewRef("t"),
                ),
                Insert("ticket_tag", {"ticket_id": NewRef("t"), "tag": "vip"}),
            ),
            (),
            (PlannedEvent(NewRef("t"), "created", {"deep": {"list": [NewRef("t"), 1]}}),),
        ),
    )
    ticket = TicketId(done.ids["t"])
    assert store.read.tags(ticket) == ("vip",)
    [event] = store.read.events(ticket_id=ticket)
    assert event.data == {"deep": {"list": [ticket, 1]}}


def test_a_reference_to_nothing_is_refused_and_nothing_is_written(store: SqlStore, desk: SmallDesk) -> None:
    before = store.read.rows("ticket_tag")
    with pytest.raises(StoreError, match="refers to"):
        apply(store, Plan((Insert("ticket_tag", {"ticket_id": NewRef("nobody"), "tag": "x"}),)))
    assert store.read.rows("ticket_tag") == before


def test_the_loser_of_a_race_is_told_who_changed_what_and_when(
    store: SqlStore, desk: SmallDesk, clock: FakeClock
) -> None:
    ticket = desk.tickets[0]
    apply(store, set_ticket(ticket, "assign", {"assignee_id": None}, {"assignee_id": desk.anna.id}), desk.anna)
    at = clock.now()
    clock.advance(timedelta(minutes=3))
    with pytest.raises(Conflict, match="Anna was first: assign on") as caught:
        apply(store, set_ticket(ticket, "assign", {"assignee_id": None}, {"assignee_id": desk.bruno.id}), desk.bruno)
    assert (caught.value.who, caught.value.what, caught.value.when) == ("Anna", "assign", at)
    assert store.read.ticket(ticket).assignee_id == desk.anna.id


def test_two_agents_who_add_the_same_tag_do_not_both_succeed(store: SqlStore, desk: SmallDesk) -> None:
    plan = Plan(
        (Insert("ticket_tag", {"ticket_id": desk.tickets[0], "tag": "vip"}),),
        (),
        (PlannedEvent(desk.tickets[0], "tag"),),
    )
    apply(store, plan, desk.anna)
    with pytest.raises(Conflict, match="Anna was first"):
        apply(store, plan, desk.bruno)


def test_the_version_grows_once_a_plan_and_with_rows_that_belong_to_the_ticket(
    store: SqlStore, desk: SmallDesk
) -> None:
    ticket = desk.tickets[0]
    before = store.read.ticket(ticket)
    apply(
        store,
        Plan(
            (
                Update("ticket", {"id": ticket}, {"status": "new"}, {"status": "open"}),
                Update("ticket", {"id": ticket}, {"priority": "normal"}, {"priority": "high"}),
                Insert("ticket_tag", {"ticket_id": ticket, "tag": "vip"}),
            )
        ),
    )
    after = store.read.ticket(ticket)
    assert (after.version, after.status, after.priority) == (before.version + 1, "open", "high")
    apply(store, Plan(silent=(Delete("ticket_tag", {"ticket_id": ticket, "tag": "vip"}, {}),)))
    assert store.read.ticket(ticket).version == before.version + 2


def test_a_stale_version_is_a_conflict(store: SqlStore, desk: SmallDesk) -> None:
    ticket = desk.tickets[0]
    apply(store, set_ticket(ticket, "a", {"version": 1}, {"priority": "high"}))
    with pytest.raises(Conflict):
        apply(store, set_ticket(ticket, "b", {"version": 1}, {"priority": "low"}))
    assert store.read.ticket(ticket).priority == "high"


def test_an_action_is_written_once_however_often_it_is_sent(store: SqlStore, desk: SmallDesk) -> None:
    plan = set_ticket(desk.tickets[0], "prioritise", {}, {"priority": "high"})
    once = action()
    apply(store, plan, desk.anna, once)
    with pytest.raises(AlreadyDone):
        apply(store, plan, desk.anna, once)
    apply(store, set_ticket(desk.tickets[1], "prioritise", {}, {"priority": "high"}), desk.anna, once)
    assert [event.ticket_id for event, _ in store.read.event_details(once)] == [desk.tickets[0], desk.tickets[1]]


def test_a_repeated_creation_makes_no_second_ticket(store: SqlStore, desk: SmallDesk) -> None:
    now = store.clock.now()
    plan = Plan(
        (Insert("ticket", {"subject": "once", "created_at": now, "updated_at": now}, NewRef("t")),),
        (),
        (PlannedEvent(NewRef("t"), "created"),),
    )
    once = action()
    apply(store, plan, MAIL, once)
    with pytest.raises(AlreadyDone):
        apply(store, plan, MAIL, once)
    assert len(store.read.rows("ticket", {"subject": "once"})) == 1


def inverse(change: Change) -> Change:
    if isinstance(change, Insert):
        return Delete(change.table, {"id": change.values["id"]}, {k: v for k, v in change.values.items() if k != "id"})
    if isinstance(change, Delete):
        return Insert(change.table, {**change.key, **change.before})
    return Update(change.table, change.key, change.after, change.before)


def test_the_detail_holds_what_an_undo_needs_without_loss(store: SqlStore, desk: SmallDesk) -> None:
    ticket, now = desk.tickets[0], store.clock.now()
    until = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    tag = {"ticket_id": ticket, "tag": "vip"}
    apply(store, Plan((Insert("ticket_tag", tag),)))
    dismissal = {"ticket_id": ticket, "up_to_seq": 1, "reason": "thanks", "at": now}
    plan = Plan(
        (
            Update(
                "ticket",
                {"id": ticket},
                {"snoozed_until": None, "badges": [], "auto_solved": False, "waiting_since": now},
                {"snoozed_until": until, "badges": ["à", "b"], "auto_solved": True, "waiting_since": None},
            ),
            Insert("dismissal", dismissal, NewRef("d")),
            Delete("ticket_tag", tag, tag),
        ),
        (),
        (PlannedEvent(ticket, "everything"),),
    )
    before = store.read.ticket(ticket)
    done = apply(store, plan, desk.anna)
    assert store.read.ticket(ticket).snoozed_until == until.astimezone(UTC)
    [(event, detail)] = store.read.event_details(done.action_id)
    assert (event.kind, event.actor_id, detail["undoable"], detail["order"]) == (
        "everything",
        desk.anna.id,
        True,
        (0, 1, 2),
    )
    assert detail["changes"] == (
        Update("ticket", plan.changes[0].key, plan.changes[0].before, plan.changes[0].after),  # type: ignore[union-attr]
        Insert("dismissal", {**dismissal, "id": done.ids["d"]}),
        Delete("ticket_tag", tag, tag),
    )
    apply(
        store,
        Plan(tuple(inverse(change) for change in reversed(detail["changes"])), (), (PlannedEvent(ticket, "undo"),)),
    )
    after = store.read.ticket(ticket)
    assert (after.snoozed_until, after.badges, after.auto_solved, after.waiting_since) == (None, (), False, now)
    assert after.version > before.version, "a version never goes back"
    assert store.read.tags(ticket) == ("vip",)
    assert store.read.rows("dismissal") == []


def test_each_ticket_of_a_bulk_action_keeps_its_own_changes(store: SqlStore, desk: SmallDesk) -> None:
    plan = Plan()
    for ticket in desk.tickets[:3]:
        plan += set_ticket(ticket, "spam", {"status": "new"}, {"status": "spam"})
    done = apply(store, plan, desk.anna)
    details = store.read.event_details(done.action_id)
    assert [[change.key["id"] for change in detail["changes"]] for _, detail in details] == [
        [t] for t in desk.tickets[:3]
    ]
    assert [detail["order"] for _, detail in details] == [(0,), (1,), (2,)]


def test_an_exception_leaves_nothing(store: SqlStore, desk: SmallDesk) -> None:
    ticket = desk.tickets[0]

    def fail() -> None:
        with store.transaction() as tx:
            tx.apply(set_ticket(ticket, "a", {}, {"priority": "urgent"}), desk.anna, action())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.read.ticket(ticket).priority == "normal"


def test_a_savepoint_keeps_what_was_before_it(store: SqlStore, desk: SmallDesk) -> None:
    ticket = desk.tickets[0]

    def fail(tx: WriteTransaction) -> None:
        with tx.savepoint():
            tx.apply(set_ticket(ticket, "b", {}, {"priority": "low"}), desk.anna, action())
            tx.apply(set_ticket(ticket, "c", {"status": "closed"}, {"status": "new"}), desk.anna, action())

    with store.transaction() as tx:
        tx.apply(set_ticket(ticket, "a", {}, {"priority": "high"}), desk.anna, action())
        with pytest.raises(Conflict):
            fail(tx)
        assert tx.ticket(ticket).priority == "high"
        tx.apply(set_ticket(ticket, "d", {}, {"status": "open"}), desk.anna, action())
    assert [event.kind for event in store.read.events(ticket_id=ticket)] == ["created", "a", "d"]
    assert store.read.counts(agent_id=None, now=store.clock.now())["all"] == len(desk.tickets)


def test_a_conflict_inside_a_savepoint_does_not_spoil_the_transaction(store: SqlStore, desk: SmallDesk) -> None:
    tag = Insert("ticket_tag", {"ticket_id": desk.tickets[0], "tag": "vip"})
    with store.transaction() as tx:
        tx.apply(Plan((tag,)), desk.anna, action())
        with pytest.raises(Conflict), tx.savepoint():
            tx.apply(Plan((tag,)), desk.anna, action())
        assert len(tx.rows("ticket_tag")) == 1
    assert len(store.read.rows("ticket_tag")) == 1


def test_ids_are_never_given_twice(store: SqlStore, desk: SmallDesk) -> None:
    now = store.clock.now()
    values = {"ticket_id": desk.tickets[0], "mailbox_id": desk.mailbox, "created_at": now, "updated_at": now}
    first = apply(store, Plan((Insert("outbox", values, NewRef("o")),))).ids["o"]
    apply(store, Plan((Delete("outbox", {"id": first}, {}),)))
    assert apply(store, Plan((Insert("outbox", values, NewRef("o")),))).ids["o"] > first


@pytest.mark.parametrize("name", ["ticket; DROP TABLE ticket", "sqlite_master", "pg_user", ""])
def test_an_unknown_table_or_column_never_reaches_the_database(store: SqlStore, desk: SmallDesk, name: str) -> None:
    with pytest.raises(UsageError):
        store.read.rows(name)
    with pytest.raises(UsageError):
        store.read.rows("ticket", {name: 1})
    with pytest.raises(UsageError):
        store.read.rows("ticket", order=f"-{name}" if name else "-")
    with pytest.raises(UsageError):
        apply(store, Plan((Insert("ticket", {name: 1}),)))


def test_rows_take_null_lists_and_an_order(store: SqlStore, desk: SmallDesk) -> None:
    assert [row["id"] for row in store.read.rows("ticket", {"due_at": None}, order="-id")] == [
        desk.tickets[4],
        desk.tickets[2],
    ]
    assert [row["id"] for row in store.read.rows("ticket", {"id": list(desk.tickets[:2])}, order="id", limit=1)] == [
        desk.tickets[0]
    ]
    assert store.read.rows("ticket", {"id": []}) == []
    row = store.read.rows("ticket", {"id": desk.tickets[0]})[0]
    assert (row["badges"], row["auto_solved"], row["created_at"]) == ([], False, store.clock.now())


def test_hostile_text_is_kept_verbatim_but_for_nul_and_lone_surrogates(store: SqlStore) -> None:
    ticket = add_ticket(store, "a\0b \ud800 \u202e 'x'; -- %s ? {} \x1b[31m", badges=["\ud800", 'q"', "\\u0000"])
    found = store.read.ticket(ticket)
    assert found.subject == "ab ? \u202e 'x'; -- %s ? {} \x1b[31m"
    assert found.badges == ("?", 'q"', "\\u0000")


def test_a_naive_time_is_refused(store: SqlStore, desk: SmallDesk) -> None:
    with pytest.raises(ValueError, match="naive"):
        apply(store, set_ticket(desk.tickets[0], "x", {}, {"due_at": datetime(2026, 1, 1)}))


def test_a_missing_ticket_is_not_found(store: SqlStore, desk: SmallDesk) -> None:
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.ticket(TicketId(999))
    with pytest.raises(NotFound):
        apply(store, set_ticket(TicketId(999), "x", {}, {"status": "open"}))


@pytest.mark.parametrize("statement", ["UPDATE event SET kind = 'x'", "DELETE FROM event"])
def test_the_event_log_can_only_grow(store: SqlStore, desk: SmallDesk, statement: str) -> None:
    before = store.read.rows("event")
    with pytest.raises(StoreError, match="append-only"), store.transaction() as tx:
        tx.connection.execute(statement)
    assert store.read.rows("event") == before
    with store.transaction() as tx:
        assert tx.connection.change("DELETE FROM event_detail") > 0, "details can be erased"


def test_a_value_outside_its_enum_is_refused_by_the_schema(store: SqlStore, desk: SmallDesk) -> None:
    with pytest.raises(StoreError):
        apply(store, set_ticket(desk.tickets[0], "x", {}, {"status": "nonsense"}))


def test_an_error_swallowed_inside_a_transaction_is_not_taken_for_success(store: SqlStore, desk: SmallDesk) -> None:
    ticket = desk.tickets[0]

    def careless() -> None:
        with store.transaction() as tx:
            tx.apply(set_ticket(ticket, "a", {}, {"priority": "high"}), desk.anna, action())
            with pytest.raises(StoreError):
                tx.connection.execute("SELECT nonsense FROM nowhere")

    if store.address.is_postgres:
        with pytest.raises(StoreError, match="swallowed"):
            careless()
        assert store.read.ticket(ticket).priority == "normal"
    else:
        careless()
        assert store.read.ticket(ticket).priority == "high"
