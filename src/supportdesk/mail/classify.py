"""What a mail is: a human's, a machine's, a bounce, our own; and whether it may be acknowledged (domain.md section 5).

Facts in, verdict out. The rules stand in the order of the table, after echoes and reports; the first that knows the
answer gives it, and says what it saw. Nothing is ever dropped: the worst that a rule can do is to park.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from supportdesk.mail.acknowledge import AckFacts, why_not_acknowledged
from supportdesk.mail.bounce_words import is_hard
from supportdesk.mail.evidence import Evidence
from supportdesk.mail.machine import (
    absence_evidence,
    automatic_keyword,
    bulk_evidence,
    find_form_sender,
    is_no_reply,
    is_robot,
    local_part,
)
from supportdesk.mail.model import Address
from supportdesk.mail.phrases import SHARED_DOMAINS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from supportdesk.mail.model import ParsedMail, ReportedRecipient
    from supportdesk.mail.recipients import OwnAddresses

Kind = Literal["echo", "own_reply", "human", "bounce", "out_of_office", "notification", "note", "park"]
Outcome = Literal["echo", "message", "note", "parked"]
ParkReason = Literal["", "loop", "bounce", "auto", "sender", "blocked"]
SenderVerdict = Literal["", "ticket", "notification", "park", "block"]

MESSAGES_AN_HOUR = 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What the mail itself does not say: who we are, what we know of its ids and of its sender."""

    own: OwnAddresses
    own_domains: frozenset[str] = frozenset()
    instance: str = ""
    message_id_is_ours: bool = False  # its Message-ID carries our valid mac
    answers_ours: bool = False  # In-Reply-To or References name a message that we sent
    threads: bool = False  # the thread match joins a ticket; for a report: the original is known
    found_in_sent: bool = False  # it lies in our Sent folder, or is our Bcc to ourselves
    sender_verdict: SenderVerdict = ""  # set by an agent for the effective sender
    sender_last_hour: int = 0  # messages of the effective sender by received time, this one included
    imported: bool = False
    ack: AckFacts = field(default_factory=AckFacts)


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """What a report says about one address. `flags_address`: hard, and about the address; `opens_ticket`: given up."""

    address: str
    status: str
    diagnostic: str
    opens_ticket: bool
    flags_address: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, stored on the message with its reason. Codes only; the words are the catalogs'."""

    kind: Kind
    outcome: Outcome
    rule: str
    sender: Address | None  # whose mail it is: the human inside a form or a certified mail
    evidence: tuple[Evidence, ...] = ()
    park_reason: ParkReason = ""
    moves_clock: bool = False
    join_newest: bool = False  # no thread, too many: joins the sender's newest open ticket, with a banner
    bounced: tuple[BouncedRecipient, ...] = ()
    acknowledge: bool = False
    no_ack_reason: str = ""


def classify(mail: ParsedMail, facts: Facts) -> Verdict:
    """Decide what a mail is; total: the last rule always answers."""
    for rule in RULES:
        verdict = rule(mail, facts)
        if verdict is not None:
            reason = why_not_acknowledged(mail, verdict.kind, verdict.sender, facts.own, facts.ack)
            if reason not in ("not_human", "switched_off") and (facts.imported or facts.threads or verdict.join_newest):
                reason = "imported" if facts.imported else "joins_ticket"
            seen = (*verdict.evidence, *_unread_bounce(mail))
            return replace(verdict, rule=rule.__name__, evidence=seen, acknowledge=not reason, no_ack_reason=reason)
    raise AssertionError("the last rule answers everything")


def effective_sender(mail: ParsedMail, own: OwnAddresses, own_domains: frozenset[str]) -> Address | None:
    """Whose mail it is: the human inside a contact form or a certified mail, else From, Sender, Reply-To, Return-Path.

    The requester, the customer, the sender's verdict and every guard use this address.
    """
    inside = _human_inside(mail, own, own_domains)
    return inside[0] if inside is not None else _outer_sender(mail)


def own_domains(addresses: Iterable[str]) -> frozenset[str]:
    """The domains that are ours because our mailboxes are there; not those where everybody has an address."""
    return frozenset(address.rpartition("@")[2].strip().casefold() for address in addresses) - SHARED_DOMAINS - {""}


