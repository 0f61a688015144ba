"""Lists, windows, counts and conversations read back what was written, the same on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import STATUSES, Query, TicketId, standing_views
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent, Update
from supportdesk.errors import NotFound, UsageError
from supportdesk.store.facts import read_facts
from supportdesk.store.read import lists
from supportdesk.store.views import LISTINGS
from tests.store.desk import add_ticket, apply, set_ticket

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk
    from tests.support.clock import FakeClock


def ids(store: SqlStore, view: str, desk: SmallDesk, **more: object) -> list[int]:
    return list(store.read.queue_ids(view, agent_id=desk.anna.id, now=store.clock.now(), **more))  # type: ignore[arg-type]


def test_needs_reply_goes_by_what_is_due_next_and_puts_what_has_no_deadline_last(
    store: SqlStore, desk: SmallDesk
) -> None:
    pacco, artikel, facture, reso, groesse = desk.tickets
    assert ids(store, "needs_reply", desk) == [artikel, pacco, reso, facture, groesse]
    assert ids(store, "needs_reply", desk, limit=4) == [artikel, pacco, reso, facture]
    assert ids(store, "needs_reply", desk, limit=2) == [artikel, pacco]
    assert ids(store, "unassigned", desk) == [artikel, pacco, reso, facture, groesse]
    assert ids(store, "all", desk) == [groesse, reso, facture, artikel, pacco]


def test_needs_reply_puts_the_agents_languages_and_the_unknown_one_before_the_others(
    store: SqlStore, desk: SmallDesk
) -> None:
    pacco, artikel, facture, reso, groesse = desk.tickets
    spoken = {pacco: "it", artikel: "de", facture: "fr", reso: "it-CH", groesse: ""}
    for ticket, language in spoken.items():
        apply(store, set_ticket(ticket, "language", {"language": ""}, {"language": language}))
    by_due = [artikel, pacco, reso, facture, groesse]
    assert ids(store, "needs_reply", desk) == by_due, "an agent who names no language"
    of_anna = {"id": desk.anna.id}
    apply(store, Plan(silent=(Update("agent", of_anna, {"languages": []}, {"languages": ["it", "en-GB"]}),)))
    mine_first = [pacco, reso, groesse, artikel, facture]
    assert ids(store, "needs_reply", desk) == mine_first
    assert ids(store, "needs_reply", desk, limit=4) == mine_first[:4]
    assert list(store.read.queue_spine("needs_reply", agent_id=desk.anna.id, now=store.clock.now())) == mine_first
    assert ids(store, "needs_reply", desk, query=Query(sort="due")) == [artikel, pacco, reso, groesse, facture]
    assert ids(store, "unassigned", desk) == by_due
    assert list(store.read.queue_ids("needs_reply", agent_id=None, now=store.clock.now())) == by_due


def test_a_sleeping_ticket_stands_in_snoozed_alone_until_it_wakes(
    store: SqlStore, desk: SmallDesk, clock: FakeClock
) -> None:
    ticket = desk.tickets[1]
    apply(
        store,
        set_ticket(ticket, "snooze", {"snoozed_until": None}, {"snoozed_until": clock.now() + timedelta(hours=1)}),
    )
    assert ticket not in ids(store, "needs_reply", desk)
    assert ids(store, "snoozed", desk) == [ticket]
    assert store.read.counts(agent_id=desk.anna.id, now=clock.now())["needs_reply"] == 4
    clock.advance(timedelta(hours=1))
    assert ids(store, "needs_reply", desk)[0] == ticket
    assert ids(store, "snoozed", desk) == []


def test_an_unknown_view_is_refused(store: SqlStore, desk: SmallDesk) -> None:
    with pytest.raises(UsageError, match="no view"):
        ids(store, "nonsense'; DROP TABLE ticket", desk)


def test_wrong_counters_are_found_and_counted_anew(store: SqlStore, desk: SmallDesk) -> None:
    assert read_facts(store.address.url).miscounted_views == ()
    assert store.recount_views() == ()
    store.fold_view_counts()
    with store.transaction() as tx:
        tx.connection.change("UPDATE view_count SET tickets = tickets + 3 WHERE view = ?", ("needs_reply",))
        tx.connection.change(
            "INSERT INTO view_count_delta (view, agent_id, delta) VALUES ('mine', ?, 1)", (desk.anna.id,)
        )
    assert read_facts(store.address.url).miscounted_views == ("mine", "needs_reply")
    assert store.recount_views() == ("mine", "needs_reply")
    assert store.recount_views() == ()
    counts = store.read.counts(agent_id=desk.anna.id, now=store.clock.now())
    assert (counts["needs_reply"], counts["mine"]) == (len(desk.tickets), 0)


def test_a_stopped_reply_brings_its_ticket_to_the_top_of_its_owners_queue(store: SqlStore, desk: SmallDesk) -> None:
    for ticket in desk.tickets:
        apply(store, set_ticket(ticket, "assign", {}, {"assignee_id": desk.anna.id}))
    before = ids(store, "mine", desk)
    last = TicketId(before[-2])
    apply(store, set_ticket(last, "reply_stopped", {}, {"badges": ["reply_stopped"]}))
    assert ids(store, "mine", desk) == [last, *(ticket for ticket in before if ticket != last)]
    assert store.read.queue_ids("mine", agent_id=desk.anna.id, now=store.clock.now(), limit=2) == [last, before[0]]


@pytest.mark.parametrize("folded", [False, True], ids=["deltas", "folded"])
def test_the_counts_equal_the_lengths_of_the_lists(store: SqlStore, desk: SmallDesk, *, folded: bool) -> None:
    now = store.clock.now()
    assert desk.anna.id is not None
    for number, status in enumerate(STATUSES):
        for kind in ("human", "notification"):
            for waiting in (now, None):
                add_ticket(
                    store, f"{status} {kind}", status=status, kind=kind, waiting_since=waiting,
                    assignee_id=(None, desk.anna.id, desk.bruno.id)[number % 3],
                    snoozed_until=now + timedelta(days=1) if number % 2 and waiting else None,
                )  # fmt: skip
    apply(store, set_ticket(desk.tickets[0], "merge", {"merged_into": None}, {"merged_into": desk.tickets[1]}))
    if folded:
        assert store.fold_view_counts() > 0
        assert store.fold_view_counts() == 0
    for agent in (desk.bruno.id, desk.anna.id):
        counts = store.read.counts(agent_id=agent, now=now)
        for view in (*LISTINGS, "snoozed"):
            assert counts[view] == len(store.read.queue_ids(view, agent_id=agent, now=now)), view
    assert all(counts[view] for view in LISTINGS), "every view was put to the test"


def test_the_pure_function_and_the_lists_put_each_ticket_in_the_same_views(store: SqlStore, desk: SmallDesk) -> None:
    assert desk.anna.id is not None
    for status in STATUSES:
        for kind in ("human", "notification"):
            add_ticket(store, status, status=status, kind=kind, assignee_id=desk.anna.id)
    listed = {view: set(ids(store, view, desk)) for view in LISTINGS}
    for row in store.read.rows("ticket"):
        views = {view for view, agent in standing_views(store.read.ticket(row["id"])) if agent in (0, desk.anna.id)}
        assert views == {view for view, members in listed.items() if row["id"] in members}


def test_a_row_of_the_queue_carries_what_the_list_shows(store: SqlStore, desk: SmallDesk) -> None:
    assert desk.anna.id is not None
    assert desk.bruno.id is not None
    ticket = desk.tickets[0]
    apply(store, Plan(tuple(Insert("ticket_tag", {"ticket_id": ticket, "tag": tag}) for tag in ("vip", "lost"))))
    apply(store, set_ticket(ticket, "assign", {"assignee_id": None}, {"assignee_id": desk.anna.id}))
    store.set_presence(ticket, desk.bruno.id, "console-1", "replying")
    store.set_presence(ticket, desk.anna.id, "console-2", "viewing")
    row = store.read.queue_rows([ticket, desk.tickets[2]], agent_id=desk.anna.id, now=store.clock.now())[ticket]
    assert (row.customer_name, row.customer_address, row.assignee) == ("Carla Neri", "c0@example.test", "Anna")
    assert (row.tags, row.presence, row.unread) == (("lost", "vip"), (("Bruno", "replying"),), True)
    assert row.excerpt.startswith("Dov'è il mio pacco?")
    assert row.due_at == store.clock.now() + timedelta(hours=5)
    assert row.version == 3
    apply(store, Plan(silent=(Insert("ticket_seen", {"ticket_id": ticket, "agent_id": desk.anna.id, "seq": 1}),)))
    row = store.read.queue_rows([ticket], agent_id=desk.anna.id, now=store.clock.now())[ticket]
    assert not row.unread
    assert row.version == 3, "reading a ticket does not change it"


def test_presence_is_stale_after_thirty_seconds(store: SqlStore, desk: SmallDesk, clock: FakeClock) -> None:
    assert desk.anna.id is not None
    ticket = desk.tickets[0]
    store.set_presence(ticket, desk.anna.id, "console-1", "viewing")
    store.set_presence(ticket, desk.anna.id, "console-2", "replying")
    assert store.read.presence(ticket, now=clock.now()) == [(desk.anna.id, "Anna", "replying")]
    store.set_presence(ticket, desk.anna.id, "console-2", "")
    assert store.read.presence(ticket, now=clock.now()) == [(desk.anna.id, "Anna", "viewing")]
    clock.advance(timedelta(seconds=30))
    assert store.read.presence(ticket, now=clock.now()) == []


def held_reply(desk: SmallDesk, ticket: int, store: SqlStore, **columns: object) -> Plan:
    now = store.clock.now()
    return Plan(
        (
            Insert(
                "outbox",
                {
                    "ticket_id": ticket, "agent_id": desk.anna.id, "mailbox_id": desk.mailbox, "state": "held",
                    "body": "Arriva domani", "held_at": now, "created_at": now, "updated_at": now, "seq": 2, **columns,
                },
                NewRef("outbox"),
            ),
        ),
        (
            Insert("outbox_recipient", {"outbox_id": NewRef("outbox"), "address": "c0@example.test"}),
            Insert("attachment", {"outbox_id": NewRef("outbox"), "name": "etichetta.pdf", "blob_sha": "00"}),
        ),
        (PlannedEvent(ticket, "reply"),),  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_conversation_holds_the_family_and_what_is_not_sent_yet(
    store: SqlStore, desk: SmallDesk, clock: FakeClock
) -> None:
    survivor, merged = desk.tickets[0], desk.tickets[3]
    apply(store, set_ticket(merged, "merge", {"merged_into": None}, {"merged_into": survivor}))
    clock.advance(timedelta(minutes=1))
    outbox = apply(store, held_reply(desk, survivor, store), desk.anna).ids["outbox"]
    apply(store, held_reply(desk, survivor, store, state="draft"), desk.anna)
    entries = store.read.thread(survivor)
    assert [(entry.ticket_id, entry.direction, entry.state) for entry in entries] == [
        (survivor, "in", ""), (merged, "in", ""), (survivor, "out", "held"),
    ]  # fmt: skip
    reply = entries[-1]
    assert (reply.id, reply.outbox_id, reply.author_name, reply.text) == (None, outbox, "Anna", "Arriva domani")
    assert [person.address for person in reply.recipients] == ["c0@example.test"]
    assert [file.name for file in reply.attachments] == ["etichetta.pdf"]
    assert entries[0].author_address == "c0@example.test"


def test_an_uncertain_reply_stands_once_in_the_conversation_with_its_state(store: SqlStore, desk: SmallDesk) -> None:
    ticket, now = desk.tickets[0], store.clock.now()
    outbox = apply(store, held_reply(desk, ticket, store, state="uncertain"), desk.anna).ids["outbox"]
    values = {
        "ticket_id": ticket,
        "seq": 2,
        "direction": "out",
        "received_at": now,
        "created_at": now,
        "outbox_id": outbox,
    }
    apply(store, Plan((Insert("message", values),)))
    entries = [entry for entry in store.read.thread(ticket) if entry.outbox_id == outbox]
    assert [(entry.state, entry.id is not None) for entry in entries] == [("uncertain", True)]
    assert [person.address for person in entries[0].recipients] == ["c0@example.test"]


def test_the_outbox_lists_rows_with_their_recipients(store: SqlStore, desk: SmallDesk) -> None:
    outbox = apply(store, held_reply(desk, desk.tickets[0], store), desk.anna).ids["outbox"]
    [row] = store.read.outbox(states=["held", "deferred"])
    assert (row.id, row.state, row.held_at) == (outbox, "held", store.clock.now())
    assert [person.state for person in row.recipients] == ["pending"]
    assert store.read.outbox(agent_id=desk.bruno.id) == []
    assert store.read.counts(agent_id=desk.anna.id, now=store.clock.now())["outbox"] == 1


def test_a_customer_brings_the_addresses_and_tickets_of_those_merged_into_him(store: SqlStore, desk: SmallDesk) -> None:
    first, second, _ = desk.customers
    merge = Update("customer", {"id": second}, {"version": 1}, {"merged_into": first})
    apply(store, Plan((merge,)), desk.anna)
    view = store.read.customer(first)
    assert view.addresses == ("c0@example.test", "c1@example.test")
    assert [ticket for ticket, *_ in view.tickets] == [
        desk.tickets[4],
        desk.tickets[3],
        desk.tickets[1],
        desk.tickets[0],
    ]
    with pytest.raises(NotFound):
        store.read.customer(999)  # type: ignore[arg-type]


@pytest.mark.parametrize("listed", [50, 1], ids=["all tickets are listed", "more tickets than are listed"])
def test_somebody_is_a_customer_since_his_first_conversation(
    store: SqlStore, desk: SmallDesk, listed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fetched or imported from before this desk is older than the row of who wrote it."""
    monkeypatch.setattr("supportdesk.store.read.thread.CUSTOMER_TICKETS", listed)
    customer = desk.customers[0]
    assert store.read.customer(customer).since == store.read.rows("customer", {"id": customer})[0]["created_at"]
    wrote = store.clock.now() - timedelta(days=400)
    apply(store, Plan((Update("ticket", {"id": desk.tickets[0]}, {}, {"created_at": wrote}),)), desk.anna)
    assert store.read.customer(customer).since == wrote


