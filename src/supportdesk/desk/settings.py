"""What the team shares: the settings table, the mailboxes, the calendars, the keys that sign our ids."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from supportdesk.desk.agents import check_actor
from supportdesk.desk.calendar import Calendar, load_zone
from supportdesk.desk.model import ActionId, Actor, Mailbox, MailboxId, Server
from supportdesk.desk.ports import Insert, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.sla import Policy
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.mail.signed import SigningKey, SigningKeys

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader, Row

UNDO_WINDOWS = (0, 5, 10, 15, 30, 60)
LONGEST_COOLING_OFF = 600
SETTINGS_EVENT = "settings"


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """One value for the whole team. `instance` marks our Message-IDs; it is made once and never edited."""

    instance: str = ""
    shop_name: str = ""
    undo_seconds: int = 15
    cooling_off_seconds: int = 60  # the undo window on tickets with one of `angry_tags`
    angry_tags: Sequence[str] = ("angry", "arrabbiato")
    avoided_words: Sequence[str] = ()  # a reply with one of them asks for a second key
    closed_after_days: float = 4
    reopen_days: int = 14
    pending_auto_solve_days: int = 7
    on_hold_days: int = 3
    policy: Mapping[str, Any] = field(default_factory=dict)  # `sla.Policy` as JSON; what is left out takes the default
    ui: Mapping[str, Any] = field(default_factory=dict)


def read_settings(reader: Reader) -> DeskSettings:
    return _settings_of(reader.rows("setting"))


def settings_in(tx: Transaction) -> DeskSettings:
    return tx.remember("settings", lambda: _settings_of(tx.rows("setting")))


@again_if_busy
def update_settings(desk: Desk, actor: Actor, changes: Mapping[str, Any]) -> ActionId | None:
    """Set the named settings as one action, which can be undone; None where they were so already.

    Raises UsageError on an unknown name or a wrong value, NotAllowed below admin.
    """
    known = {item.name for item in fields(DeskSettings)} - {"instance"}
    for name in changes:
        if name not in known:
            raise UsageError(_("no setting is called {name}").format(name=name), hint=", ".join(sorted(known)))
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "admin")
        before = settings_in(tx)
        wanted = DeskSettings(**{**_as_dict(before), **changes})
        _check(wanted)
        changed = [name for name in changes if getattr(wanted, name) != getattr(before, name)]
        if not changed:
            return None
        event = PlannedEvent(None, SETTINGS_EVENT, {"names": sorted(changed)})
        written = tuple(_set(tx, name, getattr(wanted, name)) for name in changed)
        return tx.apply(Plan(changes=written, events=(event,)), actor, new_action_id()).action_id


def ensure_identity(tx: Transaction, actor: Actor) -> tuple[str, SigningKeys]:
    """This installation's instance id and signing keys, made on first use."""
    instance = settings_in(tx).instance
    plan = Plan(undoable=False)
    if not instance:
        instance = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _unused in range(10))
        plan += Plan(silent=(_set(tx, "instance", instance),))
    if not tx.rows("signing_key", limit=1):
        plan += Plan(silent=(Insert("signing_key", {"secret": secrets.token_bytes(32), "created_at": tx.now}),))
    if plan.changes or plan.silent:
        tx.apply(plan, actor, new_action_id())
    return instance, signing_keys(tx.rows("signing_key"))


def signing_keys(rows: list[Row]) -> SigningKeys:
    """The newest key that is not retired signs; all of them are believed. Raises NotFound when there is none."""
    keys = sorted(rows, key=lambda row: (row["retired_at"] is None, row["id"]), reverse=True)
    if not keys:
        raise NotFound(_("this desk has no signing key yet"), hint=_("it is made with the first reply"))
    made = [SigningKey(row["id"], bytes(row["secret"])) for row in keys]
    return SigningKeys(made[0], tuple(made[1:]))


def new_action_id() -> ActionId:
    return ActionId(str(uuid4()))


# ---- mailboxes -------------------------------------------------------------------------------------------------------


def mailbox_of(row: Row) -> Mailbox:
    return Mailbox(
        id=MailboxId(row["id"]),
        address=row["address"],
        name=row["name"],
        shop_name=row["shop_name"],
        aliases=tuple(row["aliases"] or ()),
        imap=Server.from_json(row["imap"]) if row["imap"] else None,
        smtp=Server.from_json(row["smtp"]) if row["smtp"] else None,
        state=row["state"],
        languages=tuple(row["languages"] or ()),
        language=row["language"],
        register=row["register"],
        zone=row["zone"],
        calendar_id=row["calendar_id"],
        market_id=row["market_id"],
        canned_set=row["canned_set"],
        order_pattern=row["order_pattern"],
        signatures=row["signatures"] or {},
        settings=row["settings"] or {},
        start_at=row["start_at"],
        version=row["version"],
    )


def list_mailboxes(reader: Reader) -> list[Mailbox]:
    return [mailbox_of(row) for row in reader.rows("mailbox", order="id")]


def find_mailbox(reader: Reader, mailbox_id: MailboxId) -> Mailbox:
    rows = reader.rows("mailbox", {"id": mailbox_id})
    if not rows:
        raise NotFound(_("there is no mailbox {id}").format(id=mailbox_id))
    return mailbox_of(rows[0])


