"""What is folded away from a reply, and above all what is not."""

from __future__ import annotations

import pytest

from supportdesk.mail.quotes import MAX_LINES, find_folds, is_forward

ATTRIBUTIONS = {
    "en": "On Fri, Nov 20, 2026 at 6:02 PM Shop <help@shop.example> wrote:",
    "de": "Am 20.11.2026 um 18:02 schrieb Shop <help@shop.example>:",
    "de (Outlook.com)": "Shop <help@shop.example> schrieb am Fr., 20. Nov. 2026, 18:02:",
    "fr": "Le ven. 20 nov. 2026 à 18:02, Shop <help@shop.example> a écrit :",
    "it": "Il giorno ven 20 nov 2026 alle ore 18:02 Shop <help@shop.example> ha scritto:",
    "es": "El vie, 20 nov 2026 a las 18:02, Shop (<help@shop.example>) escribió:",
    "pt": "Em sex., 20 de nov. de 2026 às 18:02, Shop <help@shop.example> escreveu:",
    "nl": "Op vr 20 nov 2026 om 18:02 schreef Shop <help@shop.example>:",
    "pl": "pt., 20 lis 2026 o 18:02 Shop <help@shop.example> napisał(a):",
    "sv": "Den fre 20 nov. 2026 kl 18:02 skrev Shop <help@shop.example>:",
    "da": "Den 20. nov. 2026 kl. 18.02 skrev Shop <help@shop.example>:",
    "fi": "pe 20. marrask. 2026 klo 18.02 Shop (help@shop.example) kirjoitti:",
    "cs": "pá 20. 11. 2026 v 18:02 odesílatel Shop <help@shop.example> napsal:",
    "hu": "Shop <help@shop.example> ezt írta (időpont: 2026. nov. 20., P, 18:02):",
    "ro": "În vin., 20 nov. 2026 la 18:02, Shop <help@shop.example> a scris:",
    "tr": "Shop <help@shop.example>, 20 Kas 2026 Cum, 18:02 tarihinde şunu yazdı:",
    "ru": "пт, 20 нояб. 2026 г. в 18:02, Shop <help@shop.example>:\nпишет:",
    "uk": "пт, 20 лист. 2026 р. о 18:02 Shop <help@shop.example> пише:",
    "el": "Στις Παρ 20 Νοε 2026 στις 6:02 μ.μ., ο χρήστης Shop <help@shop.example> έγραψε:",
    "ja": "2026年11月20日(金) 18:02 Shop <help@shop.example>のメール:",
    "zh": "Shop <help@shop.example> 于2026年11月20日周五 18:02写道：",
    "ko": "2026년 11월 20일 (금) 오후 6:02, Shop <help@shop.example>님이 작성:",
}


def fresh(text: str, *, forwarded: bool = False) -> str:
    folds = find_folds(text, forwarded=forwarded)
    at, pieces = 0, []
    for fold in folds:
        pieces.append(text[at : fold.start])
        at = fold.end
    return "".join([*pieces, text[at:]]).strip()


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS.keys())
def test_an_attribution_and_its_quotation_are_folded_in_any_language(attribution: str):
    assert (
        fresh(f"Thanks, that works.\n\n{attribution}\n\n> Please restart.\n>\n> Your shop\n") == "Thanks, that works."
    )


@pytest.mark.parametrize("attribution", [text for name, text in ATTRIBUTIONS.items() if name != "ru"])
def test_a_quotation_without_marks_is_folded_to_the_end(attribution: str):
    assert fresh(f"Thanks, that works.\n\n{attribution}\n\nPlease restart.\n\nYour shop\n") == "Thanks, that works."


def test_an_attribution_may_be_wrapped_over_three_lines():
    text = (
        "Yes.\n\nOn Fri, Nov 20, 2026 at 6:02 PM\nThe Shop With A Long Name\n<help@shop.example> wrote:\n\n> Is it?\n"
    )
    assert fresh(text) == "Yes."


