"""The shared fixtures keep their word."""

from __future__ import annotations

import os
import signal
import smtplib
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.support.clock import FakeClock
    from tests.support.corpus import Corpus
    from tests.support.databases import Database
    from tests.support.mail_servers import MailServers
    from tests.support.terminal import Terminal

MAIL = b"""\
From: Anna <anna@customer.test>
To: shop@example.test
Subject: Dov\xc3\xa8 il mio ordine?
Message-ID: <1@customer.test>

Ciao
"""


def test_the_clock_moves_only_when_told(clock: FakeClock) -> None:
    before = clock.now(), clock.monotonic()
    assert (clock.now(), clock.monotonic()) == before
    clock.sleep(90)
    assert clock.now() - before[0] == timedelta(seconds=90)
    assert clock.monotonic() - before[1] == 90


def test_a_store_url_names_an_empty_database(store_url: str) -> None:
    assert store_url.startswith(("sqlite:///", "postgresql://"))


def test_a_prepared_database_is_copied_on_every_kind(database: Database) -> None:
    filled = []

    def fill(url: str) -> None:
        filled.append(url)
        with closing(connect(url)) as connection:
            connection.cursor().execute("CREATE TABLE greeting AS SELECT 'ciao' AS word")
            connection.commit()

    def words(url: str) -> list[tuple[str]]:
        with closing(connect(url)) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT word FROM greeting")
            return list(cursor.fetchall())

    def connect(url: str) -> Any:
        return sqlite3.connect(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else psycopg.connect(url)

    urls = [database.copy_of(database.kind + "-greeting", fill) for _ in range(2)]
    assert len({*urls, *filled, database.new()}) == 4
    assert [words(url) for url in urls] == [[("ciao",)], [("ciao",)]]


def test_an_appended_mail_is_read_back_byte_for_byte(mail_servers: MailServers, mail_user: str) -> None:
    assert mail_servers.messages(mail_user) == []
    mail_servers.append(mail_user, MAIL, flags=r"(\Flagged)")
    assert mail_servers.messages(mail_user) == [MAIL.replace(b"\n", b"\r\n")]
    assert r"\Flagged" in mail_servers.flags(mail_user)[0]
    assert r"\Seen" not in mail_servers.flags(mail_user)[0]


def test_mail_from_outside_reaches_the_mailbox(mail_servers: MailServers, mail_user: str) -> None:
    address = f"{mail_user}@example.test"
    mail_servers.deliver(MAIL, sender="anna@customer.test", recipients=[address])
    mail_servers.send_from_outside(MAIL, sender="anna@customer.test", recipients=[address])
    arrived = mail_servers.wait_for_messages(mail_user, 2)
    assert [b"Ciao" in raw for raw in arrived] == [True, True]


@pytest.mark.parametrize(("local", "code"), [("full", 452), ("gone", 550), ("grey", 451)])
def test_some_recipients_are_refused(mail_servers: MailServers, local: str, code: int) -> None:
    with smtplib.SMTP(mail_servers.host, mail_servers.submission_port, timeout=30) as connection:
        connection.starttls(context=mail_servers.tls())
        connection.login("shop", mail_servers.password)
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            connection.sendmail("shop@example.test", [f"{local}@example.test"], MAIL)
    assert [answer[0] for answer in refused.value.recipients.values()] == [code]


def test_a_late_bounce_comes_back_as_a_report(mail_servers: MailServers, mail_user: str) -> None:
    with smtplib.SMTP_SSL(
        mail_servers.host, mail_servers.smtps_port, context=mail_servers.tls(), timeout=30
    ) as connection:
        connection.login("shop", mail_servers.password)
        connection.sendmail(f"{mail_user}@example.test", ["late-bounce@customer.test"], MAIL)
    (report,) = mail_servers.wait_for_messages(mail_user)
    assert b"multipart/report" in report
    assert b"5.1.1" in report


def test_the_terminal_shows_what_the_program_prints(terminal: Terminal) -> None:
    terminal.start(["sh", "-c", 'stty size; read -r line; echo "got $line"; exit 7'], columns=120, lines=40)
    terminal.wait_for("^40 120$")
    terminal.type("perché; no")
    terminal.press("Enter")
    terminal.wait_for("^got perché; no$")
    assert terminal.wait_for_exit() == 7


def test_the_terminal_names_the_signal_that_ended_the_program(terminal: Terminal) -> None:
    terminal.start(["sh", "-c", "echo ready; exec cat"])
    terminal.wait_for("ready")
    os.kill(terminal.pid(), signal.SIGKILL)
    assert terminal.wait_for_exit() == 128 + signal.SIGKILL


def test_the_terminal_tells_what_it_showed_when_it_waited_in_vain(terminal: Terminal) -> None:
    terminal.start(["sh", "-c", "echo ecco; exec cat"])
    terminal.wait_for("ecco")
    assert terminal.exit_status() is None
    with pytest.raises(AssertionError, match="│ecco"):
        terminal.wait_for("mai", seconds=0.1)


def test_the_corpus_gives_its_messages_in_order(corpus: Corpus) -> None:
    first = list(corpus.messages(3))
    assert len(first) == 3
    assert all(first)
    assert len(corpus.index) > 4000
