"""A crash while sending, and fences: each reply has one sender, whoever falls asleep or is taken over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from supportdesk.desk import delivery
from supportdesk.desk.delivery import Deliverer, LeaseLost
from supportdesk.desk.model import WORKER, OutboxId
from supportdesk.desk.ports import Plan, Row, Transaction, Update
from supportdesk.desk.settings import new_action_id
from tests.desk.delivery_round import Round, ScriptedTransport, Servers


class Crash(BaseException):
    """The process is gone: nothing after it runs."""


def crash_at(stage: str) -> Callable[[str], None]:
    def crash(reached: str) -> None:
        if reached == stage:
            raise Crash

    return crash


@pytest.mark.parametrize(
    ("stage", "state"),
    [("connected", "deferred"), ("mail", "deferred"), ("rcpt", "deferred"), ("data_started", "deferred"),
     ("dot_sent", "uncertain")],
)  # fmt: skip
def test_what_a_crash_left_is_tried_again_before_the_final_dot_and_in_doubt_after_it(
    round_: Round, stage: str, state: str
) -> None:
    """OUT-4: the marker is durable before the dot."""

    row = round_.held()
    round_.transport.at = crash_at(stage)
    with pytest.raises(Crash):
        round_.deliverer().deliver_next()
    assert round_.row(row).state == "sending"
    round_.transport.at = lambda reached: None
    successor = round_.deliverer("w2/1", epoch=2)
    assert (successor.recover(), round_.row(row).state) == (1, state)
    assert successor.deliver_next() == (state == "deferred")
    assert len(round_.transport.sent) == (1 if state == "deferred" else 0)


def test_a_deliverer_that_failed_finds_what_it_left_and_leaves_the_others_alone(round_: Round) -> None:
    def fail(stage: str) -> None:
        raise RuntimeError("a bug of ours")

    row = round_.held()
    round_.transport.at = fail
    with pytest.raises(RuntimeError):
        round_.deliverer("w/1").deliver_next()
    assert round_.deliverer("w/2").recover() == 0
    assert round_.deliverer("w/1").recover() == 1
    assert round_.row(row).state == "deferred"


def test_a_clock_that_jumps_takes_no_reply_from_a_deliverer_that_lives(round_: Round) -> None:
    """A10: claims of the worker's own time are judged by the monotonic clock."""
    row, keeper = round_.held(), round_.deliverer("w")
    clock = round_.house.clock

    def jump(reached: str) -> None:
        if reached == "dot_sent":
            assert keeper.recover() == 0
            clock.set_wall(clock.now() + timedelta(days=1))
            assert keeper.recover() == 0

    round_.transport.at = jump
    assert round_.deliverer("w/1").deliver_next()
    assert round_.row(row).state == "sent"


def test_a_deliverer_that_hangs_for_longer_than_any_server_may_take_is_given_up(round_: Round) -> None:
    row, keeper = round_.held(), round_.deliverer("w")
    clock = round_.house.clock

    def hang(reached: str) -> None:
        if reached == "dot_sent":
            assert keeper.recover() == 0
            clock.set_wall(clock.now() - timedelta(hours=1))
            clock.advance(timedelta(minutes=14))
            assert keeper.recover() == 0
            clock.advance(timedelta(minutes=2))
            assert keeper.recover() == 1

    round_.transport.at = hang
    round_.deliverer("w/1").deliver_next()
    assert round_.row(row).state == "uncertain"


@pytest.mark.parametrize("stage", ["rcpt", "data_started"])
def test_a_worker_that_slept_through_its_lease_is_stopped_before_it_does_harm(round_: Round, stage: str) -> None:
    row = round_.held()

    def taken_over(reached: str) -> None:
        if reached == stage:
            assert round_.deliverer("w2/1", epoch=2).recover() == 1

    round_.transport.at = taken_over
    assert round_.deliverer().deliver_next()
    assert round_.transport.sent == []
    assert round_.row(row).state == "deferred", "it is the successor's now"


def test_a_worker_whose_lease_was_taken_claims_nothing_and_recovers_nothing(round_: Round) -> None:
    row, store = round_.held(), round_.house.store
    stale = store.acquire_lease("worker", "old", 30, {})
    assert stale is not None
    store.release_lease("worker", "old")
    current = store.acquire_lease("worker", "new", 30, {})
    assert current is not None
    assert current > stale
    assert round_.deliverer("old/1", stale).deliver_next()
    assert round_.row(row).state == "held"

    def while_sending(stage: str) -> None:
        assert round_.deliverer("old/1", stale).recover() == 0

    round_.transport.at = while_sending
    round_.deliverer("new/1", current).deliver_next()
    assert round_.row(row).state == "sent"


