"""The composition root: settings → store, mail servers, parser, clock → Desk and the worker's engine.

The only place that names concrete adapters, and only inside functions, so that a command pays for what it uses.
"""

from __future__ import annotations

import getpass
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.config import Config, Credential, find_credential, login_stamp, resolve_password, save_credential
from supportdesk.desk.ports import SystemClock
from supportdesk.errors import ConfigError, ConnectionFailed, NotAllowed, NotFound, UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.accounts import SendingAccounts
    from supportdesk.desk.delivery import Deliverer
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.fetch import Fetcher, Progress
    from supportdesk.desk.intake import Intake
    from supportdesk.desk.model import Agent, Mailbox, MailboxId, Server
    from supportdesk.desk.ports import MailParser, MailServers, MailSource, MailTransport, Store
    from supportdesk.desk.processed import ProcessedMail
    from supportdesk.mail.child import MailParserPool
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


SWEEP_SECONDS = 3600.0
WISH_TRIES = 3


class Engine:
    """What the worker drives: the desk's use cases with real servers behind them. Threads may share it."""

    def __init__(self, config: Config, desk: Desk) -> None:
        self.config = config
        self.desk = desk
        self.servers: MailServers = ServerConnections(desk, config)
        self._parser: MailParserPool | None = None
        self._swept: float | None = None
        self._looked_in_sent: dict[int, datetime] = {}
        self._broken_wishes: Counter[int] = Counter()

    @cached_property
    def accounts(self) -> SendingAccounts:
        """The accounts that mail is sent with, for all deliverers together."""
        from supportdesk.desk.accounts import SendingAccounts

        return SendingAccounts(self.servers, self.desk.clock)

    @property
    def store(self) -> Store:
        return self.desk.store

    @property
    def parser(self) -> MailParser:
        if self._parser is None:
            self._parser = open_parser()
        return self._parser

    def fetcher(
        self,
        mailbox: Mailbox,
        *,
        stop: Callable[[], bool],
        progress: Callable[[Progress], None] | None = None,
        accept_renumbered: bool = False,
        take_junk: bool = False,
    ) -> Fetcher:
        from supportdesk.desk.fetch import Fetcher
        from supportdesk.desk.wanted import wants_junk

        ledger, clock = self.store.ledger, self.desk.clock
        return Fetcher(
            ledger,
            mailbox,
            monotonic=clock.monotonic,
            accept_renumbered=accept_renumbered,
            take_junk=take_junk or wants_junk(mailbox),
            stop=stop,
            progress=progress,
        )

    def grant_wishes(self, mailbox: Mailbox, fetcher: Fetcher, source: MailSource) -> None:
        """What somebody asked to be fetched is no wish any more when it was, or when it cannot be."""
        from supportdesk.desk.wanted import JUNK, fulfilled, wanted_whole

        if fetcher.took_junk:
            fulfilled(self.store, mailbox.id, [JUNK])
        for delivery_id in wanted_whole(mailbox):
            try:
                self.fetch_whole(source, delivery_id)
            except (NotFound, UsageError) as error:
                log.warning("delivery %d stays cut: %s", delivery_id, error.message)
            except ConnectionFailed as error:  # new mail must not wait for ever behind one that breaks it off
                self._broken_wishes[delivery_id] += 1
                if self._broken_wishes[delivery_id] < WISH_TRIES:
                    raise
                log.warning("delivery %d stays cut: %s", delivery_id, error.message)
            fulfilled(self.store, mailbox.id, [delivery_id])

    def fetch_whole(self, source: MailSource, delivery_id: int) -> int:
        from supportdesk.desk.cut_mail import fetch_whole

        return fetch_whole(self.desk, source, self.parser, delivery_id)

    def processed_mail(self, mailbox: Mailbox) -> ProcessedMail:
        from supportdesk.desk.processed import ProcessedMail

        return ProcessedMail(self.store.read, mailbox)

    def intake(self) -> Intake:
        from supportdesk.desk.intake import Intake

        return Intake(self.desk, self.parser)

    def deliverer(self, owner: str, epoch: int) -> Deliverer:
        from supportdesk.desk.delivery import Deliverer

        return Deliverer(self.desk, self.servers, owner=owner, epoch=epoch, accounts=self.accounts)

    def keep_house(self, deliverer: Deliverer, *, stop: Callable[[], bool]) -> None:
        """What is done every minute: the rules of time, orphaned claims, the Sent folders, the store's own upkeep."""
        from supportdesk.desk.housekeeping import keep_house
        from supportdesk.desk.restored import flag_replies_in_doubt
        from supportdesk.desk.sent import look_into_sent

        deliverer.recover()
        flag_replies_in_doubt(self.desk)  # a restore may have died before it did
        keep_house(self.desk)
        self.store.fold_view_counts()
        if self._swept is None or self.desk.clock.monotonic() - self._swept >= SWEEP_SECONDS:
            self._swept = self.desk.clock.monotonic()
            self.store.blobs.sweep()
        self.store.checkpoint()
        self.accounts.close_idle()
        look_into_sent(self.desk, self.servers, looked=self._looked_in_sent, stop=stop)

    def anything_due(self) -> bool:
        """Whether a worker that is asked to leave still has replies to deliver."""
        from supportdesk.desk.delivery import anything_due

        return anything_due(self.desk.read, self.desk.clock.now())

    def figures(self) -> dict[str, float | None]:
        """What only this process can measure, for the row of its lease: `status` reads it there."""
        from supportdesk.mail.child import PARSE_SECONDS
        from supportdesk.store.gauges import p99_ms
        from supportdesk.store.lock import WAITS

        return {"lock_wait_p99_ms": p99_ms(sorted(WAITS)), "parse_p99_ms": p99_ms(sorted(PARSE_SECONDS))}

    def next_due(self) -> datetime | None:
        """When the next reply is to be delivered."""
        from supportdesk.desk.delivery import next_due

        return next_due(self.desk.read)

    def bring_forward(self, mailboxes: Sequence[MailboxId]) -> None:
        """Try at once what waits because these mailboxes' accounts could not be used."""
        from supportdesk.desk.delivery import bring_forward

        if mailboxes:
            bring_forward(self.desk, mailboxes)

    def login_stamp(self) -> tuple[object, ...]:
        """Something that differs when somebody has logged in anew on this machine."""
        return login_stamp(self.config)

    def note_mailbox_health(self, mailbox_id: MailboxId, error: str) -> None:
        from supportdesk.desk.fetch import note_health

        note_health(self.store, mailbox_id, error)

    def close(self) -> None:
        if self._parser is not None:
            self._parser.close()
        self.accounts.close()
        self.store.close()


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


def open_engine(config: Config) -> Engine:
    return Engine(config, open_desk(config))


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
