"""What the worker drives: the desk's use cases with real mail servers behind them.

It decides nothing: which servers and which parser comes from `bootstrap`, what is done with mail from `desk`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from supportdesk.bootstrap import ServerConnections, open_desk, open_parser, process_figures
from supportdesk.config import Config, login_stamp
from supportdesk.errors import ConnectionFailed, NotFound, UsageError

if TYPE_CHECKING:
    from supportdesk.bootstrap import MailParserPool
    from supportdesk.desk.accounts import SendingAccounts
    from supportdesk.desk.delivery import Deliverer
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.fetch import Fetcher, Progress
    from supportdesk.desk.intake import Intake
    from supportdesk.desk.model import Mailbox, MailboxId
    from supportdesk.desk.ports import MailParser, MailServers, MailSource, Store
    from supportdesk.desk.processed_mail import ProcessedMail

log = logging.getLogger("supportdesk.engine")

SWEEP_SECONDS = 3600.0
WISH_TRIES = 3


def open_engine(config: Config) -> Engine:
    return Engine(config, open_desk(config))


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
        from supportdesk.desk.fetch_requests import wants_junk

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
        from supportdesk.desk.fetch_requests import JUNK, fulfilled, wanted_whole

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
        from supportdesk.desk.processed_mail import ProcessedMail

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
        from supportdesk.desk.sent_folder import look_into_sent

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
        return process_figures()

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
