"""Desks to measure on: a scratch database that is gone afterwards, empty or filled with any number of tickets.

The filler writes the rows that intake would leave behind, through the store's own bulk inserts: a million tickets in
minutes, the same ones every time. What it writes of a ticket follows from the ticket's number alone.
"""

from __future__ import annotations

import itertools
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from supportdesk.desk.desk import Desk
from supportdesk.desk.model import MAIL, Actor, Agent, Mailbox, standing_views
from supportdesk.store import SqlStore, create_or_upgrade, open_store
from supportdesk.store.connect import Connection
from supportdesk.store.hydrate import ticket_from
from supportdesk.store.statements import insert_rows, select_rows
from supportdesk.store.write.transaction import WriteTransaction
from supportdesk.textfold import fold
from tests.bench.mail_words import DOMAINS, FIRST_NAMES, LAST_NAMES, WORDS
from tests.bench.mails import EPOCH, SUPPORT
from tests.bench.measure import MIB, Options, say
from tests.bench.report import BenchFailed

NOW: Final = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
CHUNK: Final = 500
WORDS_A_MESSAGE: Final = 40
PARAGRAPHS: Final = 1000  # prepared ones, for long messages
SAMPLED: Final = 2000  # messages that tell how long those of a kept desk are
SHORT: Final = 500  # characters that no long message stays below on average

# status, waits for us, kind, share of all tickets: a shop that has answered nearly everything it ever got
_MIX: Final = (
    ("new", True, "human", 2),
    ("open", True, "human", 3),
    ("pending", False, "human", 5),
    ("on_hold", False, "human", 1),
    ("open", False, "notification", 1),
    ("solved", False, "human", 8),
    ("closed", False, "human", 76),
    ("spam", False, "human", 4),
)


@dataclass
class BenchDesk:
    """A desk with one mailbox and three agents on a scratch database."""

    url: str
    store: SqlStore
    desk: Desk
    agents: list[Agent]
    mailbox: Mailbox
    tickets: int = 0
    messages: int = 1  # of each ticket
    body: int = 0  # characters of each of them; 0: some 280

    def grow_to(self, tickets: int) -> None:
        """Fill the desk up to so many tickets; the view counters agree."""
        dice_words = _Vocabulary(self.body)
        while self.tickets < tickets:
            count = min(CHUNK, tickets - self.tickets)
            with self.store.transaction() as tx:
                _write_tickets(tx, self, dice_words, range(self.tickets + 1, self.tickets + count + 1))
            self.tickets += count
            if self.tickets % 20_000 == 0:
                say(f"filling: {self.tickets:,} of {tickets:,} tickets")
        self._advance_identities()
        if self.store.address.is_postgres:
            with self.store.connection() as connection:
                connection.execute("ANALYZE")  # as a server does by itself within a minute
        self.store.fold_view_counts()
        self.store.checkpoint()
        say("")

    def _advance_identities(self) -> None:
        """On Postgres ids that were given do not count; SQLite goes on after the highest by itself."""
        if self.store.address.is_postgres:
            with self.store.connection() as connection:
                for name in ("customer", "customer_identity", "ticket", "message"):
                    connection.execute(
                        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                    )

    def size_on_disk(self) -> int:
        """Bytes of the database."""
        if self.store.address.is_postgres:
            with self.store.connection() as connection:
                return int(connection.execute("SELECT pg_database_size(current_database())")[0][0])
        file = self.store.address.file
        return sum(path.stat().st_size for path in (file, file.with_name(file.name + "-wal")) if path.exists())


@contextmanager
def scratch_desk(database: str = "") -> Iterator[BenchDesk]:
    """A furnished, empty desk on a temporary SQLite file, or on a new database of the server that `database` names."""
    with scratch_database(database) as url:
        create_or_upgrade(url)
        store = open_store(url)
        try:
            yield _furnished(url, store)
        finally:
            store.close()


@contextmanager
def filled_desk(options: Options, size: int) -> Iterator[BenchDesk]:
    """A desk of so many tickets: a scratch one, or the one that the command line names, which is kept."""
    with ExitStack() as stack:
        made = _named_desk(options, stack) if options.desk else stack.enter_context(scratch_desk(options.database))
        if not made.tickets:
            made.messages, made.body = options.messages, options.body
        made.grow_to(size)
        yield made


