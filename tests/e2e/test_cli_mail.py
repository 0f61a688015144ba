"""The command line from nothing to an answered customer, against real Dovecot and Postfix."""

from __future__ import annotations

import email
import email.policy
import json
import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mail_servers import MailServers

pytestmark = [pytest.mark.dovecot, pytest.mark.postfix]


@dataclass
class Machine:
    """A home directory on which `supportdesk` runs as a program."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUPPORTDESK_", "SSH_"))}
        return kept | {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *arguments: str, code: int = 0, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "supportdesk", *arguments],
            capture_output=True, text=True, env=self.environment, input=stdin, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, code: int = 0, stdin: str = "") -> Any:
        return json.loads(self.run(*arguments, "--json", code=code, stdin=stdin))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def worker(machine: Machine) -> Iterator[Any]:
    """Start the worker of this machine; it is ended by its own process id."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [sys.executable, "-m", "supportdesk", "worker"]
        with (machine.home / "worker.log").open("wb") as log:
            started.append(subprocess.Popen(command, env=machine.environment, stdout=log, stderr=log))

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=30)


def initialise(machine: Machine, servers: MailServers, user: str, *options: str) -> Any:
    """`supportdesk init` with every answer given, the password on standard input."""
    return machine.json(
        "init", "--address", f"{user}@example.test", "--shop", "Bottega Verde", "--name", "Giulia Verdi",
        "--country", "IT", "--zone", "Europe/Rome", "--hours", "mon-sun 0:00-24:00", "--form", "tu",
        "--imap", f"localhost:{servers.imaps_port}/implicit", "--smtp", f"localhost:{servers.smtps_port}/implicit",
        "--login", user, "--ca-file", str(servers.certificate), "--password-file", "-", *options,
        stdin=f"{servers.password}\n",
    )  # fmt: skip


