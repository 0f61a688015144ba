"""Making anew what follows from the raw mail alone: text, folds, attachments, language, threading ids, search text.

What was decided stays: threads, classes, senders, statuses, clocks and events. Where today's rules would decide a mail
differently, that is reported. It runs beside the worker, in transactions as short as the intake's; where it was broken
off, it goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from supportdesk import __version__
from supportdesk.desk.agents import check_actor
from supportdesk.desk.clocks import root_of
from supportdesk.desk.intake import Shop, is_full, judge, read_shop
from supportdesk.desk.message_rows import message_rows, message_values
from supportdesk.desk.model import WORKER, TicketId
from supportdesk.desk.ports import Change, Delete, Insert, Plan, Row, Transaction, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.thread_lookup import TransactionLookup
from supportdesk.errors import TryAgain
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.searchable import searchable
from supportdesk.textfold import fold, fold_message

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.arrival import Arrival
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor
    from supportdesk.desk.ports import MailParser
    from supportdesk.mail.classify import Verdict
    from supportdesk.mail.thread import Home, TicketFacts

IDS_AT_ONCE: Final = 200
AHEAD: Final = 16
MOST_TOLD: Final = 10_000
POSITION: Final = "reindex"  # the setting in which an unfinished run is remembered

OF_MESSAGE: Final = ("subject", "body", "body_source", "folds", "links", "language", "external_id")
OF_HEADERS: Final = ("message_id_norm", "in_reply_to", "references", "thread_root", "fingerprint")
OF_FILE: Final = ("part", "name", "content_type", "size", "inline", "content_id")
BY_HAND: Final = frozenset({"released", "sender_verdict"})  # rules by which an agent decided, not a parser


@dataclass(frozen=True, slots=True)
class Difference:
    """What would be decided differently today. `what`: thread, class, sender or unreadable; `message` 0: parked."""

    message: int
    ticket: int | None
    what: str
    was: str
    now: str
    delivery: int | None = None


@dataclass(slots=True)
class Report:
    """What a run did: messages looked at, those of which something changed, by which column; and the differences."""

    messages: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    started_at: int = 1  # the message at which it began: 1, or where the run before was broken off
    search_mended: bool = False
    views_mended: tuple[str, ...] = ()
    complete: bool = False

    def tell(self, difference: Difference) -> None:
        self.counts[difference.what] += 1
        if len(self.differences) < MOST_TOLD:
            self.differences.append(difference)


@dataclass(frozen=True, slots=True)
class _Read:
    """A message, or a parked delivery, with what is read of its raw mail now."""

    message: Row | None
    delivery: Row | None
    mail: ParsedMail | None
    language: str | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _EarlierLookup(TransactionLookup):
    """What threading could know when a message came: nothing that came with it or after it."""

    message_id: int = 0
    now: datetime | None = None

    def ticket(self, ticket: int) -> TicketFacts | None:
        found = TransactionLookup.ticket(self, ticket)
        if found is None or found.status not in ("closed", "spam"):
            return found
        # What became of the ticket later decided nothing then; the guard for long closed ones asks for both times.
        over = found.status == "closed" and found.closed_at is not None and self.now is not None
        return found if over and found.closed_at <= self.now else replace(found, status="open")  # type: ignore[operator]

    def homes_of_message_ids(self, message_ids: Sequence[str]) -> Sequence[Home]:
        named = [one for one in message_ids if one.strip("<> \t")]
        rows = self.tx.rows("message_mail", {"message_id_norm": named}) if named else []
        known = {row["message_id_norm"] for row in rows if row["message_id"] < self.message_id}
        homes = TransactionLookup.homes_of_message_ids(self, [one for one in named if one in known]) if known else ()
        later = [row["message_id"] for row in rows if row["message_id"] >= self.message_id]
        places = {(row["ticket_id"], row["created_at"]) for row in self.tx.rows("message", {"id": later})}
        return [home for home in homes if (home.ticket, home.at) not in places]

    def homes_of_roots(self, roots: Sequence[str]) -> Sequence[Home]:
        return [home for home in TransactionLookup.homes_of_roots(self, roots) if self._was_before(home)]

    def tickets_by_order(self, number: str, customer: str) -> Sequence[int]:
        return [one for one in TransactionLookup.tickets_by_order(self, number, customer) if self._was_there(one)]

    def tickets_of(self, customer: str) -> Sequence[int]:
        return [one for one in TransactionLookup.tickets_of(self, customer) if self._was_there(one)]

    def open_ticket_of(self, customer: str, since: datetime) -> int | None:
        return None  # a hint for agents, never a decision

    def _was_before(self, home: Home) -> bool:
        return self.now is None or home.at < self.now

    def _was_there(self, ticket: int) -> bool:
        first = self.tx.rows("message", {"ticket_id": ticket}, order="id", limit=1)
        return bool(first) and first[0]["id"] < self.message_id


class Reindexer:
    """One run over all messages; `progress` gets how many are done, of how many."""

    def __init__(
        self,
        desk: Desk,
        parser: MailParser,
        *,
        detect: Callable[[str], str | None] | None = None,
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        self._desk = desk
        self._parser = parser
        self._detect = detect  # None: the parser has done that already
        self._stop = stop
        self._progress = progress
        self._folders: dict[int, Row] = {}

    def run(self, actor: Actor) -> Report:
        """Go over everything, or over what an unfinished run of this version has left. Raises NotAllowed."""
        with self._desk.store.transaction() as tx:
            check_actor(tx, actor, "admin")
        report = Report()
        newest = self._desk.read.rows("message", order="-id", limit=1)
        last = int(newest[0]["id"]) if newest else 0
        report.started_at = start = self._unfinished()
        while start <= last:
            end = min(start + IDS_AT_ONCE, last + 1)
            if not self._go_over(list(range(start, end)), report):
                return report
            start = end
            self._remember(start)
            self._progress(start - 1, last)
        for delivery in self._parked():
            if self._stop():
                return report
            self._look_at_parked(delivery, report)
        report.search_mended = self._desk.store.mend_search()
        report.views_mended = self._recount()
        self._remember(None)
        report.complete = True
        return report

    # ---- where it stands ----

    def _unfinished(self) -> int:
        rows = self._desk.read.rows("setting", {"key": POSITION})
        kept: Mapping[str, Any] = (rows[0]["value"] or {}) if rows else {}
        return int(kept["next"]) if kept.get("version") == __version__ else 1

    def _remember(self, position: int | None) -> None:
        """Note at which message to go on; None: there is nothing left."""
        with self._desk.store.transaction() as tx:
            key, stored = {"key": POSITION}, tx.row("setting", {"key": POSITION})
            value = {"next": position, "version": __version__}
            change: Change
            if position is None:
                if stored is None:
                    return
                change = Delete("setting", key, stored)
            elif stored is None:
                change = Insert("setting", {**key, "value": value})
            else:
                change = Update("setting", key, {}, {"value": value})
            tx.apply(Plan(silent=(change,), undoable=False), WORKER, new_action_id())

    def _recount(self) -> tuple[str, ...]:
        for _attempt in range(5):
            try:
                return self._desk.store.recount_views()
            except TryAgain:
                continue
        return ()

    # ---- reading ----

    def _go_over(self, ids: Sequence[int], report: Report) -> bool:
        """All of these; False when it was asked to stop."""
        reading = self._read(self._desk.read.rows("message", {"id": list(ids)}, order="id"))
        waiting: list[_Read] = []
        while not self._stop():
            waiting += islice(reading, AHEAD - len(waiting))
            if not waiting:
                return True
            self._write_some(waiting, report)
        reading.close()
        return False

    def _read(self, messages: Sequence[Row]) -> Generator[_Read]:
        """The messages in order, with their mail as it is read today."""
        ids = [row["id"] for row in messages]
        headers = {row["message_id"]: row for row in self._desk.read.rows("message_mail", {"message_id": ids})}
        deliveries = self._deliveries(ids, headers)
        wanted = (deliveries[one] for one in ids if one in deliveries)
        results = self._parser.parse_many(
            (self._desk.blobs.get(row["raw_sha"]), row["internal_date"]) for row in wanted
        )
        for message in messages:
            delivery = deliveries.get(message["id"])
            result = next(iter(results)) if delivery is not None else None
            if isinstance(result, ParsedMail):
                language = self._detect(result.fresh_text) if self._detect is not None else result.language
                yield _Read(message, delivery, result, language)
            else:
                yield _Read(message, delivery, None, failure=str(result) if result is not None else "")

    def _deliveries(self, ids: Sequence[int], headers: Mapping[int, Row]) -> dict[int, Row]:
        """Of each message that came as a mail, the delivery that brought it, with what the intake knew of it."""
        found: dict[int, Row] = {}
        rows = self._desk.read.rows("delivery", {"message_id": list(ids)}, order="id")
        for row in rows:
            mail = headers.get(row["message_id"])
            if row["outcome"] in ("message", "note") and mail is not None and mail["raw_sha"] == row["raw_sha"] != "":
                found.setdefault(row["message_id"], self._with_folder(row))
        return found

    def _with_folder(self, delivery: Row) -> Row:
        folder_id = delivery["folder_id"]
        if folder_id not in self._folders:
            [self._folders[folder_id]] = self._desk.read.rows("folder", {"id": folder_id})
        folder = self._folders[folder_id]
        return {**delivery, "folder": folder["name"], "role": folder["role"], "mailbox_id": folder["mailbox_id"]}

    def _parked(self) -> Iterator[Row]:
        for row in self._desk.read.rows("parked", {"released_at": None}, order="delivery_id"):
            for delivery in self._desk.read.rows("delivery", {"id": row["delivery_id"], "outcome": "parked"}):
                yield self._with_folder(delivery)

    # ---- writing ----

    def _write_some(self, waiting: list[_Read], report: Report) -> None:
        """One transaction: as many as fit into its time."""
        done = 0
        with self._desk.store.transaction() as tx:
            shop = read_shop(tx)
            while waiting and not is_full(tx, done):
                item = waiting.pop(0)
                report.messages += 1
                _reindex(tx, shop, item, report)
                done += 1

    def _look_at_parked(self, delivery: Row, report: Report) -> None:
        mail = next(iter(self._parser.parse_many([(self._desk.blobs.get(delivery["raw_sha"]), None)])))
        if not isinstance(mail, ParsedMail):
            return
        with self._desk.store.transaction() as tx:
            _arrival, verdict = judge(tx, read_shop(tx), _as_then(delivery, delivery["processed_at"]), mail, None)
        was = f"parked {delivery['reason']}"
        now = f"parked {verdict.park_reason}" if verdict.outcome == "parked" else verdict.kind
        if was != now and not {delivery["reason"], verdict.rule} & BY_HAND:
            report.tell(Difference(0, None, "class", was, now, delivery["id"]))


def _reindex(tx: Transaction, shop: Shop, item: _Read, report: Report) -> None:
    message = tx.row("message", {"id": item.message["id"]}) if item.message is not None else None
    if message is None:
        return
    where = {"message": message["id"], "ticket": message["ticket_id"]}
    if item.mail is None or item.delivery is None or message["kind"] == "stub":
        if item.failure and message["kind"] != "stub":
            report.tell(Difference(**where, what="unreadable", was=message["kind"], now=item.failure))
        if item.mail is not None:
            report.tell(Difference(**where, what="class", was="stub", now="readable"))
        _count(report, _rewrite_text(tx, message["id"], _text_of(tx, message)))
        return
    headers = tx.row("message_mail", {"message_id": message["id"]})
    if headers is None or headers["raw_sha"] != item.delivery["raw_sha"]:
        return  # its whole mail came while its first parts were being read, and was read when it came
    arrival, verdict, changed = rewrite(tx, shop, message, item.delivery, item.mail, item.language)
    _count(report, changed)
    for difference in _differences(tx, message, arrival, verdict):
        report.tell(difference)


def rewrite(
    tx: Transaction, shop: Shop, message: Row, delivery: Row, mail: ParsedMail, language: str | None
) -> tuple[Arrival, Verdict, list[str]]:
    """Make what follows from the mail anew: text, folds, attachments, ids, search text; the columns that changed.

    `delivery` comes with the `folder`, `role` and `mailbox_id` of its folder.
    """
    lookup = _EarlierLookup(tx, message_id=message["id"], now=message["created_at"])
    arrival, verdict = judge(tx, shop, _as_then(delivery, message["created_at"]), mail, language, lookup)
    changed = _rewrite_columns(tx, message, arrival)
    changed += _rewrite_files(tx, message, arrival)
    changed += _rewrite_text(tx, message["id"], searchable(arrival.mail))
    return arrival, verdict, changed


def _as_then(delivery: Row, arrived: datetime | None) -> Row:
    """The delivery as one of the past, so that the rules about time see it on its own day, and no rate counts."""
    at = delivery["internal_date"] if delivery["historic"] else arrived
    return {**delivery, "historic": True, "internal_date": at or delivery["fetched_at"], "outcome": ""}


def _count(report: Report, changed: Sequence[str]) -> None:
    report.changed += bool(changed)
    report.columns.update(changed)


def _rewrite_columns(tx: Transaction, message: Row, arrival: Arrival) -> list[str]:
    values = message_values(tx, arrival, message["ticket_id"], message["seq"], direction=message["direction"])
    headers = next(one.values for one in _inserts(arrival, values, "message_mail"))
    stored = tx.row("message_mail", {"message_id": message["id"]}) or {}
    changed = []
    for table, key, names, before, after in (
        ("message", "id", OF_MESSAGE, message, values),
        ("message_mail", "message_id", OF_HEADERS, stored, headers),
    ):
        new = {name: after[name] for name in names if after[name] != before[name]}
        if new:
            tx.rewrite(table, {key: message["id"]}, new)
        changed += [f"{table}.{name}" for name in new]
    return changed


def _rewrite_files(tx: Transaction, message: Row, arrival: Arrival) -> list[str]:
    """Attachments cut from raw; one that is as it was keeps its number."""
    values = message_values(tx, arrival, message["ticket_id"], message["seq"], direction=message["direction"])
    wanted = [one.values for one in _inserts(arrival, values, "attachment")]
    stored = tx.rows("attachment", {"message_id": message["id"], "blob_sha": ""}, order="id")
    old = [{name: row[name] for name in OF_FILE} for row in stored]
    new = [{name: values[name] for name in OF_FILE} for values in wanted]
    if old == new:
        return []
    changes: list[Change] = [
        Delete("attachment", {"id": row["id"]}, row) for row, known in zip(stored, old, strict=True) if known not in new
    ]
    changes += [Insert("attachment", {**one, "message_id": message["id"]}) for one in new if one not in old]
    if not changes:
        return []
    tx.apply(Plan(silent=tuple(changes), undoable=False), WORKER, new_action_id())
    _recount_files(tx, TicketId(message["ticket_id"]))
    return ["attachment"]


def _recount_files(tx: Transaction, ticket_id: TicketId) -> None:
    ids = [row["id"] for row in tx.rows("message", {"ticket_id": ticket_id}) if row["direction"] != "system"]
    has_files = any(not row["inline"] for row in tx.rows("attachment", {"message_id": ids}))
    if has_files != tx.ticket(ticket_id).has_attachment:
        tx.rewrite("ticket", {"id": ticket_id}, {"has_attachment": has_files})


def _rewrite_text(tx: Transaction, message_id: int, folded: str) -> list[str]:
    stored = tx.row("message_text", {"message_id": message_id})
    if stored is not None and stored["folded"] == folded:
        return []
    tx.index_message(message_id, folded)
    return ["message_text.folded"]


def _text_of(tx: Transaction, message: Row) -> str:
    """The folded text of what is not read from raw mail: our replies, notes, calls, and mail that cannot be read."""
    if message["kind"] in ("note", "call"):
        return fold(message["body"])
    pieces = [message["subject"], message["body"]]
    if message["outbox_id"] is not None:
        people = tx.rows("outbox_recipient", {"outbox_id": message["outbox_id"]}, order="id")
        pieces.append(" ".join(f"{one['name']} {one['address']}" for one in people))
    return fold_message("\n".join(pieces), subject=message["subject"])


def _inserts(arrival: Arrival, values: dict[str, Any], table: str) -> Iterator[Insert]:
    for change in message_rows(arrival, values):
        if isinstance(change, Insert) and change.table == table:
            yield change


# ---- what would be decided differently -------------------------------------------------------------------------------


def _differences(tx: Transaction, message: Row, arrival: Arrival, verdict: Verdict) -> Iterator[Difference]:
    where = {"message": message["id"], "ticket": message["ticket_id"]}
    evidence: Mapping[str, Any] = message["evidence"] or {}
    was = str(evidence.get("kind", ""))
    if was and was != verdict.kind and not {str(evidence.get("rule")), verdict.rule} & BY_HAND:
        yield Difference(**where, what="class", was=was, now=verdict.kind)
    yield from _other_sender(tx, message, arrival, where)
    yield from _other_thread(tx, message, arrival, evidence, where)


def _other_sender(tx: Transaction, message: Row, arrival: Arrival, where: dict[str, Any]) -> Iterator[Difference]:
    identity = tx.row("customer_identity", {"id": message["identity_id"]}) if message["identity_id"] else None
    if identity is not None and arrival.sender is not None:
        now = arrival.sender.address.norm
        if identity["kind"] == "email" and identity["value_norm"] != now:
            yield Difference(**where, what="sender", was=identity["value_norm"], now=now)
            return
    stored = tx.row("message_mail", {"message_id": message["id"]}) or {}
    values = message_values(tx, arrival, message["ticket_id"], message["seq"], direction=message["direction"])
    headers = next(one.values for one in _inserts(arrival, values, "message_mail"))
    for name in ("from_address", "reply_to"):
        if stored.get(name) != headers[name]:
            yield Difference(**where, what="sender", was=f"{name} {stored.get(name)}", now=f"{name} {headers[name]}")


def _other_thread(
    tx: Transaction, message: Row, arrival: Arrival, evidence: Mapping[str, Any], where: dict[str, Any]
) -> Iterator[Difference]:
    """Whether the keys point to another conversation than they did; which guard then held is a matter of that day."""
    home = tx.ticket(TicketId(message["ticket_id"]))
    pointed = arrival.match.matched.id if arrival.match.matched is not None else None
    before = str(evidence.get("key", "none"))
    if pointed is None:
        if before == "none" or not evidence:
            return
        yield Difference(**where, what="thread", was=before, now="none")
        return
    linked = (home.id, home.follow_up_of, home.suggested_id, home.split_from)
    roots = {root_of(tx, TicketId(one)).id for one in linked if one is not None}
    if root_of(tx, TicketId(pointed)).id not in roots:
        yield Difference(**where, what="thread", was=before, now=f"{arrival.match.key} #{pointed}")