def test_unanswered_lists_each_waiting_customer_the_deliveries_in_trouble_and_unseen_parked_mail(
    store: SqlStore, desk: SmallDesk, clock: FakeClock
) -> None:
    start = clock.now()
    for ticket in desk.tickets[:3]:
        apply(store, set_ticket(ticket, "reply", {}, {"waiting_since": None}))
    apply(store, held_reply(desk, desk.tickets[0], store, state="deferred", first_try_at=start), desk.anna)
    apply(store, held_reply(desk, desk.tickets[1], store, state="failed", error="550 no such user"), desk.anna)
    apply(store, held_reply(desk, desk.tickets[3], store, state="uncertain"), desk.anna)
    folder = store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"]
    values = {"folder_id": folder, "uidvalidity": 1, "uid": 1, "fetched_at": start, "outcome": "parked"}
    apply(
        store,
        Plan(
            (
                Insert("delivery", values, NewRef("delivery")),
                Insert(
                    "parked", {"delivery_id": NewRef("delivery"), "sender": "bot@example.test", "received_at": start}
                ),
            )
        ),
    )
    kinds = [(row["kind"], row["ticket_id"]) for row in store.read.unanswered(now=clock.now())]
    assert sorted(kinds) == [("failed", desk.tickets[1]), ("waiting", desk.tickets[3]), ("waiting", desk.tickets[4])]
    clock.advance(timedelta(hours=24))
    kinds = [(row["kind"], row["ticket_id"]) for row in store.read.unanswered(now=clock.now())]
    assert ("deferred", desk.tickets[0]) in kinds
    assert ("parked", None) in kinds
    assert len(kinds) == 5
    late = add_ticket(store, "late")
    assert late not in [row["ticket_id"] for row in store.read.unanswered(now=clock.now(), older_than=start)]
    assert store.read.counts(agent_id=None, now=clock.now())["parked"] == 1


@pytest.mark.parametrize(
    ("begun", "found"),
    [("c", "c2 c0 c1"), ("c0@", "c0"), ("C1", "c1"), ("zola", "c2"), ("carla", ""), ("nobody", "")],
)
def test_an_old_address_is_found_by_its_beginning_and_a_name_among_the_newest(
    store: SqlStore, desk: SmallDesk, monkeypatch: pytest.MonkeyPatch, begun: str, found: str
) -> None:
    monkeypatch.setattr(lists, "NAMES_READ", 1)
    known = [address.partition("@")[0] for _name, address in store.read.addresses(begun)]
    assert known == found.split()
    monkeypatch.setattr(lists, "NAMES_READ", 1_000)
    assert [name for name, _address in store.read.addresses("carla")] == ["Carla Neri"]