def zone_of(reader: Reader, mailbox_id: MailboxId | None) -> ZoneInfo:
    """The zone of a mailbox; of the first one for None and for a mailbox that is gone; UTC where there is none.

    One small query: whoever shows many times asks once for each mailbox.
    """
    mailboxes = list_mailboxes(reader)
    found = next((mailbox for mailbox in mailboxes if mailbox.id == mailbox_id), None)
    chosen = found or next(iter(mailboxes), None)
    return load_zone(chosen.zone if chosen is not None else "UTC")


@again_if_busy
def save_mailbox(desk: Desk, actor: Actor, values: Mapping[str, Any]) -> Mailbox:
    """Insert a mailbox, or update the one that `values["id"]` names; `version`, where given, must be the newest.

    `imap` and `smtp` are Server values or None. Raises Conflict, UsageError, NotFound.
    """
    row = {key: _plain(value) for key, value in values.items() if key not in ("id", "version")}
    unknown = set(row) - {item.name for item in fields(Mailbox)}
    if unknown:
        raise UsageError(_("a mailbox has no {names}").format(names=", ".join(sorted(unknown))))
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "admin")
        mailbox_id = values.get("id")
        event = PlannedEvent(None, "mailbox", {"mailbox_id": mailbox_id})
        if mailbox_id is None:
            if not row.get("address"):
                raise UsageError(_("a mailbox needs an address"))
            if tx.rows("mailbox", {"address": row["address"]}):
                raise Conflict(_("there is a mailbox {address} already").format(address=row["address"]))
            change: Insert | Update = Insert("mailbox", row)
        else:
            stored = tx.row("mailbox", {"id": mailbox_id})
            if stored is None:
                raise NotFound(_("there is no mailbox {id}").format(id=mailbox_id))
            _check_version(values, stored, _("the mailbox {address}").format(address=stored["address"]))
            change = Update("mailbox", {"id": mailbox_id}, {"version": stored["version"]}, row)
        tx.apply(Plan(silent=(change,), events=(event,), undoable=False), actor, new_action_id())
        where = {"id": mailbox_id} if mailbox_id is not None else {"address": row["address"]}
        return mailbox_of(tx.rows("mailbox", where)[0])


# ---- calendars -------------------------------------------------------------------------------------------------------


def find_calendar(source: Reader | Transaction, calendar_id: int | None) -> Calendar | None:
    if calendar_id is None:
        return None
    rows = source.rows("calendar", {"id": calendar_id})
    return Calendar.from_json(rows[0]["body"]) if rows else None


def find_hours(source: Reader | Transaction, mailbox_id: int | None, market_id: int | None = None) -> Calendar:
    """The opening hours of a mailbox's tickets in a market; always open where none were set."""
    mailbox = _first(source, "mailbox", mailbox_id)
    if mailbox is None:
        return Calendar.always_open()
    market = _first(source, "market", market_id if market_id is not None else mailbox["market_id"])
    return find_calendar(source, kept_calendar_id(mailbox, market)) or Calendar.always_open(mailbox["zone"])


def kept_calendar_id(mailbox: Row, market: Row | None) -> int | None:
    """Whose hours hold: the mailbox's own, where it has some and the ticket is of its market; else the market's."""
    of_mailbox: int | None = mailbox["calendar_id"]
    of_market: int | None = market["calendar_id"] if market is not None else None
    foreign = market is not None and market["id"] != mailbox["market_id"]
    return of_market if of_market is not None and (foreign or of_mailbox is None) else of_mailbox


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _settings_of(rows: list[Row]) -> DeskSettings:
    known = {item.name for item in fields(DeskSettings)}
    return DeskSettings(**{row["key"]: row["value"] for row in rows if row["key"] in known})


def _first(source: Reader | Transaction, table: str, row_id: int | None) -> Row | None:
    return next(iter(source.rows(table, {"id": row_id}, limit=1)), None) if row_id is not None else None


def _as_dict(settings: DeskSettings) -> dict[str, Any]:
    return {item.name: getattr(settings, item.name) for item in fields(settings)}


def _set(tx: Transaction, name: str, value: Any) -> Insert | Update:
    stored = tx.row("setting", {"key": name})
    if stored is None:
        return Insert("setting", {"key": name, "value": value})
    return Update("setting", {"key": name}, {"value": stored["value"]}, {"value": value})


def _check(settings: DeskSettings) -> None:
    if settings.undo_seconds not in UNDO_WINDOWS:
        raise UsageError(
            _("the undo window is one of {seconds} seconds").format(seconds=", ".join(map(str, UNDO_WINDOWS)))
        )
    if not 0 <= settings.cooling_off_seconds <= LONGEST_COOLING_OFF:
        raise UsageError(_("the cooling-off time is at most {seconds} seconds").format(seconds=LONGEST_COOLING_OFF))
    if not 1 / 24 <= settings.closed_after_days <= 28:
        raise UsageError(_("solved tickets are closed after 1 hour to 28 days"))
    if settings.reopen_days < 0 or settings.pending_auto_solve_days < 1 or settings.on_hold_days < 1:
        raise UsageError(_("a number of days must be positive"))
    Policy.from_json(settings.policy)


def _check_version(values: Mapping[str, Any], stored: Row, what: str) -> None:
    if "version" in values and values["version"] != stored["version"]:
        raise Conflict(_("{what} was changed in the meantime").format(what=what), what=what)


def _plain(value: Any) -> Any:
    if isinstance(value, Server):
        return asdict(value)
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
