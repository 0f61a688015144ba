"""Merging a ticket's customer with another, from the `:` line: who is offered, who survives, and back with `u`."""

# ruff: noqa: F401, F811 — fixtures are imported

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.model import CustomerId
from supportdesk.tui.screens.choose import ChooseScreen
from tests.tui.conftest import notices, screen_of
from tests.tui.walking import PIA, at_the_list, filled, house, url

if TYPE_CHECKING:
    from tests.support.desk import House


def addresses(house: House) -> tuple[str, ...]:
    customer = house.ticket(PIA).customer_id
    assert customer is not None
    return house.desk.read.customer(CustomerId(customer)).addresses


async def test_two_customers_become_one_and_two_again(url: str, house: House) -> None:
    elsewhere = house.customer_writes(
        "Sono sempre io", sender="pia@lavoro.example", name="Pia N.", subject="Dal lavoro"
    )
    async with at_the_list(url, house) as (walk, queue):
        await walk(":", lambda: queue.prompt.purpose == "command")
        await walk.then(*"merge_customer", "enter", until=lambda: queue.prompt.purpose == "customer")
        await walk.until(walk.shows("pia@lavoro.example"), "who may be the same is offered")
        await walk.then(
            *"pia@l", "tab", "enter", until=lambda: isinstance(walk.app.screen, ChooseScreen), what="who survives"
        )
        await screen_of(walk.pilot, ChooseScreen)
        await walk.until(walk.shows("Pia N. <pia@lavoro.example>"), "both")
        assert addresses(house) == ("pia@example.it",)
        await walk.then("enter", until=lambda: addresses(house) == ("pia@example.it", "pia@lavoro.example"))
        await walk.until(lambda: "one customer" in notices(walk.app), "what was done is told")
        assert house.desk.read.queue_rows([elsewhere], agent_id=None, now=house.clock.now())[
            elsewhere
        ].customer_name == ("Pia Neri")
        await walk.until(lambda: walk.app.screen is queue, "the list")
        await walk("u", lambda: addresses(house) == ("pia@example.it",))


async def test_a_console_sees_what_a_colleague_makes_one(url: str, house: House) -> None:
    """From the command line, on no ticket: whatever is shown of the two is read anew."""

    def shown() -> tuple[str, ...]:
        bundle = walk.app.session.tickets.get(PIA) if walk.app.session is not None else None
        return bundle.customer.addresses if bundle is not None and bundle.customer is not None else ()

    elsewhere = house.customer_writes(
        "Sono sempre io", sender="pia@lavoro.example", name="Pia N.", subject="Dal lavoro"
    )
    pia, other = house.ticket(PIA).customer_id, house.ticket(elsewhere).customer_id
    assert pia is not None and other is not None
    async with at_the_list(url, house) as (walk, _queue):
        await walk("enter", lambda: shown() == ("pia@example.it",))
        done = house.desk.merge_customers(house.luca, pia, other)
        await walk.until(lambda: shown() == ("pia@example.it", "pia@lavoro.example"), "both addresses")
        house.desk.undo(house.luca, done.action_id)
        await walk.until(lambda: shown() == ("pia@example.it",), "one again")


async def test_a_word_that_several_are_called_is_chosen_from(url: str, house: House) -> None:
    async with at_the_list(url, house) as (walk, queue):
        await walk(":", lambda: queue.prompt.purpose == "command")
        await walk.then(*"merge_customer", "enter", until=lambda: queue.prompt.purpose == "customer")
        await walk.then(*"cliente 1", "enter", until=lambda: isinstance(walk.app.screen, ChooseScreen))
        await walk.until(walk.shows("c19@example.it"), "those who begin so")
        picked = walk.app.screen
        await walk.then("enter", until=lambda: isinstance(walk.app.screen, ChooseScreen) and walk.app.screen != picked)
        await walk.then("escape", until=lambda: walk.app.screen is queue)
        assert addresses(house) == ("pia@example.it",), "who leaves the question merges nobody"