@pytest.mark.parametrize(
    "block",
    [
        "From: Shop <help@shop.example>\nSent: Friday, 20 November 2026 18:02\nTo: Anna\nSubject: Parcel",
        "Von: Shop <help@shop.example>\nGesendet: Freitag, 20. November 2026 18:02\nAn: Anna\nBetreff: Paket",
        "*Da:* Shop <help@shop.example>\n*Inviato:* venerdì 20 novembre 2026 18:02\n*A:* Anna\n*Oggetto:* Pacco",
        "De : Shop <help@shop.example>\nEnvoyé : vendredi 20 novembre 2026 18:02\nÀ : Anna\nObjet : Colis",
        "发件人: Shop <help@shop.example>\n发送时间: 2026年11月20日 18:02\n收件人: Anna\n主题: 包裹",
    ],
)
@pytest.mark.parametrize(
    "rule",
    ["", "________________________________\n", "-----Original Message-----\n", "-----Ursprüngliche Nachricht-----\n"],
)
def test_a_header_block_of_outlook_folds_what_follows(block: str, rule: str):
    assert fresh(f"Here it is.\n\n{rule}{block}\n\nWhere is it?\n") == "Here it is."


def test_answers_between_the_quotations_stay_visible():
    text = "Hi,\n\nOn Fri, Nov 20, 2026, Shop wrote:\n> Which size?\n\n42.\n\n> Which colour?\n\nBlue.\n"
    assert fresh(text).split() == ["Hi,", "42.", "Blue."]


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Inviato da iPhone",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "iPhoneから送信",
        "Отправлено с iPhone",
    ],
)
def test_what_a_phone_adds_is_a_signature(line: str):
    assert fresh(f"Thanks!\n\n{line}\n") == "Thanks!"


def test_a_signature_ends_where_the_quotation_begins():
    text = "Thanks!\n-- \nAnna\nRome\n\n> old\n"
    assert [(fold.kind, text[fold.start : fold.end].strip()) for fold in find_folds(text)] == [
        ("signature", "-- \nAnna\nRome"),
        ("quote", "> old"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "I travel like this:\nFrom: Berlin\nTo: Munich\nDate: 3 May\n",
        "On Monday I wrote to you, and nothing happened.\nOn Tuesday as well: nothing.\n",
        "He said:\nthe parcel is lost, order 12345\n",
        "The steps:\n1. open the box\n2. on the left: a screw\n",
        "Il pacco 12345 non è arrivato.\nVorrei sapere: dove si trova?\n",
        "--force does not help\n",
        "a -- b\n",
        "Hello,\nSent from my desk, which is much easier than from my phone.\n",
    ],
)
def test_prose_is_never_folded(text: str):
    assert find_folds(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "> only a quotation\n",
        "-- \nonly a signature",
        "On Fri, Nov 20, 2026 at 6:02 PM Shop <help@shop.example> wrote:\n> x\n",
        "\n\n",
        "",
    ],
)
def test_where_nothing_human_would_be_left_nothing_is_folded(text: str):
    assert find_folds(text) == ()


@pytest.mark.parametrize(
    "marker",
    [
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-------- Weitergeleitete Nachricht --------",
        "---------- Messaggio inoltrato ----------",
    ],
)
def test_forwarded_mail_is_new_and_stays_visible(marker: str):
    text = f"Can you help?\n\n{marker}\nFrom: Anna <anna@customer.example>\n"
    text += "Date: Fri\nSubject: Parcel\nTo: me\n\nWhere is it?\n> older\n"
    assert find_folds(text) == ()


def test_the_subject_tells_a_forward_from_a_reply_where_the_text_does_not():
    text = "See below.\n\nFrom: Anna <anna@customer.example>\nSent: Friday\nTo: Shop\nSubject: Parcel\n\nWhere is it?\n"
    assert fresh(text) == "See below."
    assert find_folds(text, forwarded=True) == ()


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        ("Fwd: x", True),
        ("WG: x", True),
        ("I: x", True),
        ("[list] Fw: x", True),
        ("Re: x", False),
        ("Info: x", False),
        ("", False),
    ],
)
def test_forward_prefixes(subject: str, verdict: bool):
    assert is_forward(subject) is verdict


