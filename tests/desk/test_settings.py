"""What the team shares: here the zone in which times are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.model import MailboxId

if TYPE_CHECKING:
    from tests.support.desk import House


def test_times_are_in_the_zone_of_the_mailbox_else_in_that_of_the_first(house: House) -> None:
    desk, first = house.desk, house.desk.mailboxes()[0]
    desk.save_mailbox(house.giulia, {"id": first.id, "zone": "Europe/Rome"})
    other = desk.save_mailbox(house.giulia, {"address": "hello@shop.example", "zone": "America/New_York"})
    assert str(desk.zone_of(other.id)) == "America/New_York"
    assert str(desk.zone_of(first.id)) == "Europe/Rome"
    assert str(desk.zone_of(None)) == "Europe/Rome"
    assert str(desk.zone_of(MailboxId(999))) == "Europe/Rome"
