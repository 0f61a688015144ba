"""The mail programs of the demo's customers: they thread as the real ones do, and what they quote is folded."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from supportdesk.demo.letters import CLIENTS, Letter, Original, make_message_id, write_letter
from supportdesk.demo.quoting import reply_subject
from supportdesk.demo.shop import SHOP
from supportdesk.mail.model import Address
from supportdesk.mail.parse import parse

ANNA = Address("Anna Verdi", "anna@posta.example")
AT = datetime(2026, 11, 20, 18, 2, tzinfo=ZoneInfo("Europe/Rome"))
REPLY = Original(
    message_id="<sd.abc.7.mac@bottega-vallombra.example>",
    references=("<first@posta.example>", "<second@posta.example>"),
    author=SHOP,
    to=ANNA,
    date=AT,
    subject="Re: Un vaso",
    text="Buongiorno Anna,\n\nil vaso è smaltato dentro.\n\nA presto",
)


def answer(client: str, language: str = "it", **changes: object) -> bytes:
    values: dict[str, object] = {
        "message_id": make_message_id(client, "seed", "posta.example"),
        "from_": ANNA,
        "to": (SHOP,),
        "subject": reply_subject(client, language, REPLY.subject),
        "text": "Grazie, allora lo prendo.\n\nPotete spedirlo a Torino?",
        "language": language,
        "client": client,
        "date": AT,
        "answers": REPLY,
        **changes,
    }
    return write_letter(Letter(**values))  # type: ignore[arg-type]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_program_names_the_mail_that_it_answers(client):
    read = parse(answer(client))
    assert read.in_reply_to == (REPLY.message_id,)
    assert read.references[-1] == REPLY.message_id


@pytest.mark.parametrize("client", CLIENTS)
def test_only_apple_drops_the_chain_of_references(client):
    chain = (REPLY.message_id,) if client in ("apple", "iphone") else (*REPLY.references, REPLY.message_id)
    assert parse(answer(client)).references == chain


@pytest.mark.parametrize("language", ["it", "en", "de", "fr", "es"])
@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_program_quotes_is_folded_and_what_was_written_is_not(client, language):
    read = parse(answer(client, language))
    assert "Potete spedirlo a Torino?" in read.fresh_text
    assert "il vaso è smaltato dentro" not in read.fresh_text
    assert "il vaso è smaltato dentro" in read.text


@pytest.mark.parametrize("client", CLIENTS)
def test_a_letter_survives_any_alphabet(client):
    text = "Grüße aus Łódź – 東京より、ありがとう 🌿"
    assert text in parse(answer(client, text=text)).fresh_text


def test_outlook_says_risposta_and_antwort_once():
    assert reply_subject("outlook", "it", "Un vaso") == "R: Un vaso"
    assert reply_subject("outlook", "de", "AW: Eine Vase") == "AW: Eine Vase"
    assert reply_subject("gmail", "de", "Eine Vase") == "Re: Eine Vase"