def test_a_container_of_the_html_is_folded_but_not_the_answers_in_it():
    text = "Hi,\n\nShop, Friday:\n\n> Which size?\n\n42, please.\n"
    start = text.index("Shop, Friday")
    assert [text[fold.start : fold.end].strip() for fold in find_folds(text, [(start, len(text))])] == [
        "Shop, Friday:\n\n> Which size?"
    ]


@pytest.mark.parametrize(
    "piece",
    [
        "On ",
        "On x\n",
        ">\n",
        "> x\n\n",
        "-\n",
        "-- \n",
        "From: a@b\n",
        "a wrote:\n",
        ":\n",
        "On 1 wrote:\n",
        "_____\n\n",
        "\n",
    ],
)
def test_folds_of_endless_lines_are_ordered_and_inside(piece: str):
    text = piece * 30_000
    at = 0
    for fold in find_folds("x\n" + text):
        assert at <= fold.start < fold.end <= len(text) + 2
        at = fold.end


def test_parse_13_what_is_below_thousands_of_lines_is_shown_and_never_guessed_at() -> None:
    quotation = "\nOn Mon, 2 Mar 2026 at 09:15, A <a@b.example> wrote:\n> x\n"
    text = "Buongiorno,\n" + "una riga\n" * (MAX_LINES + 10) + quotation
    assert find_folds(text) == ()


def test_parse_13_earlier_mail_that_fills_the_rest_is_folded_to_its_end() -> None:
    head = "Grazie mille.\n\n"
    text = head + "-----Original Message-----\nFrom: a@b.example\nSubject: x\n\n" + "una riga\n" * (2 * MAX_LINES)
    assert [(fold.start, fold.end) for fold in find_folds(text)] == [(len(head), len(text))]


@pytest.mark.parametrize(
    "attribution",
    [
        "пн, 16 нояб. 2026 г. в 08:00, Shop <support@shop.example>:",
        '16.11.2026, 08:00, "Shop" <support@shop.example>:',
        "Понедельник, 16 ноября 2026, 08:00 +03:00 от Shop <support@shop.example>:",
        "pon, 16. stu 2026. u 08:00 Shop <support@shop.example> napisao je:",
        (
            "\u202bבתאריך יום ב׳, 16 בנוב׳ 2026 ב-8:00 "
            "מאת \u202aShop\u202c\u200f <\u202asupport@shop.example\u202c\u200f>:\u202c"
        ),
        "في الاثنين، 16 نوفمبر 2026 في 8:00 ص تمت كتابة ما يلي بواسطة Shop <support@shop.example>:",
        "2026年11月16日(月) 8:00 Shop <support@shop.example>:",
        "---- On Mon, 16 Nov 2026 08:00:00 +0100 Shop <support@shop.example> wrote ----",
        "------------------ Original ------------------",
    ],
)
@pytest.mark.parametrize("quoted", ["> Guten Tag\n> Ihr Shop", "Guten Tag\nIhr Shop"])
def test_parse_13_an_attribution_without_a_verb_is_one_by_its_day_its_time_and_its_address(attribution, quoted):
    text = f"Danke, das klappt nicht.\n\n{attribution}\n\n{quoted}\n"
    kept = text
    for fold in reversed(find_folds(text)):
        kept = kept[: fold.start] + kept[fold.end :]
    assert kept.strip() == "Danke, das klappt nicht."


@pytest.mark.parametrize(
    "line",
    [
        "Bitte schreiben Sie am 16.11.2026 um 08:00 an support@shop.example:",
        "Meine Adresse <anna@kunde.example>:",
        "Lieferung am 16.11.2026 um 08:00:",
        "\u200f",
    ],
)
def test_parse_13_what_only_resembles_an_attribution_is_not_folded(line: str):
    assert find_folds(f"Guten Tag,\n\n{line}\n\nSonst nichts.\n") == ()


def test_parse_13_horde_cites_without_a_date():
    assert len(find_folds("Nein.\n\nZitat von Shop <support@shop.example>:\n\n> Ja?\n")) == 1
