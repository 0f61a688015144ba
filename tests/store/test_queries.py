"""A query finds exactly the tickets that its condition describes: 1,000 of them, on every database, by either way."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import AllOf, AnyOf, Condition, Not, Numbered, Property, Query, TicketId, Words
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent
from supportdesk.desk.query import Known, read_query
from supportdesk.store.read import narrow
from supportdesk.store.read.relevance import ranking_of
from supportdesk.textfold import SENDER, SUBJECT, fold_message, marked_term
from tests.store.desk import SmallDesk, action, apply, set_ticket

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from supportdesk.textfold import Term

SEED = 20261121
TICKETS = 60
QUERIES = 1_000
WORDS = ("pacco", "reso", "größe", "東京都", "ordine", "grazie", "ĳs", "İstanbul", "طلب", "colis")
TAGS = ("return", "refund", "vip")
LANGUAGES = ("it", "de", "de-AT", "fr", "")
STATUSES = ("new", "open", "pending", "on_hold", "solved", "closed", "spam")
LAST = datetime.max.replace(tzinfo=UTC)
MARKS = {"": "", "subject": SUBJECT, "from": SENDER}


@pytest.fixture
def full(store: SqlStore, desk: SmallDesk) -> SmallDesk:
    """Sixty more tickets of every kind, some merged, with tags, notes and drafts; some were written to again."""
    chance = random.Random(SEED)
    now = store.clock.now()
    identities = store.read.rows("customer_identity")
    made = [_add(store, desk, chance, identities, now) for _number in range(TICKETS)]
    for _number in range(TICKETS // 3):
        _write_again(store, desk, chance.choice(made), " ".join(chance.choices(WORDS, k=3)))
    for one, into in ((5, 6), (6, 7), (20, 21)):
        merged = {"merged_into": made[into]}
        apply(store, set_ticket(made[one], "merge", {}, merged))
    return desk


def _add(store: SqlStore, desk: SmallDesk, chance: random.Random, identities: list[Any], now: datetime) -> TicketId:
    def some(*values: Any) -> Any:
        return chance.choice(values)

    def ago(hours: int) -> datetime:
        return now - timedelta(hours=hours, minutes=1)

    status = some(*STATUSES)
    over = status in ("solved", "closed", "spam")
    who = some(*identities)
    subject, body = (" ".join(chance.choices(WORDS, k=3)) for _ in range(2))
    values = {
        "subject": subject, "status": status, "kind": some("human", "human", "notification"),
        "language": some(*LANGUAGES), "assignee_id": some(None, desk.anna.id, desk.bruno.id),
        "priority": some("low", "normal", "urgent"), "mailbox_id": some(None, desk.mailbox),
        "customer_id": who["customer_id"], "created_at": ago(some(1, 30, 700)), "updated_at": now,
        "waiting_since": None if over else some(None, ago(1), ago(5), ago(50)),
        "due_at": None if over else some(None, ago(3), now + timedelta(hours=1, minutes=1), now + timedelta(days=3)),
        "snoozed_until": some(None, None, now + timedelta(hours=1), ago(1)),
        "order_number": some("", "5521", "ORD-7"), "has_attachment": some(True, False), "seq": 1, "message_count": 1,
    }  # fmt: skip
    note = some(True, False, False)
    message = {
        "ticket_id": NewRef("ticket"), "seq": 1, "received_at": now, "created_at": now, "subject": subject,
        "body": body, "identity_id": who["id"], "kind": "note" if note else "mail",
    }  # fmt: skip
    with store.transaction() as tx:
        silent = [Insert("message", message, NewRef("message"))]
        silent += [
            Insert("ticket_tag", {"ticket_id": NewRef("ticket"), "tag": tag}) for tag in TAGS if chance.random() < 0.3
        ]
        if chance.random() < 0.2:
            draft = {"ticket_id": NewRef("ticket"), "mailbox_id": desk.mailbox, "created_at": now, "updated_at": now}
            silent.append(Insert("outbox", draft, NewRef("draft")))
        plan = Plan(
            (Insert("ticket", values, NewRef("ticket")),), tuple(silent), (PlannedEvent(NewRef("ticket"), "created"),)
        )
        ids = tx.apply(plan, desk.anna, action()).ids
        tx.index_message(ids["message"], fold_message(f"{subject} {body}", subject=subject, sender=who["value"]))
    return TicketId(ids["ticket"])


def _write_again(store: SqlStore, desk: SmallDesk, ticket: TicketId, body: str) -> None:
    with store.transaction() as tx:
        message = {"ticket_id": ticket, "seq": 2, "received_at": tx.now, "created_at": tx.now, "body": body}
        plan = Plan(silent=(Insert("message", message, NewRef("message")),), events=(PlannedEvent(ticket, "message"),))
        tx.index_message(tx.apply(plan, desk.anna, action()).ids["message"], fold_message(body, subject="", sender=""))


class Oracle:
    """Says of each ticket whether it meets a condition, from whole tables and in plain Python."""

    def __init__(self, store: SqlStore, agent_id: int) -> None:
        read = store.read
        self.now, self.agent_id = store.clock.now(), agent_id
        self.tickets = {row["id"]: row for row in read.rows("ticket")}
        self.messages = read.rows("message", order="id")
        self.known_hits: dict[Words, dict[int, int]] = {}
        self.texts = {row["message_id"]: f" {row['folded']} " for row in read.rows("message_text")}
        self.tags = {(row["ticket_id"], row["tag"]) for row in read.rows("ticket_tag")}
        self.drafts = {row["ticket_id"] for row in read.rows("outbox", {"state": "draft"})}
        self.identities = {row["id"]: row["customer_id"] for row in read.rows("customer_identity")}

    def members(self, query: Query) -> set[int]:
        assert not query.view
        condition = query.condition
        return {
            number
            for number, row in self.tickets.items()
            if row["merged_into"] is None and (condition is None or self.holds(condition, row))
        }

    def listed(self, query: Query, members: set[int]) -> list[int]:
        """The members as a list shows them: open ones by what is due, without a deadline last; others newest first."""
        if any(says_open(part) for part in parts_of(query)):
            return sorted(members, key=lambda number: (self.tickets[number]["due_at"] or LAST, number))
        return sorted(members, reverse=True)

    def found(self, query: Query, members: set[int]) -> list[int]:
        """The members as a search finds them: the ticket that is named by its number, then those whose message with
        the words came last. Who names no words that each of them must hold gets a list.
        """
        found, parts, named = self.listed(query, members), parts_of(query), 0
        match query.condition:
            case AnyOf((Numbered(number), Words() as words)):
                parts, named = (words,), self.root(number)
            case AnyOf((Numbered(number), *_others)):
                named = self.root(number)
        if held := next((part for part in parts if isinstance(part, Words)), None):
            found.sort(key=lambda ticket: self.hits(held).get(ticket, 0), reverse=True)
        found.sort(key=lambda ticket: ticket != named)
        return found

    def best_first(self, query: Query, listed: list[int]) -> list[int]:
        """The members as `sort:relevance` lists them: BM25 over the messages that the query is ranked by, written down
        once more, slowly. This desk has fewer of them than are ranked.
        """
        ranking = None if query.condition is None else ranking_of(query.condition)
        if ranking is None or query.condition is None:
            return listed
        texts = {
            message["id"]: self.texts[message["id"]]
            for message in self.messages
            if any(self.said(message["id"], words.terms, words.field) for words in ranking.candidates)
        }
        mean = sum(len(text.encode()) for text in texts.values()) / max(len(texts), 1)
        scores = dict.fromkeys(texts, 0.0)
        for term, field in dict.fromkeys(
            (term, words.field) for words in wanted(query.condition) for term in words.terms
        ):
            counts = {number: self.weight(text, term, field) for number, text in texts.items()}
            held = sum(count > 0 for count in counts.values())
            rarity = math.log(1 + (len(texts) - held + 0.5) / (held + 0.5))
            for number, text in texts.items():
                length = 1.2 * (0.25 + 0.75 * len(text.encode()) / mean)
                scores[number] += rarity * 2.2 * counts[number] / (counts[number] + length)
        homes = {message["id"]: self.root(message["ticket_id"]) for message in self.messages}
        ordered = [homes[number] for number in sorted(texts, key=lambda number: (-round(scores[number], 9), -number))]
        ordered = [self.root(number) for number in ranking.numbers] + ordered
        return list(dict.fromkeys([*(ticket for ticket in ordered if ticket in listed), *listed]))

    def weight(self, text: str, term: Term, field: str) -> int:
        """How often a text holds a term; in the subject each time counts five times."""

        def count(mark: str) -> int:
            tokens = marked_term(term, mark).tokens if mark else term.tokens
            return text.count(f" {' '.join(tokens)}{'' if term.prefix else ' '}")

        return count(MARKS[field]) if field else count("") + 4 * count(SUBJECT)

    def root(self, number: int) -> int:
        while number in self.tickets and (parent := self.tickets[number]["merged_into"]) is not None:
            number = parent
        return number

    def holds(self, condition: Condition, row: Any) -> bool:
        match condition:
            case Words():
                return row["id"] in self.hits(condition)
            case Numbered(number):
                return self.root(number) == row["id"]
            case Not(part):
                return not self.holds(part, row)
            case AllOf(parts):
                return all(self.holds(part, row) for part in parts)
            case AnyOf(parts):
                return any(self.holds(part, row) for part in parts)
            case Property():
                return self.has(condition, row)

    def hits(self, words: Words) -> dict[int, int]:
        """The tickets with a message that holds the words, and the number of the last such message."""
        if words not in self.known_hits:
            self.known_hits[words] = {
                self.root(message["ticket_id"]): message["id"]
                for message in self.messages
                if self.said(message["id"], words.terms, words.field)
            }
        return self.known_hits[words]

    def said(self, message: int, terms: tuple[Term, ...], field: str) -> bool:
        text = self.texts.get(message, "")
        for term in terms:
            tokens = marked_term(term, MARKS[field]).tokens
            if f" {' '.join(tokens)}{'' if term.prefix else ' '}" not in text:
                return False
        return bool(terms)

    def has(self, wanted: Property, row: Any) -> bool:
        value: Any = wanted.value
        over = row["status"] in ("solved", "closed", "spam")
        waits = row["waiting_since"] is not None and row["status"] != "spam" and row["kind"] == "human"
        compare = {
            "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
        }.get(wanted.comparison, lambda a, b: a == b)  # fmt: skip
        match wanted.key:
            case "is":
                return bool({
                    "open": not over, "unanswered": waits, "unread": row["seq"] > 0,
                    "overdue": not over and row["due_at"] is not None and row["due_at"] < self.now,
                    "snoozed": row["snoozed_until"] is not None and row["snoozed_until"] > self.now,
                    "notification": row["kind"] == "notification" and not over,
                    "solved": row["status"] in ("solved", "closed"),
                }.get(value, row["status"] == value))  # fmt: skip
            case "has":
                return bool({
                    "attachment": row["has_attachment"], "draft": row["id"] in self.drafts,
                    "deadline": row["due_at"] is not None, "order": row["order_number"],
                    "tag": any(ticket == row["id"] for ticket, _tag in self.tags),
                    "note": any(m["ticket_id"] == row["id"] and m["kind"] == "note" for m in self.messages),
                }[value])  # fmt: skip
            case "assignee":
                return bool(row["assignee_id"] == {"me": self.agent_id, "none": None}.get(value, value))
            case "lang":
                return bool(row["language"] == value or (value and row["language"].startswith(f"{value}-")))
            case "order":
                return row["order_number"].casefold() == value.casefold()
            case "tag":
                return (row["id"], value) in self.tags
            case "created":
                return bool(compare(row["created_at"], value))
            case "due":
                moment = self.now + value if isinstance(value, timedelta) else value
                return bool(not over and row["due_at"] is not None and compare(row["due_at"], moment))
            case "waiting":
                return waits and bool(compare(self.now - row["waiting_since"], value))
            case "customer":
                return any(
                    self.identities.get(message["identity_id"]) == row["customer_id"]
                    and self.said(message["id"], value, "from")
                    for message in self.messages
                    if message["identity_id"] is not None
                )
        return bool(row[{"mailbox": "mailbox_id"}.get(wanted.key, wanted.key)] == value)


def parts_of(query: Query) -> tuple[Condition, ...]:
    """What each ticket of a query must meet."""
    if isinstance(query.condition, AllOf):
        return query.condition.parts
    return () if query.condition is None else (query.condition,)


def wanted(condition: Condition) -> list[Words]:
    """The words that a condition asks for, without those that it excludes."""
    match condition:
        case Words():
            return [condition]
        case AllOf(parts) | AnyOf(parts):
            return [words for part in parts for words in wanted(part)]
    return []


def says_open(part: Condition) -> bool:
    """Whether only an open ticket can meet this."""
    if not isinstance(part, Property):
        return False
    return part.key in ("due", "waiting") or (part.key == "is" and part.value in ("open", "unanswered", "overdue"))


def some_query(chance: random.Random, depth: int = 0) -> str:
    terms = []
    for _number in range(chance.randrange(1, 4)):
        term = chance.choice(
            [
                lambda: chance.choice(WORDS), lambda: chance.choice(WORDS)[:3] + "*",
                lambda: f'"{chance.choice(WORDS)} {chance.choice(WORDS)}"',
                lambda: f"tag:{chance.choice(TAGS)}", lambda: f"tag:{','.join(chance.sample(TAGS, 2))}",
                lambda: f"is:{chance.choice(('open', 'unanswered', 'unread', 'overdue', 'snoozed', 'notification'))}",
                lambda: f"is:{chance.choice(STATUSES)}", lambda: f"status:{chance.choice(STATUSES)}",
                lambda: f"lang:{chance.choice(('it', 'de', 'de-AT', 'none', 'pt'))}",
                lambda: f"assignee:{chance.choice(('me', 'none', 'any'))}",
                lambda: f"has:{chance.choice(('attachment', 'note', 'draft', 'tag', 'order'))}",
                lambda: f"waiting:{chance.choice('<>')}{chance.choice(('2h', '1d', '7d'))}",
                lambda: f"due:{chance.choice(('<2h', '>1d', 'none', '<-1h', '<0h'))}",
                lambda: f"{chance.choice(('before', 'after'))}:{chance.choice(('1d', '2d', '20d', '90d'))}",
                lambda: f"order:{chance.choice(('5521', 'ord-7', '1'))}", lambda: f"#{chance.randrange(1, 80)}",
                lambda: f"subject:{chance.choice(WORDS)}", lambda: f"from:c{chance.randrange(4)}@example.test",
                lambda: f"customer:c{chance.randrange(4)}", lambda: f"priority:{chance.choice(('urgent', 'high'))}",
                lambda: f"({some_query(chance, depth + 1)})" if depth < 2 else "reso",
            ]
        )()  # fmt: skip
        terms.append(("-" if chance.random() < 0.25 else "") + term)
    return "".join(f"{' OR ' if number and chance.random() < 0.3 else ' '}{term}" for number, term in enumerate(terms))


@pytest.mark.parametrize("few", [2_000, 0], ids=["driven", "walked"])
def test_a_query_finds_exactly_what_it_describes(
    store: SqlStore, full: SmallDesk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(narrow, "FEW", few)
    chance = random.Random(SEED)
    now, me = store.clock.now(), full.anna.id
    assert me is not None
    oracle, known = Oracle(store, me), Known(now=now)
    found_some = found_otherwise = ranked_otherwise = 0
    for number in range(QUERIES):
        text = some_query(chance)
        query = read_query(text, known, typing=False)
        members = oracle.members(query)
        told = f"seed {SEED}, query {number}: {text}"
        listed, found = oracle.listed(query, members), oracle.found(query, members)
        assert list(store.read.queue_ids("all", agent_id=me, now=now, query=query)) == listed, told
        assert store.read.search(query, agent_id=me, now=now, limit=500) == found, told
        if number % 5 == 0:
            ranked, best = replace(query, sort="relevance"), oracle.best_first(query, listed)
            assert list(store.read.queue_ids("all", agent_id=me, now=now, query=ranked)) == best, told
            assert store.read.search(ranked, agent_id=me, now=now, limit=30) == best[:30], told
            ranked_otherwise += best not in (listed, found)
        found_otherwise += found != listed
        found_some += 0 < len(members) < len(oracle.tickets)
        if number % 10 == 0:
            among = store.read.queue_ids("all", agent_id=me, now=now, query=query, among=full.tickets)
            assert set(among) == members & set(full.tickets), told
    assert found_some > QUERIES / 4
    assert found_otherwise > QUERIES / 50
    assert ranked_otherwise > QUERIES / 50


@pytest.mark.parametrize("view", ["needs_reply", "mine", "all_open", "solved", "snoozed"])
def test_a_query_narrows_a_view_and_can_order_it(store: SqlStore, full: SmallDesk, view: str) -> None:
    now, me = store.clock.now(), full.anna.id
    rows = {row["id"]: row for row in store.read.rows("ticket")}

    def ids(text: str, **more: Any) -> list[int]:
        return list(store.read.queue_ids(view, agent_id=me, now=now, query=read_query(text), **more))

    whole = ids("")
    assert ids("lang:it") == [ticket for ticket in whole if rows[ticket]["language"] == "it"]
    assert ids("sort:newest") == sorted(whole, reverse=True)
    assert ids("sort:oldest") == sorted(whole)
    due = [ticket for ticket in ids("sort:due") if rows[ticket]["due_at"] is not None]
    assert due == sorted(due, key=lambda ticket: (rows[ticket]["due_at"], ticket))
    waiting = [ticket for ticket in ids("sort:waiting") if rows[ticket]["waiting_since"] is not None]
    assert waiting == sorted(waiting, key=lambda ticket: (rows[ticket]["waiting_since"], ticket))
    for sort in ("due", "waiting", "oldest"):
        assert ids(f"sort:{sort}", limit=3) == ids(f"sort:{sort}")[:3]
        assert sorted(ids(f"sort:{sort}")) == sorted(whole)
    assert ids("in:all") == list(store.read.queue_ids("all", agent_id=me, now=now))


def test_open_tickets_of_the_whole_desk_are_in_the_order_of_what_is_due(store: SqlStore, full: SmallDesk) -> None:
    now = store.clock.now()

    def ids(view: str, text: str) -> list[int]:
        return list(store.read.queue_ids(view, agent_id=None, now=now, query=read_query(text)))

    assert ids("all", "is:open lang:it") == ids("all_open", "lang:it")


def test_the_tags_and_languages_in_use_are_known(store: SqlStore, full: SmallDesk) -> None:
    tags, languages = store.read.used_words()
    assert tags == sorted(TAGS)
    assert set(languages) == set(LANGUAGES)
