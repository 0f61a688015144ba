"""One spelling for each domain: readable where it is safe, in A-labels where it could pass for another (SEC-1)."""

from __future__ import annotations

import pytest

from supportdesk.mail.addresses import parse_addresses
from supportdesk.mail.domains import canonical_address, canonical_domain
from supportdesk.mail.fields import wire_address
from supportdesk.mail.links import real_host
from supportdesk.mail.recipients import OwnAddresses


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Shop.Example", "shop.example"),
        ("xn--mller-kva.example", "müller.example"),
        ("MÜLLER.example", "müller.example"),
        ("mu\u0308ller.example", "müller.example"),
        ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
        ("пример.ru", "пример.ru"),
        ("日本ひらがなカタカナー.jp", "日本ひらがなカタカナー.jp"),
        ("xn--fsqu00a.xn--g6w251d", "例子.測試"),
    ],
)
def test_parse_5_a_domain_is_readable_where_its_letters_belong_together(written: str, shown: str):
    assert canonical_domain(written) == shown == canonical_domain(shown)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("p\u0430ypal.com", "xn--pypal-4ve.com"),
        ("xn--pypal-4ve.com", "xn--pypal-4ve.com"),
        ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
        ("\u0430\u0440\u0440\u04cf\u0435.com", "xn--80ak6aa92e.com"),
        ("login.xn--80ak6aa92e.com", "login.xn--80ak6aa92e.com"),
        ("bank.\u03c1ay.example", canonical_domain("bank.\u03c1ay.example")),
    ],
)
def test_sec_1_a_domain_that_could_pass_for_another_is_shown_in_a_labels(written: str, shown: str):
    assert canonical_domain(written) == shown and shown.isascii()


@pytest.mark.parametrize(
    "junk", ["", ".", "xn--", "xn--\u00fc", "xn--a", "xn--99999999999", "xn--a-\u20ac.x", "[::1]", "a..b"]
)
def test_what_is_no_domain_stays(junk: str):
    assert canonical_domain(canonical_domain(junk)) == canonical_domain(junk)


def test_sec_1_a_label_that_hides_a_sign_stays_as_it_is():
    for text in ("a\u200bb", "a\u2044b", "a/b\u00fc"):
        label = "xn--" + text.encode("punycode").decode()
        assert canonical_domain(f"{label}.example") == f"{label}.example".lower()


def test_both_spellings_are_one_sender_and_one_mailbox():
    (one,) = parse_addresses("Jörg <info@xn--mller-kva.example>".encode().decode("latin-1"))
    (other,) = parse_addresses("<info@müller.example>".encode().decode("latin-1"))
    assert one.norm == other.norm == "info@müller.example"
    assert "info@xn--mller-kva.example" in OwnAddresses.of(["info@müller.example"])
    assert "info+t.1@müller.example" in OwnAddresses.of(["info@xn--mller-kva.example"])
    assert wire_address("to", one.addr)[1:] and "xn--mller-kva" in str(wire_address("to", one.addr))
    assert canonical_address("nobody") == "nobody"
    assert real_host("https://xn--mller-kva.example/x") == "müller.example"
