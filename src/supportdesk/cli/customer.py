"""`supportdesk customer`: who is known by which addresses, and making one of two who are the same person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from supportdesk.cli.actions import tell_done
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.customer_merge import described, find_customer, foresee_merge, suggest_customers
from supportdesk.desk.labels import STATUS, word
from supportdesk.desk.model import CustomerId
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.desk.model import CustomerView

app = group()

WHO = N_("A customer: an address, the whole name or a number")


@verb(app, "show", N_("Show a customer: addresses, language, tickets, and who may be the same person"), restricted=True)
def show(session: Session, who: Annotated[str, typer.Argument(metavar="CUSTOMER", help=WHO)]) -> None:
    read = session.desk.read
    view = read.customer(CustomerId(find_customer(read, who)))
    alike = suggest_customers(read, view.id)
    lines = [
        _("customer {number}: {who}").format(number=view.id, who=described(view)),
        _("addresses: {addresses}").format(addresses=", ".join(view.addresses)),
        _("language: {language}").format(language=view.language or "—"),
        *(f"#{number}  {word(STATUS, status)}  {subject}" for number, subject, status, _created in view.tickets),
    ]
    lines += [_("maybe the same: {who}").format(who=f"{one.id}: {described(one)}") for one in alike]
    session.out.answer({**_as_value(view), "tickets": view.tickets, "alike": [_as_value(one) for one in alike]}, lines)


@verb(app, "merge", N_("Make one of two customers who are the same person; undo takes it back"), restricted=True)
def merge(
    session: Session,
    keep: Annotated[str, typer.Argument(metavar="KEEP", help=N_("Who survives: an address, a name or a number"))],
    other: Annotated[str, typer.Argument(metavar="OTHER", help=N_("Who is merged into the first"))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only say what would be changed"))] = False,
) -> int:
    read = session.desk.read
    kept, merged = find_customer(read, keep), find_customer(read, other)
    if not dry_run:
        return tell_done(session, session.desk.merge_customers(session.actor, kept, merged))
    found = foresee_merge(read, kept, merged)
    lines = [
        _("would survive: {who}").format(who=f"{found.kept.id}: {described(found.kept)}"),
        _("would be merged: {who}").format(who=f"{found.merged.id}: {described(found.merged)}"),
        _("known afterwards: {name}, {language}").format(name=found.name or "—", language=found.language or "—"),
    ]
    value = {
        "dry_run": True, "kept": _as_value(found.kept), "merged": _as_value(found.merged), "name": found.name,
        "language": found.language, "language_source": found.language_source,
    }  # fmt: skip
    session.out.answer(value, lines)
    return 0


def _as_value(view: CustomerView) -> dict[str, Any]:
    """A customer in JSON; his tickets are counted."""
    return {
        "customer": view.id, "name": view.name, "addresses": view.addresses, "language": view.language,
        "language_source": view.language_source, "register": view.register, "since": view.since,
        "ticket_count": view.ticket_count,
    }  # fmt: skip