def described(made: BenchDesk) -> str:
    """What it holds, for the head of a table."""
    kind = "PostgreSQL" if made.store.address.is_postgres else "SQLite"
    of_each = "a message each" if made.messages == 1 else f"{made.messages} messages each"
    with made.store.connection() as connection:
        body = _length_of_a_message(connection)
    length = f" of some {body:,} characters" if body else ""
    size = made.size_on_disk() / MIB
    return f"{made.tickets:,} tickets with {of_each}{length} (tests/bench/desks.py), {kind}, {size:,.0f} MiB"


def _named_desk(options: Options, stack: ExitStack) -> BenchDesk:
    url = options.desk if "://" in options.desk else f"sqlite:///{Path(options.desk).resolve()}"
    create_or_upgrade(url)
    store = open_store(url)
    stack.callback(store.close)
    desk = Desk(store, store.clock)
    if not desk.mailboxes():
        return _furnished(url, store)
    made = BenchDesk(url, store, desk, desk.agents(), desk.mailboxes()[0])
    with store.connection() as connection:
        made.tickets = connection.execute("SELECT coalesce(max(id), 0) FROM ticket")[0][0]
        if made.tickets:
            made.messages = connection.execute("SELECT count(*) FROM message WHERE ticket_id = 1")[0][0]
            made.body = options.body or _length_of_a_message(connection)
    return made


