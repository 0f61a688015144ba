"""A furnished desk, a mail server that answers by script, and the deliverer that talks to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.delivery import Deliverer
from supportdesk.mail.model import BuiltMail, RecipientResult, SendResult

if TYPE_CHECKING:
    from supportdesk.desk.model import MailboxId, OutboxRow
    from supportdesk.desk.ports import MailSource, MailTransport
    from tests.support.desk import House

STAGES = ("connected", "mail", "rcpt", "data_started", "dot_sent")
OK = SendResult("sent", "dot_sent", "250 2.0.0 Ok: queued as 7F")


@dataclass
class ScriptedTransport:
    """Goes through the stages and answers with the next verdict; `at` is called at each stage once it was announced."""

    verdicts: list[SendResult] = field(default_factory=list)
    at: Callable[[str], None] = field(default=lambda stage: None)
    sent: list[tuple[BuiltMail, tuple[str, ...]]] = field(default_factory=list)
    closed: int = 0

    def send(self, mail: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        verdict = self.verdicts.pop(0) if self.verdicts else OK
        for stage in STAGES[: STAGES.index(verdict.stage) + 1] if verdict.stage else ():
            on_stage(stage)
            self.at(stage)
        self.sent.append((mail, tuple(recipients)))
        return verdict

    def close(self) -> None:
        self.closed += 1


@dataclass
class Servers:
    made: MailTransport

    def transport(self, mailbox_id: MailboxId) -> MailTransport:
        return self.made

    def source(self, mailbox_id: MailboxId) -> MailSource:
        raise AssertionError("nobody reads mail here")


@dataclass
class Round:
    """One house with a scripted server and the deliverer that talks to it."""

    house: House
    transport: ScriptedTransport = field(default_factory=ScriptedTransport)

    def deliverer(self, owner: str = "w/1", epoch: int = 1) -> Deliverer:
        return Deliverer(self.house.desk, Servers(self.transport), owner=owner, epoch=epoch)

    def held(self, *, undo_seconds: int = 0, after: str = "pending") -> OutboxRow:
        return self.house.reply(self.house.customer_writes(), undo_seconds=undo_seconds, after=after)

    def row(self, row: OutboxRow) -> OutboxRow:
        return self.house.desk.outbox_row(row.id)


@pytest.fixture
def round_(house: House) -> Round:
    return Round(house)


def verdict(
    state: str, stage: str, words: str = "words", *recipients: RecipientResult, account: bool = False
) -> SendResult:
    return SendResult(state, stage, words, recipients, account)
