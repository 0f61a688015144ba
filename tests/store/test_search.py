"""Search finds words in any order, in any spelling and script, and no string that anybody types is an error."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import Words
from supportdesk.desk.query import QueryError, read_query
from supportdesk.store.read import fulltext
from supportdesk.store.schema_extras import put_text, search_is_sound
from supportdesk.textfold import fold
from tests.store.desk import add_ticket, apply, set_ticket

if TYPE_CHECKING:
    from supportdesk.desk.model import TicketId
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk

OPERATORS = r"""' " * ( ) AND OR NOT NEAR( ^ - + : folded: { } \ & | ! <-> % ? ; --""".split() + ["\0"]


def found_by(store: SqlStore, text: str, limit: int = 50) -> list[TicketId]:
    return store.read.search(read_query(text), agent_id=None, now=store.clock.now(), limit=limit)


def listed(store: SqlStore, view: str, text: str, **more: Any) -> list[TicketId]:
    return store.read.queue_ids(view, agent_id=None, now=store.clock.now(), query=read_query(text), **more)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pacco", [0]), ("PÀCCO mio", [0]), ("pac", [0]), ("grosse", [4]), ("GRÖSSE", [4]), ("artikel falscher", [1]),
        ("saluti", [4, 3, 2, 1, 0]), ("niente", []), ("", []), ("   ", []), ('"falscher artikel"', [1]),
        ('"artikel falscher"', []), ("saluti reso", [3]),
    ],
)  # fmt: skip
def test_words_are_found_newest_message_first(store: SqlStore, desk: SmallDesk, text: str, found: list[int]) -> None:
    assert found_by(store, text) == [desk.tickets[number] for number in found]


def test_scripts_without_spaces_are_found_by_any_part_of_two_characters(store: SqlStore, desk: SmallDesk) -> None:
    ticket = add_ticket(store, "商品が届きません 東京都")
    for text in ("商品", "届きま", "東京", "東京都", "京都"):
        assert found_by(store, text) == [ticket], text
    assert found_by(store, "都東") == []


def test_a_ticket_is_found_by_its_number_and_a_merged_one_as_its_survivor(store: SqlStore, desk: SmallDesk) -> None:
    first, second, third, *_ = desk.tickets
    apply(store, set_ticket(first, "merge", {}, {"merged_into": second}))
    apply(store, set_ticket(second, "merge", {}, {"merged_into": third}))
    assert found_by(store, "pacco") == [third]
    assert found_by(store, f"#{first}") == [third]
    assert found_by(store, str(third)) == [third]
    assert found_by(store, "999999") == []


def test_a_view_is_narrowed_by_text_and_keeps_its_order(store: SqlStore, desk: SmallDesk) -> None:
    found = listed(store, "needs_reply", "saluti", limit=3)
    assert found == [desk.tickets[1], desk.tickets[0], desk.tickets[3]]
    assert listed(store, "needs_reply", "pacco") == [desk.tickets[0]]


def test_a_narrowed_view_holds_what_the_search_would_find_in_the_end(store: SqlStore, desk: SmallDesk) -> None:
    first, second, third, *_ = desk.tickets
    apply(store, set_ticket(first, "merge", {}, {"merged_into": second}))
    apply(store, set_ticket(second, "merge", {}, {"merged_into": third}))
    for text in ("pacco", "sal", "saluti ", f"#{first}", str(third), "pacco saluti", "999999", "!?"):
        found = set(found_by(store, text, limit=100))
        assert set(listed(store, "all", text)) == found, text
        assert set(listed(store, "all", text, among=desk.tickets)) == found, text
    assert listed(store, "all", "pacco") == [third]
    assert listed(store, "snoozed", "pacco") == []


BEGUN = (
    "p", "pa", "pac", "pacc", "pacco", "sal", "salu", "saluti", "a", "art", "artikel fal", '"reso pac"*', "商", "商品*",
    "grazie mil", "grazie m*", "subject:s", "subject:ordi", "from:ross", "g* s*", "z", "zzzz", "para p",
)  # fmt: skip


