"""H05: faults are seeded one by one, and the doctor finds each by its id, says what to do, and mends what is safe."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.cli import doctor
from supportdesk.desk.fetch import note_health
from supportdesk.desk.gauges import MOST_WAL_BYTES
from supportdesk.store import SqlStore, address, facts
from tests.store.test_checks import ONLY_POSTGRES, SEEDS, SEEDS_ON, seed
from tests.support.smtp_stub import running_smtp_stub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.databases import Database
    from tests.support.desk import House

Patch = pytest.MonkeyPatch
Break = Callable[["House", "Path", Patch], object]


def statements(*all_of_them: str) -> Break:
    def run(shop: House, _home: Path, _patch: Patch) -> None:
        assert isinstance(shop.store, SqlStore)
        seed(shop.store, all_of_them)

    return run


def written(name: str, text: str, mode: int = 0o600) -> Break:
    def write(_shop: House, home: Path, _patch: Patch) -> None:
        file = home / "config" / "supportdesk" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    return write


def patched(target: Any, name: str, value: Any) -> Break:
    return lambda _shop, _home, patch: patch.setattr(target, name, value)


def of_mailbox(**changes: Any) -> Break:
    def change(shop: House, _home: Path, _patch: Patch) -> None:
        box = shop.desk.mailbox(shop.mailbox_id)
        shop.desk.save_mailbox(shop.giulia, {"id": box.id, "version": box.version, **changes})

    return change


def fail_to_connect(shop: House, home: Path, patch: Patch) -> None:
    written("credentials.toml", '["aiuto@bottega.example"]\npassword = "x"\n')(shop, home, patch)
    note_health(shop.store, shop.mailbox_id, "IMAP imap.bottega.example:993: could not connect")


def grow_the_log(_shop: House, home: Path, _patch: Patch) -> None:
    os.truncate(home / "desk.db-wal", MOST_WAL_BYTES + 1)


def tear_a_page(shop: House, home: Path, _patch: Patch) -> None:
    assert isinstance(shop.store, SqlStore)
    shop.store.checkpoint()
    with shop.store.connection() as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_event_ticket'")[0][0]
        size = connection.execute("PRAGMA page_size")[0][0]
    shop.store.close()
    with (home / "desk.db").open("r+b") as file:
        file.seek((page - 1) * size + size // 2)
        file.write(bytes(size // 2))


def overwrite(shop: House, home: Path, _patch: Patch) -> None:
    shop.store.close()
    (home / "desk.db").write_bytes(b"no desk at all " * 1000)


def remove(shop: House, home: Path, _patch: Patch) -> None:
    shop.store.close()
    (home / "desk.db").unlink()


INSIDE: dict[str, tuple[str, ...]] = {
    "outbox.without_recipient": ("DELETE FROM outbox_recipient",),
    "key.missing": ("UPDATE signing_key SET retired_at = ?", *SEEDS["key.missing"]),
}


def inside(kind: str) -> dict[str, tuple[str, Break]]:
    """What can be wrong inside a database of that kind."""
    seeds = {**SEEDS_ON[kind], **INSIDE}
    return {f"inside: {name}": (name, statements(*sql)) for name, sql in seeds.items()}


IN_A_FILE: dict[str, tuple[str, Break]] = {
    "the index lacks a text": ("search.drift", statements("DELETE FROM message_search WHERE rowid = 1")),
    "an open database": ("file.open", lambda _shop, home, _patch: (home / "desk.db").chmod(0o666)),
    "an open log": ("file.open", lambda _shop, home, _patch: (home / "desk.db-wal").chmod(0o664)),
    "a shared database": ("file.shared", lambda _shop, home, _patch: (home / "desk.db").chmod(0o660)),
    "an open directory": ("directory.open", lambda _shop, home, _patch: home.chmod(0o777)),
    "a closed directory": ("directory.unwritable", patched(os, "access", lambda _path, _mode: False)),
    "a log without end": ("wal.large", grow_the_log),
    "a full disk": ("disk.low", patched(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1 << 20))),
    "a network disk": ("database.unusable", patched(address, "file_system", lambda _path: "nfs4")),
    "a forced network disk": ("file.on_network", patched(facts, "file_system", lambda _path: "cifs")),
    "an old SQLite": ("sqlite.old", patched(doctor, "SAFE_SQLITE", (99,))),
    "a torn page": ("database.damaged", tear_a_page),
    "no database": ("database.unusable", overwrite),
    "no desk": ("database.unusable", remove),
    "no mailbox": ("mailbox.none", statements("PRAGMA foreign_keys = OFF", "DELETE FROM mailbox")),
}

ANYWHERE: dict[str, tuple[str, Break]] = {
    "a wrong counter": ("views.miscounted", statements("INSERT INTO view_count VALUES ('spam', 0, 7)")),
    "an old Python": ("python.old", patched(doctor, "OLDEST_PYTHON", (99,))),
    "another schema": ("schema.other", statements("UPDATE alembic_version SET version_num = '0000_zero'")),
    "broken settings": ("config.broken", written("config.toml", "[[[")),
    "open logins": ("config.broken", written("credentials.toml", "", 0o644)),
    "no logins": ("credentials.missing", lambda _shop, _home, _patch: None),
    "no worker": ("worker.absent", lambda _shop, _home, _patch: None),
    "no login for a mailbox": ("mailbox.no_login", written("credentials.toml", "")),
    "a mailbox that waits": ("mailbox.unconfirmed", of_mailbox(settings={"unconfirmed": True})),
    "a mailbox that fails": ("mailbox.error", fail_to_connect),
    "a language without a dictionary": ("spelling.dictionary", of_mailbox(languages=("tlh",))),
}

BROKEN: dict[str, dict[str, tuple[str, Break]]] = {
    "sqlite": {**inside("sqlite"), **IN_A_FILE, **ANYWHERE},
    "postgres": {
        **{f"inside: {name}": inside("postgres")[f"inside: {name}"] for name in ONLY_POSTGRES},
        **{what: ANYWHERE[what] for what in ("a wrong counter", "another schema", "a mailbox that waits", "no worker")},
    },
}
"""What is inside a database is looked for on both kinds by the store's own tests; here the words are."""


