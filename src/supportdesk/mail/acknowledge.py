"""Whether an incoming mail may get an automatic acknowledgement: every reason against it (RFC 3834 2, AUTO-5, AUTO-6).

In doubt there is none: a missing acknowledgement costs a customer nothing, a loop costs everybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.mail.machine import automatic_keyword, bulk_evidence, is_no_reply, is_robot

if TYPE_CHECKING:
    from supportdesk.mail.authentication import Dmarc
    from supportdesk.mail.model import Address, ParsedMail
    from supportdesk.mail.recipients import OwnAddresses

FOR_A_TICKET = 1
FOR_AN_ADDRESS_24H = 1
FOR_AN_ADDRESS_7D = 2
FOR_A_DOMAIN_A_MINUTE = 5
FOR_ALL_AN_HOUR = 200
MESSAGES_IN_10_MINUTES = 10
SAME_BODY = 3
MAX_RECEIVED = 50

_BOUNCE_SENDER = re.compile(r"bounces?(?:[+=-].*)?|.*-bounces?|prvs=.*|msprvs\d*=.*|srs[01][=+-].*")


@dataclass(frozen=True, slots=True)
class AckFacts:
    """What was sent and received before; counts are without this mail but for `same_body`."""

    enabled: bool = True  # the mailbox acknowledges
    dmarc: Dmarc = ""  # "" where the mailbox's server does not report it
    for_ticket: int = 0
    for_address_24h: int = 0
    for_address_7d: int = 0
    for_domain_last_minute: int = 0
    for_all_last_hour: int = 0
    sender_last_10_minutes: int = 0
    same_body: int = 1  # mails of this sender with this body, this one included
    bounces: bool = False  # a mail to this address came back for good


def why_not_acknowledged(
    mail: ParsedMail, kind: str, sender: Address | None, own: OwnAddresses, facts: AckFacts
) -> str:
    """The first reason against an acknowledgement as a code, "" when it may be sent."""
    if kind != "human":
        return "not_human"
    if not facts.enabled:
        return "switched_off"
    return _why_not_this_sender(mail, sender, own) or _why_not_this_mail(mail, own, facts) or _why_not_now(facts)


def _why_not_this_sender(mail: ParsedMail, sender: Address | None, own: OwnAddresses) -> str:
    if sender is None:
        return "no_sender"
    reachable = [sender, *mail.reply_to]
    if any(address.addr in own for address in (sender, *mail.from_[:1])):
        return "own_address"
    if any(is_no_reply(address) or is_robot(address) for address in reachable):
        return "no_reply_sender"
    if mail.return_path == "":
        return "null_sender"
    envelope = (mail.return_path or sender.addr).casefold().partition("@")[0]
    if sender.addr.casefold() == (mail.return_path or sender.addr).casefold() and _BOUNCE_SENDER.fullmatch(envelope):
        return "bounce_sender"
    return ""


def _why_not_this_mail(mail: ParsedMail, own: OwnAddresses, facts: AckFacts) -> str:
    if automatic_keyword(mail):
        return "auto_submitted"
    if bulk_evidence(mail) is not None or any(name.casefold().startswith("list-") for name, _ in mail.headers):
        return "bulk"
    if mail.header("Feedback-ID") is not None:
        return "bulk"
    if mail.header("X-Supportdesk-Instance") is not None:
        return "other_desk"
    if not any(address.addr in own for address in (*mail.to, *mail.cc)):
        return "not_addressed_to_us"
    if len(mail.header_all("Received")) > MAX_RECEIVED:
        return "too_many_hops"
    if facts.bounces:
        return "address_bounces"
    if facts.dmarc == "fail":
        return "dmarc_failed"
    return "dmarc_not_passed" if facts.dmarc == "none" else ""


def _why_not_now(facts: AckFacts) -> str:
    caps = (
        ("cap_ticket", facts.for_ticket, FOR_A_TICKET),
        ("cap_address_24h", facts.for_address_24h, FOR_AN_ADDRESS_24H),
        ("cap_address_7d", facts.for_address_7d, FOR_AN_ADDRESS_7D),
        ("cap_domain", facts.for_domain_last_minute, FOR_A_DOMAIN_A_MINUTE),
        ("cap_all", facts.for_all_last_hour, FOR_ALL_AN_HOUR),
        ("sender_rate", facts.sender_last_10_minutes, MESSAGES_IN_10_MINUTES),
        ("same_body", facts.same_body, SAME_BODY),
    )
    return next((reason for reason, count, limit in caps if count >= limit), "")
