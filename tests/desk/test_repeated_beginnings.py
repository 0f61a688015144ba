"""A first mail that a command writes twice, and two rounds of one mass reply at once: one mail comes of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk import drafts, replies
from supportdesk.desk.beginning import Beginning
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.repeats import REPEATED
from supportdesk.errors import AlreadySent, MissingValue, SupportdeskError
from supportdesk.mail.model import Address
from tests.support.processes import wait_until
from tests.support.waiting import somebody_waits

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.desk.model import OutboxRow
    from tests.support.desk import House

SECONDS = 60
PAUL = Address("Paul Klein", "paul@example.de")
SUBJECT = "Ihre Bestellung"
TEXT = "Guten Tag, Ihre Bestellung ist unterwegs.\n\nViele Grüße"


def begin(house: House, text: str = TEXT, *, to: Address = PAUL, subject: str = SUBJECT, **more: Any) -> OutboxRow:
    again = more.pop("again", False)
    first = Beginning(house.mailbox_id, to, subject, text, **{"language": "de"} | more)
    return house.desk.begin_conversation(house.giulia, first, again=again)


def send(house: House, row: OutboxRow, *, once: bool = True) -> None:
    house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, once=once)


def tickets(house: House) -> int:
    return len(house.desk.read.rows("ticket"))


@pytest.mark.parametrize("state", ["held", "sent", "uncertain"])
def test_a_first_mail_that_is_repeated_begins_no_second_conversation(house: House, state: str) -> None:
    row = begin(house)
    send(house, row)
    if state != "held":
        house.deliver(row.id, state)
    with pytest.raises(AlreadySent, match=f"#{row.ticket_id}: The same text"):
        begin(house, TEXT + "\n")
    assert tickets(house) == 1
    send(house, begin(house, again=True), once=False)
    assert tickets(house) == 2


@pytest.mark.parametrize("written", [True, False], ids=["before it was sent", "before it was written"])
def test_what_a_killed_command_left_is_gone_on_with(house: House, written: bool) -> None:
    if written:
        left = begin(house)
    else:
        left = house.desk.start_conversation(house.giulia, house.mailbox_id, PAUL, SUBJECT, "de")
    row = begin(house)
    assert (row.id, row.body, tickets(house)) == (left.id, TEXT, 1)
    send(house, row)


def test_another_conversation_is_begun_for_every_other_mail(house: House) -> None:
    send(house, begin(house))
    begin(house, "Guten Tag, wir haben eine Frage.")
    begin(house, subject="Noch etwas")
    begin(house, to=Address("", "paula@example.de"))
    assert tickets(house) == 4
    row = house.desk.start_conversation(house.luca, house.mailbox_id, PAUL, "Von Luca", "de")
    assert begin(house, subject="Von Luca").id != row.id, "a colleague's empty draft is his"


def test_what_reached_nobody_what_is_answered_and_what_is_long_ago_is_written_again(house: House) -> None:
    row = begin(house)
    send(house, row)
    house.deliver(row.id, "failed")
    second = begin(house)
    send(house, second)
    house.deliver(second.id)
    house.customer_writes("Danke, und jetzt?", sender=PAUL.addr, ticket=second.ticket_id)
    third = begin(house)
    send(house, third)
    house.deliver(third.id)
    with pytest.raises(AlreadySent):
        begin(house)
    house.pass_time(hours=25)
    begin(house)
    assert tickets(house) == 4


def test_a_canned_first_mail_is_compared_as_this_customer_would_get_it(house: House) -> None:
    house.desk.import_canned(house.giulia, starter_set())
    row = begin(house, "", key="thanks")
    assert (row.canned_key, tickets(house)) == ("thanks", 1) and row.body
    send(house, row)
    with pytest.raises(AlreadySent):
        begin(house, "", key="thanks")
    begin(house, "Bis bald!", key="thanks")
    assert tickets(house) == 2
    with pytest.raises(SupportdeskError):
        begin(house, "", key="nothing")
    assert tickets(house) == 2


def test_a_first_mail_that_could_not_be_written_is_gone_on_with_in_its_language(house: House) -> None:
    house.desk.import_canned(house.giulia, starter_set())
    for _try in "12":
        with pytest.raises(MissingValue):
            begin(house, "", key="thanks", language="fi")
    [left] = house.desk.drafts(house.giulia)
    assert begin(house, "Hei!", language="fi").id == left.id
    assert begin(house, "", key="thanks", language="de").language == "de"
    assert tickets(house) == 2


def test_the_review_of_a_new_conversation_names_the_one_that_was_begun(house: House) -> None:
    first = begin(house)
    send(house, first)
    row = house.desk.start_conversation(house.luca, house.mailbox_id, PAUL, SUBJECT, "de")
    row = house.desk.save_draft(house.luca, row.id, row.version, body=TEXT)
    [told] = [one.text for one in house.desk.review(house.luca, row.id).warnings if one.code == REPEATED]
    assert told.endswith(f"(#{first.ticket_id})")


def both(house: House, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """What two threads returned or raised, the first one's before the second one's."""
    told: dict[str, Any] = {}

    def run(name: str, work: Callable[[], Any]) -> None:
        try:
            told[name] = work()
        except SupportdeskError as error:
            told[name] = error

    threads = [
        threading.Thread(target=run, args=(name, work), name=name)
        for name, work in (("first", first), ("second", second))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()
    return [told["first"], told["second"]]


def test_two_conversations_that_are_sent_at_once_are_one_mail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = begin(house), begin(house, again=True)
    assert one.ticket_id != other.ticket_id
    inside, over = threading.Event(), threading.Event()
    original: Callable[..., None] = vars(replies)["update_clocks"]

    def hold_back(*arguments: Any) -> None:
        original(*arguments)
        if threading.current_thread().name == "first":
            inside.set()
            wait_until(lambda: over.is_set() or somebody_waits(house.store), seconds=SECONDS, what="the second's move")

    monkeypatch.setattr(replies, "update_clocks", hold_back)

    def second() -> None:
        assert inside.wait(SECONDS)
        try:
            send(house, other)
        finally:
            over.set()

    told = both(house, lambda: send(house, one), second)
    assert told[0] is None and isinstance(told[1], AlreadySent)
    assert [row.id for row in house.desk.read.outbox(states=("held",))] == [one.id]


def test_two_commands_that_begin_at_once_begin_one_conversation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    beat = threading.Barrier(2)
    original = drafts.start_conversation

    def at_once(*arguments: Any, **named: Any) -> OutboxRow:
        beat.wait(SECONDS)
        return original(*arguments, **named)

    monkeypatch.setattr(drafts, "start_conversation", at_once)
    both(house, lambda: begin(house), lambda: begin(house))
    assert tickets(house) == 1


def test_two_rounds_of_one_mass_reply_at_once_send_one_mail_each(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second round has looked, and found nothing sent, before the first one sends."""
    house.desk.import_canned(house.giulia, starter_set())
    asked = [house.customer_writes(sender=f"{one}@example.com", language="it") for one in "ab"]
    shown = house.desk.reply_samples(house.giulia, asked, "thanks", {})
    looked, sent = threading.Event(), threading.Event()
    original = drafts.open_draft

    def wait_for_the_other(*arguments: Any, **named: Any) -> OutboxRow:
        if threading.current_thread().name == "second":
            looked.set()
            assert sent.wait(SECONDS)
        else:
            assert looked.wait(SECONDS)
        return original(*arguments, **named)

    monkeypatch.setattr(drafts, "open_draft", wait_for_the_other)

    def first() -> Any:
        try:
            return house.desk.reply_to_all(house.giulia, shown, "thanks", {})
        finally:
            sent.set()

    done, late = both(house, first, lambda: house.desk.reply_to_all(house.giulia, shown, "thanks", {}))
    assert (done.tickets, done.conflicts) == (tuple(asked), {})
    assert late.tickets == () and all("same text" in late.conflicts[ticket].message for ticket in asked)
    assert sorted(row.ticket_id for row in house.desk.read.outbox(states=("held",))) == asked
    assert house.desk.drafts(house.giulia) == []