@pytest.fixture
def full(shop: House, home: Path, monkeypatch: Patch) -> House:
    """The shop with two tickets and a reply that waits."""
    for sender in ("rosa@example.com", "otto@example.net"):
        ticket = shop.customer_writes(sender=sender)
    shop.reply(ticket)
    statements("UPDATE outbox SET not_before = LATER", "INSERT INTO signing_key (secret, created_at) VALUES ('x', ?)")(
        shop, home, monkeypatch
    )
    for file in home.glob("desk.db*"):
        file.chmod(0o600)
    return shop


def look(supportdesk: Run, *options: str) -> dict[str, dict[str, Any]]:
    """What is not as it should be, by its id."""
    result = supportdesk("doctor", "--deep", "--json", *options)
    assert result.code == 6, "no worker works here"
    return {one["id"]: one for one in result.json() if one["verdict"] != "ok"}


ALWAYS = {"credentials.missing", "worker.absent", "mailbox.no_login", "server.superuser", "server.no_idle_timeout"}
"""Of a desk that nothing was done to."""


def test_forty_faults_are_seeded() -> None:
    assert len(BROKEN["sqlite"]) >= 45
    assert len({name for name, _break in BROKEN["sqlite"].values()}) >= 40


@pytest.mark.parametrize(
    ("database", "what"), [(kind, what) for kind, broken in BROKEN.items() for what in broken], indirect=["database"]
)
def test_h05_a_seeded_fault_is_found_with_what_to_do(
    full: House, supportdesk: Run, home: Path, monkeypatch: Patch, database: Database, what: str
) -> None:
    fault, make = BROKEN[database.kind][what]
    if fault not in ALWAYS:
        assert fault not in look(supportdesk)
    with monkeypatch.context() as patch:
        make(full, home, patch)
        found = look(supportdesk)
    assert fault in found
    assert found[fault]["text"]
    assert found[fault]["verdict"] == "note" or found[fault]["hint"], "what is wrong comes with what to do"


MENDED = (
    "inside: chunks.orphaned", "inside: file.not_a_desk", "inside: index.missing", "inside: lease.expired",
    "inside: presence.stale", "inside: trigger.missing", "an open database", "an open log", "an open directory",
    "the index lacks a text", "a wrong counter", "inside: sequence.behind",
)  # fmt: skip


@pytest.mark.parametrize(
    ("database", "what"),
    [(kind, what) for kind, broken in BROKEN.items() for what in MENDED if what in broken],
    indirect=["database"],
)
def test_h05_what_was_mended_stays_mended_and_mending_again_changes_nothing(
    full: House, supportdesk: Run, home: Path, monkeypatch: Patch, database: Database, what: str
) -> None:
    fault, make = BROKEN[database.kind][what]
    make(full, home, monkeypatch)
    assert look(supportdesk, "--fix")[fault]["fixed"]
    again = look(supportdesk, "--fix")
    assert fault not in again
    assert not any(one["fixed"] for one in again.values())


@pytest.fixture(scope="module")
def short_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for two days with its key, in one file."""
    made = tmp_path_factory.mktemp("tls") / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", made, "-out", f"{made}.only",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    made.write_bytes(made.with_name("cert.pem.only").read_bytes() + made.read_bytes())
    return made


@pytest.fixture
def mail_server(short_certificate: Path) -> Iterator[int]:
    """The port of a server that offers STARTTLS with that certificate."""
    with running_smtp_stub() as running:
        running.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        running.tls.load_cert_chain(short_certificate)
        yield running.port


def test_h05_a_certificate_that_ends_within_two_weeks_is_told(
    shop: House, supportdesk: Run, home: Path, monkeypatch: Patch, short_certificate: Path, mail_server: int
) -> None:
    from supportdesk.desk.model import Server

    server = Server("localhost", mail_server, "starttls", "shop", str(short_certificate))
    of_mailbox(smtp=server)(shop, home, monkeypatch)
    told = look(supportdesk)["certificate.ends"]
    assert told["name"] == f"localhost:{mail_server}"
    assert told["verdict"] == "wrong" and told["hint"]
