"""From a mail in the ledger to its one outcome: message, note, parked, duplicate or echo; a stub if it is unreadable.

Reading and language detection happen before the transaction; inside it the facts are gathered, the verdict is given and
written, each mail in a savepoint of its own. A crash anywhere makes the next run repeat the same mail and find nothing
done. What a human's mail does to a ticket is in `desk.incoming`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid5

from supportdesk.desk import incoming
from supportdesk.desk.acknowledgements import ack_facts, acknowledge, is_switched_on
from supportdesk.desk.arrival import Arrival
from supportdesk.desk.automatic_texts import warm_up
from supportdesk.desk.correspondents import Correspondent, find_correspondent
from supportdesk.desk.delivery_verdicts import confirm_delivered
from supportdesk.desk.first_parts import PARTIAL, find_whole
from supportdesk.desk.forwarded import forwarded_by_agent, note_forward
from supportdesk.desk.mail_origin import is_our_own, may_be_our_blind_copy, tag_as_labelled
from supportdesk.desk.model import MAIL, ActionId, Mailbox, MailboxId, OutboxId
from supportdesk.desk.parked import as_released
from supportdesk.desk.ports import Insert, PlannedEvent, Row, Transaction
from supportdesk.desk.settings import DeskSettings, ensure_identity, mailbox_of, settings_in
from supportdesk.desk.thread_lookup import TransactionLookup
from supportdesk.errors import AlreadyDone, Conflict, StoreFailed, TryAgain
from supportdesk.l10n.catalog import _
from supportdesk.mail.classify import Facts, Verdict, classify, effective_sender, own_domains
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.recipients import OwnAddresses
from supportdesk.mail.signed import SignedMessage, SigningKeys, read_message_id
from supportdesk.mail.thread import ThreadContext, match, match_report

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import MailParser

log = logging.getLogger("supportdesk.intake")

WORK = "intake"  # one transaction at a time, of whatever process: a mail must find what came before it
BATCH = 200
ARCHIVE_BATCH = 1000
LOOKED_UP = 8  # mails whose facts are looked up at once: about as many as a transaction takes in
AHEAD = 32  # mails that wait to be written while the next ones are being read: more than a transaction takes in
TRANSACTION_SECONDS = 0.018  # no mail is begun that may end after that; with its commit a transaction stays near 20 ms
TRIES = 3
OVERTAKEN = 20  # times in a row that somebody may be quicker at a mail's ticket: more is no coincidence
NAMESPACE = UUID("b7a5c8de-94a1-4c55-8f43-6d4a0d1e7a10")


class _Detect(Protocol):
    def __call__(self, text: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Shop:
    """What does not change from mail to mail: who we are and how we sign."""

    instance: str
    keys: SigningKeys
    settings: DeskSettings
    mailboxes: Mapping[int, Mailbox]
    own: OwnAddresses
    domains: frozenset[str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery with what was read of it; `mail` is None when it cannot be read."""

    delivery: Row
    mail: ParsedMail | None
    failure: str = ""
    language: str | None = None
    overtaken: int = 0  # how often somebody changed the same rows first


