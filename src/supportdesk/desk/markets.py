"""Markets: a country or several that a shop sells to, with the language, manners, money, time and hours they have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supportdesk.desk.agents import check_actor
from supportdesk.desk.calendar import load_zone
from supportdesk.desk.model import Actor
from supportdesk.desk.ports import Insert, Plan, PlannedEvent, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.l10n.tags import LocaleTag

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader, Row

REGISTERS = ("", "formal", "informal")


@dataclass(frozen=True, slots=True)
class Market:
    """`locale` and `register` hold for its customers where they have nothing of their own."""

    id: int
    code: str
    countries: tuple[str, ...]
    locale: str
    register: str
    currency: str
    zone: str
    calendar_id: int | None


def list_markets(reader: Reader) -> list[Market]:
    return [_market_of(row) for row in reader.rows("market", order="id")]


def find_market(reader: Reader, code: str) -> Market:
    found = next((market for market in list_markets(reader) if market.code.casefold() == code.casefold()), None)
    if found is None:
        known = ", ".join(market.code for market in list_markets(reader))
        message = _("there is no market {code}").format(code=code)
        raise NotFound(message, hint=_("known: {names}").format(names=known or "–"))
    return found


@again_if_busy
def save_market(desk: Desk, actor: Actor, code: str, values: Mapping[str, Any], *, new: bool = False) -> Market:
    """Make a market, or change one. Raises Conflict, NotFound, UsageError naming what is wrong."""
    row = _checked(values)
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "admin")
        stored = next((one for one in tx.rows("market") if one["code"].casefold() == code.casefold()), None)
        if new and stored is not None:
            raise Conflict(_("there is a market {code} already").format(code=stored["code"]))
        if not new and stored is None:
            raise NotFound(_("there is no market {code}").format(code=code), hint="supportdesk market list")
        if stored is None:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", code):
                raise UsageError(
                    _("{code} cannot be the code of a market").format(code=repr(code)), hint="de, uk, shop2"
                )
            change: Insert | Update = Insert("market", {"zone": "UTC", **row, "code": code})
        else:
            before = {name: stored[name] for name in row}
            change = Update("market", {"id": stored["id"]}, before, row)
        event = PlannedEvent(None, "market")
        tx.apply(Plan(silent=(change,), events=(event,), undoable=False), actor, new_action_id())
        return _market_of(tx.rows("market", {"code": stored["code"] if stored else code})[0])


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    if "zone" in row:
        load_zone(row["zone"])
    if row.get("locale"):
        try:
            row["locale"] = LocaleTag.parse(row["locale"]).locale
        except ValueError:
            raise UsageError(_("{value} is no language tag").format(value=repr(row["locale"])), hint="de-DE") from None
    if "register" in row and row["register"] not in REGISTERS:
        raise UsageError(_("{text} is no form of address").format(text=repr(row["register"])), hint="formal, informal")
    if row.get("currency") and not re.fullmatch("[A-Z]{3}", row["currency"]):
        raise UsageError(_("{text} is no currency").format(text=repr(row["currency"])), hint="EUR, CHF, GBP")
    for country in row.get("countries", ()):
        if not re.fullmatch("[A-Z]{2}", country):
            raise UsageError(_("{text} is no country").format(text=repr(country)), hint="DE, AT, CH")
    return row


def _market_of(row: Row) -> Market:
    return Market(
        id=row["id"], code=row["code"], countries=tuple(row["countries"] or ()), locale=row["locale"],
        register=row["register"], currency=row["currency"], zone=row["zone"], calendar_id=row["calendar_id"],
    )  # fmt: skip
