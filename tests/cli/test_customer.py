"""`supportdesk customer` and `ticket merge-customer`: one person who writes from two addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from supportdesk.desk.model import TicketId
    from tests.cli.conftest import Run
    from tests.support.desk import House

HOME, WORK = "rosa@example.com", "rosa@work.example"


@pytest.fixture
def two(shop: House) -> tuple[TicketId, TicketId]:
    return shop.customer_writes(sender=HOME), shop.customer_writes(sender=WORK, name="R. Bianchi", language="de")


def test_two_customers_become_one_and_undo_parts_them(two: tuple[TicketId, TicketId], supportdesk: Run) -> None:
    before = supportdesk("customer", "show", HOME, "--json").json()
    assert [one["addresses"] for one in before["alike"]] == [[WORK]]
    foreseen = supportdesk("customer", "merge", HOME, WORK, "--dry-run", "--json").json()
    assert (foreseen["kept"]["addresses"], foreseen["merged"]["addresses"]) == ([HOME], [WORK])
    assert (foreseen["name"], foreseen["language"]) == ("Rosa Bianchi", "it")
    assert supportdesk("customer", "show", HOME, "--json").json() == before, "a dry run changes nothing"
    done = supportdesk("customer", "merge", HOME, "R. Bianchi", "--json").json()
    assert (done["undoable"], done["tickets"]) == (True, [])
    for who in (HOME, WORK, "Rosa Bianchi", str(before["customer"])):
        found = supportdesk("customer", "show", who, "--json").json()
        assert (found["addresses"], found["ticket_count"], found["alike"]) == ([HOME, WORK], 2, [])
    assert supportdesk("undo").code == 0
    assert supportdesk("customer", "show", HOME, "--json").json() == before


def test_it_is_told_in_words(two: tuple[TicketId, TicketId], supportdesk: Run) -> None:
    assert f"Rosa Bianchi <{HOME}> · 1 ticket" in supportdesk("customer", "show", HOME).out
    assert f"R. Bianchi <{WORK}> · 1 ticket" in supportdesk("customer", "merge", HOME, WORK, "--dry-run").out
    merged = supportdesk("customer", "merge", HOME, WORK)
    assert merged.out.strip() == f"R. Bianchi <{WORK}> is one customer with Rosa Bianchi <{HOME}> now"
    assert "supportdesk undo " in merged.err
    assert f"Rosa Bianchi <{HOME}> · 1 more address · 2 tickets" in supportdesk("customer", "show", WORK).out


def test_who_is_not_there_is_4_and_who_is_one_already_5(two: tuple[TicketId, TicketId], supportdesk: Run) -> None:
    for dry_run in ((), ("--dry-run",)):
        assert supportdesk("customer", "merge", HOME, "nobody@example.com", *dry_run).code == 4
        assert supportdesk("customer", "merge", "4711", HOME, *dry_run).code == 4
        assert supportdesk("customer", "merge", HOME, HOME, *dry_run).code == 5
    assert supportdesk("customer", "merge", HOME, WORK).code == 0
    assert supportdesk("customer", "merge", WORK, HOME).code == 5
    assert supportdesk("customer", "show", "nobody").code == 4


def test_from_a_ticket_it_is_asked_who_survives(two: tuple[TicketId, TicketId], supportdesk: Run) -> None:
    asked = supportdesk("ticket", "merge-customer", str(two[1]), "--customer", HOME)
    assert asked.code == 2
    assert "--keep this|other" in asked.err and f"other: Rosa Bianchi <{HOME}>" in asked.err
    done = supportdesk("ticket", "merge-customer", str(two[1]), "--customer", HOME, "--keep", "other", "--json").json()
    assert done["tickets"] == [two[1]]
    assert supportdesk("customer", "show", WORK, "--json").json()["name"] == "Rosa Bianchi"
