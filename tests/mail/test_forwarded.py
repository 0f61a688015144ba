"""Forwards: whose mail it was, in the forms and the languages of mail programs (mail.md 2.3, "Forward by an agent")."""

from __future__ import annotations

import pytest

from supportdesk.mail.forwarded import read_forward
from supportdesk.mail.parse import parse
from tests.mail.parsed_mail import parsed_mail

ROSA = ("Rosa Bianchi", "rosa@example.com")
BLOCKS = {
    "gmail-en": "---------- Forwarded message ---------\nFrom: Rosa Bianchi <rosa@example.com>\n"
    "Date: Fri, 20 Nov 2026 at 09:00\nSubject: Il pacco\nTo: <anna@shop.example>\n",
    "gmail-it": "---------- Messaggio inoltrato ---------\nDa: Rosa Bianchi <rosa@example.com>\n"
    "Data: ven 20 nov 2026 alle ore 09:00\nOggetto: Il pacco\nA: <anna@shop.example>\n",
    "apple-en": "Begin forwarded message:\n\n> From: Rosa Bianchi <rosa@example.com>\n"
    "> Date: 20 November 2026 at 09:00:00 CET\n> To: anna@shop.example\n> Subject: Il pacco\n> \n",
    "apple-de": "Anfang der weitergeleiteten Nachricht:\n\nVon: Rosa Bianchi <rosa@example.com>\nBetreff: Il pacco\n"
    "Datum: 20. November 2026 um 09:00:00 MEZ\nAn: anna@shop.example\n",
    "outlook-de": "________________________________\nVon: Rosa Bianchi <rosa@example.com>\n"
    "Gesendet: Freitag, 20. November 2026 09:00\nAn: Anna <anna@shop.example>\nBetreff: Il pacco\n",
    "outlook-fr": "De : Rosa Bianchi [mailto:rosa@example.com]\nEnvoyé : vendredi 20 novembre 2026 09:00\n"
    "À : Anna\nObjet : Il pacco\n",
    "outlook-es": "De: Rosa Bianchi <rosa@example.com>\nEnviado el: viernes, 20 de noviembre de 2026 9:00\n"
    "Para: Anna\nAsunto: Il pacco\n",
    "outlook-pt": "De: Rosa Bianchi <rosa@example.com>\nEnviada em: sexta-feira, 20 de novembro de 2026 09:00\n"
    "Para: Anna\nAssunto: Il pacco\n",
    "outlook-nl": "Van: Rosa Bianchi <rosa@example.com>\nVerzonden: vrijdag 20 november 2026 09:00\nAan: Anna\n"
    "Onderwerp: Il pacco\n",
    "outlook-pl": "Od: Rosa Bianchi <rosa@example.com>\nWysłano: piątek, 20 listopada 2026 09:00\nDo: Anna\n"
    "Temat: Il pacco\n",
    "outlook-sv": "Från: Rosa Bianchi <rosa@example.com>\nSkickat: den 20 november 2026 09:00\nTill: Anna\n"
    "Ämne: Il pacco\n",
    "outlook-da": "Fra: Rosa Bianchi <rosa@example.com>\nSendt: 20. november 2026 09:00\nTil: Anna\nEmne: Il pacco\n",
    "outlook-cs": "Od: Rosa Bianchi <rosa@example.com>\nOdesláno: pátek 20. listopadu 2026 9:00\nKomu: Anna\n"
    "Předmět: Il pacco\n",
    "outlook-fi": "Lähettäjä: Rosa Bianchi <rosa@example.com>\nLähetetty: perjantai 20. marraskuuta 2026 9.00\n"
    "Vastaanottaja: Anna\nAihe: Il pacco\n",
    "outlook-hu": "Feladó: Rosa Bianchi <rosa@example.com>\nElküldve: 2026. november 20. 9:00\nCímzett: Anna\n"
    "Tárgy: Il pacco\n",
    "outlook-ru": "От: Rosa Bianchi <rosa@example.com>\n"
    "Отправлено: 20 ноября 2026 г. 9:00\nКому: Anna\nТема: Il pacco\n",
    "outlook-ja": "差出人: Rosa Bianchi <rosa@example.com>\n"
    "送信日時: 2026年11月20日 9:00\n宛先: Anna\n件名: Il pacco\n",
    "outlook-zh": "发件人: Rosa Bianchi <rosa@example.com>\n"
    "发送时间: 2026年11月20日 9:00\n收件人: Anna\n主题: Il pacco\n",
    "bold": "*From:* Rosa Bianchi <rosa@example.com>\n*Sent:* Friday, November 20, 2026 9:00 AM\n*To:* Anna\n"
    "*Subject:* Il pacco\n",
    "thunderbird": "-------- Weitergeleitete Nachricht --------\n"
    "Betreff: \tIl pacco\nDatum: \tFri, 20 Nov 2026 09:00:00\n"
    "Von: \tRosa Bianchi <rosa@example.com>\nAn: \tanna@shop.example\n",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_forward_names_the_original_sender_in_any_language(block: str) -> None:
    quote = "> " if "\n> " in block else ""
    text = f"Puoi guardare tu?\n\n{block}\n{quote}Dov'è il mio pacco?\n{quote}Rosa\n"
    found = read_forward(parsed_mail(subject="Fwd: Il pacco", text=text))
    assert found is not None
    assert (found.from_.name, found.from_.addr) == ROSA
    assert (found.subject, found.note) == ("Il pacco", "Puoi guardare tu?")
    assert found.text == "Dov'è il mio pacco?\nRosa"


@pytest.mark.parametrize("subject", ["FW: x", "WG: x", "TR: x", "RV: x", "I: x", "ENC: x", "VS: x", "転送: x"])
def test_the_prefixes_of_a_forward_are_known(subject: str) -> None:
    assert read_forward(parsed_mail(subject=subject, text=BLOCKS["gmail-en"] + "\nhello")) is not None


def test_the_first_line_may_say_that_it_is_a_forward() -> None:
    text = f"@fwd\nPuoi guardare tu?\n\n{BLOCKS['outlook-de']}\nWo ist mein Paket?\n"
    found = read_forward(parsed_mail(subject="Il pacco", text=text))
    assert found is not None
    assert (found.from_.addr, found.note) == ("rosa@example.com", "Puoi guardare tu?")


def test_an_attached_mail_is_the_forwarded_one() -> None:
    raw = (
        b"From: anna@shop.example\nSubject: Fwd: Il pacco\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
        b"Puoi guardare tu?\n--b\nContent-Type: message/rfc822\n\nFrom: Rosa Bianchi <rosa@example.com>\n"
        b"Message-ID: <q@example.com>\nSubject: Il pacco\n\nDove?\n--b--\n"
    )
    found = read_forward(parse(raw))
    assert found is not None
    assert (found.from_.addr, found.note) == ("rosa@example.com", "Puoi guardare tu?")
    assert found.message_id == "<q@example.com>"
    assert found.text.strip() == "Dove?"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Il pacco", BLOCKS["gmail-en"]),  # a mail that quotes is no forward
        ("Fwd: Il pacco", "Ecco la foto.\n"),
        ("Fwd: Il pacco", "From: Rosa Bianchi\nDate: today\nSubject: Il pacco\n\nx"),  # no address
        ("Fwd: Il pacco", "From: rosa@example.com, ugo@example.com\nDate: today\nSubject: x\n\nx"),  # who of them?
        ("Fwd: Il pacco", "From: Berlin rosa@example.com\n\nSee you there."),  # a line is no header block
        ("Fwd: Il pacco", ""),
    ],
)
def test_in_doubt_a_forward_stays_the_mail_of_who_sent_it(subject: str, text: str) -> None:
    assert read_forward(parsed_mail(subject=subject, text=text)) is None


def test_a_forward_of_endless_lines_is_read_in_a_moment() -> None:
    assert read_forward(parsed_mail(subject="Fwd: x", text="From:\n" * 200_000)) is None
