"""Search finds what people mean, whatever they typed, and both databases see the same tokens."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.textfold import QUERY_LIMIT, TOKEN_LIMIT, Term, find_spans, fold, fold_query

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
WORDS = ["Straße", "ORD5521", "東京都", "京", "café", "5521", "it-5521/a", "배송", "Łódź"]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ordine NON arrivato!", "ordine non arrivato"),
        ("Größe", "grosse"),
        ("GRÖSSE", "grosse"),
        ("Łódź żółć", "lodz zolc"),
        ("Ёлка", "елка"),
        ("København Æsir œuvre", "kobenhavn aesir oeuvre"),
        ("cafe\u0301 café", "cafe cafe"),
        ("İstanbul ısı", "istanbul isi"),
        ("ΟΔΟΣ οδός", "οδοσ οδοσ"),
        ("ﬁne ２０２６ №", "fine 2026 no"),
        ("dell'ordine l’altro", "dell ordine l altro"),
        ("giulia.rossi@example.com", "giulia rossi example com"),
        ("#5521", "5521"),
        ("IT-5521/A", "it 5521 a"),
        ("ORD5521", "ord5521 ord 5521"),
        ("٣٤", "34"),
        ("東京都", "東京 京都 都"),
        ("京", "京"),
        ("iPhoneケース5", "iphone ケー ース ス 5"),
        ("ｶﾞﾗｽ", "ガラ ラス ス"),
        ("배송 조회", "배송 송 조회 회"),
        ("pay\u200bpal soft\xadhyphen", "paypal softhyphen"),
        ("", ""),
        ("\x00\ud800 \x1b[31m", "31m 31 m"),
    ],
)
def test_spellings_of_one_word_become_equal(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("ordine ", [Term(("ordine",))]),
        ("ordin", [Term(("ordin",), prefix=True)]),
        ("ordine sped", [Term(("ordine",)), Term(("sped",), prefix=True)]),
        ("sped* ordine ", [Term(("sped",), prefix=True), Term(("ordine",))]),
        ('"non arrivato"', [Term(("non", "arrivato"))]),
        ('"non arriv', [Term(("non", "arriv"))]),
        ("rossi@example.com ", [Term(("rossi", "example", "com"))]),
        ("ORD5521 ", [Term(("ord5521",))]),
        ("東京都", [Term(("東京", "京都"))]),
        ("京 ", [Term(("京",), prefix=True)]),
        ('"iPhoneケース 5" ', [Term(("iphone", "ケー", "ース", "ス", "5"))]),
        ("a a ", [Term(("a",))]),
        ("!!! -- ", []),
        ("", []),
    ],
)
def test_what_is_typed_becomes_terms(typed: str, terms: list[Term]) -> None:
    assert fold_query(typed) == terms


def test_a_finished_query_has_no_prefix_unless_asked() -> None:
    assert fold_query("ordin", typing=False) == [Term(("ordin",))]


def test_a_query_is_bounded() -> None:
    terms = fold_query(" ".join(f"word{'x' * number}" for number in range(1, 100)))
    assert sum(len(term.tokens) for term in terms) <= QUERY_LIMIT


def matches(term: Term, folded: str) -> bool:
    """What both databases do with a term: its tokens in a row."""
    tokens = folded.split()
    size = len(term.tokens)
    for at in range(len(tokens) - size + 1):
        *body, last = tokens[at : at + size]
        wanted = term.tokens[-1]
        if tuple(body) == term.tokens[:-1] and (last == wanted or (term.prefix and last.startswith(wanted))):
            return True
    return False


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Ordine ORD5521 non arrivato", "ord5521"),
        ("Ordine ORD5521 non arrivato", "5521"),
        ("Ordine ORD5521 non arrivato", "ord55"),
        ("Ordine ORD5521 non arrivato", '"ordine ord5521 non"'),
        ("Ordine ORD5521 non arrivato", '"ordine ord5521"'),
        ("da giulia.rossi@example.com ieri", "giulia.rossi@example.com"),
        ("da giulia.rossi@example.com ieri", "rossi@exam"),
        ("da giulia.rossi@example.com ieri", "example.com "),
        ("東京都に配送", "東京"),
        ("東京都に配送", "都"),
        ("東京都に配送", "京都に"),
        ("東京都 ORD5", '"東京都 ord5"'),
        ("배송조회", "조회"),
        ("Straße", "strasse"),
        ("x" * 500, "x" * 500),
    ],
)
def test_whole_and_part_are_found(text: str, query: str) -> None:
    terms = fold_query(query)
    assert terms and all(matches(term, fold(text)) for term in terms)
    assert find_spans(text, terms)


@settings(max_examples=400, deadline=None)
@given(text=ANY_TEXT)
def test_any_text_folds_into_tokens(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    for token in folded.split():
        assert len(token) <= TOKEN_LIMIT
        assert all(unicodedata.category(character)[0] in "LN" for character in token)


@settings(max_examples=300, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_a_text_is_found_by_any_phrase_of_itself(words: list[str]) -> None:
    text = " ".join(words)
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            [term] = fold_query('"' + " ".join(words[start:end]) + '"')
            assert matches(term, fold(text)), (text, term)


def test_fts5_splits_the_folded_text_exactly_where_we_do() -> None:
    letters = (chr(code) for code in range(0x20, 0x30000) if not 0xD800 <= code < 0xE000)
    tokens = sorted({token for letter in letters for token in fold(f"x{letter}y").split()})
    assert len(tokens) > 30_000
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE indexed USING fts5(folded, tokenize = 'unicode61 remove_diacritics 0')")
    database.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(indexed, 'row')")
    database.executemany("INSERT INTO indexed VALUES (?)", ((token,) for token in tokens))
    assert sorted(row[0] for row in database.execute("SELECT term FROM vocabulary")) == tokens


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Die Größe ist falsch", "grosse", ["Größe"]),
        ("Die Gro\u0308ße ist", "grosse", ["Gro\u0308ße"]),
        ("ordine, ordini, disordine", "ordin*", ["ordin", "ordin"]),
        ("cafe\u0301!", "cafe ", ["cafe\u0301"]),
        ("mail giulia.rossi@example.com", '"rossi example"', ["rossi@example"]),
        ("東京都に配送", "京都", ["京都"]),
        ("Ordine ORD5521 qui", '"ord5521 qui"', ["ORD5521 qui"]),
        ("nothing here", "absent", []),
        ("ﬁne", "fine ", ["ﬁne"]),
    ],
)
def test_a_match_is_found_again_in_the_text_on_screen(text: str, query: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find_spans(text, fold_query(query, typing=False))] == found


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, query=ANY_TEXT)
def test_spans_are_sorted_and_apart(text: str, query: str) -> None:
    spans = find_spans(text, fold_query(query))
    flat = [edge for span in spans for edge in span]
    assert flat == sorted(set(flat)) and all(0 <= edge <= len(text) for edge in flat)


@pytest.mark.parametrize("unit", ["a", "1", "a1", "a1 ", "東", "東a", "\u0301", '"', "é", "@."])
def test_half_a_megabyte_of_one_trick_is_read_in_one_pass(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    fold(text)
    find_spans(text, fold_query(text))
