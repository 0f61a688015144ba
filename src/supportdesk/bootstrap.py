"""The composition root: settings → store, mail servers, parser, clock → Desk and the worker's engine.

The only place that names concrete adapters, and only inside functions, so that a command pays for what it uses.
"""

from __future__ import annotations

import getpass
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.config import Config, Credential, find_credential, resolve_password, save_credential
from supportdesk.desk.ports import SystemClock
from supportdesk.errors import ConfigError, NotAllowed, NotFound
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Agent, Mailbox, MailboxId, Server
    from supportdesk.desk.ports import MailSource, MailTransport
    from supportdesk.mail.child import MailParserPool as MailParserPool  # noqa: PLC0414 — the engine names the type
    from supportdesk.mail.model import Consent, DeviceCode, OAuthClient, Picture, Tokens
    from supportdesk.mail.on_disk import DiskArchive
    from supportdesk.mail.sasl import Secret as Secret  # noqa: PLC0414 — the command line names the type
    from supportdesk.store.backup import BackupReport as BackupReport  # noqa: PLC0414 — the command line names the type
    from supportdesk.store.backup import RestoreReport
    from supportdesk.store.checks import Fault
    from supportdesk.store.copy import CopyReport as CopyReport  # noqa: PLC0414 — the command line names the type
    from supportdesk.store.facts import DatabaseFacts as DatabaseFacts  # noqa: PLC0414 — `doctor` names the type
    from supportdesk.store.upgrade import Upgrade as Upgrade  # noqa: PLC0414 — the command line names the type

log = logging.getLogger("supportdesk.engine")


def open_desk(config: Config) -> Desk:
    """The desk on the configured database. Raises NotFound where `supportdesk init` has not been run."""
    from supportdesk.desk.desk import Desk
    from supportdesk.store import open_store

    refuse_missing(config)
    return Desk(open_store(config.database), SystemClock())


def create_desk(config: Config) -> Desk:
    """The same, made or brought up to date first."""
    from supportdesk.desk.desk import Desk
    from supportdesk.store import create_or_upgrade, open_store

    if is_file(config.database):
        database_path(config).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_or_upgrade(config.database)
    return Desk(open_store(config.database), SystemClock())


def acting_agent(desk: Desk, config: Config) -> Agent:
    """The agent that `agent` in the settings names, else the one whose login is the user of this machine.

    Raises NotFound naming what to do, NotAllowed for an agent that was disabled.
    """
    login = config.agent or getpass.getuser()
    try:
        agent = desk.agent_by_login(login)
    except NotFound:
        known = ", ".join(known.login for known in desk.agents()) or _("nobody yet")
        raise NotFound(
            _("no agent has the login {login}").format(login=login),
            hint=_("known: {known}. Set `agent` in the settings, or add one: supportdesk agent add {login}").format(
                known=known, login=login
            ),
        ) from None
    if agent.state == "disabled":
        raise NotAllowed(
            _("the agent {login} is disabled").format(login=login),
            hint=_("an admin can change that: supportdesk agent set"),
        )
    return agent


def is_file(database: str) -> bool:
    """Whether the database is an embedded one, in a file of this machine."""
    return "://" not in database or database.startswith("sqlite:")


def database_path(config: Config) -> Path:
    return Path(config.database.removeprefix("sqlite:///")).expanduser()


@dataclass(frozen=True, slots=True)
class ServerConnections:
    """Opens connections for a mailbox; the password or the tokens are asked for each time and kept nowhere."""

    desk: Desk
    config: Config

    def source(self, mailbox_id: MailboxId) -> MailSource:
        from supportdesk.mail.imap import ImapSource

        mailbox = self.desk.mailbox(mailbox_id)
        return ImapSource(*self._account(mailbox, mailbox.imap, "IMAP"))

    def transport(self, mailbox_id: MailboxId) -> MailTransport:
        from supportdesk.mail.smtp import SmtpTransport

        mailbox = self.desk.mailbox(mailbox_id)
        return SmtpTransport(*self._account(mailbox, mailbox.smtp, "SMTP"))

    def _account(self, mailbox: Mailbox, server: Server | None, kind: str) -> tuple[Server, Secret]:
        if server is None:
            raise ConfigError(
                _("{address} has no {kind} server").format(address=mailbox.address, kind=kind),
                hint=f"supportdesk mailbox set {mailbox.address}",
            )
        return server, open_secret(self.config, mailbox.address)


