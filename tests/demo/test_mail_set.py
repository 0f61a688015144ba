"""The demo's mails: there are as many and as different ones as the demo promises, and every one can be read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from supportdesk.demo.letters import ASSETS, CLIENTS
from supportdesk.demo.mail_set import DemoMail, Script, arrival_times, customers, read_scripts, write_mails
from supportdesk.demo.shop import CALENDAR, SHOP
from supportdesk.demo.smtp_server import is_example
from supportdesk.desk.canned import choose
from supportdesk.desk.canned_ask import fields
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.hours import next_open_day_same_time
from supportdesk.errors import ConfigError
from supportdesk.l10n.detect import detect
from supportdesk.mail.parse import parse

TUESDAY = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
MOMENTS = {
    "tuesday morning": TUESDAY,
    "lunch": datetime(2026, 11, 25, 13, 0, tzinfo=UTC),
    "saturday night": datetime(2026, 11, 21, 21, 0, tzinfo=UTC),
    "monday at opening": datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
    "a holiday": datetime(2026, 12, 8, 11, 0, tzinfo=UTC),
    "after christmas": datetime(2026, 12, 27, 9, 0, tzinfo=UTC),
    "the night that summer time begins": datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
}


@pytest.fixture(scope="module")
def scripts() -> tuple[Script, ...]:
    return read_scripts()


@pytest.fixture(scope="module")
def mails(scripts: tuple[Script, ...]) -> tuple[DemoMail, ...]:
    return write_mails(scripts, TUESDAY)


def test_about_eighty_mails_wait_and_some_are_still_to_come(scripts):
    waiting = [one for one in scripts if not one.ours and not one.live]
    assert 75 <= len(waiting) <= 90
    assert 8 <= sum(one.live for one in scripts) <= 15


def test_the_shop_is_italian_and_sells_abroad(scripts):
    languages = Counter(one.language for one in scripts if not one.ours and not one.raw)
    assert languages.most_common(1)[0][0] == "it"
    assert all(languages[language] >= 6 for language in ("en", "de", "fr", "es"))
    assert all(languages[language] == 1 for language in ("pl", "nl", "pt", "ja"))


def test_every_language_is_recognised(mails):
    wrong = [
        mail.script.id
        for mail in mails
        if mail.script.language and detect(parse(mail.raw).fresh_text).language not in (mail.script.language, None)
    ]
    assert wrong == []


def test_nobody_real_can_be_written_to(mails):
    addresses = {mail.sender.addr for mail in mails} | {
        one.addr for mail in mails for one in (*parse(mail.raw).to, *parse(mail.raw).cc, *parse(mail.raw).reply_to)
    }
    assert len(addresses) > 60
    assert [address for address in addresses if not is_example(address)] == []


def test_every_mail_can_be_read_and_says_who_wrote_it(mails):
    for mail in mails:
        read = parse(mail.raw)
        assert read.text.strip(), mail.script.id
        assert read.from_, mail.script.id
        assert read.message_id == mail.message_id, mail.script.id


def test_every_mail_program_is_there_and_every_kind_of_mail(mails):
    assert {mail.script.client for mail in customers(mails)} >= set(CLIENTS)
    read = {mail.script.id: parse(mail.raw) for mail in mails}
    assert any(one.text_source == "html" for one in read.values())
    assert any(one.report is not None for one in read.values())
    assert any("auto-replied" in (one.header("Auto-Submitted") or "") for one in read.values())
    assert any(one.header("List-Unsubscribe") for one in read.values())
    assert read["malformed"].defects
    assert any("\u0600" <= char <= "\u06ff" for char in read["rtl-name"].subject)
    assert "perché" in read["cura-tagliere"].text or "È bellissimo" in read["cura-tagliere"].text
    assert "è stato assegnato" in read["latin1-undeclared"].text


def test_attachments_are_what_their_names_say(mails):
    names = {name for mail in mails for name in mail.script.attach + mail.script.enclose}
    assert {name.rpartition(".")[2] for name in names} == {"png", "pdf"}
    for name in names:
        magic = b"\x89PNG\r\n\x1a\n" if name.endswith(".png") else b"%PDF-1."
        assert (ASSETS / name).read_bytes().startswith(magic)


@pytest.mark.parametrize("now", MOMENTS.values(), ids=MOMENTS)
def test_some_are_overdue_and_most_are_not_whenever_one_looks(scripts, now):
    times = arrival_times(scripts, now)
    recent = [one for one in scripts if one.days_ago is None and not one.live and not one.ours]
    dues = [next_open_day_same_time(CALENDAR, times[one.id]) for one in recent]
    overdue = sum(due is not None and due <= now for due in dues)
    assert 8 <= overdue <= 25
    assert len(dues) - overdue >= 50
    assert max(times.values()) <= now


@pytest.mark.parametrize("now", MOMENTS.values(), ids=MOMENTS)
def test_an_answer_is_younger_than_what_it_answers(scripts, now):
    times = arrival_times(scripts, now)
    for script in scripts:
        for earlier in filter(None, (script.answers, script.about)):
            assert times[earlier] < times[script.id] or script.live, script.id


def test_the_same_moment_gives_the_same_message_ids(scripts, mails):
    again = write_mails(scripts, TUESDAY)
    assert [mail.message_id for mail in again] == [mail.message_id for mail in mails]
    assert len({mail.message_id for mail in mails}) == len(mails)


def test_answers_name_what_they_answer(mails):
    by_id = {mail.script.id: mail for mail in mails}
    answering = [mail for mail in mails if mail.script.answers]
    assert len(answering) >= 9
    for mail in answering:
        assert parse(mail.raw).in_reply_to == (by_id[mail.script.answers].message_id,)
    assert all(mail.sender == SHOP for mail in mails if mail.script.ours)


def test_every_canned_response_of_the_run_exists_in_the_customers_language(scripts):
    responses = {response.key: response for response in starter_set()}
    answered = [script for script in scripts if script.canned]
    assert {script.language for script in answered} == {"it", "en", "de", "fr", "es"}
    for script in answered:
        variant = choose(responses[script.canned], script.language)
        asked = {field.name for field in fields(responses[script.canned], variant)}
        assert asked - {"order_number"} <= set(script.ask) <= asked, script.id
        assert script.then, script.id


def test_a_misspelt_key_is_named(tmp_path):
    (tmp_path / "it.toml").write_text('language = "it"\n[[mail]]\nid = "a"\nsubjcet = "x"\n')
    with pytest.raises(ConfigError, match="subjcet"):
        read_scripts(tmp_path)


def test_an_answer_to_nothing_is_named(tmp_path):
    (tmp_path / "it.toml").write_text('language = "it"\n[[mail]]\nid = "a"\nanswers = "b"\n')
    with pytest.raises(ConfigError, match="a names b"):
        read_scripts(tmp_path)