class Intake:
    """Processes what the ledger holds, from the database alone."""

    def __init__(self, desk: Desk, parser: MailParser, detect: _Detect | None = None) -> None:
        self._desk = desk
        self._parser = parser
        self._detect = detect  # None: the parser has done that already
        self._is_warm = False  # whether the first acknowledgement finds everything loaded

    def process(self, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Bring up to 200 deliveries of each mailbox to their outcome, or one attempt nearer to it; how many."""
        done, mailboxes = 0, self._desk.mailboxes()
        if not self._is_warm and any(is_switched_on(mailbox) for mailbox in mailboxes):
            warm_up()
            self._is_warm = True
        for mailbox in mailboxes:
            if stop() or mailbox.settings.get("unconfirmed"):
                continue  # what a first connection found waits for the admin's word
            rows = self._desk.store.ledger.unprocessed(BATCH, mailbox_id=mailbox.id)
            done += sum(self._process_rows(rows, stop))
        return done

    def process_all(self, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Go on until nothing is left."""
        done = 0
        while not stop() and (some := self.process(stop=stop)):
            done += some
        return done

    def process_archive(
        self, mailbox_id: MailboxId, *, stop: Callable[[], bool], progress: Callable[[int], None]
    ) -> None:
        """Bring all imported mail of a mailbox to its outcome, oldest first; `progress` gets what each step did."""
        unprocessed = self._desk.store.ledger.unprocessed
        while not stop() and (rows := unprocessed(ARCHIVE_BATCH, mailbox_id=mailbox_id, imported=True)):
            for some in self._process_rows(rows, stop):
                progress(some)

    def _process_rows(self, rows: Sequence[Row], stop: Callable[[], bool]) -> Iterator[int]:
        """Bring deliveries to their outcome, in their order; how many each transaction brought there."""
        waiting: list[Prepared] = []
        with closing(self._prepare(rows)) as prepared:
            while not stop():
                waiting += islice(prepared, AHEAD - len(waiting))
                if not waiting:
                    break
                yield self._write_some(waiting)

    def _prepare(self, rows: Sequence[Row]) -> Generator[Prepared]:
        """The mails in order; the parser reads on while the caller writes what it was given."""
        blobs = self._desk.store.blobs
        mails = ((blobs.get(row["raw_sha"]), row["internal_date"]) for row in rows if row["raw_sha"])
        results = self._parser.parse_many(mails)
        for row in rows:
            result = next(results) if row["raw_sha"] else None
            if isinstance(result, ParsedMail):
                language = self._detect(result.fresh_text) if self._detect is not None else result.language
                yield Prepared(row, result, language=language)
            elif result is None:
                yield Prepared(row, None, _("the server did not supply the message"))
            else:
                yield Prepared(row, None, result.message)

    def _write_some(self, waiting: list[Prepared]) -> int:
        """One transaction: as many of the waiting mails as fit into its time."""
        done, tried, before = 0, 0, 0.0
        failed: list[tuple[Row, str]] = []
        stored: dict[int, Row] = {}
        with self._desk.store.transaction() as tx:
            tx.only_one(WORK)
            shop = read_shop(tx)
            while waiting and not is_full(tx, tried, before):
                item = waiting.pop(0)
                if item.mail is None:
                    failed.append((item.delivery, item.failure))
                    continue
                if item.delivery["id"] not in stored:
                    stored |= look_up(tx, [item, *waiting[: LOOKED_UP - 1]])
                before = before or tx.elapsed()
                try:
                    with tx.savepoint():
                        done += take_in(tx, shop, item, stored.get(item.delivery["id"]))
                except (TryAgain, StoreFailed):
                    raise
                except AlreadyDone:
                    log.info("delivery %d was written by another process meanwhile", item.delivery["id"])
                except Exception as error:  # one mail that cannot be written must not stop the next
                    if isinstance(error, Conflict) and item.overtaken < OVERTAKEN:  # what was changed is read anew
                        waiting.insert(0, replace(item, overtaken=item.overtaken + 1))
                        break
                    log.exception("delivery %d failed", item.delivery["id"])
                    failed.append((item.delivery, f"{type(error).__name__}: {error}"))
                tried += 1
        for delivery, words in failed:
            done += self._give_up_on(delivery, words)
        return done

    def _give_up_on(self, delivery: Row, words: str) -> bool:
        """Count the attempt; after the third one the mail becomes a stub ticket with its original. True: a step on."""
        attempts = self._desk.store.ledger.note_failure(delivery["id"], words[:500])
        if attempts < TRIES and delivery["raw_sha"]:
            return True
        with self._desk.store.transaction() as tx:
            tx.only_one(WORK)
            stored = tx.row("delivery", {"id": delivery["id"]})
            if stored is None or stored["outcome"]:
                return False
            joined = {**delivery, **stored}
            known = tx.rows("message_mail", {"fingerprint": incoming.stub_fingerprint(joined)}, limit=1)
            if known and joined["raw_sha"]:
                incoming.settle(tx, joined, "duplicate", known[0]["message_id"], "same_bytes", _action(joined))
            else:
                incoming.write_stub(tx, joined, words, _action(joined))
            return True


def is_full(tx: Transaction, mails: int, before: float = 0.0) -> bool:
    """Whether a batch of so many mails ends here: somebody waits to write, or another mail may well take too long.

    `before` is what the transaction had worked before the first of them.
    """
    if not mails:
        return False
    worked = tx.elapsed()
    return worked + (worked - before) / mails > TRANSACTION_SECONDS or tx.is_awaited()


def read_shop(tx: Transaction) -> Shop:
    return tx.remember("shop", lambda: _make_shop(tx))


def _make_shop(tx: Transaction) -> Shop:
    instance, keys = ensure_identity(tx, MAIL)
    mailboxes = {row["id"]: mailbox_of(row) for row in tx.rows("mailbox")}
    addresses = [address for mailbox in mailboxes.values() for address in mailbox.addresses]
    return Shop(instance, keys, settings_in(tx), mailboxes, OwnAddresses.of(addresses), own_domains(addresses))


def look_up(tx: Transaction, items: Sequence[Prepared]) -> dict[int, Row]:
    """The ledger rows of these mails as they are now; what nearly every mail asks in vain is asked for all of them."""
    mails = [item.mail for item in items if item.mail is not None]
    own_ids = [mail.message_id for mail in mails]
    named = [name for mail in mails for name in (*mail.in_reply_to, *mail.references)]
    people = [one.norm for mail in mails for one in (*mail.from_, *mail.sender, *mail.reply_to, *mail.cc)]
    tx.expect(
        {
            ("message_mail", "fingerprint"): [mail.fingerprint for mail in mails],
            ("message_mail", "message_id_norm"): [*own_ids, *named],
            ("message_mail", "thread_root"): [*own_ids, *named],
            ("customer_identity", "value_norm"): people,
            ("event", "action_id"): [_action(item.delivery) for item in items],
        }
    )
    return {row["id"]: row for row in tx.rows("delivery", {"id": [item.delivery["id"] for item in items]})}


def take_in(tx: Transaction, shop: Shop, item: Prepared, delivery: Row | None) -> bool:
    """Give one delivery its outcome, by its row as it is now; False when another process was quicker."""
    if delivery is None or delivery["outcome"]:
        return False
    joined = {**item.delivery, **delivery}
    mail = item.mail
    assert mail is not None, "an unreadable mail becomes a stub, not a message"
    same = {"fingerprint": mail.fingerprint}
    known = tx.rows("message_mail", same, limit=1, columns=("message_id",)) if mail.fingerprint else []
    message_id = known[0]["message_id"] if known else None
    if message_id is None and joined["reason"] == PARTIAL:
        message_id = find_whole(tx, mail)
    if message_id is not None:
        incoming.settle(tx, joined, "duplicate", message_id, "same_content", _action(joined))
        return True
    arrival, verdict = judge(tx, shop, joined, mail, item.language)
    named = {"message_id_norm": mail.message_id}
    if mail.message_id and tx.rows("message_mail", named, limit=1, columns=("message_id",)):
        arrival = replace(arrival, reuses_id=True)
    match verdict.outcome:
        case "echo":
            _take_back_echo(tx, shop, joined, mail)
        case "parked":
            _park(tx, joined, mail, arrival, verdict)
        case "note":
            incoming.write_note(tx, arrival)
        case _:
            ticket_id, message_id = incoming.write_message(tx, arrival)
            acknowledge(tx, arrival, ticket_id, message_id)
            note_forward(tx, arrival, ticket_id, message_id)
            tag_as_labelled(tx, joined, mail, arrival.action_id)
    return True


def judge(
    tx: Transaction,
    shop: Shop,
    delivery: Row,
    mail: ParsedMail,
    language: str | None,
    lookup: TransactionLookup | None = None,
) -> tuple[Arrival, Verdict]:
    """Echo → report → thread match → machine-mail rules: the facts in that order, then the verdict. Writes nothing."""
    mailbox = _mailbox_written_to(shop, delivery, mail)
    forward = forwarded_by_agent(tx, delivery, mail, mailbox, shop.own)
    mail = forward.mail if forward is not None else mail
    sent = is_our_own(delivery, mail, shop.own, shop.domains)
    copied = not sent and may_be_our_blind_copy(mail, mailbox, shop.own)
    ours = read_message_id(shop.keys, shop.instance, mail.message_id)
    address = effective_sender(mail, shop.own, shop.domains)
    sender = find_correspondent(tx, address, tx.now) if address is not None and not (sent or copied) else None
    context = ThreadContext(
        keys=shop.keys,
        instance=shop.instance,
        now=_as_of(delivery, tx.now),
        sender=address,
        sender_is_agent=sent or copied,
        order_pattern=mailbox.order_pattern,
        reopen_within=timedelta(days=shop.settings.reopen_days),
    )
    lookup, recent = lookup or TransactionLookup(tx, sender), _newest_messages(tx, sender, mailbox)
    found = match_report(mail, lookup, context) if mail.report is not None else match(mail, lookup, context)
    facts = Facts(
        own=shop.own,
        own_domains=shop.domains,
        instance=shop.instance,
        message_id_is_ours=isinstance(ours, SignedMessage),
        answers_ours=found.answers_ours,
        threads=found.ticket is not None,
        found_in_sent=sent or (copied and found.ticket is not None),
        sender_verdict=sender.verdict if sender is not None else "",  # type: ignore[arg-type]
        sender_last_hour=1 + sum(row["received_at"] >= tx.now - timedelta(hours=1) for row in recent),
        imported=delivery["historic"],
        ack=ack_facts(tx, mailbox, mail, sender, recent),
    )
    verdict = as_released(delivery, classify(mail, facts))
    if forward is not None and verdict.acknowledge:
        verdict = replace(verdict, acknowledge=False, no_ack_reason="forwarded")
    if delivery["role"] == "junk" and verdict.acknowledge:
        verdict = replace(verdict, acknowledge=False, no_ack_reason="junk")
    arrival = Arrival(
        delivery=delivery,
        mail=mail,
        mailbox=mailbox,
        verdict=verdict,
        match=found,
        sender=sender,
        own=shop.own,
        language=language,
        action_id=_action(delivery),
        forward=forward,
    )
    return arrival, verdict


def _as_of(delivery: Row, now: datetime) -> datetime:
    """The time by which a ticket is long closed: history threads as on its own day, or no conversation would hold."""
    at: datetime | None = delivery["internal_date"] if delivery["historic"] else None
    return min(at, now) if at is not None else now


def _mailbox_written_to(shop: Shop, delivery: Row, mail: ParsedMail) -> Mailbox:
    """The mailbox whose address the customer used (INGEST-4), else the one that the mail was fetched from."""
    written = [*mail.delivered_to, *(address.addr for address in (*mail.to, *mail.cc))]
    fetched_from = shop.mailboxes[delivery["mailbox_id"]]
    candidates = [fetched_from, *(mailbox for mailbox in shop.mailboxes.values() if mailbox.id != fetched_from.id)]
    for address in written:
        for mailbox in candidates:
            if address in OwnAddresses.of(mailbox.addresses):
                return mailbox
    return fetched_from


def _newest_messages(tx: Transaction, sender: Correspondent | None, mailbox: Mailbox) -> list[Row]:
    """What the sender wrote last: more than the rules count. The texts are for those of acknowledgements alone."""
    if sender is None or not isinstance(sender.identity_id, int):
        return []
    columns = ("received_at", "created_at", *(("body",) if is_switched_on(mailbox) else ()))
    return tx.rows("message", {"identity_id": sender.identity_id}, order="-id", limit=25, columns=columns)


def _take_back_echo(tx: Transaction, shop: Shop, delivery: Row, mail: ParsedMail) -> None:
    """Our own mail came back or lies in Sent: it proves a delivery that was in doubt (OUT-6)."""
    signed = read_message_id(shop.keys, shop.instance, mail.message_id)
    assert isinstance(signed, SignedMessage)
    confirm_delivered(tx, OutboxId(signed.outbox_id), "our copy was found in the mailbox")
    rows = tx.rows("message", {"outbox_id": signed.outbox_id}, limit=1)
    incoming.settle(tx, delivery, "echo", rows[0]["id"] if rows else None, "own_message_id", _action(delivery))


def _park(tx: Transaction, delivery: Row, mail: ParsedMail, arrival: Arrival, verdict: Verdict) -> None:
    if tx.rows("delivery", {"outcome": "parked", "raw_sha": delivery["raw_sha"]}, limit=1):
        incoming.settle(tx, delivery, "duplicate", None, "same_bytes", _action(delivery))
        return
    row = {
        "delivery_id": delivery["id"],
        "reason": verdict.park_reason,
        "sender": str(verdict.sender or ""),
        "subject": mail.subject,
        "received_at": arrival.received_at(tx.now),
        "evidence": arrival.evidence(),
        "looked_at": tx.now if delivery["imported"] else None,  # it is there to be found; nobody has to see to it
    }
    incoming.settle(
        tx, delivery, "parked", None, verdict.park_reason, _action(delivery), Insert("parked", row),
        event=PlannedEvent(None, "parked", {"delivery_id": delivery["id"], "reason": verdict.park_reason}),
    )  # fmt: skip


def _action(delivery: Row) -> ActionId:
    """One delivery is one action, whoever processes it: a repetition is recognised."""
    return _action_of(delivery["folder_id"], delivery["uidvalidity"], delivery["uid"])


@lru_cache(maxsize=2 * AHEAD)
def _action_of(folder_id: int, uidvalidity: int, uid: int) -> ActionId:
    return ActionId(str(uuid5(NAMESPACE, f"{folder_id}:{uidvalidity}:{uid}:")))
