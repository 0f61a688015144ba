"""Greetings name people, never companies, and never guess a gender."""

from __future__ import annotations

import pytest

from supportdesk.l10n.format import babel_locale
from supportdesk.l10n.names import _GREETINGS, first_name, full_name, greeting, split_name


@pytest.mark.parametrize(
    ("written", "given", "family"),
    [
        ("Giulia Bianchi", "Giulia", "Bianchi"),
        ("ROSSI, Mario", "Mario", "Rossi"),
        ("mario rossi", "Mario", "Rossi"),
        ("Dott.ssa Anna Verdi", "Anna", "Verdi"),
        ("Jean-Pierre de la Fontaine", "Jean-Pierre", "de la Fontaine"),
        ("Ian McDonald", "Ian", "McDonald"),
        ("田中 太郎", "太郎", "田中"),
        ('"Müller, Jürgen"', "Jürgen", "Müller"),
    ],
)
def test_a_persons_name_is_taken_apart(written, given, family):
    assert split_name(written) == (given, family)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "giulia@example.org",
        "Acme S.r.l.",
        "Müller GmbH",
        "Team Vendite",
        "Kundenservice",
        "order4711",
        "<script>",
        "...",
        "a b c d e f g",
    ],
)
def test_what_is_no_person_has_no_name(written):
    assert split_name(written) == ("", "")
    assert first_name(written) == ""


@pytest.mark.parametrize("written", ["mrossi", "ROSSI", "Mme Dupont", "M. Dupont"])
def test_a_login_or_a_family_name_alone_is_no_first_name(written):
    assert first_name(written) == ""


@pytest.mark.parametrize(
    ("locale", "named", "unnamed"),
    [
        ("it", "Ciao Giulia,", "Ciao,"),
        ("it@formal", "Gentile Giulia Rossi,", "Gentile cliente,"),
        ("en", "Hi Giulia,", "Hello,"),
        ("de", "Hallo Giulia,", "Hallo,"),
        ("de-AT@formal", "Guten Tag Giulia Rossi,", "Guten Tag,"),
        ("fr", "Bonjour Giulia,", "Bonjour,"),
        ("fr@formal", "Bonjour,", "Bonjour,"),
        ("es", "Hola, Giulia:", "Hola:"),
        ("es@formal", "Buenos días, Giulia Rossi:", "Buenos días:"),
        ("cy", "Hi Giulia,", "Hello,"),
    ],
)
def test_a_greeting_fits_the_language_and_the_register(locale, named, unnamed):
    assert greeting("Giulia Rossi", locale) == named
    assert greeting("Acme S.r.l.", locale) == unnamed


@pytest.mark.parametrize(
    ("written", "locale", "opening"),
    [
        ("Sig.ra Anna Rossi", "it@formal", "Gentile Sig.ra Rossi,"),
        ("Dott.ssa Anna Rossi", "it@formal", "Gentile Dott.ssa Rossi,"),
        ("Frau Müller", "de@formal", "Sehr geehrte Frau Müller,"),
        ("Herr Dr. Jürgen Müller", "de@formal", "Sehr geehrter Herr Dr. Müller,"),
        ("Mme Dupont", "fr@formal", "Bonjour Madame Dupont,"),
        ("Mrs Jane Smith", "en@formal", "Dear Mrs Smith,"),
        ("Sra. María García", "es@formal", "Estimada Sra. García:"),
        ("Frau Anna Müller", "it@formal", "Gentile Anna Müller,"),
        ("Frau Anna Müller", "de", "Hallo Anna,"),
        ("Signorina Servizi S.r.l.", "it@formal", "Gentile cliente,"),
    ],
)
def test_who_writes_a_title_is_greeted_with_it_in_a_formal_letter_of_its_language(written, locale, opening):
    assert greeting(written, locale) == opening


def test_every_greeting_exists_with_and_without_a_name():
    for language in {language for language, _register in _GREETINGS}:
        babel_locale(language)
        assert greeting("", language)
        assert "{" not in greeting("Giulia Rossi", language)


def test_names_take_the_order_of_the_language():
    assert full_name("Anna", "Nagy", "hu") == "Nagy Anna"
    assert full_name("Anna", "Nagy", "it") == "Anna Nagy"
    assert full_name("太郎", "田中", "ja") == "田中太郎"
    assert full_name("", "Rossi", "it") == "Rossi"
    assert full_name("Giulia", "Rossi", "ja") == "Giulia Rossi"
    assert first_name("Giulia Rossi", "ja") == "Giulia"