def open_secret(config: Config, address: str, held: Tokens | None = None) -> Secret:
    """What logs a mailbox in: its password, or where its tokens are (`held`: got a moment ago and not saved yet).

    Raises ConfigError, or LoginRefused where the tokens are missing.
    """
    credential = find_credential(config, address)
    if credential.oauth is None:
        return resolve_password(config, address)
    from supportdesk.mail.tokens import HeldTokens, TokenFile

    if held is not None:
        return HeldTokens(held)
    tokens = TokenFile(config.tokens_path(address), credential.oauth, SystemClock().now)
    tokens.read()
    return tokens


def save_login(config: Config, address: str, credential: Credential, tokens: Tokens | None) -> Path:
    """Write how a mailbox logs in, its tokens first; returns the file that says how. Raises ConfigError."""
    if credential.oauth is not None and tokens is not None:
        from supportdesk.mail.tokens import TokenFile

        TokenFile(config.tokens_path(address), credential.oauth, SystemClock().now).write(tokens)
    path = save_credential(config, address, credential)
    if credential.oauth is None:
        config.tokens_path(address).unlink(missing_ok=True)  # of no use any more, and a secret
    return path


@dataclass(frozen=True, slots=True)
class LoginService:
    """A login service as the command line sees it; every method raises ConnectionFailed or LoginRefused."""

    client: OAuthClient

    @classmethod
    def discovered(cls, issuer: str, client_id: str, client_secret: str, scope: str) -> LoginService:
        from supportdesk.mail.oauth import discover

        return cls(discover(issuer, client_id, client_secret, scope))

    def ask_for_code(self) -> DeviceCode:
        from supportdesk.mail.oauth import ask_for_code

        return ask_for_code(self.client, datetime.now(UTC))

    def wait_for_entry(self, code: DeviceCode) -> Tokens:
        from supportdesk.mail.oauth import wait_for_entry

        clock = SystemClock()
        return wait_for_entry(self.client, code, clock.now, clock.sleep)

    def begin_consent(self, redirect_url: str, login_hint: str) -> Consent:
        from supportdesk.mail.oauth import begin_consent

        return begin_consent(self.client, redirect_url, login_hint)

    def redeem(self, consent: Consent, redirected: str) -> Tokens:
        from supportdesk.mail.oauth import redeem

        return redeem(self.client, consent, redirected, datetime.now(UTC))


def open_source(server: Server, secret: Secret) -> MailSource:
    """A connection to an IMAP server that no mailbox has yet: to try it out before it is saved."""
    from supportdesk.mail.imap import ImapSource

    return ImapSource(server, secret)


def open_transport(server: Server, secret: Secret) -> MailTransport:
    """The same for an SMTP server; it has logged in when this returns."""
    from supportdesk.mail.smtp import SmtpTransport

    transport = SmtpTransport(server, secret)
    try:
        transport.check()
    except BaseException:
        transport.close()
        raise
    return transport


def back_up(config: Config, file: Path, progress: Callable[[int, int], None] | None = None) -> BackupReport:
    """Write the whole desk into one verified file. Raises StoreError, NotFound."""
    from supportdesk.store.backup import backup

    refuse_missing(config)
    return backup(config.database, file, progress)


def replaces_no_backup(file: Path) -> bool:
    """Whether a backup under this name would write over something else than an earlier backup."""
    from supportdesk.store.backup import replaces_no_backup as look

    return look(file)


def verify_backup(file: Path) -> BackupReport:
    """Read a backup whole. Raises StoreError for one that must not be restored."""
    from supportdesk.store.backup import verify

    return verify(file)


def restore(config: Config, file: Path) -> RestoreReport:
    """Replace the desk by a backup; what it replaces is kept aside. Raises StoreError: then nothing has changed."""
    from supportdesk.store.backup import restore

    report = restore(file, config.database)
    _flag_replies_in_doubt(config.database)
    return report


