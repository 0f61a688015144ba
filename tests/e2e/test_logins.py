"""Logging in with a browser and with a changed password, as a program, against a local issuer, Dovecot and Postfix."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.e2e.test_cli_mail import Machine, initialise, machine, mail_from, worker
from tests.support.issuer import Issuer, running_issuer
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.mail_servers import MailServers

__all__ = ["machine", "worker"]
pytestmark = [pytest.mark.dovecot, pytest.mark.postfix]
SECONDS = 60


@pytest.fixture
def issuer(mail_user: str) -> Iterator[Issuer]:
    with running_issuer(user=mail_user) as running:
        yield running


def tokens_of(machine: Machine, address: str) -> Path:
    return machine.home / "config" / "supportdesk" / "tokens" / f"{address}.json"


def servers_of(servers: MailServers, user: str) -> list[str]:
    return [
        "--imap", f"localhost:{servers.imaps_port}/implicit", "--smtp", f"localhost:{servers.smtps_port}/implicit",
        "--login", user, "--ca-file", str(servers.certificate),
    ]  # fmt: skip


def expire(machine: Machine, issuer: Issuer, address: str, *, known: bool) -> str:
    """Make the access token one that is over; `known`: the file says so too. The token that was there."""
    file = tokens_of(machine, address)
    kept = json.loads(file.read_text())
    ends = datetime.now(UTC) + (timedelta(seconds=-1) if known else timedelta(hours=1))
    file.write_text(json.dumps({**kept, "access": issuer.token(seconds=-30), "expires_at": ends.isoformat()}))
    return str(kept["access"])


def trouble(machine: Machine) -> str:
    """What the desk says is wrong with its mailbox."""
    return str(machine.json("status")["mailboxes"][0]["error"] or "")


def secrets_of(machine: Machine, address: str) -> list[str]:
    kept = json.loads(tokens_of(machine, address).read_text())
    return [kept["access"], kept["refresh"]]


def test_a_desk_is_set_up_with_a_code_and_its_token_ends_in_mid_session(
    machine: Machine, mail_servers: MailServers, mail_user: str, issuer: Issuer, worker: Any
) -> None:
    shop = f"{mail_user}@example.test"
    done = subprocess.run(
        [sys.executable, "-m", "supportdesk", "init", "--address", shop, "--shop", "Bottega", "--name", "Giulia",
         "--country", "IT", "--zone", "Europe/Rome", "--hours", "mon-sun 0:00-24:00", "--form", "tu",
         "--oauth", issuer.base, "--client-id", "desk", *servers_of(mail_servers, mail_user), "--json"],
        capture_output=True, text=True, env=machine.environment, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["self_test"]["folder"] == "INBOX"
    assert "WDJB-MJHT" in done.stderr and f"{issuer.base}/enter" in done.stderr
    directory = tokens_of(machine, shop).parent
    assert directory.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in directory.iterdir())
    settings = (machine.home / "config" / "supportdesk" / "credentials.toml").read_text()
    for secret in (*secrets_of(machine, shop), "device-secret"):
        assert secret not in done.stdout + done.stderr + settings

    worker()
    mail_servers.append(
        mail_user, mail_from(f"r-{mail_user}@customer.test", shop, "Prima", message_id="<p@customer.test>")
    )
    wait_until(lambda: len(machine.json("ticket", "list")) == 1, seconds=SECONDS, what="the first mail")

    # The token is over, the clock does not know it, and the server ends the session.
    expire(machine, issuer, shop, known=False)
    before = len(issuer.forms("refresh_token"))
    mail_servers.doveadm("kick", mail_user)
    mail_servers.append(mail_user, mail_from("ugo@customer.test", shop, "Seconda", message_id="<s@customer.test>"))
    wait_until(lambda: len(machine.json("ticket", "list")) == 2, seconds=SECONDS, what="the mail of after the end")
    assert len(issuer.forms("refresh_token")) == before + 1

    # The clock knows it: renewed before anything is sent with it.
    expire(machine, issuer, shop, known=True)
    first = min(row["id"] for row in machine.json("ticket", "list"))
    machine.run("ticket", "reply", str(first), "Arriva domani.", "--anyway")
    mail_servers.wait_for_messages(f"r-{mail_user}", 1, seconds=SECONDS)
    assert len(issuer.forms("refresh_token")) == before + 2
    assert machine.json("mail", "audit")["sound"] is True
    log = (machine.home / "worker.log").read_text()
    assert not any(secret in log for secret in secrets_of(machine, shop))

    # Withdrawn: a person must act, and is told how; when he has, mail flows again without anybody touching the worker.
    issuer.refresh_tokens.clear()
    expire(machine, issuer, shop, known=True)
    mail_servers.doveadm("kick", mail_user)

    wait_until(lambda: "ended or was withdrawn" in trouble(machine), seconds=SECONDS, what="the trouble to be told")
    machine.run("mail", "fetch", code=2)
    answer = machine.json("mail", "login")
    assert (answer["way"], answer["tested"]) == ("tokens", True)
    mail_servers.append(mail_user, mail_from("eva@customer.test", shop, "Terza", message_id="<t@customer.test>"))
    wait_until(
        lambda: len(machine.json("ticket", "list", "--view", "all")) == 3, seconds=SECONDS, what="the third mail"
    )
    wait_until(lambda: not trouble(machine), seconds=SECONDS, what="a mailbox without trouble")


def test_a_changed_password_is_taken_and_the_worker_goes_on_by_itself(
    machine: Machine, mail_servers: MailServers, mail_user: str, worker: Any
) -> None:
    shop = f"{mail_user}@example.test"
    initialise(machine, mail_servers, mail_user, "--start", "now")
    machine.run("mailbox", "set", shop, "--password-file", "-", stdin="changed-meanwhile\n")
    worker()

    wait_until(lambda: "login refused" in trouble(machine), seconds=SECONDS, what="the refusal")
    assert "supportdesk mail login" in trouble(machine)
    machine.run("mail", "login", shop, "--password-file", "-", stdin="wrong\n", code=2)
    answer = machine.json("mail", "login", shop, "--password-file", "-", stdin=f"{mail_servers.password}\n")
    assert (answer["mailbox"], answer["way"]) == (shop, "password")
    mail_servers.append(mail_user, mail_from("rosa@customer.test", shop, "Ciao", message_id="<c@customer.test>"))
    wait_until(lambda: len(machine.json("ticket", "list")) == 1, seconds=SECONDS, what="the mail")
    assert not trouble(machine)


def test_a_browser_comes_back_to_this_machine_or_its_address_is_pasted(
    machine: Machine, mail_servers: MailServers, mail_user: str, issuer: Issuer
) -> None:
    shop = f"{mail_user}@example.test"
    initialise(machine, mail_servers, mail_user, "--start", "now")
    # A service without a device flow, as Google is for mail.
    file = machine.home / "config" / "supportdesk" / "credentials.toml"
    file.write_text(
        f'["{shop}".oauth]\nclient_id = "desk"\nclient_secret = "installed"\nscope = "mail"\n'
        f'token_url = "{issuer.base}/token"\nauthorization_url = "{issuer.base}/authorize"\n'
    )
    for pasted in (False, True):
        process = subprocess.Popen(
            [sys.executable, "-m", "supportdesk", "mail", "login", shop, "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=machine.environment,
        )  # fmt: skip
        assert process.stdin is not None and process.stderr is not None
        shown = ""
        while (found := re.search(r"http://\S+/authorize\?\S+", shown)) is None:
            line = process.stderr.readline()
            assert line, shown
            shown += line
        redirected = issuer.consent(found[0])
        if pasted:
            out, rest = process.communicate(f"http://127.0.0.1:1/?code=x&state=forged\n{redirected}\n", timeout=60)
            assert "not the address that the browser showed" in rest
        else:
            with urlopen(redirected, timeout=10) as page:
                assert page.status == 200
            out, rest = process.communicate(timeout=60)
        assert process.returncode == 0, shown + rest
        assert json.loads(out)["way"] == "tokens"
        assert issuer.forms("authorization_code")[-1]["client_secret"] == "installed"
        assert not any(secret in out + shown + rest for secret in secrets_of(machine, shop))
    assert machine.json("mailbox", "test", "--no-send")["imap"] is True


def test_a_login_that_fails_says_what_to_do_and_ends_as_it_should(
    machine: Machine, mail_servers: MailServers, mail_user: str, issuer: Issuer
) -> None:
    shop = f"{mail_user}@example.test"
    initialise(machine, mail_servers, mail_user, "--start", "now")
    before = (config := machine.home / "config" / "supportdesk" / "credentials.toml").read_text()

    def fails(*options: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "supportdesk", "--language", "it", "mail", "login", shop, *options],
            capture_output=True, text=True, env=machine.environment, stdin=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stderr

    own = ("--oauth", issuer.base, "--client-id", "desk")
    issuer.answers = [(400, b'{"error": "access_denied"}')]
    assert fails(*own)[0] == 2
    issuer.user = "somebody-else"  # signed in, but as a person who may not open this mailbox
    code, said = fails(*own)
    assert code == 2 and "anche con un token nuovo" in said
    code, said = fails("--oauth", "http://127.0.0.1:9")
    assert code == 2 and "--client-id" in said
    code, said = fails("--oauth", "http://127.0.0.1:9", "--client-id", "x")
    assert code == 3 and "non è raggiungibile" in said
    code, said = fails("--oauth", "microsoft")
    assert code == 2 and "entra.microsoft.com" in said
    code, said = fails()
    assert code == 2 and "--password-command" in said
    assert config.read_text() == before
    assert not tokens_of(machine, shop).exists()
