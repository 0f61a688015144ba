"""The question with whom a ticket's customer is merged: by name or address, with those offered who may be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.customer_merge import customers_named, described, find_customer, suggest_customers
from supportdesk.desk.customers import person_of
from supportdesk.desk.model import CustomerId
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.calls import LOOK
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.prompt import Completion

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.desk.model import CustomerView, TicketId
    from supportdesk.tui.screens.on_tickets import OnTickets


def pick_customer(screen: OnTickets, ticket: TicketId, title: str, then: Callable[[str], None]) -> None:
    """Ask for another customer than the ticket's; `then` gets the number of the one who was picked."""
    read = screen.session.desk.read

    def look() -> tuple[int, list[CustomerView]]:
        customer = read.ticket(ticket).customer_id
        if customer is None:
            raise NotFound(_("#{ticket} has no customer").format(ticket=ticket))
        own = person_of(read, customer).id
        return own, suggest_customers(read, own)

    def ask(found: tuple[int, list[CustomerView]]) -> None:
        own, alike = found

        def complete(text: str) -> list[Completion]:
            begun = text.strip().casefold()
            return [
                Completion(safe(view.addresses[0]), safe(described(view)))
                for view in alike
                if view.addresses and begun in f"{view.name} {' '.join(view.addresses)}".casefold()
            ]

        screen.ask_line("customer", title, lambda text: typed(own, text), complete=complete)

    def typed(own: int, text: str) -> None:
        if text.strip():
            screen.call(LOOK, lambda: meant(own, text.strip()), picked, awaited=True)

    def meant(own: int, text: str) -> list[CustomerView]:
        try:
            return [read.customer(CustomerId(find_customer(read, text)))]
        except NotFound:
            if found := [view for view in customers_named(read, text) if view.id != own]:
                return found
            raise

    def picked(found: list[CustomerView]) -> None:
        if len(found) == 1:
            then(str(found[0].id))
            return
        entries = [
            PickerEntry(str(view.id), safe(described(view)), safe(", ".join(view.addresses[1:]))) for view in found
        ]

        def chosen(number: str | None) -> None:
            if number is not None:
                then(number)

        screen.put_question(ChooseScreen(title, entries, glyphs=screen.console.glyphs), chosen)

    screen.call(LOOK, look, ask, awaited=True)
