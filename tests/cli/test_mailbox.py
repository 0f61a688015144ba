"""Mailboxes: servers and logins, manners, what is refused before anything is saved."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned_folder import starter_set

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_a_mailbox_is_changed_and_its_login_goes_into_a_file_of_its_own(
    shop: House, supportdesk: Run, home: Path
) -> None:
    done = supportdesk(
        "mailbox", "set", "aiuto@bottega.example", "--imap", "imap.bottega.example", "--smtp",
        "mail.bottega.example:587",
        "--order-pattern", r"\bBV-\d{5}\b", "--signature", "it=Bottega Verde", "--setting", "quote_last=false",
        "--alias", "info@bottega.example", "--formal", "--password-file", "-", stdin="hunter2\n",
    )  # fmt: skip
    assert done.code == 0, done.err
    box = shop.desk.mailbox(shop.mailbox_id)
    assert box.imap is not None and (box.imap.host, box.imap.port, box.imap.tls) == (
        "imap.bottega.example",
        993,
        "implicit",
    )
    assert box.smtp is not None and (box.smtp.port, box.smtp.tls) == (587, "starttls")
    assert (box.order_pattern, box.signatures["it"], box.settings["quote_last"]) == (
        r"\bBV-\d{5}\b",
        "Bottega Verde",
        False,
    )
    assert box.register == "formal" and box.aliases == ("info@bottega.example",)
    file = home / "config" / "supportdesk" / "credentials.toml"
    assert tomllib.loads(file.read_text())["aiuto@bottega.example"] == {"password": "hunter2"}
    assert file.stat().st_mode & 0o077 == 0
    assert "hunter2" not in done.out + done.err


def test_a_mailbox_is_paused_and_resumed(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "pause").code == 0
    assert shop.desk.mailbox(shop.mailbox_id).state == "paused"
    assert supportdesk("mailbox", "resume", "--json").json()["state"] == "active"


@pytest.mark.parametrize(
    "arguments",
    [
        ("mailbox", "set", "aiuto@bottega.example"),
        ("mailbox", "set", "aiuto@bottega.example", "--imap", "imap host"),
        ("mailbox", "set", "aiuto@bottega.example", "--order-pattern", "("),
        ("mailbox", "add", "new@bottega.example", "--start", "30d", "--password-file", "-"),
        ("mailbox", "add", "no-address", "--password-file", "-"),
        ("mailbox", "add", "new@bottega.example"),
    ],
)
def test_a_wrong_mailbox_is_refused_before_anything_is_saved(
    shop: House, supportdesk: Run, arguments: tuple[str, ...]
) -> None:
    assert supportdesk(*arguments, stdin="secret\n").code == 2
    assert len(shop.desk.mailboxes()) == 1


def test_a_second_mailbox_with_the_same_address_is_a_conflict(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "add", "AIUTO@bottega.example", "--password-file", "-", stdin="x\n").code == 5


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("foo=bar", "quote_last"),
        ("qoute_last=true", "did you mean quote_last?"),
        ("quote_last=maybe", "true, false"),
        ("sent_copy=7", "auto, none"),
        ("processed=move:", "keyword"),
        ("folders=INBOX", "INBOX"),
    ],
)
def test_a_manner_that_is_none_is_refused(shop: House, supportdesk: Run, setting: str, said: str) -> None:
    before = shop.desk.mailbox(shop.mailbox_id).settings
    result = supportdesk("mailbox", "set", "1", "--setting", setting)
    assert result.code == 2 and said in result.err, result
    assert shop.desk.mailbox(shop.mailbox_id).settings == before


def test_manners_are_set(shop: House, supportdesk: Run) -> None:
    given = ["quote_last=false", 'folders=["INBOX", "Ordini"]', "processed=move:Fatto"]
    assert supportdesk("mailbox", "set", "1", *(word for one in given for word in ("--setting", one))).code == 0
    settings = shop.desk.mailbox(shop.mailbox_id).settings
    assert settings["quote_last"] is False
    assert (settings["folders"], settings["processed"]) == (["INBOX", "Ordini"], "move:Fatto")


def test_an_order_pattern_that_could_run_for_ever_is_refused(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "set", "1", "--order-pattern", "(a+)+").code == 2
    assert supportdesk("mailbox", "set", "1", "--order-pattern", "IT-[0-9]{6}").code == 0
    assert shop.desk.mailbox(shop.mailbox_id).order_pattern == "IT-[0-9]{6}"


def test_answers_survive_a_server_that_is_away_and_a_password_that_is_wrong(
    shop: House, supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supportdesk import bootstrap
    from supportdesk.errors import ConnectionFailed, LoginRefused

    class Connected:
        def close(self) -> None:
            pass

    tried = []

    def connect(server, password):
        tried.append((server.host, password))
        if server.host == "wrong.example":
            raise ConnectionFailed("wrong.example: Connection refused")
        if password != "right":
            raise LoginRefused("right.example: login refused")
        return Connected()

    typed = iter(["wrong", "right"])
    monkeypatch.setattr(bootstrap, "open_source", connect)
    monkeypatch.setattr(bootstrap, "open_transport", connect)
    monkeypatch.setattr("supportdesk.cli.setup.is_interactive", lambda: True)
    monkeypatch.setattr("supportdesk.cli.setup.take_over_first_mail", lambda *_given: None)
    monkeypatch.setattr("supportdesk.cli.setup.try_servers", lambda *_given: None)
    monkeypatch.setattr("getpass.getpass", lambda *_given, **_named: next(typed))
    secret = secret_file(home)
    result = supportdesk(
        "mailbox", "add", "ordini@bottega.example", "--imap", "wrong.example", "--smtp", "right.example:587",
        "--password-file", str(secret),
        stdin="right.example\n\n" + "\n\n\n" * 2,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "wrong.example:993/implicit" in result.err and "--imap HOST" in result.err
    saved = next(box for box in shop.desk.mailboxes() if box.address == "ordini@bottega.example")
    assert saved.imap is not None and saved.smtp is not None
    assert (saved.imap.host, saved.smtp.host) == ("right.example", "right.example")
    assert tried[-1] == ("right.example", "right")


def secret_file(home: Path) -> Path:
    file = home / "secret"
    file.write_text("stale\n")
    file.chmod(0o600)
    return file


def test_a_mailbox_acknowledges_when_it_is_told_to(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "set", "1", "--acknowledge", "on", "--automatic-language", "en").code == 0
    settings = shop.desk.mailbox(shop.mailbox_id).settings
    assert (settings["acknowledge"], settings["automatic_language"]) == (True, "en")
    assert supportdesk("mailbox", "set", "1", "--acknowledge", "off", "--automatic-language", "none").code == 0
    settings = shop.desk.mailbox(shop.mailbox_id).settings
    assert (settings["acknowledge"], settings["automatic_language"]) == (False, "")
    assert supportdesk("mailbox", "set", "1", "--acknowledge", "maybe").code == 2
    assert supportdesk("mailbox", "set", "1", "--automatic-language", "klingon").code == 2


def test_a_mailbox_offers_the_canned_responses_of_its_set(shop: House, supportdesk: Run) -> None:
    outlet, whole = replace(starter_set()[0], sets=("outlet",)), starter_set()[1:]
    shop.desk.import_canned(shop.giulia, (outlet, *whole))
    shop.desk.import_canned(shop.giulia, (replace(whole[0], sets=("boutique",)),))
    assert supportdesk("mailbox", "set", "1", "--canned-set", "outlet").code == 0
    offered = {response.key for response in shop.desk.canned(shop.mailbox_id)}
    assert outlet.key in offered
    assert whole[0].key not in offered
    unknown = supportdesk("mailbox", "set", "1", "--canned-set", "autlet")
    assert unknown.code == 4
    assert "boutique, outlet" in unknown.err
    assert supportdesk("mailbox", "set", "1", "--canned-set", "none").code == 0
    assert whole[0].key in {response.key for response in shop.desk.canned(shop.mailbox_id)}
