"""Who else got a mail and who takes part stands in the conversation and beside it."""

from __future__ import annotations

import pytest

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.participants import Participant, participants_of
from supportdesk.desk.ports import Insert, Plan
from supportdesk.desk.settings import new_action_id
from supportdesk.mail.model import Address
from supportdesk.tui.glyphs import UNICODE
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.thread_layout import ItemKind, ThreadItem, lay_out
from tests.support.desk import House
from tests.tui.conftest import Shop, screen_of, shown, until

FIRST = TicketId(1)
TEN = tuple(f"person{number}@example.com" for number in range(10))


def joins(house: House, address: str, role: str, ticket: TicketId = FIRST) -> None:
    """Somebody takes part in the ticket."""
    house.customer_writes(sender=address, name="")
    identity = house.desk.read.rows("customer_identity", {"value": address})[0]["id"]
    with house.store.transaction() as tx:
        values = {"ticket_id": ticket, "identity_id": identity, "role": role}
        tx.apply(Plan(silent=(Insert("participant", values),), undoable=False), MAIL, new_action_id())


@pytest.mark.parametrize(
    ("people", "width", "line"),
    [
        (("anna@example.com",), 60, "  Cc anna@example.com"),
        (TEN[:2], 60, "  Cc person0@example.com, person1@example.com"),
        (TEN, 60, "  Cc person0@example.com, person1@example.com and 8 more"),
        (TEN, 40, "  Cc person0@example.com and 9 more"),
        (("a-very-long-name@a-very-long-host.example", *TEN), 30, "  Cc a-very-long-… and 10 more"),
        (("evil\x1b[2J@example.com",), 60, "  Cc evil@example.com"),
    ],
)
def test_copies_are_one_muted_line_with_a_count(people: tuple[str, ...], width: int, line: str) -> None:
    item = ThreadItem(ItemKind.INCOMING, "m1", "Rosa", copies=(("Cc", people),))
    found = [(one.text, one.tone) for one in lay_out(item, (), set(), width, UNICODE) if one.role == "copies"]
    assert found == [(line, "muted")]


def test_a_mail_that_is_folded_up_shows_no_copies() -> None:
    item = ThreadItem(ItemKind.MACHINE, "m1", "Report", collapsed=True, copies=(("Cc", TEN),))
    assert "copies" not in [line.role for line in lay_out(item, (), set(), 80, UNICODE)]


def test_each_takes_part_once_with_the_role_that_weighs_most(shop: Shop) -> None:
    house = shop.house
    merged = house.customer_writes(sender="giulia@example.it")
    for address, role, ticket in (
        ("anna@example.com", "proposed", FIRST),
        ("anna@example.com", "cc", merged),
        ("corriere@example.com", "third_party", FIRST),
        ("altro@example.com", "external", merged),
    ):
        joins(house, address, role, ticket)
    found = [one for one in participants_of(house.desk.read, {FIRST, merged}) if one.role != "requester"]
    assert found == [
        Participant("anna@example.com", "cc"),
        Participant("corriere@example.com", "third_party"),
        Participant("altro@example.com", "external"),
    ]
    assert [one.is_confirmed for one in found] == [True, True, False]


async def test_a_sent_reply_shows_its_copies_and_the_pane_who_takes_part(shop: Shop) -> None:
    house = shop.house
    draft = house.draft(FIRST)
    copies = {"cc": [Address("", "anna@example.com")], "bcc": [Address("", "capo@bottega.example")]}
    house.desk.save_draft(house.giulia, draft.id, draft.version, **copies)
    house.desk.send(house.giulia, draft.id, seen_seq=house.ticket(FIRST).seq)
    house.deliver(draft.id)
    joins(house, "corriere@example.com", "third_party")
    joins(house, "altro@example.com", "external")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await screen_of_ticket(pilot, app)
        await until(pilot, lambda: "Cc anna@example.com" in shown(app), "the copy")
        assert "Bcc capo@bottega.example" in shown(app)
        for words in ("participants", "corriere@example.com", "third party", "from outside, not confirmed"):
            assert words in shown(app)
        beside = [str(line.text) for line in screen.side._lines]
        ordered = ("altro@example.com", "corriere@example.com", "anna@example.com")
        assert sorted(ordered, key=beside.index) == list(ordered)


async def screen_of_ticket(pilot, app) -> TicketScreen:
    await until(pilot, lambda: app.session is not None, "the desk")
    app.open_ticket(FIRST)
    return await screen_of(pilot, TicketScreen)