@pytest.mark.parametrize("few", [0, 1, 3, fulltext.FEW_CONTINUATIONS])
def test_the_beginning_of_a_word_finds_the_same_however_many_words_begin_so(
    store: SqlStore, desk: SmallDesk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    for text in ("pacco, pacchetto, pacchi, pacchettino", "parola per parola", "商品が届きません", "grazie a mille"):
        add_ticket(store, text)
    monkeypatch.setattr(fulltext, "FEW_CONTINUATIONS", -1)
    by_the_index_alone = {text: found_by(store, text) for text in BEGUN}
    assert sum(map(bool, by_the_index_alone.values())) > len(BEGUN) / 2
    monkeypatch.setattr(fulltext, "FEW_CONTINUATIONS", few)
    assert {text: found_by(store, text) for text in BEGUN} == by_the_index_alone


@pytest.mark.parametrize("database", ["sqlite", "sqlite-stdlib"], indirect=True)
def test_the_beginning_of_few_words_is_never_merged_by_the_index(store: SqlStore, desk: SmallDesk) -> None:
    with store.connection() as connection:
        for text, match in (
            ("pacc", '"pacco"'), ("pacco", '"pacco"'), ("sal", '"sal" *'), ("zzzz", '"zzzz"'), ("pa", '"pa" *'),
            ("f", '("f" OR "fa" *)'), ("reso artik", '"reso" AND "artikel"'),
        ):  # fmt: skip
            words = read_query(text).condition
            assert isinstance(words, Words)
            assert fulltext.match_of(connection, words) == match


GOING_ON = ("pacco", "pacchetto", "pacchetti", "paccottiglia", "pacifico", "impacco", "mio pacco", "商品コード", "商品")


@pytest.mark.parametrize("few", [0, 2, fulltext.FEW_TEXTS])
def test_a_page_of_a_frequent_word_holds_what_the_list_of_words_would_give(
    store: SqlStore, desk: SmallDesk, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(fulltext, "FEW_TEXTS", few)
    dice = random.Random(20261122)
    with store.transaction() as tx:
        for seq in range(2, 202):
            row = tx.connection.execute(
                "INSERT INTO message (ticket_id, seq, received_at, created_at) VALUES (?, ?, ?, ?) RETURNING id",
                (desk.tickets[0], seq, tx.now, tx.now),
            )
            tx.index_message(row[0][0], fold(" ".join(dice.choices(GOING_ON, k=dice.randrange(1, 4)))))
    with store.connection() as connection:
        for text in (
            "pacc",
            "pacco",
            "pacchett",
            "paccott",
            '"mio pacc"*',
            "mio pacco",
            "商品コー",
            "impacco pacco",
            "x",
        ):
            words = read_query(text).condition
            assert isinstance(words, Words)
            expected = fulltext.newest_hits(connection, fulltext.match_of(connection, words), 2**62, 10_000)
            for size in (1, 3, 20):
                newest, found, below = fulltext.NewestHits(connection, words), list[int](), 2**62
                while page := newest.page(below, size):
                    assert len(page) == size or len(found) + len(page) == len(expected)
                    found, below = found + page, page[-1]
                assert found == expected, (text, size)


@pytest.mark.parametrize("database", ["sqlite", "sqlite-stdlib"], indirect=True)
def test_the_newest_messages_of_a_frequent_word_are_found_without_the_list_of_words(
    store: SqlStore, desk: SmallDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("pacchetto", *["pacco"] * 30, "pacchi", "pacifico"):
        add_ticket(store, text)

    def refused(*_: object) -> str:
        raise AssertionError("the list of words was read")

    monkeypatch.setattr(fulltext, "match_of", refused)
    assert len(found_by(store, "pacco", limit=1)) == 1
    with pytest.raises(AssertionError, match="list of words"):
        found_by(store, "pacchetto", limit=1)


def test_replacing_and_removing_a_text_leaves_no_trace_in_the_index(store: SqlStore, desk: SmallDesk) -> None:
    [message] = store.read.rows("message", {"ticket_id": desk.tickets[0]})
    with store.transaction() as tx:
        tx.index_message(message["id"], fold("tutto nuovo"))
    assert found_by(store, "pacco") == []
    assert found_by(store, "nuovo") == [desk.tickets[0]]
    with store.transaction() as tx:
        put_text(tx.connection, message["id"], None)
        assert search_is_sound(tx.connection)
    assert found_by(store, "nuovo") == []


def test_many_hits_are_read_page_by_page_until_the_limit(store: SqlStore, desk: SmallDesk) -> None:
    with store.transaction() as tx:
        for seq in range(2, 502):
            row = tx.connection.execute(
                "INSERT INTO message (ticket_id, seq, received_at, created_at) VALUES (?, ?, ?, ?) RETURNING id",
                (desk.tickets[0], seq, tx.now, tx.now),
            )
            tx.index_message(row[0][0], "grazie mille")
    assert found_by(store, "grazie", limit=3) == [desk.tickets[0], desk.tickets[4], desk.tickets[3]]


def test_a_very_long_text_is_indexed_without_an_error(store: SqlStore, desk: SmallDesk) -> None:
    [message] = store.read.rows("message", {"ticket_id": desk.tickets[0]})
    words = " ".join(f"parola{number}" for number in range(120_000))
    with store.transaction() as tx:
        tx.index_message(message["id"], f"inizio {words}")
    assert found_by(store, "inizio") == [desk.tickets[0]]


def hostile(chance: random.Random) -> str:
    pieces = []
    for _ in range(chance.randrange(1, 12)):
        match chance.randrange(4):
            case 0:
                pieces.append(chance.choice(OPERATORS))
            case 1:
                pieces.append("".join(chr(chance.randrange(sys.maxunicode + 1)) for _ in range(chance.randrange(1, 9))))
            case 2:
                pieces.append("".join(chr(chance.randrange(0x250)) for _ in range(chance.randrange(1, 30))))
            case _:
                pieces.append(chance.choice(["pacco", "商品", "ß" * 80, "a" * 300, "grazie*"]))
    return chance.choice(["", " "]).join(pieces)


def test_no_string_is_an_error(store: SqlStore, desk: SmallDesk) -> None:
    seed = 20261121
    chance = random.Random(seed)
    refused = 0
    for number in range(10_000):
        text = hostile(chance)
        try:
            found_by(store, text, limit=5)
        except QueryError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, string {number}: {text!r}") from error
    assert refused < 10_000 / 3
