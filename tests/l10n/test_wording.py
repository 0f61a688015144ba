"""A letter is looked over before it leaves: every fault with its place, and no fault where there is none."""

from __future__ import annotations

import pytest

from supportdesk.l10n.wording import Fault, find_faults

BODY = "il Suo ordine è partito questa mattina dal nostro magazzino e dovrebbe arrivare entro la fine della settimana."
LETTER = f"Gentile Giulia Rossi,\n\n{BODY}\n\nCordiali saluti\nAnna"


def codes(text: str, language: str = "it", **given: str) -> list[str]:
    return [fault.code for fault in find_faults(text, language, **given)]


@pytest.mark.parametrize(
    ("language", "register", "text", "found"),
    [
        ("it", "formal", "Le scrivo per dirti che il pacco è partito e che ti arriva domani.", "ti"),
        ("it", "formal", "Abbiamo spedito il tuo ordine.", "tuo"),
        ("it", "informal", "Abbiamo spedito il Suo ordine.", "Suo"),
        ("it", "informal", "La ringraziamo della pazienza.", "La ringraziamo"),
        ("de", "formal", "Wir haben dein Paket verschickt.", "dein"),
        ("de", "formal", "Wenn Du magst, tauschen wir es um.", "Du"),
        ("de", "informal", "Wir haben Ihnen das Paket geschickt.", "Ihnen"),
        ("fr", "formal", "Nous avons envoyé ton colis.", "ton"),
        ("fr", "formal", "Nous t’avons écrit hier.", "t’avons"),
        ("fr", "informal", "Nous avons envoyé votre colis.", "votre"),
        ("es", "formal", "Hemos enviado tu pedido.", "tu"),
        ("es", "informal", "Hemos enviado su pedido a usted.", "su pedido"),
        ("nl", "formal", "We hebben je pakket verstuurd.", "je"),
        ("nl", "informal", "We hebben uw pakket verstuurd.", "uw"),
    ],
)
def test_the_wrong_register_is_named(language, register, text, found):
    assert find_faults(text, language, register=register) == [Fault("register", 1, found)]


@pytest.mark.parametrize(
    ("language", "register", "text"),
    [
        ("it", "formal", "Sei pezzi dell'ordine sono partiti; Le scriveremo domani."),
        ("it", "informal", "Il corriere e il suo furgone arrivano da te domani. La spedizione è gratuita."),
        ("de", "formal", "Das Eau du Soir liegt für Sie bereit."),
        ("de", "informal", "Sie ist unterwegs: deine Bestellung kommt morgen."),
        ("fr", "informal", "Le point de rendez-vous est sur ton colis."),
        ("es", "formal", "El té y su caja han salido; le escribimos mañana."),
        ("fr", "formal", "Vous avez écrit « tu peux m’aider ? »."),
        ("en", "formal", "You can keep your copy."),
    ],
)
def test_the_right_register_is_let_pass(language, register, text):
    assert codes(text, language, register=register) == []


def test_where_no_register_was_decided_a_mixture_is_still_a_fault():
    assert codes("Abbiamo spedito il Suo ordine.") == codes("Abbiamo spedito il tuo ordine.") == []
    assert find_faults("Abbiamo spedito il Suo ordine\ne ti scriviamo ancora, Le auguro ogni bene.", "it") == [
        Fault("mixed_register", 2, "ti")
    ]


@pytest.mark.parametrize(
    "left",
    ["{{ customer.name }}", "{name}", "[NOME CLIENTE]", "[numero ordine]", "[…]", "<nome>", "%name%", "$order", "XXXX",
     "XXX", "____", "lorem ipsum"],
)  # fmt: skip
def test_what_was_left_unfilled_is_found(left):
    assert [fault.found for fault in find_faults(f"Gentile {left}, buongiorno", "it")] == [left]


@pytest.mark.parametrize(
    "harmless",
    ["la taglia XXL", "[1] la nota", "a < b e b > c", "<giulia@example.com>", "il 20% in meno", "http://x.example/{id}",
     "snake_case_qui", "xx"],
)  # fmt: skip
def test_what_only_looks_like_a_placeholder_is_none(harmless):
    assert codes(f"Ecco {harmless}.") == []


def test_a_letter_opens_and_closes_as_one():
    assert codes(LETTER) == []
    assert find_faults(LETTER.removeprefix("Gentile Giulia Rossi,\n\n"), "it") == [Fault("greeting", 1)]
    assert find_faults(LETTER.replace("Cordiali saluti\nAnna", ""), "it") == [Fault("closing", 3)]
    assert codes(LETTER.replace("Cordiali saluti\nAnna", ""), signature="Cordiali saluti\nIl negozio") == []


def test_the_closing_of_another_language_is_none_and_a_line_needs_none():
    assert codes(LETTER.replace("Cordiali saluti", "Mit besten Empfehlungen")) == ["closing"]
    assert codes("È partito stamattina.") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("È partito!!!", Fault("marks", 1, "!!!")),
        ("Davvero??", Fault("marks", 1, "??")),
        ("Attenda.\nNON RISPONDIAMO PIÙ STASERA, domani sì.", Fault("shouting", 2, "NON RISPONDIAMO PIÙ STASERA")),
        ("ATTENDERE PREGO", Fault("shouting", 1, "ATTENDERE PREGO")),
    ],
)
def test_shouting_is_heard(text, found):
    assert find_faults(text, "it") == [found]


@pytest.mark.parametrize(
    "text",
    [
        "Il LEGO STAR WARS 75313 arriva con DHL EXPRESS.",
        "IBAN e BIC sono giusti!",
        "È il modello USB HDMI VGA.",
        "OK!?",
    ],
)
def test_brands_and_codes_do_not_shout(text):
    assert codes(text) == []


def test_the_words_that_a_shop_avoids_are_found_whole():
    assert find_faults("È colpa Sua.\nColpaccio!", "it", avoided=["colpa", ""]) == [Fault("avoided", 1, "colpa")]


def test_names_quotations_and_links_are_not_looked_at():
    text = "Tu Sei Bella è qui.\n> ti scrivo per il tuo ordine!!!\nhttps://shop.example/tu/!!! «SUBITO I MIEI SOLDI»"
    assert find_faults(text, "it", register="formal", names=["Tu Sei Bella"]) == []
