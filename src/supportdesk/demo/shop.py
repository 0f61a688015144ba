"""Bottega Vallombra: the invented shop of the demo, and its desk in a directory of its own.

It sells ceramics, linen and leather from near Siena to half of Europe; any likeness to a real shop is an accident.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.config import OTHER_VARIABLES, PREFIX, Config, Credential, load_config, save_credential
from supportdesk.desk.calendar import Calendar
from supportdesk.desk.model import WORKER, Agent, Server
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

SHOP = Address("Bottega Vallombra", "ciao@bottega-vallombra.example")
ALIASES = ("ordini@bottega-vallombra.example", "info@bottega-vallombra.example")
ZONE = "Europe/Rome"
ORDER_PATTERN = r"BV-\d{4,6}"
ACCOUNT, PASSWORD = "bottega", "vallombra"  # of a mail server that lives as long as the demo, on 127.0.0.1
HISTORY_DAYS = 30
ACTING_AGENT = "giulia"

_WEEKDAY = ((9 * 60, 13 * 60), (15 * 60, 19 * 60))
CALENDAR = Calendar(ZONE, (_WEEKDAY, _WEEKDAY, _WEEKDAY, _WEEKDAY, _WEEKDAY, ((9 * 60, 13 * 60),), ()), "IT")

AGENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    ACTING_AGENT: ("Giulia Ferri", ("it", "en", "fr")),
    "luca": ("Luca Bassi", ("it", "en", "de")),
    "anna": ("Anna Conte", ("it", "es", "fr")),
}

_ADDRESS = "Via del Noce 3, 53000 Siena"
SIGNATURES: Mapping[str, str] = {
    "it": f"Bottega Vallombra · {_ADDRESS}\nCeramiche, lino e cuoio, fatti a mano dal 1974",
    "en": f"Bottega Vallombra · {_ADDRESS}, Italy\nCeramics, linen and leather, made by hand since 1974",
    "de": f"Bottega Vallombra · {_ADDRESS}, Italien\nKeramik, Leinen und Leder, seit 1974 von Hand gemacht",
    "fr": f"Bottega Vallombra · {_ADDRESS}, Italie\nCéramique, lin et cuir, faits main depuis 1974",
    "es": f"Bottega Vallombra · {_ADDRESS}, Italia\nCerámica, lino y cuero, hechos a mano desde 1974",
}


def leave_the_users_settings_alone() -> None:
    """Forget what the environment says about a desk of the user's: the demo has its own."""
    for variable in list(os.environ):
        if variable.startswith(PREFIX) and variable.removeprefix(PREFIX) not in OTHER_VARIABLES - {"CONFIG"}:
            del os.environ[variable]
    os.environ.pop("CREDENTIALS_DIRECTORY", None)


def write_settings(directory: Path, language: str) -> Config:
    """`config.toml` and `credentials.toml` of the demo, and what they say."""
    path = directory / "config.toml"
    settings = {"database": str(directory / "desk.db"), "agent": ACTING_AGENT, "language": language}
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()), encoding="utf-8")
    save_credential(load_config(path), SHOP.addr, Credential(password=PASSWORD))
    return load_config(path)


def make_desk(config: Config, *, imap_port: int, smtp_port: int, undo_seconds: int, now: datetime) -> Desk:
    """The shop's desk: agents, opening hours, mailbox, signatures and the starter set of canned responses."""
    from supportdesk.bootstrap import create_desk
    from supportdesk.desk.canned_folder import starter_set

    desk = create_desk(config)
    for login, (name, languages) in AGENTS.items():
        role = "admin" if login == ACTING_AGENT else "agent"
        desk.add_agent(WORKER, login, name=name, role=role, languages=languages)
    actor = giulia(desk).actor()
    desk.update_settings(actor, shop_name=SHOP.name, undo_seconds=undo_seconds)
    calendar_id = desk.save_calendar(actor, SHOP.name, CALENDAR)
    desk.save_mailbox(
        actor,
        {
            "address": SHOP.addr,
            "name": SHOP.name,
            "shop_name": SHOP.name,
            "aliases": ALIASES,
            "imap": Server("127.0.0.1", imap_port, "none", ACCOUNT),
            "smtp": Server("127.0.0.1", smtp_port, "none", ACCOUNT),
            "state": "active",
            "languages": tuple(SIGNATURES),
            "language": "it",
            "zone": ZONE,
            "calendar_id": calendar_id,
            "order_pattern": ORDER_PATTERN,
            "signatures": SIGNATURES,
            "start_at": now - timedelta(days=HISTORY_DAYS),
        },
    )
    desk.import_canned(actor, starter_set())
    return desk


def giulia(desk: Desk) -> Agent:
    """The agent who sits at the console of the demo."""
    return desk.agent_by_login(ACTING_AGENT)
