"""A mailbox proves that it works: it sends a mail to itself and finds it again by its Message-ID.

The Message-ID is signed like a reply's, with a number that no reply has: when the mail is fetched later it is
recognised as our own echo and becomes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.desk.model import WORKER
from supportdesk.desk.settings import ensure_identity
from supportdesk.errors import ConnectionFailed, LoginRefused
from supportdesk.l10n.catalog import _
from supportdesk.mail.compose import build
from supportdesk.mail.model import Address, OutgoingMail
from supportdesk.mail.signed import sign_message_id

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import MailSource, MailTransport

NUMBERS_OF_TESTS = 9 * 10**17  # far above every outbox row
WAIT_SECONDS = 90.0
PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The mail came back: in which folder, after how many seconds."""

    folder: str
    seconds: float
    message_id: str


def send_to_oneself(
    desk: Desk,
    address: str,
    source: MailSource,
    transport: MailTransport,
    *,
    seconds: float = WAIT_SECONDS,
    waiting: Callable[[float], None] = lambda _seconds: None,
) -> SelfTest:
    """Send, then look in the inbox and the junk folder until it is there. Raises ConnectionFailed or LoginRefused."""
    instance, keys = desk.store.run(lambda tx: ensure_identity(tx, WORKER))
    number = NUMBERS_OF_TESTS + secrets.randbelow(10**16)
    message_id = sign_message_id(keys, instance, number, address.rpartition("@")[2])
    mail = build(
        OutgoingMail(
            message_id=message_id,
            date=desk.clock.now(),
            from_=Address("", address),
            to=(Address("", address),),
            cc=(),
            bcc=(),
            subject=_("supportdesk: test of the mailbox"),
            text=_("This mail was sent by supportdesk to itself, to see whether sending and fetching work."),
            language="",
            automatic="auto-generated",
            instance=instance,
        )
    )
    result = transport.send(mail, [address], lambda _stage: None)
    if result.verdict != "sent":
        message = _("{address}: the test mail was not sent: {reason}").format(address=address, reason=result.detail)
        raise (
            LoginRefused(message) if result.account_problem or result.verdict == "failed" else ConnectionFailed(message)
        )
    start = desk.clock.monotonic()
    while (spent := desk.clock.monotonic() - start) < seconds:
        for folder in _where_it_may_be(source):
            if source.find_message_id(folder, message_id):
                return SelfTest(folder, spent, message_id)
        waiting(spent)
        desk.clock.sleep(PAUSE_SECONDS)
    raise ConnectionFailed(
        _("{address}: the test mail was accepted and did not arrive within {seconds} seconds").format(
            address=address, seconds=round(seconds)
        ),
        hint=_("does mail to this address go into the mailbox that was named?"),
    )


def _where_it_may_be(source: MailSource) -> Iterator[str]:
    """Some providers put a mail to oneself into the junk folder, or only into Sent's conversation."""
    found = source.folders()
    for role in ("inbox", "junk"):
        yield from (info.name for info in found if info.role == role)
