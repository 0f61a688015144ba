"""What the world may send, and what an agent's terminal, log and spreadsheet get of it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from supportdesk.safetext import (
    BODY_LIMIT,
    ELLIPSIS,
    LINE_LIMIT,
    csv_cell,
    is_safe,
    safe,
    safe_filename,
    storable,
)

FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200d-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
NASTY_TEXT = st.lists(
    st.sampled_from(
        ["\x1b", "[", "]", "31m", "0;t", "\x07", "\x1b\\", "\x9b", "\x9d", "\x90", "\u202e", "\u2066", "\u200c"]
        + [
            "\u200d",
            "a",
            "é",
            "e\u0301",
            "\u0301",
            "漢",
            "ｶﾞ",
            "👩",
            "🇮",
            "\n",
            "\r",
            "\t",
            "\x85",
            "\u2028",
            "  ",
            "ش",
            "\ud800",
        ]
    ),
    max_size=60,
).map("".join)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;ZXZpbA==\x1b\\after", "after"),
        ("\x1bP$q q\x1b\\after", "after"),
        ("\x9b31mred", "red"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x1bcreset", "reset"),
        ("\x1b(0lqk", "lqk"),
        ("\x1b]8;;https://evil.example\x1b\\bank.example\x1b]8;;\x1b\\", "bank.example"),
        ("an unfinished \x1b] string stays", "an unfinished ] string stays"),
        ("\x1b", ""),
        ("null\x00bell\x07delete\x7f", "nullbelldelete"),
        ("photo\u202egpj.exe", "photo⟦RLO⟧gpj.exe"),
        ("\u202a+39 333 1234567\u202c", "⟦LRE⟧+39 333 1234567"),
        ("\u2068Rossi\u2069", "Rossi"),
        ("pay\u200bpal\ufeff", "paypal"),
        ("soft\xadhyphen", "softhyphen"),
        ("lone \ud83d surrogate", "lone  surrogate".replace("  ", " ")),
        ("tag\U000e0041\U000e007f", "tag"),
        ("not\u2065yet\U000e0018assigned\ufff0\U000e0fff", "notyetassigned"),
        ("private \ue000 use", "private □ use"),
        ("a\tb", "a b"),
        ("two\r\nlines", "two lines"),
        ("bank.example" + " " * 200 + "evil.example", "bank.example evil.example"),
        ("Z\u0301\u0302\u0303\u0304\u0305\u0306\u0307", "Ź\u0302\u0303\u0304\u0305"),
        ("non\u00a0breaking", "non breaking"),
        ("می\u200cخواهم", "میخواهم"),
        ("❤\ufe0f 👍🏽 🇮🇹", "❤ 👍 IT"),
        ("perché Größe żółć 東京 שלום", "perché Größe żółć 東京 שלום"),
    ],
)
def test_a_single_line_shows_only_what_can_be_read(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x85f\x0bg\x0ch", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\tb", "a       b"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200cstart end\u200c, 1\u200c2", "start end, 12"),
        ("keeps  two  spaces", "keeps  two  spaces"),
        ("first\n\x1b]0;not closed\nsecond\x07", "first\n]0;not closed\nsecond"),
    ],
)
def test_a_body_keeps_its_lines(hostile: str, shown: str) -> None:
    assert safe(hostile, multiline=True) == shown


@settings(max_examples=400, deadline=None)
@given(text=ANY_TEXT | NASTY_TEXT, multiline=st.booleans())
def test_nothing_forbidden_is_ever_left(text: str, multiline: bool) -> None:
    """SEC-1."""
    shown = safe(text, multiline=multiline)
    assert not FORBIDDEN.search(shown)
    assert multiline or "\n" not in shown
    assert all(is_safe(line) for line in shown.split("\n"))


@settings(max_examples=400, deadline=None)
@given(text=ANY_TEXT | NASTY_TEXT, multiline=st.booleans())
def test_safe_text_is_left_as_it_is(text: str, multiline: bool) -> None:
    once = safe(text, multiline=multiline)
    assert safe(once, multiline=multiline) == once


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT | NASTY_TEXT)
def test_the_width_is_the_sum_of_its_characters(text: str) -> None:
    shown = safe(text, multiline=True).replace("\n", "")
    assert cell_len(shown) == sum(cell_len(character) for character in shown)


def test_a_long_body_is_cut_and_says_so() -> None:
    shown = safe("word " * 100_000, multiline=True)
    assert len(shown) == BODY_LIMIT and shown.endswith(ELLIPSIS)
    assert safe("\u200b" * 1_000_000 + "hidden", multiline=True) == ELLIPSIS


def test_a_long_line_of_a_body_is_broken_and_loses_no_word() -> None:
    words = "word " * 2_000
    shown = safe(words, multiline=True)
    assert max(map(len, shown.split("\n"))) <= LINE_LIMIT
    assert shown.replace("\n", "") == words
    assert max(cell_len(line) for line in safe("漢" * 10_000, multiline=True).split("\n")) <= LINE_LIMIT


def test_a_long_single_line_is_cut() -> None:
    assert len(safe("x" * 5_000)) == LINE_LIMIT
    assert safe("abcdef", limit=4) == "abc…"


@pytest.mark.parametrize(
    "unit", ["\x1b]", "\x1b[1", "\x9d", "\x1b ", "\u200c", "e\u0301", "\u202e", "\t", "\x1bP\x1b", "\r", "a\u200c"]
)
def test_a_megabyte_of_one_trick_is_read_in_one_pass(unit: str) -> None:
    assert not FORBIDDEN.search(safe(unit * (1_000_000 // len(unit)), multiline=True))


def test_what_is_stored_is_verbatim_but_for_nul_and_lone_surrogates() -> None:
    assert storable("a\x00b\ud800c\x1b[31m\u202e") == "abc\x1b[31m\u202e"
    storable("\udfff").encode()


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("..／..／etc／cron", "cron"),
        ("-rf", "rf"),
        (".bashrc", "bashrc"),
        ("\u200b.\u200bprofile", "profile"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("CON.txt", "_CON.txt"),
        ("com1", "_com1"),
        ("invoice.pdf. . ", "invoice.pdf"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("a;b|c$(d)`e`.txt", "a_b_c_(d)_e_.txt"),
        ("Größe 東京.jpg", "Größe 東京.jpg"),
        ("cafe\u0301.txt", "café.txt"),
        ("", "attachment"),
        ("...", "attachment"),
        ("/", "attachment"),
    ],
)
def test_a_file_name_cannot_leave_its_directory(name: str, saved: str) -> None:
    assert safe_filename(name) == saved


def test_a_long_file_name_keeps_its_extension() -> None:
    saved = safe_filename("è" * 300 + ".jpeg")
    assert saved.endswith(".jpeg") and len(saved.encode()) <= 150


@settings(max_examples=300, deadline=None)
@given(name=ANY_TEXT | NASTY_TEXT)
def test_every_file_name_is_one_plain_component(name: str) -> None:
    saved = safe_filename(name)
    assert 0 < len(saved.encode()) <= 150
    assert not set(saved) & set('/\\:\0\n"*<>|?') and saved[0] not in " .-" and saved[-1] not in " ."
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs") for character in saved)


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n@x", "＝1", "  =1", "|cmd"])
def test_a_spreadsheet_never_runs_a_cell(formula: str) -> None:
    assert csv_cell(formula).startswith("'")


def test_an_ordinary_cell_is_left_alone() -> None:
    assert csv_cell("Ordine 5521 non arrivato") == "Ordine 5521 non arrivato"
    assert csv_cell("") == ""