def copy_desk(
    source: str,
    target: str,
    *,
    move: bool,
    replace: bool,
    dry_run: bool,
    progress: Callable[[str, int, int], None],
    stop: Callable[[], bool],
) -> CopyReport:
    """Copy or move the desk into another database. Raises StoreError, Conflict, NotFound: then nothing has changed."""
    from supportdesk.store.copy import copy_desk

    report = copy_desk(source, target, move=move, replace=replace, dry_run=dry_run, progress=progress, stop=stop)
    if report.uncertain:
        _flag_replies_in_doubt(target)
    return report


def reopen(database: str) -> int:
    """Open a desk again that had moved away; how many of its replies are in doubt now. Raises Conflict, StoreError."""
    from supportdesk.store.copy import reopen

    uncertain = reopen(database)
    _flag_replies_in_doubt(database)
    return uncertain


def _flag_replies_in_doubt(database: str) -> None:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.restored import flag_replies_in_doubt
    from supportdesk.store import open_store

    desk = Desk(open_store(database), SystemClock())
    try:
        flag_replies_in_doubt(desk)
    finally:
        desk.store.close()


def upgrade(config: Config) -> Path | None:
    """Bring the schema up to date; returns the backup that was taken first, None if there was nothing to do."""
    from supportdesk.store import create_or_upgrade

    refuse_missing(config)
    return create_or_upgrade(config.database)


def foresee_upgrade(config: Config) -> Upgrade:
    """The dry run of `upgrade`. Raises StoreError for a newer schema."""
    from supportdesk.store.upgrade import foresee_upgrade as look

    refuse_missing(config)
    return look(config.database)


def find_faults(config: Config, *, deep: bool) -> list[Fault]:
    """What is wrong inside the database: for `doctor`. Raises StoreError."""
    from supportdesk.store.checks import find_faults

    return find_faults(config.database, deep=deep)


def mend_fault(config: Config, fault: str) -> None:
    """Repair what `find_faults` called mendable. Raises NotFound, StoreError."""
    from supportdesk.store.checks import mend

    mend(config.database, fault)


def database_facts(config: Config, *, deep: bool = True) -> DatabaseFacts:
    """What the database and its driver are: for `doctor`."""
    from supportdesk.store.facts import read_facts

    return read_facts(config.database, deep=deep)


def refuse_missing(config: Config) -> None:
    """Raises NotFound where the configured database is a file that is not there."""
    if is_file(config.database) and not database_path(config).exists():
        raise NotFound(
            _("there is no desk at {database}").format(database=config.database),
            hint=_("run `supportdesk init`, or name it with --database"),
        )


def process_figures() -> dict[str, float | None]:
    """What only this process can measure: how long it waited for the lock and how long mail took to be read, in ms."""
    from supportdesk.mail.child import PARSE_SECONDS
    from supportdesk.store.gauges import p99_ms
    from supportdesk.store.lock import WAITS

    return {"lock_wait_p99_ms": p99_ms(sorted(WAITS)), "parse_p99_ms": p99_ms(sorted(PARSE_SECONDS))}


def open_archive(paths: Sequence[Path], *, now: datetime, everything: bool) -> DiskArchive:
    """What lies below some paths of this machine: mbox files, Maildirs, .eml files. Looked through, not yet read."""
    from supportdesk.desk.fetch import MAX_SIZE
    from supportdesk.mail.on_disk import DiskArchive

    return DiskArchive(paths, now=now, max_size=MAX_SIZE, everything=everything)


def open_parser() -> MailParserPool:
    from supportdesk.mail.child import MailParserPool

    return MailParserPool(detector="supportdesk.l10n.detect:language_of")


def shrink_picture(data: bytes, width: int, height: int) -> Picture | None:
    """An attached picture, decoded in a contained process; None where Pillow (extra `images`) is not installed."""
    from supportdesk.mail.child import MailParserPool
    from supportdesk.mail.pictures import available

    if not available():
        return None
    with MailParserPool(1) as pool:
        return pool.shrink_picture(data, width, height)
