"""`supportdesk market`: the countries a shop sells to, with their language, manners, money and time."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.markets import Market, list_markets, save_market
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _

app = group()
CODE = typer.Argument(metavar="CODE", help=N_("Its short name: de, uk"))
COUNTRIES = typer.Option("--countries", metavar="CODES", help=N_("Its countries: DE,AT"))
LOCALE = typer.Option("--locale", metavar="TAG", help=N_("The language of its customers: de-DE"))
FORMAL = typer.Option("--formal/--informal", help=N_("Lei or tu, Sie or du"))
CURRENCY = typer.Option("--currency", metavar="CODE", help=N_("Its money: EUR"))
ZONE = typer.Option("--zone", metavar="ZONE", help=N_("The time zone: Europe/Rome"))


@verb(app, "list", N_("List the markets"), restricted=True)
def list_all(session: Session) -> None:
    markets = list_markets(session.desk.read)
    headings = (_("code"), _("countries"), _("language"), _("form of address"), _("currency"), _("zone"), _("hours"))
    calendars = {row["id"]: row["name"] for row in session.desk.read.rows("calendar")}
    cells = (
        (one.code, one.countries, one.locale, one.register, one.currency, one.zone, calendars.get(one.calendar_id, ""))
        for one in markets
    )
    session.out.table(markets, headings, cells)


@verb(app, "add", N_("Add a market; its hours are set by `hours set --market`"))
def add(
    session: Session,
    code: Annotated[str, CODE],
    countries: Annotated[str, COUNTRIES] = "",
    locale: Annotated[str, LOCALE] = "",
    formal: Annotated[bool | None, FORMAL] = None,
    currency: Annotated[str, CURRENCY] = "",
    zone: Annotated[str, ZONE] = "",
) -> None:
    values = _values(countries, locale, formal, currency, zone)
    _tell(session, save_market(session.desk, session.actor, code, values, new=True))


@verb(app, "set", N_("Change a market"))
def set_market(
    session: Session,
    code: Annotated[str, CODE],
    countries: Annotated[str, COUNTRIES] = "",
    locale: Annotated[str, LOCALE] = "",
    formal: Annotated[bool | None, FORMAL] = None,
    currency: Annotated[str, CURRENCY] = "",
    zone: Annotated[str, ZONE] = "",
) -> None:
    values = _values(countries, locale, formal, currency, zone)
    if not values:
        raise UsageError(_("say what to change"), hint="supportdesk market set --help")
    _tell(session, save_market(session.desk, session.actor, code, values))


def _values(countries: str, locale: str, formal: bool | None, currency: str, zone: str) -> dict[str, Any]:
    given: dict[str, Any] = {"locale": locale, "currency": currency.upper(), "zone": zone}
    values = {name: value for name, value in given.items() if value}
    if countries:
        values["countries"] = tuple(code.upper() for code in re.split(r"[,\s]+", countries.strip()))
    if formal is not None:
        values["register"] = "formal" if formal else "informal"
    return values


def _tell(session: Session, market: Market) -> None:
    shown = " · ".join(filter(None, (", ".join(market.countries), market.locale, market.currency, market.zone)))
    session.out.answer(market, [f"{market.code}: {shown}"])
