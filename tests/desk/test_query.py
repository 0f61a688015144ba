"""A query says what is looked for; one that cannot be read points at the character, and nothing typed is a crash."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from supportdesk.desk.model import (
    VIEWS,
    Agent,
    AgentId,
    AllOf,
    AnyOf,
    Condition,
    Mailbox,
    MailboxId,
    Not,
    Numbered,
    Property,
    Query,
    Words,
)
from supportdesk.desk.query import KEYS, Known, QueryError, both, read_query, ticket_number
from supportdesk.desk.query_completion import complete_query
from supportdesk.textfold import Term

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
KNOWN = Known(
    now=NOW,
    zone=ZoneInfo("Europe/Rome"),
    agents=(
        Agent(AgentId(1), "giulia", "Giulia Rossi", "admin", ("it",), "available"),
        Agent(AgentId(2), "luca", "Luca Bianchi", "agent", ("it", "de"), "available"),
    ),
    mailboxes=(
        Mailbox(MailboxId(7), "help@shop.test", "Help", "Bottega Verde", ("aiuto@shop.test",), None, None, "active"),
    ),
    tags=("return", "refund", "spam"),
    languages=("de", "it"),
)  # fmt: skip


def words(*tokens: str, prefix: bool = False) -> Words:
    return Words(tuple(Term((token,), prefix and token == tokens[-1]) for token in tokens))


OPEN, RETURN = Property("is", "open"), Property("tag", "return")


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("", None),
        ("is:open", OPEN),
        ("IS:Open", OPEN),
        ("is:hold", Property("is", "on_hold")),
        ("is:unassigned", Property("assignee", "none")),
        ("assignee:me", Property("assignee", "me")),
        ("owner:nobody", Property("assignee", "none")),
        ("assignee:LUCA", Property("assignee", 2)),
        ('assignee:"Giulia Rossi"', Property("assignee", 1)),
        ("tag:#Return", RETURN),
        ("tag:return,refund", AnyOf((RETURN, Property("tag", "refund")))),
        ("-tag:spam", Not(Property("tag", "spam"))),
        ("NOT tag:spam", Not(Property("tag", "spam"))),
        ("lang:fr-ch", Property("lang", "fr-CH")),
        ("lang:none", Property("lang", "")),
        ("mailbox:aiuto@shop.test", Property("mailbox", 7)),
        ("mailbox:help", Property("mailbox", 7)),
        ("before:2026-11-01", Property("created", datetime(2026, 10, 31, 23, tzinfo=UTC), "<")),
        ("after:2026-07", Property("created", datetime(2026, 6, 30, 22, tzinfo=UTC), ">=")),
        ("after:1.7.2026", Property("created", datetime(2026, 6, 30, 22, tzinfo=UTC), ">=")),
        ("after:oggi", Property("created", datetime(2026, 11, 19, 23, tzinfo=UTC), ">=")),
        ("before:7d", Property("created", NOW - timedelta(days=7), "<")),
        ("waiting:>4h", Property("waiting", timedelta(hours=4), ">")),
        ("waiting:1d12h", Property("waiting", timedelta(hours=36), ">")),
        ("waiting:<=30m", Property("waiting", timedelta(minutes=30), "<=")),
        ("due:<2h", Property("due", timedelta(hours=2), "<")),
        ("due:<-1h", Property("due", timedelta(hours=-1), "<")),
        ("due:none", Not(Property("has", "deadline"))),
        ("due:today", Property("due", datetime(2026, 11, 20, 23, tzinfo=UTC), "<")),
        ("has:attachments", Property("has", "attachment")),
        ("order:#5521", Property("order", "5521")),
        ("subject:Größe", Words((Term(("grosse",)),), "subject")),
        ("from:rossi@example.it", Words((Term(("rossi", "example", "it")),), "from")),
        ('subject:"non arrivato"', Words((Term(("non", "arrivato")),), "subject")),
        ("Pacco", words("pacco", prefix=True)),
        ("Pacco ", words("pacco")),
        ("mio pacco ", words("mio", "pacco")),
        ('"falscher Artikel"', Words((Term(("falscher", "artikel")),))),
        ("東京都", Words((Term(("東京", "京都")),))),
        ("a b is:open c ", AllOf((words("a", "b", "c"), OPEN))),
        ("a OR b ", AnyOf((words("a"), words("b")))),
        ("a | b ", AnyOf((words("a"), words("b")))),
        ("is:open (tag:return OR reso)", AllOf((OPEN, AnyOf((RETURN, words("reso")))))),
        ("-(tag:return is:open)", Not(AllOf((RETURN, OPEN)))),
        ("a AND b ", words("a", "b")),
        ("a or b ", words("a", "or", "b")),
        ("#1042", AnyOf((Numbered(1042), words("1042", prefix=True)))),
        ("1042", AnyOf((Numbered(1042), words("1042", prefix=True)))),
        ("ordine 5521 ", words("ordine", "5521")),
        ("Re: Ordine ", words("re", "ordine")),
        ("http://shop.test/x ", Words((Term(("http", "shop", "test", "x")),))),
        ("10:30 ", Words((Term(("10", "30")),))),
        ("- pacco ", words("pacco")),
        ("!?", Words(())),
        ("pacco) ", words("pacco")),
    ],
)  # fmt: skip
def test_a_query_says_what_it_looks_for(text: str, condition: Condition | None) -> None:
    assert read_query(text, KNOWN) == Query(condition)


def test_a_view_and_an_order_hold_for_the_whole_query() -> None:
    assert read_query("in:solved tag:return sort:oldest", KNOWN) == Query(RETURN, "solved", "oldest")
    assert read_query("sort:relevance reso ", KNOWN) == Query(words("reso"), "", "relevance")


def test_two_queries_together_keep_the_view_and_order_of_the_second() -> None:
    first, second = read_query("in:mine sort:due reso", KNOWN, typing=False), read_query("in:all tag:return pac", KNOWN)
    together = both(first, second)
    assert (together.view, together.sort) == ("all", "due")
    assert together.condition == AllOf((words("reso", "pac", prefix=True), RETURN))


def test_a_finished_query_takes_its_last_word_whole() -> None:
    assert read_query("reso", typing=False) == Query(words("reso"))
    assert read_query("res*", typing=False) == Query(words("res", prefix=True))


@pytest.mark.parametrize(
    ("text", "marked", "says", "suggests"),
    [
        ("tag:x asignee:me", "asignee:", "no key", "assignee:"),
        ("foo:bar", "foo:", "no key", ""),
        ("is:opne tag:x", "opne", "not one of them", "open"),
        ("assignee:giula x", "giula", "no agent giula", "giulia"),
        ("tag:x mailbox:hlep@shop.test ", "hlep@shop.test", "no mailbox", "help@shop.test"),
        ("lang:1 x", "1", "no language tag", ""),
        ("before:2026-13-01 x", "2026-13-01", "no day", ""),
        ("before:2026-02-30 x", "2026-02-30", "no day", ""),
        ("before:soon x", "soon", "no date", ""),
        ("waiting:>4 x", ">4", "no span", ""),
        ("is:open,opne x", "opne", "not one of them", "open"),
        ("tag: x", "", "value is missing", ""),
        ("a OR", "OR", "nothing follows", ""),
        ("OR a", "OR", "nothing stands before", ""),
        ("a (b", "(", "not closed", ""),
        ("a ) b", ")", "no parenthesis was opened", ""),
        ("a NOT", "NOT", "nothing follows", ""),
        ("-in:spam x", "in:spam", "whole query", ""),
        ("(sort:due) x", "sort:due", "whole query", ""),
    ],
)
def test_an_error_points_at_what_is_wrong(text: str, marked: str, says: str, suggests: str) -> None:
    with pytest.raises(QueryError) as caught:
        read_query(text, KNOWN)
    error = caught.value
    assert text[error.position : error.end] == marked
    assert says in error.message
    assert error.suggestion == suggests


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [
        ("tag:", True), ("is:op", True), ("assignee:gi", True), ("waiting:>4", True), ("a OR", True), ("(a", True),
        ("is:xyz", False), ("is:op x", False),
    ],
)  # fmt: skip
def test_what_may_still_become_right_is_unfinished(text: str, unfinished: bool) -> None:
    with pytest.raises(QueryError) as caught:
        read_query(text, KNOWN)
    assert caught.value.unfinished is unfinished


@pytest.mark.parametrize(
    "text",
    ["a" * 10_001, "(" * 5_000, "-(" * 13 + "a", "is:open " * 101, "tag:" + "a," * 200 + "a", "w " * 33],
)
def test_what_is_too_large_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        read_query(text, KNOWN)


def test_the_number_of_a_ticket_alone_is_a_jump() -> None:
    assert [ticket_number(text) for text in ("#12345", " 12345 ", "12345 a", "x")] == [12345, 12345, None, None]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("", []),
        ("a", []),
        ("reso", []),
        ("as", ["assignee:"]),
        ("x ow", ["assignee:"]),
        ("-ta", ["tag:"]),
        ("tag:", ["return", "refund", "spam"]),
        ("tag:ref", ["refund"]),
        ("tag:refund", []),
        ("tag:return,ref", ["refund"]),
        ("is:un", ["unanswered", "unread", "unassigned"]),
        ("assignee:bian", ["luca"]),
        ("assignee:me ", []),
        ("(lang:d", ["de"]),
        ("in:", list(VIEWS)),
        ("sort:w", ["waiting"]),
        ("reso sort:r", ["relevance"]),
        ("sort:", ["due", "newest", "oldest", "waiting", "relevance"]),
    ],
)  # fmt: skip
def test_completion_offers_what_may_stand_at_the_cursor(text: str, offered: list[str]) -> None:
    found = complete_query(text, KNOWN)
    assert [candidate.shown for candidate in found] == offered
    for candidate in found:
        completed = text[: candidate.start] + candidate.insert
        if not completed.endswith(":") and "(" not in completed:
            read_query(completed, KNOWN)


def test_every_example_of_a_key_can_be_read() -> None:
    for key in KEYS.values():
        for value in (key.example, *(value for value, _meaning in key.values(KNOWN))):
            if value:
                read_query(f"{key.name}:{value} ", KNOWN)


def test_no_string_is_anything_but_a_query_or_an_error_that_points_into_it() -> None:
    seed = 20261121
    chance = random.Random(seed)
    pieces = [
        '"',
        "(",
        ")",
        "-",
        ":",
        ",",
        " ",
        "OR",
        "NOT",
        "is:",
        "tag:",
        "due:<",
        "before:",
        "#",
        "\0",
        "\u202e",
        "9" * 30,
        "ß",
        "東",
        "in:",
        *KEYS,
    ]
    for number in range(20_000):
        text = "".join(
            chance.choice(pieces) if chance.random() < 0.8 else chr(chance.randrange(sys.maxunicode + 1))
            for _ in range(chance.randrange(1, 14))
        )
        try:
            read_query(text, KNOWN)
        except QueryError as error:
            if not 0 <= error.position <= error.end <= len(text):
                raise AssertionError(f"seed {seed}, string {number}: {text!r}") from error
        complete_query(text, KNOWN)
