"""Parts `queue` and `search`: what a console and the command line read, on a filled desk, at a size and at a tenth.

The peer is the bare driver on the same file (or server), with the one statement that would do: what the database
itself needs.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from supportdesk.desk.query import read_query
from supportdesk.store.connect import sqlite_driver
from supportdesk.store.values import time_to_text
from supportdesk.store.views import HOME, NEEDS_REPLY, OPEN
from supportdesk.textfold import fold
from tests.bench.desks import NOW, BenchDesk, described, filled_desk
from tests.bench.mail_words import WORDS
from tests.bench.measure import Options, median_ms, memory_mib, percentile, times_ms
from tests.bench.report import Part, Row

SIZE: Final = 20_000
SMALL: Final = 10_000  # a larger desk is compared with one of this size
PAGE: Final = 50
QUERIES: Final = 20

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_COLUMNS: Final = """SELECT ticket.id, ticket.version, ticket.status, ticket.priority, ticket.subject, customer.name,
    ticket.waiting_since, ticket.due_at, ticket.updated_at, ticket.message_count, ticket.badges
    FROM ticket LEFT JOIN customer ON customer.id = ticket.customer_id WHERE"""
_QUALIFIED: Final = (
    "ticket.waiting_since IS NOT NULL AND ticket.merged_into IS NULL AND ticket.status <> 'spam'"
    " AND ticket.kind = 'human' AND (ticket.snoozed_until IS NULL OR ticket.snoozed_until <= ?)"
)
_FIRST: Final = f"{_COLUMNS} {_QUALIFIED} AND ticket.due_at IS NOT NULL ORDER BY ticket.due_at, ticket.id LIMIT ?"
_SAME_DUE: Final = f"{_COLUMNS} {_QUALIFIED} AND ticket.due_at = ? AND ticket.id > ? ORDER BY ticket.id LIMIT ?"
_LATER: Final = f"{_COLUMNS} {_QUALIFIED} AND ticket.due_at > ? ORDER BY ticket.due_at, ticket.id LIMIT ?"
_GROUPED: Final = (
    "SELECT status, kind, waiting_since IS NOT NULL, assignee_id, count(*) FROM ticket"
    f" WHERE {HOME} GROUP BY 1, 2, 3, 4"
)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Milliseconds: ours and the driver's, or another peer's. Without one `theirs` is None."""

    ours: float
    theirs: float | None = None
    peer: str = "driver"


