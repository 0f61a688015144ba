"""A reply goes to the person who wrote, and never to ourselves."""

from __future__ import annotations

import pytest

from supportdesk.errors import UsageError
from supportdesk.mail.model import Address
from supportdesk.mail.recipients import OwnAddresses, clean_name, parse_recipients, reply_recipients
from tests.mail.parsed_mail import addresses, parsed_mail

OWN = OwnAddresses.of(["support@shop.example", "Info@Shop.example", "desk+it@shop.example"])
TOKEN = "support+t.12.aaaaaaaaaaaaaaaaaaaa@shop.example"


def listed(found: tuple[Address, ...]) -> list[str]:
    return [address.addr for address in found]


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("support@shop.example", True),
        ("SUPPORT@SHOP.EXAMPLE", True),
        ("info@shop.example", True),
        ("support+anything@shop.example", True),
        (TOKEN, True),
        ("desk+it@shop.example", True),
        ("desk+it+t.1.aaaaaaaaaaaaaaaaaaaa@shop.example", True),
        ("desk@shop.example", False),
        ("sales@shop.example", False),
        ("support@other.example", False),
        ("", False),
    ],
)
def test_our_addresses_are_ours_in_every_plus_form(address: str, ours: bool) -> None:
    assert (address in OWN) is ours


def test_the_reply_goes_to_the_sender_of_the_message() -> None:
    reply = reply_recipients(parsed_mail(), OWN)
    assert listed(reply.to) == ["anna@customer.example"]
    assert reply.cc == ()


def test_a_reply_to_is_honoured() -> None:
    reply = reply_recipients(parsed_mail(reply_to=addresses("anna@work.example")), OWN)
    assert listed(reply.to) == ["anna@work.example"]
    assert reply.reply_to_ignored == ""


def test_others_in_to_and_cc_stay_in_cc_without_us_and_without_doubles() -> None:
    mail = parsed_mail(
        to=addresses("support@shop.example", "bob@customer.example", TOKEN),
        cc=addresses("Carl@x.example", "carl@X.example", "anna@customer.example", "info+x@shop.example"),
    )
    reply = reply_recipients(mail, OWN)
    assert listed(reply.to) == ["anna@customer.example"]
    assert listed(reply.cc) == ["bob@customer.example", "Carl@x.example"]


@pytest.mark.parametrize(
    ("mail", "agents", "reason"),
    [
        (parsed_mail(reply_to=addresses("support@shop.example")), frozenset(), "own"),
        (parsed_mail(reply_to=addresses(TOKEN)), frozenset(), "own"),
        (
            parsed_mail({"List-Post": "<mailto:users@lists.example>"}, reply_to=addresses("users@lists.example")),
            frozenset(),
            "list",
        ),
        (
            parsed_mail({"List-Id": "Users <users.lists.example>"}, reply_to=addresses("users@lists.example")),
            frozenset(),
            "list",
        ),
        (parsed_mail(reply_to=addresses("x@evil.example")), frozenset({"anna@customer.example"}), "agent"),
    ],
)
def test_a_reply_to_that_would_go_astray_is_ignored(mail, agents, reason) -> None:
    reply = reply_recipients(mail, OWN, agents=agents)
    assert listed(reply.to) == ["anna@customer.example"]
    assert reply.reply_to_ignored == reason


def test_a_list_member_with_a_reply_to_of_his_own_gets_it() -> None:
    mail = parsed_mail({"List-Id": "<users.lists.example>"}, reply_to=addresses("anna@work.example"))
    assert listed(reply_recipients(mail, OWN).to) == ["anna@work.example"]


def test_the_human_inside_a_form_is_answered_and_not_the_form() -> None:
    form = parsed_mail(from_=addresses("no-reply@shop-host.example"))
    reply = reply_recipients(form, OWN, sender=Address("Hans", "hans@x.example"))
    assert listed(reply.to) == ["hans@x.example"]
    assert reply.cc == ()


def test_answering_our_own_message_writes_to_the_same_people_again() -> None:
    mail = parsed_mail(
        from_=addresses("support@shop.example"),
        reply_to=addresses(TOKEN),
        to=addresses("anna@customer.example"),
        cc=addresses("bob@customer.example", "anna@customer.example"),
    )
    reply = reply_recipients(mail, OWN)
    assert listed(reply.to) == ["anna@customer.example"]
    assert listed(reply.cc) == ["bob@customer.example"]


def test_nobody_is_better_than_ourselves() -> None:
    mail = parsed_mail(from_=(), reply_to=(), cc=())
    assert reply_recipients(mail, OWN).to == ()


def test_a_name_with_control_characters_can_be_answered() -> None:
    mail = parsed_mail(from_=(Address("Anna\x85\r\nBcc: x", "anna@customer.example"),))
    assert reply_recipients(mail, OWN).to == (Address("Anna Bcc: x", "anna@customer.example"),)
    assert clean_name("a\x00b\x9b31m") == "a b 31m"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a@b.test", [Address("", "a@b.test")]),
        ("a@b.test, c@d.it; e@f.de\ng@h.fr", [Address("", a) for a in ("a@b.test", "c@d.it", "e@f.de", "g@h.fr")]),
        ("Anna Rossi <anna@b.it>", [Address("Anna Rossi", "anna@b.it")]),
        ('"Rossi, Anna" <anna@b.it>, x@y.it', [Address("Rossi, Anna", "anna@b.it"), Address("", "x@y.it")]),
        (r'"A \"B\" C" <a@b.it>', [Address('A "B" C', "a@b.it")]),
        ("A@B.it, a@b.it", [Address("", "A@b.it")]),
        ("mailto:a@b.it", [Address("", "a@b.it")]),
        ("a@MÜLLER.de, a@xn--mller-kva.de", [Address("", "a@müller.de")]),
    ],
)
def test_typed_recipients_are_read(text: str, expected: list[Address]) -> None:
    assert list(parse_recipients(text)) == expected


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("a@b.it, nonsense", "nonsense"),
        ("a@b.it, c@", "c@"),
        ("a@b@c.it", "a@b@c.it"),
        ("Anna <anna>", "anna"),
        ("a b@c.it", "a b@c.it"),
        ("a@localhost", "a@localhost"),
        ("<<a@b.it>>", "<<a@b.it>>"),
        ('"q q"@b.it', '"q q"@b.it'),
        ("a@[127.0.0.1]", "a@[127.0.0.1]"),
        (f"a@b.it, {TOKEN}", TOKEN),
        ('"x\x1b[31m" <a@b.it>', "a@b.it"),
        ("a@b.it\x00", "a@b.it"),
    ],
)
def test_a_bad_recipient_is_refused_by_name(text: str, bad: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_recipients(text)
    assert bad in refused.value.message
    assert refused.value.hint


def test_a_flood_of_text_is_refused_at_once() -> None:
    with pytest.raises(UsageError):
        parse_recipients("a@b.it," * 10_000)
