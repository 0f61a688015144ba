"""An answer finds its ticket, a stranger does not find somebody else's (domain.md section 6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.errors import UsageError
from supportdesk.mail.evidence import Evidence
from supportdesk.mail.model import Address, Report
from supportdesk.mail.signed import SigningKey, SigningKeys, sign_message_id, sign_plus_address
from supportdesk.mail.subjects import base_subject, check_order_pattern, find_order_numbers, ticket_tags
from supportdesk.mail.thread import OVER, Home, Match, ThreadContext, TicketFacts, match, match_report, root_id
from tests.mail.parsed_mail import addresses, parsed_mail

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEYS = SigningKeys(SigningKey(1, b"k" * 32))
INSTANCE = "a7k2"
ANNA, EVE = Address("", "anna@customer.example"), Address("", "eve@elsewhere.example")
SUBJECT = "Dove si trova il mio pacco?"


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def ticket(number: int, **changes: object) -> TicketFacts:
    facts = TicketFacts(
        number, "open", SUBJECT, frozenset({ANNA.norm}), ago(days=3), ago(days=1), last_sent=ago(days=1)
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


@dataclass
class Desk:
    """A lookup over a few tickets; `orders` maps an order number to tickets."""

    tickets: list[TicketFacts] = field(default_factory=list)
    outbox: dict[int, Home] = field(default_factory=dict)
    homes: list[Home] = field(default_factory=list)
    roots: list[Home] = field(default_factory=list)
    orders: dict[str, list[int]] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)

    def ticket(self, ticket: int) -> TicketFacts | None:
        root = self.merged.get(ticket, ticket)
        return next((one for one in self.tickets if one.id == root), None)

    def home_of_outbox(self, outbox_id: int) -> Home | None:
        return self.outbox.get(outbox_id)

    def homes_of_message_ids(self, message_ids: Sequence[str]) -> Sequence[Home]:
        return [home for home in self.homes if home.message_id in message_ids]

    def homes_of_roots(self, roots: Sequence[str]) -> Sequence[Home]:
        return [home for home in self.roots if home.message_id in roots]

    def tickets_by_order(self, number: str, customer: str) -> Sequence[int]:
        return [one for one in self.orders.get(number, []) if customer in self.tickets_of_id(one)]

    def tickets_of(self, customer: str) -> Sequence[int]:
        return [one.id for one in reversed(self.tickets) if customer in one.participants]

    def open_ticket_of(self, customer: str, since: datetime) -> int | None:
        roots = filter(None, map(self.ticket, self.tickets_of(customer)))
        return next((one.id for one in roots if one.status not in OVER and one.created_at > since), None)

    def tickets_of_id(self, number: int) -> frozenset[str]:
        found = self.ticket(number)
        return found.participants if found else frozenset()


OURS = sign_message_id(KEYS, INSTANCE, 70, "shop.example")
TOKEN = sign_plus_address(KEYS, "support@shop.example", 7)


def desk(**changes: object) -> Desk:
    made = Desk(
        [ticket(7)],
        {70: Home(OURS, 7, ago(days=1), ours=True)},
        [Home("<q0@customer.example>", 7, ago(days=3), ours=False)],
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def matched(mail, lookup: Desk, sender: Address | None = ANNA, **context: object) -> Match:
    return match(mail, lookup, ThreadContext(KEYS, INSTANCE, NOW, sender, **context))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"delivered_to": (TOKEN,)},
        {"to": addresses(TOKEN)},
        {"cc": addresses(TOKEN.upper())},
        {"to": addresses("support@shop.example", TOKEN)},
    ],
)
def test_key_1_a_signed_token_in_any_recipient_names_the_ticket(changes) -> None:
    """THREAD-3."""
    found = matched(parsed_mail(**changes), desk())
    assert (found.key, found.ticket, found.external) == ("plus_token", 7, False)
    assert found.evidence[-1].code == "plus_token"


def test_key_1_a_forged_token_is_ignored_and_logged() -> None:
    forged = "support+t.7.aaaaaaaaaaaaaaaaaaaa@shop.example"
    found = matched(parsed_mail(to=addresses(forged)), desk())
    assert found.ticket is None
    assert Evidence("bad_mac", forged) in found.evidence


def test_key_1_a_token_of_a_ticket_that_is_gone_opens_a_new_one() -> None:
    found = matched(parsed_mail(to=addresses(TOKEN)), desk(tickets=[]))
    assert (found.key, found.ticket) == ("none", None)
    assert found.evidence[0].code == "token_without_ticket"


def test_key_2_a_signed_message_id_names_its_tickets_current_home() -> None:
    """THREAD-4."""
    moved = desk(tickets=[ticket(7), ticket(8)], outbox={70: Home(OURS, 8, ago(days=1), ours=True)})
    found = matched(parsed_mail(in_reply_to=(OURS,)), moved)
    assert (found.key, found.ticket, found.answers_ours, found.outbox_id) == ("signed_message_id", 8, True, 70)


def test_key_2_a_wrong_mac_is_ignored_and_logged_and_the_next_id_is_tried() -> None:
    forged = OURS.replace(".70.", ".71.")
    found = matched(parsed_mail(in_reply_to=(forged,), references=("<q0@customer.example>",)), desk())
    assert (found.key, found.ticket) == ("message_id", 7)
    assert Evidence("bad_mac", forged) in found.evidence
    assert not found.answers_ours


def test_key_2_another_installations_id_is_not_ours() -> None:
    foreign = sign_message_id(KEYS, "other", 70, "shop.example")
    found = matched(parsed_mail(in_reply_to=(foreign,)), desk())
    assert found.ticket is None
    assert found.evidence == ()


def test_key_2_signed_ids_come_before_known_ones() -> None:
    found = matched(parsed_mail(in_reply_to=("<q0@customer.example>",), references=(OURS,)), desk())
    assert found.key == "signed_message_id"


def test_key_2_a_colleague_in_cc_who_answers_the_customers_mail_joins() -> None:
    lookup = desk(tickets=[ticket(7, participants=frozenset({ANNA.norm, EVE.norm}))])
    found = matched(parsed_mail(in_reply_to=("<q0@customer.example>",)), lookup, EVE)
    assert (found.key, found.ticket, found.external) == ("message_id", 7, False)


def test_key_2_two_ids_of_different_tickets_take_the_newest_and_say_so() -> None:
    lookup = desk(
        tickets=[ticket(7), ticket(8)],
        homes=[Home("<old@x>", 7, ago(days=9), ours=False), Home("<new@x>", 8, ago(days=2), ours=False)],
    )
    found = matched(parsed_mail(in_reply_to=("<old@x>",), references=("<new@x>",)), lookup)
    assert (found.ticket, found.conflict) == (8, True)


def test_key_2_ids_of_tickets_that_were_merged_do_not_disagree() -> None:
    lookup = desk(
        merged={8: 7}, homes=[Home("<a@x>", 7, ago(days=2), ours=False), Home("<b@x>", 8, ago(days=1), ours=False)]
    )
    found = matched(parsed_mail(in_reply_to=("<a@x>",), references=("<b@x>",)), lookup)
    assert (found.ticket, found.conflict) == (7, False)


def test_key_2_one_id_in_two_tickets_joins_the_one_where_the_sender_takes_part() -> None:
    lookup = desk(
        tickets=[ticket(7), ticket(8, participants=frozenset({EVE.norm}))],
        homes=[Home("<same@x>", 8, ago(days=1), ours=False), Home("<same@x>", 7, ago(days=5), ours=False)],
    )
    found = matched(parsed_mail(in_reply_to=("<same@x>",)), lookup)
    assert (found.ticket, found.conflict) == (7, False)


@pytest.mark.parametrize("empty", ["", "<>", "< >"])
def test_key_2_an_empty_id_matches_nothing(empty: str) -> None:
    lookup = desk(homes=[Home(empty, 7, ago(days=1), ours=False)])
    assert matched(parsed_mail(in_reply_to=(empty,), references=(empty,)), lookup).key == "none"


@pytest.mark.parametrize(("sent", "expected"), [(ago(days=2), 8), (ago(hours=1), 7)])
def test_a_token_that_disagrees_with_in_reply_to_yields_to_the_newer_message(sent: datetime, expected: int) -> None:
    lookup = desk(
        tickets=[ticket(7, last_sent=sent), ticket(8)],
        outbox={70: Home(OURS, 8, ago(days=1), ours=True)},
    )
    found = matched(parsed_mail(to=addresses(TOKEN), in_reply_to=(OURS,)), lookup)
    assert (found.ticket, found.conflict) == (expected, True)


def test_key_3_a_subject_tag_joins_a_participant_and_suggests_to_a_stranger() -> None:
    """THREAD-6."""
    mail = parsed_mail(subject=f"Re: [#7] {SUBJECT}")
    assert (matched(mail, desk()).key, matched(mail, desk()).ticket) == ("subject_tag", 7)
    stranger = matched(mail, desk(), EVE)
    assert (stranger.ticket, stranger.suggested, stranger.new_because) == (None, 7, "stranger")


def test_key_4_an_order_number_joins_the_same_customers_ticket() -> None:
    lookup = desk(orders={"IT-123456": [7]})
    mail = parsed_mail(subject="altra domanda", text="Ordine IT-123456, grazie")
    found = matched(mail, lookup, order_pattern=r"IT-\d{6}")
    assert (found.key, found.ticket, found.subject_changed) == ("order_number", 7, True)
    assert matched(mail, lookup, EVE, order_pattern=r"IT-\d{6}").ticket is None
    assert matched(mail, lookup).ticket is None


def test_key_4_an_order_of_a_long_closed_ticket_opens_a_new_one() -> None:
    lookup = desk(tickets=[ticket(7, status="closed", closed_at=ago(days=20))], orders={"IT-123456": [7]})
    found = matched(parsed_mail(text="IT-123456"), lookup, order_pattern=r"IT-\d{6}")
    assert (found.ticket, found.follow_up_of) == (None, None)


def test_key_4_a_marketplace_address_is_the_conversation() -> None:
    relay = Address("", "k3j4h5@marketplace.amazon.it")
    lookup = desk(tickets=[ticket(7, participants=frozenset({relay.norm}))])
    assert matched(parsed_mail(subject="x"), lookup, relay).key == "relay_address"
    assert matched(parsed_mail(subject="x"), desk(), ANNA).key == "none"


def test_key_5_without_a_key_it_is_new_and_perhaps_a_duplicate() -> None:
    found = matched(parsed_mail(), desk())
    assert (found.key, found.ticket, found.new_because, found.possible_duplicate) == ("none", None, "no_key", 7)


@pytest.mark.parametrize("changes", [{"created_at": ago(days=8)}, {"status": "solved"}, {"status": "spam"}])
def test_key_5_an_old_or_finished_ticket_is_no_duplicate(changes) -> None:
    assert matched(parsed_mail(), desk(tickets=[ticket(7, **changes)])).possible_duplicate is None


def test_the_same_subject_alone_never_threads() -> None:
    """THREAD-7."""
    lookup = desk(tickets=[ticket(7, created_at=ago(days=40))])
    found = matched(parsed_mail(subject=f"Re: {SUBJECT}"), lookup)
    assert (found.ticket, found.suggested, found.possible_duplicate) == (None, None, None)


@pytest.mark.parametrize("mail", [parsed_mail(to=addresses(TOKEN)), parsed_mail(in_reply_to=(OURS,))])
def test_guard_a_stranger_with_a_signed_match_joins_as_external(mail) -> None:
    found = matched(mail, desk(), EVE)
    assert (found.ticket, found.external, found.suggested) == (7, True, None)


def test_guard_a_stranger_with_an_unsigned_match_gets_a_new_ticket_and_a_suggested_link() -> None:
    found = matched(parsed_mail(in_reply_to=("<q0@customer.example>",)), desk(), EVE)
    assert (found.ticket, found.external, found.suggested, found.new_because) == (None, False, 7, "stranger")
    assert found.follow_up_of is None


def test_guard_an_authenticated_agent_takes_part_everywhere() -> None:
    found = matched(parsed_mail(in_reply_to=("<q0@customer.example>",)), desk(), EVE, sender_is_agent=True)
    assert (found.ticket, found.external) == (7, False)


def test_guard_a_mail_without_a_sender_is_a_stranger() -> None:
    assert matched(parsed_mail(in_reply_to=("<q0@customer.example>",)), desk(), None).ticket is None
    assert matched(parsed_mail(in_reply_to=(OURS,)), desk(), None).external


@pytest.mark.parametrize(
    ("subject", "quiet_days", "expected"),
    [
        ("Tutt'altro", 31, (None, 7, "other_subject")),
        ("Tutt'altro", 29, (7, None, "")),
        (f"AW: Re: {SUBJECT}", 31, (7, None, "")),
        ("", 31, (7, None, "")),
    ],
)
def test_guard_another_subject_after_thirty_days_is_a_new_linked_ticket(subject, quiet_days, expected) -> None:
    lookup = desk(tickets=[ticket(7, created_at=ago(days=90), last_activity=ago(days=quiet_days))])
    found = matched(parsed_mail(subject=subject, in_reply_to=(OURS,)), lookup)
    assert (found.ticket, found.follow_up_of, found.new_because) == expected


def test_a_changed_subject_still_threads_and_is_flagged() -> None:
    assert matched(parsed_mail(subject="Nuovo problema", in_reply_to=(OURS,)), desk()).subject_changed
    assert not matched(parsed_mail(subject=f"R: {SUBJECT}", in_reply_to=(OURS,)), desk()).subject_changed


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "closed", "closed_at": ago(days=13)}, (7, None, "")),
        ({"status": "closed", "closed_at": ago(days=15)}, (None, 7, "closed")),
        ({"status": "spam"}, (None, 7, "spam")),
        ({"status": "solved", "last_activity": ago(days=200)}, (7, None, "")),
    ],
)
def test_what_is_long_closed_or_spam_gets_a_follow_up(changes, expected) -> None:
    found = matched(parsed_mail(in_reply_to=(OURS,)), desk(tickets=[ticket(7, **changes)]))
    assert (found.ticket, found.follow_up_of, found.new_because) == expected
    assert found.matched is not None


def test_a_strangers_signed_mail_to_a_long_closed_ticket_is_only_suggested() -> None:
    lookup = desk(tickets=[ticket(7, status="closed", closed_at=ago(days=15))])
    found = matched(parsed_mail(in_reply_to=(OURS,)), lookup, EVE)
    assert (found.ticket, found.follow_up_of, found.suggested) == (None, None, 7)


def test_mail_to_a_merged_ticket_follows_the_survivor() -> None:
    lookup = desk(tickets=[ticket(9)], merged={7: 9})
    assert matched(parsed_mail(to=addresses(TOKEN)), lookup).ticket == 9
    assert matched(parsed_mail(in_reply_to=(OURS,)), lookup).ticket == 9


SECOND = sign_message_id(KEYS, INSTANCE, 71, "shop.example")


@pytest.mark.parametrize(
    ("program", "changes"),
    [
        (
            "Gmail",
            {
                "in_reply_to": (SECOND,),
                "references": ("<q0@customer.example>", OURS, SECOND),
                "subject": f"Re: {SUBJECT}",
            },
        ),
        ("Outlook desktop", {"in_reply_to": (SECOND,), "references": (OURS, SECOND), "subject": f"R: {SUBJECT}"}),
        ("Outlook mobile", {"in_reply_to": (SECOND.upper(),), "references": (SECOND,), "subject": f"AW: {SUBJECT}"}),
        ("Outlook with Thread-Index only", {"to": addresses(sign_plus_address(KEYS, "support@shop.example", 7))}),
        ("Apple Mail", {"in_reply_to": (SECOND,), "references": (SECOND,), "subject": f"Re: {SUBJECT}"}),
        ("Thunderbird", {"in_reply_to": (SECOND,), "references": ("<q0@customer.example>", SECOND)}),
        ("References only", {"references": ("<unknown@x>", SECOND)}),
        ("several ids in In-Reply-To", {"in_reply_to": ("<unknown@x>", SECOND)}),
    ],
)
def test_the_answer_of_every_mail_program_joins(program: str, changes) -> None:
    lookup = desk(outbox={70: Home(OURS, 7, ago(days=2), ours=True), 71: Home(SECOND, 7, ago(days=1), ours=True)})
    found = matched(parsed_mail(**changes), lookup)
    assert (found.ticket, found.conflict, found.external) == (7, False, False), program


def test_a_report_finds_the_message_it_returns() -> None:
    """THREAD-2, AUTO-1."""
    mail = parsed_mail(from_=addresses("mailer-daemon@mx.example"), report=Report("dsn", original_message_id=OURS))
    found = match_report(mail, desk(), ThreadContext(KEYS, INSTANCE, NOW, None))
    assert (found.ticket, found.outbox_id, found.key) == (7, 70, "signed_message_id")


def test_a_report_finds_a_ticket_by_envelope_id_receipt_or_token() -> None:
    context = ThreadContext(KEYS, INSTANCE, NOW, None)
    envelope_id = OURS.strip("<>").partition("@")[0]  # as `mail.smtp` gives it to the server
    assert (
        match_report(parsed_mail(report=Report("dsn", original_envelope_id=envelope_id)), desk(), context).ticket == 7
    )
    assert match_report(parsed_mail({"X-Riferimento-Message-ID": OURS}), desk(), context).ticket == 7
    assert match_report(parsed_mail(delivered_to=(TOKEN,)), desk(), context).ticket == 7


def test_a_report_about_mail_that_is_not_ours_finds_nothing() -> None:
    context = ThreadContext(KEYS, INSTANCE, NOW, None)
    mail = parsed_mail(report=Report("dsn", original_message_id="<q0@customer.example>"))
    assert match_report(mail, desk(), context).ticket is None


@pytest.mark.parametrize(
    "subject",
    [
        "Pacco", "Re: Pacco", "RE: pacco", "re:pacco", "AW: WG: Pacco", "Re[4]: Pacco", "Re(2): Pacco", "Re^2: Pacco",
        "R: I: Pacco", "SV: VS: Pacco", "RV: TR: Pacco", "答复：Pacco", "回复: Pacco", "Ответ: Pacco", "[#12] Pacco",
        "Re: [#12] Re: Pacco", "[shop] [urgent] Pacco", "Fwd: Pacco (fwd)", "[Fwd: Re: Pacco]", "  Re :  Pacco ",
        "ENC: RES: Pacco", "رد: Pacco",
        "Antw: Odp: YNT: Pacco",
    ],
)  # fmt: skip
def test_the_base_of_a_subject_is_the_same_in_every_language(subject: str) -> None:
    assert base_subject(subject) == "pacco"


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Problema: x", "problema: x"),
        ("", ""),
        ("Re:", ""),
        ("[#12]", "[#12]"),
        ("Order 12: late", "order 12: late"),
        ("10:30", "10:30"),
    ],
)
def test_what_is_no_prefix_stays(subject: str, base: str) -> None:
    assert base_subject(subject) == base


def test_a_monstrous_subject_is_read_in_a_moment() -> None:
    for piece in ("Re: ", "[a] ", "Re[4", "(fwd) ", "[", "Fwd: [fwd:", "a" * 40 + ":"):
        assert isinstance(base_subject(piece * 20_000), str)


def test_ticket_tags_are_exact() -> None:
    assert ticket_tags("Re: [#12] [#7] [#12] [12] [#x] # 9 [#0]") == (12, 7)


def test_order_numbers_are_found_once_in_order() -> None:
    assert find_order_numbers("IT-100001 e it-100002, IT-100001", r"IT-\d{6}") == ("IT-100001", "it-100002")
    assert find_order_numbers("order no. 5512 and 7", r"order no\. (\d+)") == ("5512",)
    assert find_order_numbers("anything", "") == ()
    assert len(find_order_numbers("1 2 3 4 5 6 7 8 9 10 11 12 13", r"\d+")) == 10


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a|a)*b",
        r"(\d+){9}",
        r"(a)\1",
        r"a*a*a*b",
        r"\d{1,9}" * 9,
        "(",
        "x" * 201,
        r"(?=a)b",
        r"(?P<x>a)(?P=x)",
    ],
)
def test_a_pattern_that_could_run_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        check_order_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", [r"IT-\d{6,8}", r"#(\d{4,})", r"[A-Z]{2}\d+-\d+", r"\b(?:SO|PO)\d{5}\b", r"[(+*]\d\)"]
)
def test_ordinary_patterns_pass(pattern: str) -> None:
    assert check_order_pattern(pattern).flags


def test_a_hostile_text_cannot_stall_a_pattern() -> None:
    assert find_order_numbers("a" * 200_000, r"a*a*b") == ()


ROOT = "<newsletter@elsewhere.example>"


def test_thread_5_answers_to_a_mail_that_we_never_saw_belong_together() -> None:
    lookup = desk(roots=[Home(ROOT, 7, ago(days=1), ours=False)])
    again = parsed_mail(references=(ROOT, "<unknown@customer.example>"))
    found = matched(again, lookup)
    assert (found.key, found.ticket) == ("shared_root", 7)
    original = parsed_mail(message_id=ROOT)
    assert matched(original, lookup).ticket == 7, "the mail itself may come after its answers"


def test_thread_5_a_newsletter_has_many_readers() -> None:
    found = matched(parsed_mail(references=(ROOT,)), desk(roots=[Home(ROOT, 7, ago(days=1), ours=False)]), EVE)
    assert (found.ticket, found.suggested) == (None, None)


@pytest.mark.parametrize("junk", ["<yes>", "<y>", "<>", "<1>"])
def test_thread_4_what_people_type_for_an_id_is_no_key(junk: str) -> None:
    lookup = desk(homes=[Home(junk, 7, ago(days=1), ours=False)], roots=[Home(junk, 7, ago(days=1), ours=False)])
    assert matched(parsed_mail(in_reply_to=(junk,), references=(junk,)), lookup).ticket is None


def test_the_root_is_the_oldest_reference_or_what_an_old_in_reply_to_ends_with() -> None:
    assert root_id(parsed_mail(references=("<a@x.example>", "<b@x.example>"), in_reply_to=("<b@x.example>",))) == (
        "<a@x.example>"
    )
    assert root_id(parsed_mail(in_reply_to=("<rosa@x.example>", "<a@x.example>"))) == "<a@x.example>"
    assert root_id(parsed_mail()) == ""


def test_guard_somebody_named_in_cc_may_answer_and_is_flagged() -> None:
    lookup = desk(tickets=[ticket(7, proposed=frozenset({EVE.norm}))])
    found = matched(parsed_mail(in_reply_to=("<q0@customer.example>",)), lookup, EVE)
    assert (found.ticket, found.external) == (7, True)
    lookup.homes.clear()
    tagged = matched(parsed_mail(subject=f"{SUBJECT} [#7]"), lookup, EVE)
    assert tagged.ticket is None, "a number in a subject is not enough for somebody who takes no part"
