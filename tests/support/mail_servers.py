"""Real mail servers for the tests: Dovecot and Postfix from tests/e2e/servers, seen through the standard library.

Nothing here uses our own mail code: a test that asks what the customer has in his mailbox must not ask the code
under test.
"""

from __future__ import annotations

import contextlib
import imaplib
import os
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.processes import free_port_block, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRIPTS = Path(__file__).resolve().parents[1] / "e2e" / "servers"


@dataclass(frozen=True)
class MailServers:
    """One running pair: any user exists, with the password "secret", as USER@example.test and as USER@customer.test."""

    directory: Path
    base_port: int
    host: str = "localhost"
    password: str = "secret"

    @property
    def imap_port(self) -> int:
        """Plain with STARTTLS."""
        return self.base_port

    @property
    def imaps_port(self) -> int:
        return self.base_port + 1

    @property
    def lmtp_port(self) -> int:
        return self.base_port + 2

    @property
    def submission_port(self) -> int:
        """STARTTLS and AUTH."""
        return self.base_port + 4

    @property
    def smtps_port(self) -> int:
        return self.base_port + 5

    @property
    def mx_port(self) -> int:
        """What the world connects to on port 25: no login, only our own domains."""
        return self.base_port + 6

    @property
    def certificate(self) -> Path:
        """The PEM file that a client must trust."""
        return self.directory / "cert.pem"

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    @contextlib.contextmanager
    def imap(self, user: str) -> Iterator[imaplib.IMAP4_SSL]:
        """A logged-in connection that is closed at the end."""
        connection = imaplib.IMAP4_SSL(self.host, self.imaps_port, ssl_context=self.tls(), timeout=30)
        try:
            connection.login(user, self.password)
            yield connection
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                connection.logout()

    def append(self, user: str, *messages: bytes, mailbox: str = "INBOX", flags: str = "") -> None:
        """Put messages into a mailbox as they are, but for line ends (CRLF); make the mailbox where it is missing."""
        with self.imap(user) as connection:
            if mailbox != "INBOX":
                connection.create(_quoted(mailbox))
            for message in messages:
                wire = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                _ok(connection.append(_quoted(mailbox), flags, "", wire))

    def messages(self, user: str, mailbox: str = "INBOX") -> list[bytes]:
        """The messages of a mailbox in UID order; reading them sets no flag."""
        with self.imap(user) as connection:
            if connection.select(_quoted(mailbox), readonly=True)[0] != "OK":
                return []
            uids = _ok(connection.uid("SEARCH", "ALL"))[0].split()
            return [_ok(connection.uid("FETCH", uid.decode(), "(BODY.PEEK[])"))[0][1] for uid in uids]

    def flags(self, user: str, mailbox: str = "INBOX") -> list[frozenset[str]]:
        """The flags of each message, in UID order."""
        with self.imap(user) as connection:
            _ok(connection.select(_quoted(mailbox), readonly=True))
            lines = _ok(connection.uid("FETCH", "1:*", "(FLAGS)"))
            return [frozenset(flag.decode() for flag in imaplib.ParseFlags(line)) for line in lines if line]

    def wait_for_messages(
        self, user: str, count: int = 1, *, mailbox: str = "INBOX", seconds: float = 20
    ) -> list[bytes]:
        """The messages of a mailbox as soon as there are at least `count`."""
        found: list[bytes] = []

        def arrived() -> bool:
            found[:] = self.messages(user, mailbox)
            return len(found) >= count

        wait_until(arrived, seconds=seconds, what=f"{count} messages in {user}/{mailbox}")
        return found

    def deliver(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> None:
        """Hand a message to Dovecot by LMTP, as a mail server's queue does: when this returns, it is in the mailbox."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port, timeout=30) as connection:
            refused = connection.sendmail(sender, list(recipients), message)
        assert not refused, refused

    def send_from_outside(self, message: bytes, *, sender: str, recipients: Sequence[str]) -> None:
        """Hand a message to Postfix on its world side; it goes through the queue, so wait for it."""
        with smtplib.SMTP("127.0.0.1", self.mx_port, timeout=30) as connection:
            connection.sendmail(sender, list(recipients), message)

    def doveadm(self, *arguments: str) -> str:
        """Dovecot's own administration, for faults: `mailbox update --uid-validity 4242`, `expunge`, `kick` …"""
        return _checked([_program("doveadm"), "-c", str(self.directory / "dovecot.conf"), *arguments])

    def queue(self) -> str:
        """Postfix's queue as JSON lines, one a message; empty when it is."""
        return _checked([_program("postqueue"), "-c", str(self.directory / "pf" / "etc"), "-j"])

    def log(self) -> str:
        """What both servers have logged, for a failing test to show."""
        files = (self.directory / "dovecot.log", self.directory / "pf" / "log" / "mail.log")
        return "".join(file.read_text("utf-8", "replace") for file in files if file.exists())


@contextlib.contextmanager
def running_mail_servers() -> Iterator[MailServers]:
    """Start a pair in its own directory, stop it by process id. Raises RuntimeError with the servers' words."""
    directory = Path(tempfile.mkdtemp(prefix="supportdesk-mail-"))
    base_port = free_port_block(7)
    try:
        _checked([str(SCRIPTS / "mail-up"), str(directory), str(base_port)])
        yield MailServers(directory, base_port)
    finally:
        _checked([str(SCRIPTS / "mail-down"), str(directory)])
        shutil.rmtree(directory, ignore_errors=True)


def missing_for_mail_servers() -> str:
    """Why the servers cannot run here, or an empty string."""
    if os.geteuid() != 0:
        return "real Dovecot and Postfix need root"
    missing = [name for name in ("dovecot", "postfix") if _program(name) == ""] + [
        name for name in ("openssl", "bash") if not shutil.which(name)
    ]
    if not Path("/usr/lib/dovecot/lmtp").exists():
        missing.append("dovecot-lmtpd")
    return f"not installed: {', '.join(missing)}" if missing else ""


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[MailServers]:
    """A real Dovecot and Postfix, one pair a test process; use a user name of your own in each test."""
    reason = missing_for_mail_servers()
    if reason:
        pytest.skip(reason)
    with running_mail_servers() as servers:
        yield servers


@pytest.fixture
def mail_user(request: pytest.FixtureRequest) -> str:
    """A mailbox name that no other test uses; its address is NAME@example.test."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name.lower())
    return name.removeprefix("test-")[:40].strip("-") + f"-{zlib.crc32(request.node.nodeid.encode()):x}"


def _program(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin") or ""


def _checked(command: list[str]) -> str:
    # Output goes through a file: a daemon that keeps a pipe open would keep us waiting for its end.
    with tempfile.TemporaryFile("w+") as output:
        result = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, cwd="/"
        )
        output.seek(0)
        text = output.read()
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {result.returncode}:\n{text}")
    return text


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    assert status == "OK", answer
    return data


def _quoted(mailbox: str) -> str:
    return '"' + mailbox.replace("\\", "\\\\").replace('"', '\\"') + '"'
