"""The texts of automatic mail are complete, clean, in their own language and manner, and say when the answer comes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from supportdesk.desk.automatic_texts import CONTEXT, KEYS, Reader, closure_before, shipped, write_text
from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.canned_lint import lint
from supportdesk.desk.model import Mailbox, MailboxId
from supportdesk.l10n.detect import detect
from tests.desk.test_canned_starter_set import OTHER_REGISTER

if TYPE_CHECKING:
    from supportdesk.desk.canned import CannedResponse, Variant

TAGS = [
    "de", "de@formal", "en", "es", "es@formal", "fr", "fr@formal", "it", "it@formal", "ja", "nl", "pl", "pt",
]  # fmt: skip
ROME = ZoneInfo("Europe/Rome")
NOW = datetime(2026, 8, 7, 13, 0, tzinfo=UTC)
DUE = datetime(2026, 8, 24, 13, 0, tzinfo=UTC)
NINE_TO_SIX = ((540, 1080),)
CALENDAR = Calendar(
    "Europe/Rome",
    (NINE_TO_SIX,) * 5 + ((), ()),
    exceptions=(CalendarException(date(2026, 8, 8), date(2026, 8, 23), notices={"it": "Siamo in ferie."}),),
)
SHOP = Mailbox(
    MailboxId(1),
    "aiuto@bottega.example",
    "",
    "Bottega Verde",
    (),
    None,
    None,
    "active",
    language="it",
    zone="Europe/Rome",
)
CASES = [(response, variant) for response in shipped().values() for variant in response.variants]
IDS = [f"{response.key}-{variant.tag}" for response, variant in CASES]


def written(response: CannedResponse, variant: Variant, **values: Any) -> str:
    reader = Reader(variant.tag.language, "", variant.tag.register, ROME)
    return write_text(response, variant, reader, SHOP, ticket_number=4711, now=NOW, **values).body


def test_each_is_written_in_every_language_and_register_and_lints_clean_beside_the_starter_set():
    assert tuple(shipped()) == tuple(sorted(KEYS))
    for response in shipped().values():
        assert [str(variant.tag) for variant in response.variants] == TAGS
    assert lint(shipped().values(), TAGS) == ()
    assert lint((*starter_set(), *shipped().values())) == ()


def test_an_automatic_text_may_not_use_what_only_an_agent_knows():
    from tests.desk.canned_samples import response, variant

    own = response(variant("{{ agent.name }}, {{ ticket.subject }}", "it"), key=KEYS[0])
    assert [(one.code, one.message.split()[-1]) for one in lint([own])] == [
        ("unknown_value", "agent.name"), ("unknown_value", "ticket.subject"),
    ]  # fmt: skip
    assert not any(name.startswith("agent.") for name in CONTEXT)


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_each_reads_as_its_own_language_and_names_the_shop(response, variant):
    text = written(response, variant, due_at=DUE)
    assert detect(text).language == variant.tag.language
    assert "Bottega Verde" in text.split("\n")[-2], "who sends it stands last"
    assert "\n\n\n" not in text
    assert not re.search(r"[{}<>]", text)


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_each_keeps_to_its_form_of_address_and_typography(response, variant):
    pattern = OTHER_REGISTER.get(str(variant.tag))
    if pattern is not None:
        flags = re.IGNORECASE if variant.tag.language in ("fr", "es") else 0
        assert re.findall(pattern, variant.body, flags) == []
    text = re.sub(r"\{[{%].*?[}%]\}", "X", variant.body + variant.subject)
    assert "'" not in text
    if variant.tag.language == "fr":
        assert not re.search(r"(?<![\u00a0\u202f])[!?;]|(?<!\u00a0):", text)
    else:
        assert not re.search(r"\s[!?;:]", text)


@dataclass(frozen=True)
class Said:
    by: str
    back: str


SAID = {
    "de@formal": Said("bis Montag, 24. August, 15:00 Uhr.", "Wir sind am Montag, 24. August, wieder für Sie da."),
    "en": Said("by 3:00\u202fPM on Monday, August 24.", "We’ll be open again on Monday, August 24."),
    "es": Said("a más tardar el lunes 24 de agosto a las 15:00.", "Volvemos a abrir el lunes 24 de agosto."),
    "fr": Said("au plus tard le lundi 24 août à 15:00.", "Nous rouvrons le lundi 24 août."),
    "it@formal": Said("entro lunedì 24 agosto alle 15:00.", "Siamo in ferie. Riapriamo lunedì 24 agosto."),
    "ja": Said("8月24日月曜日の15:00までにご返信いたします。", "8月24日月曜日より営業を再開いたします。"),
    "nl": Said("uiterlijk maandag 24 augustus om 15:00 uur.", "We zijn op maandag 24 augustus weer open."),
    "pl": Said("najpóźniej w poniedziałek 24 sierpnia o godz. 15:00.", "Wracamy do pracy w poniedziałek 24 sierpnia."),
    "pt": Said("até segunda-feira, 24 de agosto, às 15:00.", "Voltamos a abrir na segunda-feira, 24 de agosto."),
}  # fmt: skip


@pytest.mark.parametrize("tag", SAID)
def test_the_promise_and_the_day_of_return_are_said_as_a_native_would(tag):
    response = shipped()["automatic-acknowledgement"]
    variant = response.variant(tag)
    assert variant is not None
    text = written(response, variant, due_at=DUE, calendar=CALENDAR)
    assert SAID[tag].by in text
    assert SAID[tag].back in text


@pytest.mark.parametrize("tag", TAGS)
def test_without_a_deadline_nothing_is_promised(tag):
    response = shipped()["automatic-acknowledgement"]
    variant = response.variant(tag)
    assert variant is not None
    text = written(response, variant)
    assert not re.search(r"\d{1,2}:\d\d|2026|4711.*\d{2}\.", text)
    assert detect(text).language == variant.tag.language


def test_a_closure_is_planned_when_customers_are_told_of_it():
    closed, opened = CalendarException(date(2026, 8, 8), date(2026, 8, 23)), CALENDAR.exceptions[0]
    silent = Calendar("Europe/Rome", CALENDAR.week, exceptions=(closed,))
    assert closure_before(silent, NOW, DUE) is None
    found = closure_before(CALENDAR, NOW, DUE)
    assert found is not None
    assert (found.exception, found.back) == (opened, datetime(2026, 8, 24, 7, 0, tzinfo=UTC))
    assert closure_before(CALENDAR, NOW, datetime(2026, 8, 8, 13, 0, tzinfo=UTC)) is None