def echo(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Before the table: our own mail back, word for word (THREAD-1)."""
    author = _outer_sender(mail)
    if facts.message_id_is_ours and author is not None and author.addr in facts.own:
        return _verdict(mail, facts, "echo", "echo", Evidence("own_message_id", mail.message_id))
    return None


def own_reply(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Our own mail found in Sent is a human reply, unless a program of ours wrote it."""
    if not facts.found_in_sent:
        return None
    keyword = automatic_keyword(mail)
    if keyword:
        seen = Evidence("auto_submitted", keyword)
        return _verdict(mail, facts, "note", "note", seen) if facts.threads else _parked(mail, facts, "auto", seen)
    return _verdict(mail, facts, "own_reply", "message", Evidence("found_in_sent"))


def report(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 3, for what is a report by its form; read and abuse reports are notes (AUTO-3)."""
    if mail.report is None:
        return None
    if mail.report.kind == "dsn":
        return _bounced(mail, facts, Evidence("delivery_report", mail.report.original_message_id))
    seen = Evidence("complaint" if mail.report.kind == "arf" else "read_receipt", mail.report.original_message_id)
    return _verdict(mail, facts, "note", "note", seen) if facts.threads else _parked(mail, facts, "auto", seen)


def own_loop(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 1: our loop header or Message-ID on foreign mail, or From us without a foreign Reply-To."""
    author = _outer_sender(mail)
    instance = (mail.header("X-Supportdesk-Instance") or "").strip().casefold()
    if facts.message_id_is_ours:
        return _parked(mail, facts, "loop", Evidence("own_message_id", mail.message_id))
    if instance and instance == facts.instance.casefold():
        return _parked(mail, facts, "loop", Evidence("own_loop_header", instance))
    if author is None or author.addr not in facts.own:
        return None
    if _certified_human(mail, facts.own) or _foreign_reply_to(mail, author, facts.own, facts.own_domains):
        return None
    return _parked(mail, facts, "loop", Evidence("from_own_mailbox", author.addr))


def sender_verdict(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """What an agent decided for this sender; an absence notice on a ticket stays one."""
    seen = Evidence("sender_verdict", facts.sender_verdict)
    match facts.sender_verdict:
        case "park":
            return _parked(mail, facts, "sender", seen)
        case "block":
            return _parked(mail, facts, "blocked", seen)
        case "notification":
            return _verdict(mail, facts, "notification", "message", seen)
        case "ticket" if not (facts.threads and absence_evidence(mail, answers_ours=facts.answers_ours)):
            return _from_human(mail, facts, seen)
        case _:
            return None


def human_inside(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 2: a contact form or a certified mail brings a human; its receipts are notes."""
    receipt = mail.header("X-Ricevuta")
    if receipt is not None:
        seen = Evidence("pec_receipt", receipt)
        return _verdict(mail, facts, "note", "note", seen) if facts.threads else _parked(mail, facts, "auto", seen)
    inside = _human_inside(mail, facts.own, facts.own_domains)
    # A form never answers us: an automatic answer to our own mail with a Reply-To is an absence notice.
    if inside is None or (facts.answers_ours and automatic_keyword(mail) == "auto-replied"):
        return None
    return _from_human(mail, facts, inside[1])


def bounce(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 3, for what has no report in it: mailer-daemon, or a postmaster with the null reverse-path."""
    author = _outer_sender(mail)
    name = local_part(author)
    if automatic_keyword(mail) == "auto-replied":
        return None
    if name == "mailer-daemon" or (name == "postmaster" and mail.return_path == ""):
        return _bounced(mail, facts, Evidence("mail_server", author.addr if author else ""))
    return None


def out_of_office(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 4: an automatic answer; on a ticket a collapsed note, else parked."""
    seen = absence_evidence(mail, answers_ours=facts.answers_ours)
    if seen is None:
        return None
    if facts.threads:
        return _verdict(mail, facts, "out_of_office", "note", seen)
    return replace(_parked(mail, facts, "auto", seen), kind="out_of_office")


def notification(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 5: a program wrote it, or nobody reads answers to it."""
    keyword = automatic_keyword(mail)
    if keyword:
        return _verdict(mail, facts, "notification", "message", Evidence("auto_submitted", keyword))
    author = _outer_sender(mail)
    if author is not None and (is_no_reply(author) or is_robot(author)):
        return _verdict(mail, facts, "notification", "message", Evidence("no_reply_sender", author.addr))
    return None


def bulk(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 6: a ticket like any other; the acknowledgement is what it does not get."""
    seen = bulk_evidence(mail)
    return None if seen is None else _from_human(mail, facts, seen)


def too_many(mail: ParsedMail, facts: Facts) -> Verdict | None:
    """Row 7: a rate joins, it never parks."""
    return _from_human(mail, facts) if _over_the_rate(facts) else None


def human(mail: ParsedMail, facts: Facts) -> Verdict:
    """Row 8."""
    return _from_human(mail, facts)


RULES: tuple[Callable[[ParsedMail, Facts], Verdict | None], ...] = (
    echo,
    own_reply,
    report,
    own_loop,
    sender_verdict,
    human_inside,
    bounce,
    out_of_office,
    notification,
    bulk,
    too_many,
    human,
)


def _verdict(mail: ParsedMail, facts: Facts, kind: Kind, outcome: Outcome, *evidence: Evidence) -> Verdict:
    return Verdict(kind, outcome, "", effective_sender(mail, facts.own, facts.own_domains), evidence)


def _parked(mail: ParsedMail, facts: Facts, reason: ParkReason, *evidence: Evidence) -> Verdict:
    return replace(_verdict(mail, facts, "park", "parked", *evidence), park_reason=reason)


def _from_human(mail: ParsedMail, facts: Facts, *evidence: Evidence) -> Verdict:
    verdict = replace(_verdict(mail, facts, "human", "message", *evidence), moves_clock=True)
    if not _over_the_rate(facts):
        return verdict
    rate = Evidence("rate", str(facts.sender_last_hour))
    return replace(verdict, join_newest=not facts.threads, evidence=(*evidence, rate))


def _over_the_rate(facts: Facts) -> bool:
    return facts.sender_last_hour > MESSAGES_AN_HOUR and not facts.imported


def _bounced(mail: ParsedMail, facts: Facts, *evidence: Evidence) -> Verdict:
    bounced = tuple(_bounced_recipient(one) for one in mail.report.recipients) if mail.report is not None else ()
    if facts.threads:
        verdict = _verdict(mail, facts, "bounce", "note", *evidence)
    else:
        verdict = replace(_parked(mail, facts, "bounce", *evidence), kind="bounce")
    return replace(verdict, bounced=bounced)


def _unread_bounce(mail: ParsedMail) -> tuple[Evidence, ...]:
    """That the second reader of bounces broke off, with the kind of its error."""
    return tuple(Evidence("bounce_unread", one.detail) for one in mail.defects if one.code == "bounce-unread")


def _bounced_recipient(one: ReportedRecipient) -> BouncedRecipient:
    """A 5.x.x is final; a failure with a 4.x.x means that the server gave up, which says nothing of the address."""
    final = one.status.startswith("5") or one.action == "failed"
    final = final and one.action not in ("delayed", "delivered", "relayed", "expanded")
    hard = final and is_hard(one.status, one.diagnostic)
    return BouncedRecipient(one.address, one.status, one.diagnostic, opens_ticket=final, flags_address=hard)


def _human_inside(mail: ParsedMail, own: OwnAddresses, domains: frozenset[str]) -> tuple[Address, Evidence] | None:
    """The human of row 2, and what gave the address away."""
    author = _outer_sender(mail)
    if author is None or mail.header("X-Ricevuta") is not None:
        return None
    certified = _certified_human(mail, own)
    if certified is not None:
        return certified, Evidence("pec", certified.addr)
    gateway = mail.header("X-Trasporto") is not None
    if not (gateway or author.addr in own or author.domain in domains or is_no_reply(author)):
        return None
    answer_to = _foreign_reply_to(mail, author, own, domains)
    if answer_to is not None:
        return answer_to, Evidence("foreign_reply_to", answer_to.addr)
    in_form = None if gateway else find_form_sender(mail.fresh_text)
    if in_form is not None and _is_foreign_human(in_form, own, domains):
        return in_form, Evidence("form_fields", in_form.addr)
    return None


def _certified_human(mail: ParsedMail, own: OwnAddresses) -> Address | None:
    """The sender of the `postacert.eml` inside a certified mail."""
    if mail.inner is None or mail.inner.kind != "pec":
        return None
    return next((address for address in mail.inner.from_ if address.addr not in own), None)


def _foreign_reply_to(mail: ParsedMail, author: Address, own: OwnAddresses, domains: frozenset[str]) -> Address | None:
    found = (one for one in mail.reply_to if one.norm != author.norm and _is_foreign_human(one, own, domains))
    return next(found, None)


def _is_foreign_human(address: Address, own: OwnAddresses, domains: frozenset[str]) -> bool:
    ours = address.addr in own or address.domain in domains
    return not (ours or is_no_reply(address) or is_robot(address))


def _outer_sender(mail: ParsedMail) -> Address | None:
    written = [*mail.from_, *mail.sender, *mail.reply_to]
    if written:
        return written[0]
    return Address("", mail.return_path) if mail.return_path else None
