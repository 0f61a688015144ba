"""What the team shares, from the command line: settings, markets, a mailbox's languages; and what is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from supportdesk.cli.output import span
from supportdesk.desk.team_settings import read_value, shown_value, value_of
from supportdesk.l10n.catalog import use_language

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_settings_are_shown_set_and_taken_back(shop: House, supportdesk: Run) -> None:
    assert "undo_seconds" in supportdesk("settings", "show").out
    assert supportdesk("settings", "show", "undo_seconds", "--json").json() == {"undo_seconds": 15}
    done = supportdesk("settings", "set", "undo_seconds=30", "avoided_words=purtroppo, impossibile", "resolution=3d")
    assert done.code == 0, done.err
    settings = shop.desk.settings()
    assert (settings.undo_seconds, list(settings.avoided_words)) == (30, ["purtroppo", "impossibile"])
    assert settings.policy["resolution"] == {"days": 3}
    assert supportdesk("undo").code == 0
    assert shop.desk.settings().undo_seconds == 15
    assert not shop.desk.settings().policy


@pytest.mark.parametrize(
    ("name", "typed", "shown"),
    [
        ("shop_name", "Bottega Verde", "Bottega Verde"),
        ("cooling_off_seconds", "90", "90s"),
        ("angry_tags", "arrabbiato,furioso", "arrabbiato, furioso"),
        ("avoided_words", "none", ""),
        ("first_response", "8h", "8h"),
        ("next_response", "90m", "1h30m"),
        ("inside", "off", "off"),
        ("closed_after_days", "12h", "12h"),
        ("on_hold_days", "5", "5d"),
    ],
)
def test_every_setting_is_read_as_it_is_written(
    shop: House, supportdesk: Run, name: str, typed: str, shown: str
) -> None:
    assert supportdesk("settings", "set", f"{name}={typed}").code == 0
    settings = shop.desk.settings()
    assert shown_value(settings, name) == shown
    assert read_value(name, shown) == value_of(settings, name)


@pytest.mark.parametrize(
    ("name", "typed", "shown"),
    [
        ("avoided_words", "nessuna", ""),
        ("first_response", "2g", "2g"),
        ("first_response", "2d", "2g"),
        ("inside", "off", "no"),
        ("inside", "no", "no"),
        ("closed_after_days", "3g", "3g"),
        ("closed_after_days", "1.5d", "36h"),
    ],
)
def test_a_setting_is_written_in_the_agents_language(
    shop: House, supportdesk: Run, name: str, typed: str, shown: str
) -> None:
    assert supportdesk("--language", "it", "settings", "set", f"{name}={typed}").code == 0
    use_language("it")
    assert shown_value(shop.desk.settings(), name) == shown


@pytest.mark.parametrize(
    "typed",
    ["undo_seconds=7", "undo_second=30", "undo_seconds=soon", "first_response=never", "on_hold_days=0", "colour"],
)
def test_a_wrong_setting_is_refused(shop: House, supportdesk: Run, typed: str) -> None:
    refused = supportdesk("settings", "set", typed)
    assert refused.code == 2 and refused.err
    assert not shop.desk.read.rows("event", {"kind": "settings"})


@pytest.mark.parametrize(("language", "shown"), [("en", "-2d 3h"), ("it", "-2g 3h")])
def test_a_length_of_time_is_written_in_the_agents_language(supportdesk: Run, language: str, shown: str) -> None:
    use_language(language)  # the fixture goes back to English
    assert span(-51 * 3600 - 7) == shown


def test_settings_need_an_admin(shop: House, supportdesk: Run) -> None:
    assert supportdesk("settings", "set", "undo_seconds=30", "--agent", "luca").code == 1
    assert supportdesk("settings", "show", "--agent", "luca").code == 0


def test_a_market_has_its_own_hours_and_a_mailbox_belongs_to_it(shop: House, supportdesk: Run) -> None:
    added = supportdesk("market", "add", "de", "--countries", "DE,AT", "--locale", "de-DE", "--formal", "--currency",
                        "eur", "--zone", "Europe/Berlin")  # fmt: skip
    assert added.code == 0, added.err
    assert supportdesk("market", "add", "de").code == 5
    assert supportdesk("market", "set", "de", "--informal").code == 0
    [market] = supportdesk("market", "list", "--json").json()
    assert (market["countries"], market["register"], market["currency"]) == (["DE", "AT"], "informal", "EUR")
    assert supportdesk("hours", "set", "mon-fri 9-17", "--market", "de", "--holidays", "DE-BE").code == 0
    assert supportdesk("hours", "show", "--market", "de", "--json").json()["zone"] == "Europe/Berlin"
    assert supportdesk("mailbox", "set", "1", "--market", "de").code == 0
    assert shop.desk.mailbox(shop.mailbox_id).market_id == market["id"]
    for wrong in (("--zone", "Europe/Bonn"), ("--currency", "euro"), ("--locale", "?"), ("--countries", "Germany"), ()):
        assert supportdesk("market", "set", "de", *wrong).code == 2


def test_a_reply_language_is_chosen_once_and_taken_away(shop: House, supportdesk: Run) -> None:
    chosen = supportdesk("mailbox", "set", "1", "--reply-language", "nl=en", "--reply-language", "*=en", "--languages",
                         "it,en")  # fmt: skip
    assert chosen.code == 0, chosen.err
    assert shop.desk.mailbox(shop.mailbox_id).settings["reply_languages"] == {"nl": "en", "*": "en"}
    assert shop.desk.mailbox(shop.mailbox_id).languages == ("it", "en")
    ticket = shop.customer_writes(language="nl", sender="jan@example.nl")
    assert shop.draft(ticket).language == "en"
    assert supportdesk("mailbox", "set", "1", "--reply-language", "nl=none").code == 0
    assert shop.desk.mailbox(shop.mailbox_id).settings["reply_languages"] == {"*": "en"}
    assert supportdesk("mailbox", "set", "1", "--reply-language", "nl=klingon").code == 2


def test_the_register_of_a_mailbox_is_formal_or_informal(shop: House, supportdesk: Run) -> None:
    for option in ("formal", "informal"):
        assert supportdesk("mailbox", "set", "1", f"--{option}").code == 0
        assert shop.desk.mailbox(shop.mailbox_id).register == option


def test_what_is_due_exits_6_and_says_which_target(shop: House, supportdesk: Run) -> None:
    nothing = supportdesk("due")
    assert (nothing.code, nothing.out) == (0, "")
    late = shop.customer_writes()
    assert supportdesk("due").code == 6
    shop.reply(late)
    assert supportdesk("due").code == 0
    shop.clock.set_wall(datetime.now(UTC))
    ticket = shop.customer_writes(sender="otto@example.de", name="Otto Blau")
    assert supportdesk("due").code == 0
    soon = supportdesk("due", "--within", "25h", "--json")
    assert soon.code == 6
    [row] = soon.json()
    assert (row["ticket_id"], row["target"], row["customer"]) == (ticket, "first_response", "Otto Blau")