def _length_of_a_message(connection: Connection) -> int:
    """Characters, the mean of messages from all over the desk, to the next hundred; 0 where they are short ones."""
    [(last,)] = connection.execute("SELECT max(id) FROM message")
    spread = sorted({last * at // SAMPLED + 1 for at in range(SAMPLED)})
    marks = ", ".join("?" * len(spread))
    [(mean,)] = connection.execute(f"SELECT avg(length(body)) FROM message WHERE id IN ({marks})", spread)
    return round(int(mean), -2) if mean > SHORT else 0


def open_bench_desk(url: str) -> BenchDesk:
    """The same desk from another process, as it is now."""
    store = open_store(url)
    desk = Desk(store, store.clock)
    return BenchDesk(url, store, desk, desk.agents(), desk.mailboxes()[0])


@contextmanager
def scratch_database(server: str) -> Iterator[str]:
    if not server:
        with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
            yield f"sqlite:///{Path(directory, 'desk.db')}"
        return
    if not server.startswith(("postgresql://", "postgres://")):
        raise BenchFailed(f"--database {server}: give a postgresql:// URL; SQLite needs none (TMPDIR says where)")
    import psycopg
    from psycopg import sql

    name = f"supportdesk_bench_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            base, _, query = server.partition("?")
            yield base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


_numbers = itertools.count(1)


def _furnished(url: str, store: SqlStore) -> BenchDesk:
    desk = Desk(store, store.clock)
    founder = Actor("worker", None, "bench")
    first = desk.add_agent(founder, "giulia", name="Giulia Verdi", languages=("it", "en"))
    others = [desk.add_agent(first.actor(), login, name=login.title()) for login in ("luca", "anna")]
    mailbox = desk.save_mailbox(
        first.actor(),
        {"address": SUPPORT, "name": "Support", "language": "en", "zone": "Europe/Rome", "start_at": EPOCH},
    )
    return BenchDesk(url, store, desk, [first, *others], mailbox)


# ---- the filler ------------------------------------------------------------------------------------------------------


class _Vocabulary:
    """Words of five languages with Zipf's weights, and a tail of names and numbers that nearly nobody uses."""

    def __init__(self, length: int = 0) -> None:
        self._length = length
        self._words = [[word.lower() for word in words] for words in WORDS.values()]
        self._weights = [list(itertools.accumulate(1 / rank for rank in range(1, len(w) + 1))) for w in self._words]
        dice = random.Random(PARAGRAPHS)
        texts = [" ".join(self._drawn(dice, number)) for number in range(PARAGRAPHS)] if length else []
        self._paragraphs = [(text, fold(text)) for text in texts]

    def text(self, dice: random.Random, number: int) -> tuple[str, str]:
        """A text and its folded form; what makes it longer than a short one is drawn from prepared paragraphs."""
        words = self._drawn(dice, number)
        words.insert(dice.randrange(WORDS_A_MESSAGE), f"ORD-{number:07d}")
        words.insert(0, f"{LAST_NAMES[number % len(LAST_NAMES)]}{dice.randrange(9999)}")
        text = " ".join(words)
        folded, length = [fold(text)], len(text)
        pieces, enough = [text], self._length * dice.uniform(0.5, 1.5)
        while length < enough:
            more, tokens = dice.choice(self._paragraphs)
            pieces.append(more)
            folded.append(tokens)
            length += len(more) + 2
        return "\n\n".join(pieces), " ".join(folded)

    def _drawn(self, dice: random.Random, number: int) -> list[str]:
        language = number % len(self._words)
        return dice.choices(self._words[language], cum_weights=self._weights[language], k=WORDS_A_MESSAGE)


def _write_tickets(tx: WriteTransaction, made: BenchDesk, words: _Vocabulary, numbers: range) -> None:
    connection = tx.connection
    rows: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("customer", "customer_identity", "ticket", "participant", "message", "message_mail", "event")
    }
    texts: list[tuple[int, str]] = []
    for number in numbers:
        dice = random.Random(number)
        said = [words.text(dice, number) for _turn in range(made.messages)]
        _add_rows(rows, made, dice, number, [text for text, _folded in said])
        first = (number - 1) * made.messages + 1
        texts += [(at, folded) for at, (_text, folded) in enumerate(said, first)]
    for name, listed in rows.items():
        insert_rows(connection, name, listed)
    if not connection.is_postgres:
        connection.change_many("INSERT INTO message_search (rowid, folded) VALUES (?, ?)", texts)
    connection.change_many("INSERT INTO message_text (message_id, folded) VALUES (?, ?)", texts)
    counts: Counter[tuple[str, int]] = Counter()
    for row in select_rows(connection, "ticket", {"id": list(numbers)}):
        counts.update(standing_views(ticket_from(row)))
    deltas = [{"view": view, "agent_id": agent, "delta": count} for (view, agent), count in counts.items()]
    insert_rows(connection, "view_count_delta", deltas)
    tx.wrote = True


def _add_rows(
    rows: dict[str, list[dict[str, Any]]], made: BenchDesk, dice: random.Random, number: int, texts: Sequence[str]
) -> None:
    """The rows of one ticket; its ids are all its number, but for the customer, who has three tickets."""
    customer = (number + 2) // 3
    name = f"{FIRST_NAMES[customer % len(FIRST_NAMES)]} {LAST_NAMES[customer % len(LAST_NAMES)]}"
    address = f"customer{customer}@{DOMAINS[customer % len(DOMAINS)]}"
    created = NOW - timedelta(minutes=3 * number % 1_000_000)
    subject = " ".join(texts[0].split(None, 6)[1:6]).capitalize()
    if number % 3 == 1:
        rows["customer"].append({"id": customer, "name": name, "language": "it", "created_at": created})
        rows["customer_identity"].append(
            {"id": customer, "customer_id": customer, "kind": "email", "value": address, "value_norm": address}
        )
    status, waits, kind, _share = _pick(dice)
    owner = dice.choice([None, *(agent.id for agent in made.agents)])
    snoozed = status == "open" and dice.random() < 0.05
    rows["ticket"].append({
        "id": number, "subject": subject, "status": status, "kind": kind, "mailbox_id": made.mailbox.id,
        "customer_id": customer, "assignee_id": owner, "language": "it", "created_at": created, "updated_at": created,
        "seq": len(texts), "message_count": len(texts), "last_message_at": created,
        "waiting_since": created if waits else None,
        "due_at": created + timedelta(hours=8) if waits and dice.random() < 0.9 else None,
        "snoozed_until": NOW + timedelta(hours=4) if snoozed else None,
        "snooze_mode": "regardless" if snoozed else None,
        "order_number": f"{number:07d}", "has_attachment": number % 10 == 0, "badges": [],
    })  # fmt: skip
    rows["participant"].append({"ticket_id": number, "identity_id": customer, "role": "requester"})
    for turn, text in enumerate(texts):
        message, ours = (number - 1) * len(texts) + turn + 1, turn % 2 == 1
        rows["message"].append({
            "id": message, "ticket_id": number, "seq": turn + 1, "direction": "out" if ours else "in",
            "author_kind": "agent" if ours else "customer", "identity_id": None if ours else customer,
            "author_name": made.agents[0].name if ours else name, "received_at": created, "created_at": created,
            "subject": subject, "body": text, "language": "it",
        })  # fmt: skip
        rows["message_mail"].append({
            "message_id": message, "mailbox_id": made.mailbox.id, "message_id_norm": f"<{message}@bench.example>",
            "fingerprint": f"{message:x}", "from_name": name, "from_address": SUPPORT if ours else address,
        })  # fmt: skip
    rows["event"].append(
        {"action_id": f"fill-{number}", "ticket_id": number, "actor_kind": MAIL.kind, "kind": "created", "at": created}
    )


_BOUNDS: Final = list(itertools.accumulate(share for *_, share in _MIX))


def _pick(dice: random.Random) -> tuple[str, bool, str, int]:
    return dice.choices(_MIX, cum_weights=_BOUNDS)[0]