def test_two_deliverers_never_take_the_same_reply(round_: Round) -> None:
    """OUT-4: one sender a row, by lease and compare-and-swap."""
    rows = [round_.held() for _unused in range(2)]
    other = ScriptedTransport()
    second = Deliverer(round_.house.desk, Servers(other), owner="w/2", epoch=1)
    taken: list[bool] = []

    def both(stage: str) -> None:
        if stage == "connected" and not taken:
            taken.append(second.deliver_next())
            taken.append(second.deliver_next())

    round_.transport.at = both
    round_.deliverer().deliver_next()
    assert taken == [True, False]
    assert len(round_.transport.sent) == len(other.sent) == 1
    assert {round_.row(row).state for row in rows} == {"sent"}


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_reply_that_another_worker_is_just_claiming_is_passed_over_and_keeps_nobody_waiting(round_: Round) -> None:
    """B07: SKIP LOCKED. A claim that waited would wait here for ever: it is this very thread that has to let go."""
    first, second = (round_.held(undo_seconds=0) for _unused in range(2))
    deliverer = round_.deliverer()
    with round_.house.store.transaction() as elsewhere:
        assert elsewhere.claim("outbox", {"id": first.id, "state": "held"})
        assert deliverer.deliver_next()
        assert not deliverer.deliver_next(), "what is left is somebody else's"
        assert [round_.row(row).state for row in (first, second)] == ["held", "sent"]
    assert deliverer.deliver_next(), "and is looked at again, for it came to nothing there"
    assert round_.row(first).state == "sent"
    assert len(round_.transport.sent) == 2


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_final_dot_announced_while_the_reply_is_given_back_is_not_sent_a_second_time(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two transactions that saw the same row: the one that commits first decides."""
    row, successor, release = round_.held(), round_.deliverer("w2/1", epoch=2), delivery._release
    round_.transport.at = crash_at("data_started")
    with pytest.raises(Crash):
        round_.deliverer().deliver_next()

    def too_late(tx: Transaction, seen: Row) -> None:
        with round_.house.store.transaction() as of_the_old_one:
            announced = Update("outbox", {"id": row.id}, {}, {"stage": "dot_sent"})
            of_the_old_one.apply(Plan(silent=(announced,), undoable=False), WORKER, new_action_id())
        release(tx, seen)

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_release", too_late)
        assert successor.recover() == 0
    assert (round_.row(row).state, round_.row(row).stage) == ("sending", "dot_sent")
    assert (successor.recover(), round_.row(row).state) == (1, "uncertain")


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_worker_whose_claim_is_given_back_while_it_announces_the_dot_does_not_write_it(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, own_row = round_.held(), Deliverer._own_row
    successor = round_.deliverer("w2/1", epoch=2)

    def taken_over_after_the_look(self: Deliverer, tx: Transaction, outbox_id: OutboxId) -> Row:
        seen = own_row(self, tx, outbox_id)
        assert successor.recover() == 1
        return seen

    def at_the_text(stage: str) -> None:
        if stage == "data_started":
            monkeypatch.setattr(Deliverer, "_own_row", taken_over_after_the_look)

    round_.transport.at = at_the_text
    assert round_.deliverer().deliver_next()
    assert round_.transport.sent == []
    assert (round_.row(row).state, round_.row(row).stage) == ("deferred", "")
    monkeypatch.undo()
    round_.transport.at = lambda stage: None
    assert successor.deliver_next()
    assert len(round_.transport.sent) == 1


def test_what_two_find_orphaned_is_settled_by_one_of_them(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    row = round_.held()
    round_.transport.at = crash_at("dot_sent")
    with pytest.raises(Crash):
        round_.deliverer().deliver_next()
    late, reader = round_.deliverer("w3/1", epoch=3), round_.house.desk.read
    seen = reader.rows("outbox", {"state": "sending"})
    assert round_.deliverer("w2/1", epoch=2).recover() == 1
    monkeypatch.setattr(reader, "rows", lambda table, where: seen)
    assert late.recover() == 0
    monkeypatch.undo()
    assert round_.row(row).state == "uncertain"
    events = [event.kind for event in reader.events(ticket_id=row.ticket_id)]
    assert events.count("reply_uncertain") == 1


def test_a_row_that_is_not_what_was_seen_is_not_claimed(round_: Round) -> None:
    row = round_.held()
    with round_.house.store.transaction() as tx:
        assert not tx.claim("outbox", {"id": row.id, "state": "deferred"})
        assert not tx.claim("outbox", {"id": row.id + 1})
        assert tx.claim("outbox", {"id": row.id, "state": "held"})


def test_a_result_that_comes_after_the_row_was_taken_away_is_not_written(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()

    def settled_by_successor(stage: str) -> None:
        if stage == "dot_sent":
            assert round_.deliverer("w2/1", epoch=2).recover() == 1

    round_.transport.at = settled_by_successor
    deliverer.deliver_next()
    assert round_.row(row).state == "uncertain"


def test_losing_the_lease_is_a_conflict_that_says_so() -> None:
    assert "taken over" in LeaseLost("another worker has taken over").message