def test_a_round_that_is_stopped_leaves_the_draft_that_another_one_is_about_to_send(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.desk.import_canned(house.giulia, starter_set())
    ticket = house.customer_writes()
    shown = house.desk.reply_samples(house.giulia, [ticket], "thanks", {})
    original = drafts.open_draft

    def another_writes(*arguments: Any, **named: Any) -> OutboxRow:
        row = original(*arguments, **named)
        house.desk.save_draft(house.giulia, row.id, row.version, body=shown[0].text)
        return row

    monkeypatch.setattr(drafts, "open_draft", another_writes)
    assert list(house.desk.reply_to_all(house.giulia, shown, "thanks", {}).conflicts) == [ticket]
    [kept] = house.desk.drafts(house.giulia)
    assert kept.body == shown[0].text


def test_a_command_that_looked_before_the_other_began_begins_nothing_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, over = threading.Event(), threading.Event()
    original = drafts.start_conversation

    def held_up(*arguments: Any, **named: Any) -> OutboxRow:
        if threading.current_thread().name == "second":
            looked.set()
            assert over.wait(SECONDS)
        return original(*arguments, **named)

    def first() -> None:
        assert looked.wait(SECONDS)
        begin(house)
        over.set()

    monkeypatch.setattr(drafts, "start_conversation", held_up)
    both(house, first, lambda: begin(house))
    assert tickets(house) == 1