def mail_from(customer: str, to: str, text: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = f"Rosa Bianchi <{customer}>", to
    message["Subject"] = headers.pop("subject", "Ordine 5521")
    message["Message-ID"] = headers.pop("message_id", f"<{abs(hash((customer, text)))}@customer.test>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def test_from_nothing_to_an_answered_customer(
    machine: Machine, mail_servers: MailServers, mail_user: str, worker: Any
) -> None:
    shop, customer = f"{mail_user}@example.test", f"c-{mail_user}@customer.test"
    made = initialise(machine, mail_servers, mail_user, "--start", "now")
    assert made["self_test"]["folder"] == "INBOX"
    assert oct((machine.home / "config" / "supportdesk" / "credentials.toml").stat().st_mode)[-3:] == "600"
    assert machine.json("agent", "list")[0]["role"] == "admin"

    mail_servers.deliver(
        mail_from(customer, shop, "Buongiorno, dove si trova il mio ordine 5521? Grazie mille."),
        sender=customer,
        recipients=[shop],
    )
    fetched = machine.json("mail", "fetch")
    assert fetched["mailboxes"][0]["fetched"] == 1
    [ticket] = machine.json("ticket", "list")
    assert (ticket["customer_address"], ticket["language"]) == (customer, "it")
    number = str(ticket["id"])
    assert machine.json("search", "ordine 5521")[0]["id"] == ticket["id"]

    machine.run("ticket", "note", number, stdin="Il corriere lo consegna domani.")
    machine.run("ticket", "reply", number, "Arriva domani.", "--anyway")
    worker()
    [received] = mail_servers.wait_for_messages(customer.partition("@")[0], 1, seconds=60)
    answer = email.message_from_bytes(received, policy=email.policy.default)
    assert answer["From"].addresses[0].addr_spec == shop
    assert answer["In-Reply-To"] == answer["References"].split()[-1]
    body = answer.get_body(("plain",))
    assert body is not None and "Arriva domani." in body.get_content()
    assert "Il corriere" not in body.get_content()

    mail_servers.deliver(
        mail_from(customer, shop, "Grazie, ma a che ora?", subject="Re: Ordine 5521", In_Reply_To=answer["Message-ID"]),
        sender=customer,
        recipients=[shop],
    )
    wait_until(lambda: machine.json("ticket", "show", number)["ticket"]["waiting_since"] is not None, seconds=60,
               what="the customer's answer on the same ticket")  # fmt: skip
    assert machine.json("unanswered", code=6)[0]["ticket_id"] == ticket["id"]
    assert machine.json("status")["delivering"] is True
    wait_until(lambda: machine.json("mail", "audit")["sound"], seconds=60, what="a sound audit")


def test_conversations_of_before_are_counted_and_enter_only_if_we_say_so(
    machine: Machine, mail_servers: MailServers, mail_user: str
) -> None:
    shop = f"{mail_user}@example.test"
    waiting = mail_from("rosa@customer.test", shop, "Il pacco non è arrivato.", message_id="<w1@customer.test>")
    answered = mail_from("ugo@customer.test", shop, "Avete la taglia 42?", message_id="<a1@customer.test>")
    news = mail_from(
        "news@customer.test", shop, "Offerte", message_id="<n1@customer.test>", Auto_Submitted="auto-generated"
    )
    ours = mail_from(shop, "ugo@customer.test", "Sì.", message_id="<o1@example.test>", In_Reply_To="<a1@customer.test>")
    mail_servers.append(mail_user, waiting, answered, news)
    mail_servers.append(mail_user, ours, mailbox="Sent", flags="(\\Seen)")

    made = initialise(machine, mail_servers, mail_user, "--start", "30d", "--enter", "no")
    assert (made["first_mail"]["conversations"], made["first_mail"]["waiting"]) == (2, 1)
    assert machine.json("ticket", "list") == []
    assert {row["status"] for row in machine.json("ticket", "list", "--view", "all")} == {"closed"}
    assert machine.json("mail", "audit")["sound"] is True

    machine.run("mailbox", "pause")
    second = Machine(machine.home / "again")
    second.home.mkdir()
    made = initialise(second, mail_servers, mail_user, "--start", "all", "--enter", "yes")
    assert made["first_mail"]["waiting"] == 1
    assert [row["customer_address"] for row in second.json("ticket", "list")] == ["rosa@customer.test"]
    assert second.json("mail", "audit")["sound"] is True


def test_the_audit_names_mail_that_has_no_row_and_a_wrong_password_saves_nothing(
    machine: Machine, mail_servers: MailServers, mail_user: str
) -> None:
    shop = f"{mail_user}@example.test"
    initialise(machine, mail_servers, mail_user, "--start", "now")
    mail_servers.append(mail_user, mail_from("rosa@customer.test", shop, "Ciao"))
    audit = machine.json("mail", "audit", code=1)
    assert [folder["without_row_count"] for folder in audit["folders"] if folder["folder"] == "INBOX"] == [1]
    machine.run("mail", "fetch")
    assert machine.json("mail", "audit")["sound"] is True

    machine.run(
        "mailbox", "add", f"other-{shop}", "--imap", f"localhost:{mail_servers.imaps_port}/implicit",
        "--smtp", f"localhost:{mail_servers.smtps_port}/implicit", "--login", mail_user,
        "--ca-file", str(mail_servers.certificate), "--password-file", "-", code=2, stdin="wrong\n",
    )  # fmt: skip
    assert [box["address"] for box in machine.json("mailbox", "list")] == [shop]
    assert machine.json("mailbox", "test")["self_test"]["folder"] == "INBOX"


def test_init_asks_for_everything_in_a_terminal(machine: Machine, mail_servers: MailServers, mail_user: str) -> None:
    shop = f"{mail_user}@example.test"
    rosa = mail_from("rosa@customer.test", shop, "Il pacco non è arrivato.")
    mail_servers.append(mail_user, rosa)
    conversation = [
        ("The support address: ", "nonsense"),
        ("The support address: ", shop),
        ("The shop's name [Example]: ", "Bottega Verde"),
        ("Your name, as customers see it", "Giulia Verdi"),
        ("Country", "IT"),
        ("Time zone [Europe/Rome]: ", ""),
        ("Opening hours", "lun-ven 9-13 15-19"),
        ("How do you address customers: tu / Lei [Lei]: ", "tu"),
        ("How an order number looks", "BV-[0-9]{4}"),
        ("Which mail enters the queue", "7d"),
        (f"Password of {shop}: ", mail_servers.password),
        ("Shall this conversation enter the queue? [Y/n]: ", "y"),
    ]
    shown = converse(
        machine,
        ["init", "--imap", f"localhost:{mail_servers.imaps_port}/implicit",
         "--smtp", f"localhost:{mail_servers.smtps_port}/implicit",
         "--login", mail_user, "--ca-file", str(mail_servers.certificate)],
        conversation,
    )  # fmt: skip
    assert f"{shop} is ready" in shown
    assert mail_servers.password not in shown
    [box] = machine.json("mailbox", "list")
    assert (box["register"], box["language"], box["zone"]) == ("informal", "it", "Europe/Rome")
    assert machine.json("hours", "show")["week"]["mon"] == ["09:00-13:00", "15:00-19:00"]
    assert [row["customer_address"] for row in machine.json("ticket", "list")] == ["rosa@customer.test"]


def converse(machine: Machine, arguments: list[str], conversation: list[tuple[str, str]]) -> str:
    """Run the program in a terminal and type each answer when its question has been asked; what the screen showed."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-m", "supportdesk", *arguments], machine.environment)
    shown, waiting = "", list(conversation)
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1.0)[0]:
                continue
            try:
                shown += os.read(terminal, 4096).decode("utf-8", "replace")
            except OSError:  # Linux ends a terminal whose program has gone with EIO
                break
            tail = shown[shown.rfind(ANSWERED) + len(ANSWERED) if ANSWERED in shown else 0 :]
            if waiting and waiting[0][0] in tail and not tail.endswith("\n"):
                os.write(terminal, f"{waiting.pop(0)[1]}\n".encode())
                shown += ANSWERED
    finally:
        os.close(terminal)
    _pid, status = os.waitpid(child, 0)
    assert waiting == [], f"never asked: {waiting[0]}\n{shown}"
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown


ANSWERED = "\x00"


def test_a_certificate_that_nobody_trusts_is_refused(
    machine: Machine, mail_servers: MailServers, mail_user: str
) -> None:
    machine.run(
        "init", "--address", f"{mail_user}@example.test", "--defaults", "--country", "IT",
        "--imap", f"localhost:{mail_servers.imaps_port}/implicit",
        "--smtp", f"localhost:{mail_servers.smtps_port}/implicit",
        "--login", mail_user, "--password-file", "-", code=2, stdin="secret\n",
    )  # fmt: skip
    assert machine.json("mailbox", "list") == []
