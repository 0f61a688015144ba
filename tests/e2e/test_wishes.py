"""What somebody asks to be fetched while a worker runs: from the console, which leaves a wish, and by a command."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from supportdesk import worker
from supportdesk.config import Config, Credential, save_credential
from supportdesk.desk import fetch
from supportdesk.desk.audit import audit
from supportdesk.desk.cut_mail import ask_for_whole, cut_mails
from supportdesk.desk.fetch_requests import ask_for_junk, list_junk
from tests.e2e.shop import open_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.shop import Shop
    from tests.support.mail_servers import MailServers

pytestmark = [pytest.mark.dovecot, pytest.mark.postfix]
WAYS = ("console", "command")


@pytest.fixture
def shop(mail_servers: MailServers, mail_user: str, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(mail_servers, mail_user, tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.5)


def command(shop: Shop, home: Path, *arguments: str) -> None:
    """`supportdesk mail fetch …` as a program of its own, beside the worker."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUPPORTDESK_")}
    settings = home / "config" / "supportdesk" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'database = "{shop.engine.config.database}"\nagent = "giulia"\n')
    save_credential(Config(settings, ""), shop.address, Credential(password=shop.servers.password))
    done = subprocess.run(
        [sys.executable, "-m", "supportdesk", "mail", "fetch", *arguments], check=False, capture_output=True, text=True,
        env={**kept, "XDG_CONFIG_HOME": str(home / "config"), "LC_ALL": "C.UTF-8"}, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def is_sound(shop: Shop) -> bool:
    box = shop.desk.mailbox(shop.mailbox_id)
    return all(item.sound for item in audit(shop.desk, box, lambda one: shop.engine.servers.source(one.id)))


def junk(number: int, shop: Shop) -> bytes:
    return (
        f"From: Ugo <ugo{number}@customer.test>\r\nTo: {shop.address}\r\nSubject: Offerta {number}\r\n"
        f"Message-ID: <junk-{number}-{shop.user}@customer.test>\r\n\r\nEra davvero un ordine.\r\n"
    ).encode()


@pytest.mark.parametrize("way", WAYS)
def test_junk_that_is_asked_for_while_the_worker_runs_becomes_one_ticket_each(
    shop: Shop, tmp_path: Path, way: str
) -> None:
    shop.servers.append(shop.user, junk(1, shop), junk(2, shop), mailbox="Junk")
    box = shop.desk.mailbox(shop.mailbox_id)
    settings = {**box.settings, "acknowledge": True}
    shop.desk.save_mailbox(shop.agent, {"id": box.id, "version": box.version, "settings": settings})
    with shop.worker():
        shop.wait_for(lambda: [one.count for one in list_junk(shop.desk.read)] == [2], "the count", seconds=120)
        if way == "console":
            assert ask_for_junk(shop.desk, shop.agent) == 2
        else:
            command(shop, tmp_path, "--junk")
        tickets = [shop.ticket_of(f"<junk-{number}-{shop.user}@customer.test>") for number in (1, 2)]
        shop.wait_for(lambda: list_junk(shop.desk.read) == [], "the wish to be granted", seconds=120)
        shop.wait_for(
            lambda: "wanted" not in shop.desk.mailbox(shop.mailbox_id).settings, "the end of the wish", seconds=120
        )
    assert len(set(tickets)) == 2
    assert [row["kind"] for row in shop.desk.read.rows("outbox")] == [], "nobody in Junk is acknowledged"
    assert len(shop.desk.read.rows("message")) == 2
    assert is_sound(shop)


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_mail_that_is_asked_for_while_the_worker_runs_is_there_once(
    shop: Shop, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_SIZE", 100_000)
    file = b"\r\n".join([b"QUJD" * 19] * 4000)
    head = (
        f"From: Rosa <rosa@customer.test>\r\nTo: {shop.address}\r\nSubject: Le foto\r\n"
        f"Message-ID: <whole-{shop.user}@customer.test>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nEcco le foto.\r\n"
    )
    parts = "--b\r\nContent-Type: image/jpeg; name=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    pieces = (head + parts % "prima.jpg").encode() + file + b"\r\n" + (parts % "seconda.jpg").encode() + file
    raw = pieces + b"\r\n--b--\r\n"
    shop.servers.append(shop.user, raw)
    with shop.worker():
        ticket = shop.ticket_of(f"<whole-{shop.user}@customer.test>")
        assert len(cut_mails(shop.desk.read, ticket)) == 1
        if way == "console":
            ask_for_whole(shop.desk, shop.agent, ticket)
        else:
            command(shop, tmp_path, "--whole", str(ticket))
        shop.wait_for(lambda: cut_mails(shop.desk.read, ticket) == [], "the whole mail", seconds=120)
        shop.wait_for(
            lambda: "wanted" not in shop.desk.mailbox(shop.mailbox_id).settings, "the end of the wish", seconds=120
        )
    [delivery] = shop.desk.read.rows("delivery")
    assert shop.desk.blobs.get(delivery["raw_sha"]) == raw
    assert [row["name"] for row in shop.desk.read.rows("attachment", order="id")] == ["prima.jpg", "seconda.jpg"]
    kinds = [event.kind for event in shop.desk.read.events(ticket_id=ticket)]
    assert kinds.count("fetched_whole") == 1
    assert is_sound(shop)
