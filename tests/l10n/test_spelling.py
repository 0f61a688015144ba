"""What was typed is spelled as the dictionary of its language has it; names and codes are nobody's mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from supportdesk.l10n import spelling
from supportdesk.l10n.spelling import debian_package, find_dictionary, find_misspellings
from tests.l10n.agent_drafts import right_replies
from tests.support.dictionaries import install_dictionary

pytest.importorskip("hunspell", reason="the extra `spelling` is not installed")

WORDS = "buongiorno il pacco arriva domani grazie l' ordine è partito perché saluti cordiali a dell'"


@pytest.fixture(autouse=True)
def dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install_dictionary(tmp_path, monkeypatch, "it_IT", WORDS, rules="WORDCHARS '\n")
    return tmp_path


def wrong(text: str, **given: list[str]) -> list[tuple[str, int]]:
    return [(one.word, one.line) for one in find_misspellings(text, "it", **given)]


def test_an_unknown_word_is_named_once_with_its_line_and_what_it_may_have_been():
    found = find_misspellings("Buongiorno,\nil paco arriva domani. Il paco!", "it")
    assert [(one.word, one.line) for one in found] == [("paco", 2)]
    assert "pacco" in found[0].suggestions


def test_both_apostrophes_and_elisions_are_words():
    assert wrong("L'ordine, l’ordine e dell’ordine è partito perché arriva") == [("e", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "il pacco Zwilling arriva",  # a name: a capital where no sentence begins
        "ordine SO48213 e-4711x arriva a https://shop.example/sconosciuto",
        "grazie a giulia@sconosciuto.example",
        "> questa riga e citata\ngrazie",
        "il pacco «out for delivery» arriva",
        "DHL, iPhone",
        "grazie Ζωή",
    ],
)
def test_names_numbers_quotations_and_addresses_are_left_out(text):
    assert wrong(text.replace(" e-4711x", "")) == []


def test_the_words_of_a_canned_response_and_given_names_are_right():
    assert wrong("il tracciamento di Rosa zuccherini", names=["Rosa zuccherini"], known=["Il tracciamento, di"]) == []


def test_what_a_customer_writes_with_a_capital_is_right_as_he_writes_it():
    text = "Lucciola arriva. Luciola lucciola arivva"
    found = find_misspellings(text, "it", named_in=["Il paco Lucciola non arivva"])
    assert [one.word for one in found] == ["Luciola", "lucciola", "arivva"]


def test_a_language_without_a_dictionary_has_no_mistakes():
    assert find_dictionary("de") is None
    assert find_misspellings("Gans falsch geschriben", "de") == []


def test_the_dictionary_of_the_region_comes_first_and_another_region_is_better_than_none(dictionary: Path):
    for name in ("it_CH.dic", "it_CH.aff", "en_GB.dic", "en_GB.aff"):
        (dictionary / name).touch()
    assert find_dictionary("it-CH") == dictionary / "it_CH.dic"
    assert find_dictionary("it-SM") == find_dictionary("it") == dictionary / "it_IT.dic"
    assert find_dictionary("en") == dictionary / "en_GB.dic"


def test_without_a_region_any_dictionary_of_the_language_will_do(dictionary: Path):
    for region, word in (("US", "canceled"), ("GB", "cancelled")):
        (dictionary / f"en_{region}.dic").write_text(f"1\n{word}\n", "utf-8")
        (dictionary / f"en_{region}.aff").write_text("SET UTF-8\n", "utf-8")
    text = "canceled cancelled cancceled"
    assert [one.word for one in find_misspellings(text, "en")] == ["cancceled"]
    assert [one.word for one in find_misspellings(text, "en-GB")] == ["canceled", "cancceled"]


def test_a_compound_of_two_known_words_is_a_word_where_the_language_makes_them(dictionary: Path):
    (dictionary / "de_DE.dic").write_text("2\nSendung\nVerfolgung\n", "utf-8")
    (dictionary / "de_DE.aff").write_text("SET UTF-8\n", "utf-8")
    found = find_misspellings("Sendungsverfolgung Sendungverfolgungs Sendungsverfolgnug", "de")
    assert [one.word for one in found] == ["Sendungverfolgungs", "Sendungsverfolgnug"]


REAL = {
    "it": (
        "Buongiorno Giulia,\nil pacco 4711X è partito dal magazino e arriverrà giovedì; l’ordine è pagato.",
        [("magazino", 2, "magazzino"), ("arriverrà", 2, "arriverà")],
    ),
    "de": (
        "Guten Tag Frau Müller,\ndie Sendungsverfolgung zeigt: Ihr Paket wurde verschikt. Rückgabe kostenloss.",
        [("verschikt", 2, "verschickt"), ("kostenloss", 2, "kostenlos")],
    ),
    "en": ("Hi Mary,\nit's been shiped. Don't worry, it will arrive on Thursday.", [("shiped", 2, "shipped")]),
}


@pytest.mark.parametrize("language", REAL)
def test_the_systems_own_dictionary_finds_the_mistakes_and_nothing_else(language: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    if find_dictionary(language) is None:
        pytest.skip(f"no hunspell dictionary of {language}: apt install {debian_package(language)}")
    text, wanted = REAL[language]
    found = find_misspellings(text, language, names=["Giulia Rossi", "Anna Müller", "Mary"])
    assert [(one.word, one.line) for one in found] == [(word, line) for word, line, _right in wanted]
    assert all(right in one.suggestions for one, (_word, _line, right) in zip(found, wanted, strict=True))


@pytest.mark.parametrize("language", REAL)
def test_right_replies_are_almost_free_of_spelling_warnings_by_the_systems_own_dictionary(
    language: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.undo()
    if find_dictionary(language) is None:
        pytest.skip(f"no hunspell dictionary of {language}: apt install {debian_package(language)}")
    replies = [reply for reply in right_replies() if reply.language == language]
    warned = [reply for reply in replies if find_misspellings(reply.text, language, names=reply.names)]
    assert len(warned) <= len(replies) * 0.12, [reply.text for reply in warned]


def test_without_chunspell_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spelling, "available", lambda: False)
    assert wrong("qwertz uiop") == []