def run(options: Options, wanted: Sequence[str] = ("queue", "search")) -> list[Part]:
    """Fill a desk to a tenth of the size, 10,000 at most, and another to the size; at both ask what `wanted` names."""
    size = options.sized(SIZE)
    tenth = min(max(PAGE * 4, size // 10), SMALL, size)
    found: dict[str, dict[int, dict[str, _Pair]]] = {name: {} for name in wanted}
    if tenth < size:
        with filled_desk(replace(options, desk=""), tenth) as small:
            for name in wanted:
                found[name][tenth] = _QUESTIONS[name](small, options)
    with filled_desk(options, size) as made:
        before = memory_mib()
        for name in wanted:
            found[name][size] = _QUESTIONS[name](made, options)
        grown = Row("memory of the process that asks", memory_mib(), "MiB", "before it asked", before)
        given = f"{described(made)}, warm"
    return [Part(name, given, (*_rows(found[name], _AIMS[name]), grown), why=_why(name, made)) for name in wanted]


def _why(part: str, made: BenchDesk) -> dict[str, str]:
    return _QUEUE_WHY if part == "queue" else _why_search(is_postgres=made.store.address.is_postgres)


def _rows(found: dict[int, dict[str, _Pair]], aims: dict[str, str]) -> tuple[Row, ...]:
    """Each measure against the driver, then each against itself at a tenth of the size."""
    small, large = min(found), max(found)
    rows = [
        Row(name, pair.ours, "ms", pair.peer if pair.theirs else "", pair.theirs, aims.get(name, ""))
        for name, pair in found[large].items()
    ]
    if small != large:
        for name, pair in found[large].items():
            if name in aims:
                rows.append(Row(f"growth: {name}", pair.ours, "ms", f"at {small:,}", found[small][name].ours, "≤ 2×"))
    return tuple(rows)


# ---- the queue -------------------------------------------------------------------------------------------------------

_QUEUE_AIMS: Final = {
    "first page": "≤ 3×",
    "next page": "≤ 3×",
    "deep page": "≤ 2×",
    "counts of all views": "≤ 1 ms",
}
_FULL_ROWS: Final = (
    "the driver is asked one thing: the columns of fifty tickets. A page of the console is ten statements: its ids, the"
    " rows with the customers' names, tags, who is there, what was seen, addresses, merged customers and the first"
    " words of the newest message. They take half of the time, and making fifty rows of them in Python the other half."
    " Next: the first words from a column of the ticket, and the badges read only where there are any."
)
_QUEUE_WHY: Final[dict[str, str]] = {
    "counts of all views": "six statements, each the answer of a server to wait for; SQLite needs a twentieth of it."
    " Next: one statement of six columns.",
    "first page": _FULL_ROWS,
    "next page": _FULL_ROWS,
    "growth: counts of all views": "what sleeps is counted one by one, from an index of the sleepers alone: 2,000"
    " of a million here, and some ten of ten thousand. The other counts are a row each, whatever the size.",
}


def _ask_queue(made: BenchDesk, options: Options) -> dict[str, _Pair]:
    read, agent, runs = made.desk.read, made.agents[0].id, max(options.runs * 4, 10)
    ask, close = _driver(made)
    now = _as_stored(made, NOW)

    def first() -> None:
        page = read.queue_ids("needs_reply", agent_id=agent, now=NOW, limit=PAGE)
        assert len(read.queue_rows(page, agent_id=agent, now=NOW)) == len(page)

    spine = read.queue_ids("needs_reply", agent_id=agent, now=NOW)
    shown, deep = spine[PAGE : 2 * PAGE] or spine[:PAGE], spine[-PAGE:]
    raw_first = ask(_FIRST, [now, PAGE])
    due, last = raw_first[-1][7], raw_first[-1][0]

    def raw_next(due: Any, last: int) -> None:
        same = ask(_SAME_DUE, [now, due, last, PAGE])
        ask(_LATER, [now, due, PAGE - len(same)])

    def ids(view: str) -> Callable[[], Any]:
        return lambda: read.queue_ids(view, agent_id=agent, now=NOW)

    def raw_ids(condition: str, order: str) -> Callable[[], Any]:
        return lambda: ask(f"SELECT id FROM ticket WHERE {condition} ORDER BY {order}", [])

    def narrowed() -> Any:
        return read.queue_ids("needs_reply", agent_id=agent, now=NOW, query=read_query(WORDS["en"][3]), limit=PAGE)

    def pair(ours: Callable[[], Any], theirs: Callable[[], Any]) -> _Pair:
        return _Pair(median_ms(ours, runs), median_ms(theirs, runs))

    try:
        first_page = pair(first, lambda: ask(_FIRST, [now, PAGE]))
        at_the_end = median_ms(lambda: read.queue_rows(deep, agent_id=agent, now=NOW), runs)
        return {
            "first page": first_page,
            "next page": pair(lambda: read.queue_rows(shown, agent_id=agent, now=NOW), lambda: raw_next(due, last)),
            "deep page": _Pair(at_the_end, first_page.ours, "the first page"),
            "counts of all views": pair(lambda: read.counts(agent_id=agent, now=NOW), lambda: ask(_GROUPED, [])),
            f"spine of needs_reply ({len(spine):,} ids)": pair(ids("needs_reply"), raw_ids(NEEDS_REPLY, "due_at, id")),
            "spine of all_open": pair(ids("all_open"), raw_ids(OPEN, "due_at, id")),
            "spine of all": pair(ids("all"), raw_ids(HOME, "id DESC")),
            "needs_reply narrowed by a word": _Pair(median_ms(narrowed, runs)),
        }
    finally:
        close()


# ---- search ----------------------------------------------------------------------------------------------------------

_BY_RELEVANCE: Final = "by relevance: one frequent word, p95"
_SEARCH_AIMS: Final = {
    "one frequent word": "p95 ≤ 1 ms",
    "two frequent words": "p95 ≤ 1 ms",
    "three letters": "p95 ≤ 1 ms",
    "one order number": "p95 ≤ 1 ms",
    "p95 of all of them": "≤ 1 ms",
    _BY_RELEVANCE: "p95 ≤ 25 ms",
}


def _ask_search(made: BenchDesk, options: Options) -> dict[str, _Pair]:
    ask, close = _driver(made)
    english = WORDS["en"]
    queries = {
        "one frequent word": english[:QUERIES],
        "two frequent words": [f"{english[n]} {english[n + 1]}" for n in range(QUERIES)],
        "three letters": [word[:3] for word in english[20 : 20 + QUERIES]],
        "one order number": [f"ord-{made.tickets * n // QUERIES + 1:07d}" for n in range(QUERIES)],
        "a word that nobody wrote": [f"nobody{n}wrote" for n in range(QUERIES)],
    }
    found: dict[str, _Pair] = {}
    worst: list[float] = []
    try:
        for name, texts in queries.items():
            assert made.desk.search(texts[0]) or name.startswith("a word"), f"{texts[0]} was not found"
            ours: list[float] = []
            theirs: list[float] = []
            for text in texts:
                ours += times_ms(lambda text=text: made.desk.search(text), options.runs)  # type: ignore[misc]
                theirs += times_ms(lambda text=text: _raw_search(made, ask, text), options.runs)  # type: ignore[misc]
            found[name] = _Pair(statistics.median(ours), statistics.median(theirs))
            worst += ours
        ours, theirs = [], []
        for text in queries["one frequent word"]:
            ours += times_ms(lambda text=text: made.desk.search(f"{text} sort:relevance"), options.runs)  # type: ignore[misc]
            theirs += times_ms(lambda text=text: _raw_ranked(made, ask, text), options.runs)  # type: ignore[misc]
        found[_BY_RELEVANCE] = _Pair(percentile(ours, 0.95), percentile(theirs, 0.95))
    finally:
        close()
    return {**found, "p95 of all of them": _Pair(percentile(worst, 0.95))}


def _raw_search(made: BenchDesk, ask: Ask, text: str) -> list[tuple[Any, ...]]:
    tokens = fold(text).split()
    if made.store.address.is_postgres:
        match = " & ".join(f"'{token}'" for token in tokens) + ":*"
        sql = "SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery) ORDER BY message_id DESC LIMIT ?"
    else:
        match = " ".join(f'"{token}"' for token in tokens) + " *"
        sql = "SELECT rowid FROM message_search WHERE message_search MATCH ? ORDER BY rowid DESC LIMIT ?"
    return ask(sql, [match, PAGE])


def _raw_ranked(made: BenchDesk, ask: Ask, text: str) -> list[tuple[Any, ...]]:
    """The database's own ranking of every hit there is."""
    word = fold(text)
    if made.store.address.is_postgres:
        sql = (
            "SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery)"
            " ORDER BY ts_rank(search, CAST(? AS tsquery)) DESC LIMIT ?"
        )
        return ask(sql, [f"'{word}'", f"'{word}'", PAGE])
    sql = "SELECT rowid FROM message_search WHERE message_search MATCH ? ORDER BY bm25(message_search) LIMIT ?"
    return ask(sql, [f'"{word}"', PAGE])


# ---- the bare driver -------------------------------------------------------------------------------------------------


def _as_stored(made: BenchDesk, moment: datetime) -> Any:
    """A time as the bare driver takes it."""
    return moment if made.store.address.is_postgres else time_to_text(moment)


def _driver(made: BenchDesk) -> tuple[Ask, Callable[[], None]]:
    """One function that asks through the database's own driver, and one that ends it."""
    address = made.store.address
    if address.is_postgres:
        import psycopg

        server = psycopg.connect(address.dsn, autocommit=True)
        return (
            lambda sql, params: server.execute(sql.replace("?", "%s").encode(), params).fetchall(),
            server.close,
        )
    file = sqlite_driver().connect(str(address.file), isolation_level=None)
    return (lambda sql, params: file.execute(sql, params).fetchall(), file.close)


_QUESTIONS: Final = {"queue": _ask_queue, "search": _ask_search}
_AIMS: Final = {"queue": _QUEUE_AIMS, "search": _SEARCH_AIMS}


def _why_search(*, is_postgres: bool) -> dict[str, str]:
    if is_postgres:
        slow = (
            "a search is five to eight answers of the server: the newest number, a walk along the newest 400 messages"
            " that tells how frequent the words are, another walk or the index (GIN gives the messages of a word in no"
            " order, all of them), their tickets, and what those were merged into. Next: one statement for the last"
            " three."
        )
        ranked = (
            "a third of the time fetches the texts of 2,000 messages from the server, a third finds them on"
            " the way along the newest messages, the rest counts words. Next: the texts as bytes, and fewer at once."
        )
    else:
        slow = (
            "a question to the index costs 0.1 ms at a million tickets, where it opens some fifteen segments, and a"
            " search asks two or three: who holds the word, who one that begins so, in which tickets. An order number"
            " costs 1 ms by itself: its letters (`ord`) stand in nearly every message, and FTS5 looks for the two"
            " words side by side; the digits alone take 0.02 ms. Next: ask for the rarer word, and let the text tell"
            " whether the other stands beside it; merge the segments at night (`optimize`)."
        )
        ranked = (
            "a third of the time reads the texts of 2,000 messages, the rest counts words in Python. Next: count them"
            " in the index (an auxiliary function of FTS5)."
        )
    ranking = "by relevance: one frequent word, p95"
    measures = [name for name in _SEARCH_AIMS if name != ranking]
    return {
        **{name: slow for measure in measures for name in (measure, f"growth: {measure}")},
        **dict.fromkeys((ranking, f"growth: {ranking}"), ranked),
    }
