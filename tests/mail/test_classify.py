"""What a mail is, row by row of domain.md section 5, and when it may be acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from supportdesk.mail.acknowledge import AckFacts
from supportdesk.mail.classify import RULES, Facts, Verdict, classify, effective_sender, own_domains
from supportdesk.mail.evidence import Evidence
from supportdesk.mail.machine import find_form_sender, is_no_reply
from supportdesk.mail.model import Address, InnerMail, ParsedMail, Report, ReportedRecipient
from supportdesk.mail.recipients import OwnAddresses
from tests.mail.parsed_mail import addresses, parsed_mail

OWN = OwnAddresses.of(["support@shop.example", "info@shop.example"])
DOMAINS = frozenset({"shop.example"})
FACTS = Facts(OWN, DOMAINS, "a7k2")


def verdict(mail: ParsedMail, **facts: Any) -> Verdict:
    return classify(mail, replace(FACTS, **facts))


def test_the_rules_stand_in_the_order_of_the_table() -> None:
    assert [rule.__name__ for rule in RULES] == [
        "echo", "own_reply", "report", "own_loop", "sender_verdict", "human_inside", "bounce", "out_of_office",
        "notification", "bulk", "too_many", "human",
    ]  # fmt: skip


def test_row_8_everything_else_is_a_human() -> None:
    found = verdict(parsed_mail())
    assert (found.kind, found.outcome, found.rule, found.moves_clock) == ("human", "message", "human", True)
    assert found.sender == Address("", "anna@customer.example")
    assert found.acknowledge


def test_before_the_table_our_own_mail_back_is_an_echo() -> None:
    """THREAD-1."""
    found = verdict(parsed_mail(from_=addresses("support@shop.example")), message_id_is_ours=True)
    assert (found.kind, found.outcome, found.acknowledge) == ("echo", "echo", False)


@pytest.mark.parametrize(
    ("mail", "facts", "code"),
    [
        (parsed_mail(), {"message_id_is_ours": True}, "own_message_id"),
        (parsed_mail({"X-Supportdesk-Instance": "A7K2"}), {}, "own_loop_header"),
        (parsed_mail(from_=addresses("support@shop.example")), {}, "from_own_mailbox"),
        (parsed_mail(from_=addresses("Info+x@Shop.example")), {}, "from_own_mailbox"),
        (
            parsed_mail(from_=addresses("support@shop.example"), reply_to=addresses("info@shop.example")),
            {},
            "from_own_mailbox",
        ),
    ],
)
def test_row_1_our_own_loop_is_parked(mail, facts, code) -> None:
    found = verdict(mail, **facts)
    assert (found.kind, found.outcome, found.park_reason, found.rule) == ("park", "parked", "loop", "own_loop")
    assert found.evidence[0].code == code
    assert not found.moves_clock


def test_row_1_another_installations_header_is_no_loop() -> None:
    assert verdict(parsed_mail({"X-Supportdesk-Instance": "other"})).kind == "human"


def test_row_1_our_reply_found_in_sent_is_a_human_reply() -> None:
    found = verdict(parsed_mail(from_=addresses("support@shop.example")), found_in_sent=True)
    assert (found.kind, found.outcome, found.acknowledge) == ("own_reply", "message", False)


def test_row_1_an_automatic_mail_in_sent_answers_nobody() -> None:
    mail = parsed_mail({"Auto-Submitted": "auto-replied"}, from_=addresses("support@shop.example"))
    assert (verdict(mail, found_in_sent=True, threads=True).kind) == "note"
    assert (verdict(mail, found_in_sent=True).park_reason) == "auto"


FORM = "Nome: Hans Meier\nE-mail: hans@x.example\nMessaggio: Wo ist mein Paket?\n"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"from_": addresses("www@shop.example"), "reply_to": addresses("hans@x.example")}, "foreign_reply_to"),
        ({"from_": addresses("support@shop.example"), "reply_to": addresses("hans@x.example")}, "foreign_reply_to"),
        ({"from_": addresses("noreply@forms.example"), "reply_to": addresses("hans@x.example")}, "foreign_reply_to"),
        ({"from_": addresses("www@shop.example"), "text": FORM}, "form_fields"),
        ({"from_": addresses("no-reply@forms.example"), "text": FORM}, "form_fields"),
        (
            {
                "from_": (Address("Per conto di: hans@x.example", "posta-certificata@pec.example"),),
                "inner": InnerMail("pec", addresses("hans@x.example"), "s", "<i@x>", "Buongiorno"),
            },
            "pec",
        ),
    ],
)
def test_row_2_the_human_inside_is_the_sender(fields, code) -> None:
    found = verdict(parsed_mail(**fields))
    assert (found.kind, found.outcome, found.rule) == ("human", "message", "human_inside")
    assert found.sender is not None
    assert found.sender.addr == "hans@x.example"
    assert found.evidence == (Evidence(code, "hans@x.example"),)


def test_row_2_a_certified_mail_without_its_envelope_is_answered_where_it_says() -> None:
    mail = parsed_mail(
        {"X-Trasporto": "posta-certificata"},
        from_=addresses("posta-certificata@pec.example"),
        reply_to=addresses("hans@x.example"),
    )
    assert verdict(mail).sender == Address("", "hans@x.example")


@pytest.mark.parametrize(
    "fields",
    [
        {"reply_to": addresses("other@x.example")},
        {"text": FORM},
        {"inner": InnerMail("attached", addresses("hans@x.example"), "s", "<i@x>", "")},
    ],
)
def test_row_2_an_ordinary_sender_stays_the_sender(fields) -> None:
    found = verdict(parsed_mail(**fields))
    assert found.sender == Address("", "anna@customer.example")
    assert found.rule == "human"


def test_row_2_a_no_reply_address_is_nobody_to_answer() -> None:
    mail = parsed_mail(from_=addresses("noreply@a.example"), reply_to=addresses("no-reply@b.example"))
    assert verdict(mail).kind == "notification"


def test_row_2_receipts_of_certified_mail_are_notes() -> None:
    mail = parsed_mail(
        {"X-Ricevuta": "accettazione"},
        from_=addresses("posta-certificata@pec.example"),
        reply_to=addresses("hans@x.example"),
        inner=InnerMail("pec", addresses("support@shop.example"), "s", "<i@x>", ""),
    )
    found = verdict(mail, threads=True)
    assert (found.kind, found.outcome, found.evidence[0].code) == ("note", "note", "pec_receipt")
    assert found.sender == Address("", "posta-certificata@pec.example")
    assert verdict(mail).park_reason == "auto"


def test_row_2_does_not_take_an_automatic_answer_to_us_for_a_form() -> None:
    mail = parsed_mail(
        {"Auto-Submitted": "auto-replied"},
        from_=addresses("noreply@desk.example"),
        reply_to=addresses("t1@desk.example"),
    )
    assert verdict(mail, answers_ours=True, threads=True).kind == "out_of_office"
    assert verdict(mail).kind == "human"


def dsn(*recipients: ReportedRecipient) -> Report:
    return Report("dsn", recipients, original_message_id="<sd.x@shop.example>")


@pytest.mark.parametrize(
    "fields",
    [
        {"report": dsn()},
        {"from_": addresses("MAILER-DAEMON@mx.example"), "return_path": ""},
        {"from_": addresses("mailer-daemon@mx.example"), "return_path": None},
        {"from_": addresses("mailer-daemon+x@mx.example"), "return_path": "mailer-daemon@mx.example"},
        {"from_": addresses("postmaster@mx.example"), "return_path": ""},
    ],
)
def test_row_3_a_bounce_is_a_note_on_its_ticket_or_parked(fields) -> None:
    mail = parsed_mail(**fields)
    known, unknown = verdict(mail, threads=True), verdict(mail)
    assert (known.kind, known.outcome, known.moves_clock, known.acknowledge) == ("bounce", "note", False, False)
    assert (unknown.kind, unknown.outcome, unknown.park_reason) == ("bounce", "parked", "bounce")


@pytest.mark.parametrize("address", ["anna@customer.example", "postmaster@customer.example"])
def test_row_3_a_null_reverse_path_or_a_postmaster_alone_is_no_bounce(address: str) -> None:
    path = "" if address.startswith("anna") else "postmaster@customer.example"
    found = verdict(parsed_mail(from_=addresses(address), return_path=path))
    assert found.kind == ("human" if path == "" else "notification")
    assert not found.acknowledge


@pytest.mark.parametrize(
    ("action", "status", "opens", "flags"),
    [
        ("failed", "5.1.1", True, True),
        ("failed", "5.2.2", True, False),
        ("failed", "5.7.129", True, False),
        ("failed", "4.4.7", True, False),
        ("failed", "", True, False),
        ("delayed", "4.4.1", False, False),
        ("delivered", "2.0.0", False, False),
        ("relayed", "", False, False),
        ("", "5.1.1", True, True),
        ("", "4.2.2", False, False),
    ],
)
def test_row_3_the_status_says_whether_the_address_is_bad(action, status, opens, flags) -> None:
    report = dsn(ReportedRecipient("hans@x.example", action, status, "550 no such user"))
    (recipient,) = verdict(parsed_mail(report=report), threads=True).bounced
    assert (recipient.opens_ticket, recipient.flags_address) == (opens, flags)
    assert (recipient.address, recipient.diagnostic) == ("hans@x.example", "550 no such user")


@pytest.mark.parametrize(("kind", "code"), [("mdn", "read_receipt"), ("arf", "complaint")])
def test_row_3_read_and_abuse_reports_are_notes(kind: str, code: str) -> None:
    mail = parsed_mail(report=Report(kind))
    assert (verdict(mail, threads=True).kind, verdict(mail, threads=True).evidence[0].code) == ("note", code)
    assert verdict(mail).outcome == "parked"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Auto-Submitted": "Auto-Replied; owner-email=x"},
        {"Auto-Submitted": "auto-replied (vacation)"},
        {"X-Autoreply": "yes"},
        {"X-Autorespond": "1"},
        {"X-AutoReply-From": "anna@customer.example"},
        {"X-Mail-Autoreply": "x"},
        {"X-Autogenerated": "Reply"},
        {"X-FC-MachineGenerated": "true"},
        {"X-POST-MessageClass": "9; Autoresponder"},
        {"Delivered-To": "Autoresponder"},
        {"Precedence": "auto_reply"},
        {"X-Precedence": "auto_reply"},
    ],
)
def test_row_4_an_automatic_answer_is_a_note_and_without_a_ticket_parked(headers) -> None:
    """AUTO-4."""
    mail = parsed_mail(headers)
    found = verdict(mail, threads=True, answers_ours=True)
    assert (found.kind, found.outcome, found.moves_clock, found.acknowledge) == ("out_of_office", "note", False, False)
    parked = verdict(mail)
    assert (parked.kind, parked.outcome, parked.park_reason) == ("out_of_office", "parked", "auto")


@pytest.mark.parametrize(
    "subject",
    [
        "Automatische Antwort: Ihr Paket", "Abwesenheitsnotiz: Re: x", "Out of Office: x", "Automatic reply: x",
        "Risposta automatica: Re: Ordine", "Fuori sede Re: Ordine", "Réponse automatique : x", "自动回复: x",
        "Respuesta automática: x", "Automatisch antwoord: x", "Autosvar: x", "Odpowiedź automatyczna: x",
        "自動返信: x", "부재중 알림", "Автоответ: x", "Otomatik yanıt: x", "Resposta automática: x",
    ],
)  # fmt: skip
def test_row_4_a_localized_subject_counts_only_with_an_in_reply_to_of_ours(subject: str) -> None:
    mail = parsed_mail(subject=subject)
    assert verdict(mail, threads=True, answers_ours=True).kind == "out_of_office"
    assert verdict(mail, threads=True).kind == "human"
    assert verdict(mail).kind == "human"


def test_row_4_a_human_answer_to_an_absence_notice_is_human() -> None:
    mail = parsed_mail(subject="Re: Automatische Antwort: Ihr Paket")
    assert verdict(mail, threads=True, answers_ours=True).kind == "human"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-MS-Exchange-Inbox-Rules-Loop": "anna@customer.example"},
        {"X-MS-Exchange-Generated-Message-Source": "Mailbox Rules Agent"},
    ],
)
def test_row_4_what_an_exchange_rule_forwarded_to_us_is_no_automatic_answer(headers) -> None:
    assert verdict(parsed_mail(headers)).kind == "human"
    assert verdict(parsed_mail(headers), threads=True, answers_ours=True).kind == "out_of_office"


@pytest.mark.parametrize(
    "headers", [{"Auto-Submitted": "no"}, {"Auto-Submitted": ""}, {"X-Autoreply": "no"}, {"Precedence": "normal"}]
)
def test_row_4_a_field_that_says_no_is_no_mark(headers) -> None:
    assert verdict(parsed_mail(headers), threads=True, answers_ours=True).kind == "human"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Auto-Submitted": "auto-generated"}, "anna@customer.example"),
        ({"Auto-Submitted": "auto-notified; x"}, "anna@customer.example"),
        ({}, "no-reply@courier.example"),
        ({}, "noreply@courier.example"),
        ({}, "do-not-reply@courier.example"),
        ({}, "non.rispondere@courier.example"),
        ({}, "orders-noreply@courier.example"),
        ({}, "noreply+12@courier.example"),
        ({}, "bitte-nicht-antworten@courier.example"),
        ({}, "abuse@provider.example"),
        ({}, "postmaster@provider.example"),
    ],
)
def test_row_5_a_program_is_a_notification_and_never_acknowledged(headers, address) -> None:
    for threads in (True, False):
        found = verdict(parsed_mail(headers, from_=addresses(address), return_path=address), threads=threads)
        assert (found.kind, found.outcome, found.moves_clock) == ("notification", "message", False)
        assert not found.acknowledge


@pytest.mark.parametrize("address", ["norbert@x.example", "reply@x.example", "noreen@x.example", "abuser@x.example"])
def test_row_5_a_name_that_only_looks_alike_is_a_human(address: str) -> None:
    assert verdict(parsed_mail(from_=addresses(address))).kind == "human"


@pytest.mark.parametrize(
    "headers",
    [
        {"Precedence": "bulk"},
        {"Precedence": "List"},
        {"Precedence": "junk"},
        {"List-Id": "<x.example>"},
        {"List-Unsubscribe": "<mailto:u@x.example>"},
        {"X-Auto-Response-Suppress": "All"},
        {"X-Auto-Response-Suppress": "DR, OOF, AutoReply"},
    ],
)
def test_row_6_bulk_mail_is_a_ticket_like_any_other_and_never_acknowledged(headers) -> None:
    """AUTO-5."""
    found = verdict(parsed_mail(headers))
    assert (found.kind, found.outcome, found.moves_clock, found.rule) == ("human", "message", True, "bulk")
    assert (found.acknowledge, found.no_ack_reason) == (False, "bulk")


def test_row_7_a_rate_joins_and_never_parks() -> None:
    found = verdict(parsed_mail(), sender_last_hour=21)
    assert (found.kind, found.outcome, found.join_newest, found.rule) == ("human", "message", True, "too_many")
    assert (found.acknowledge, found.moves_clock) == (False, True)
    assert Evidence("rate", "21") in found.evidence


@pytest.mark.parametrize("facts", [{"sender_last_hour": 20}, {"sender_last_hour": 500, "imported": True}])
def test_row_7_twenty_are_not_too_many_and_imports_never(facts) -> None:
    assert not verdict(parsed_mail(), **facts).join_newest


def test_row_7_what_threads_stays_in_its_thread_and_bulk_joins_too() -> None:
    assert not verdict(parsed_mail(), sender_last_hour=21, threads=True).join_newest
    assert verdict(parsed_mail({"List-Id": "<x>"}), sender_last_hour=21).join_newest


@pytest.mark.parametrize(
    ("setting", "kind", "park_reason"),
    [
        ("notification", "notification", ""),
        ("park", "park", "sender"),
        ("block", "park", "blocked"),
        ("ticket", "human", ""),
    ],
)
def test_an_agents_verdict_on_the_sender_overrides_the_rules(setting, kind, park_reason) -> None:
    mail = parsed_mail({"Auto-Submitted": "auto-generated"}, from_=addresses("noreply@market.example"))
    found = verdict(mail, sender_verdict=setting)
    assert (found.kind, found.park_reason, found.rule) == (kind, park_reason, "sender_verdict")
    assert not found.acknowledge


def test_an_agents_verdict_changes_neither_bounces_nor_loops_nor_absence_notices() -> None:
    assert verdict(parsed_mail(report=dsn()), sender_verdict="ticket", threads=True).kind == "bounce"
    assert verdict(parsed_mail(from_=addresses("support@shop.example")), sender_verdict="ticket").park_reason == "loop"
    absent = parsed_mail({"Auto-Submitted": "auto-replied"})
    assert verdict(absent, sender_verdict="ticket", threads=True, answers_ours=True).kind == "out_of_office"


def test_the_effective_sender_falls_back_from_field_to_field() -> None:
    bare: dict[str, Any] = {"from_": (), "return_path": "r@x.example"}
    assert effective_sender(parsed_mail(**bare), OWN, DOMAINS) == Address("", "r@x.example")
    assert effective_sender(parsed_mail(**bare, reply_to=addresses("y@x.example")), OWN, DOMAINS) == Address(
        "", "y@x.example"
    )
    assert effective_sender(parsed_mail(**bare, sender=addresses("s@x.example")), OWN, DOMAINS) == Address(
        "", "s@x.example"
    )
    nobody = parsed_mail(from_=(), return_path="")
    assert effective_sender(nobody, OWN, DOMAINS) is None
    assert (verdict(nobody).kind, verdict(nobody).no_ack_reason) == ("human", "no_sender")


def test_a_mailbox_at_a_shared_provider_does_not_make_its_domain_ours() -> None:
    assert own_domains(["myshop@gmail.com", "support@Shop.example"]) == DOMAINS


@pytest.mark.parametrize(
    ("mail", "facts", "reason"),
    [
        (parsed_mail(), {"threads": True}, "joins_ticket"),
        (parsed_mail(), {"imported": True}, "imported"),
        (parsed_mail(), {"ack": AckFacts(enabled=False)}, "switched_off"),
        (parsed_mail(), {"ack": AckFacts(for_ticket=1)}, "cap_ticket"),
        (parsed_mail(), {"ack": AckFacts(for_address_24h=1)}, "cap_address_24h"),
        (parsed_mail(), {"ack": AckFacts(for_address_7d=2)}, "cap_address_7d"),
        (parsed_mail(), {"ack": AckFacts(for_domain_last_minute=5)}, "cap_domain"),
        (parsed_mail(), {"ack": AckFacts(for_all_last_hour=200)}, "cap_all"),
        (parsed_mail(), {"ack": AckFacts(sender_last_10_minutes=10)}, "sender_rate"),
        (parsed_mail(), {"ack": AckFacts(same_body=3)}, "same_body"),
        (parsed_mail(), {"ack": AckFacts(dmarc="fail")}, "dmarc_failed"),
        (parsed_mail(), {"ack": AckFacts(dmarc="none")}, "dmarc_not_passed"),
        (parsed_mail(return_path=""), {}, "null_sender"),
        (parsed_mail(from_=addresses("bounces+12@x.example"), return_path="bounces+12@x.example"), {}, "bounce_sender"),
        (parsed_mail(to=addresses("list@x.example")), {}, "not_addressed_to_us"),
        (parsed_mail({"Feedback-ID": "1:2:3"}), {}, "bulk"),
        (parsed_mail({"List-Post": "<mailto:x@y.example>"}), {}, "bulk"),
        (parsed_mail({"X-Supportdesk-Instance": "other"}), {}, "other_desk"),
        (parsed_mail(headers=None, reply_to=addresses("noreply@x.example")), {}, "no_reply_sender"),
        (
            parsed_mail(from_=addresses("support@shop.example"), reply_to=addresses("hans@x.example")),
            {},
            "own_address",
        ),
    ],
)
def test_every_reason_against_an_acknowledgement_is_named(mail, facts, reason) -> None:
    """AUTO-5, AUTO-6."""
    found = verdict(mail, **facts)
    assert (found.kind, found.acknowledge, found.no_ack_reason) == ("human", False, reason)


def test_too_many_hops_get_no_acknowledgement() -> None:
    mail = replace(parsed_mail(), headers=tuple(("Received", "x") for _ in range(51)))
    assert verdict(mail).no_ack_reason == "too_many_hops"


@pytest.mark.parametrize(
    "facts",
    [
        AckFacts(for_address_7d=1),
        AckFacts(for_domain_last_minute=4),
        AckFacts(for_all_last_hour=199),
        AckFacts(dmarc="pass"),
        AckFacts(sender_last_10_minutes=9, same_body=2),
    ],
)
def test_below_every_cap_an_acknowledgement_may_go(facts: AckFacts) -> None:
    assert verdict(parsed_mail(), ack=facts).acknowledge


def test_a_contact_form_may_be_acknowledged() -> None:
    form = parsed_mail(
        from_=addresses("www@shop.example"), reply_to=addresses("hans@x.example"), return_path="www@shop.example"
    )
    assert verdict(form).acknowledge


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FORM, Address("Hans Meier", "hans@x.example")),
        ("Name: A\nEmail: a@x.example", Address("A", "a@x.example")),
        ("*Ihre E-Mail-Adresse:* <a@x.example>\n*Nachricht:* hallo", Address("", "a@x.example")),
        ("Votre e-mail :\na@x.example\nVotre message :\nbonjour", Address("", "a@x.example")),
        ("メールアドレス：a@x.example\nお名前：花子", Address("花子", "a@x.example")),
        ("Email: a@x.example", None),
        ("Scrivete a Email: a@x.example\nNome: x", None),
        ("Email: not an address\nName: x", None),
        ("", None),
    ],
)
def test_the_visitor_of_a_form_is_found_by_its_labels(text: str, expected: Address | None) -> None:
    assert find_form_sender(text) == expected


def test_a_monstrous_form_is_read_in_a_moment() -> None:
    assert find_form_sender("a" * 1_000_000) is None
    assert find_form_sender(("* " * 50_000 + ":\n") * 20) is None
    assert not is_no_reply(Address("", "x" * 100_000 + "@y"))
