"""Signed ids: only this installation's keys make them, and mail programs may change their case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportdesk.mail.signed import (
    Forged,
    SignedMessage,
    SignedTicket,
    SigningKey,
    SigningKeys,
    has_ticket_token,
    read_message_id,
    read_plus_address,
    sign_message_id,
    sign_plus_address,
)

OLD = SigningKey(1, b"o" * 32)
NEW = SigningKey(2, b"n" * 32)
KEYS = SigningKeys(NEW, (OLD,))
INSTANCE = "a7k2m9"
NUMBERS = st.integers(min_value=1, max_value=10**18 - 1)


def test_a_message_id_has_the_published_form() -> None:
    text = sign_message_id(KEYS, INSTANCE, 4711, "Shop.example")
    assert text.startswith("<sd.a7k2m9.4711.")
    assert text.endswith("@shop.example>")
    mac = text.split(".")[3].split("@")[0]
    assert len(mac) == 20
    assert set(mac) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_a_plus_address_has_the_published_form() -> None:
    address = sign_plus_address(KEYS, "support@shop.example", 12)
    assert address.startswith("support+t.12.")
    assert address.endswith("@shop.example")
    assert read_plus_address(KEYS, address) == SignedTicket(12, "support@shop.example", NEW.id)


def test_the_ids_do_not_change_between_releases() -> None:
    assert sign_message_id(KEYS, INSTANCE, 1, "x.test") == "<sd.a7k2m9.1.blpaapgs3klgewvr4h6w@x.test>"
    assert sign_plus_address(KEYS, "s@x.test", 1) == "s+t.1.z2wic5p3pw6seevwmxyw@x.test"


@given(NUMBERS)
def test_what_was_signed_is_read_back_in_any_case(number: int) -> None:
    text = sign_message_id(KEYS, INSTANCE, number, "shop.example")
    address = sign_plus_address(KEYS, "support@shop.example", number)
    for change in (str, str.upper, str.swapcase):
        assert read_message_id(KEYS, INSTANCE, change(text)) == SignedMessage(number, NEW.id)
        read = read_plus_address(KEYS, change(address))
        assert isinstance(read, SignedTicket)
        assert read.ticket == number


@given(NUMBERS, st.data())
def test_no_character_of_a_message_id_can_be_changed(number: int, data: st.DataObject) -> None:
    text = sign_message_id(KEYS, INSTANCE, number, "d")
    token_end = text.index("@")
    at = data.draw(st.integers(1, token_end - 1))
    other = data.draw(st.characters().filter(lambda c: c.lower() != text[at] or not c.isascii()))
    tampered = text[:at] + other + text[at + 1 :]
    assert not isinstance(read_message_id(KEYS, INSTANCE, tampered), SignedMessage)


@given(NUMBERS, st.data())
def test_no_character_of_a_ticket_token_can_be_changed(number: int, data: st.DataObject) -> None:
    """SEC-7."""
    address = sign_plus_address(KEYS, "s@d", number)
    at = data.draw(st.integers(address.index("+"), address.index("@") - 1))
    other = data.draw(st.characters().filter(lambda c: c.lower() != address[at] or not c.isascii()))
    tampered = address[:at] + other + address[at + 1 :]
    assert not isinstance(read_plus_address(KEYS, tampered), SignedTicket)


@given(NUMBERS)
def test_a_message_mac_is_no_ticket_mac(number: int) -> None:
    mac = sign_message_id(KEYS, INSTANCE, number, "d").split(".")[3].split("@")[0]
    assert isinstance(read_plus_address(KEYS, f"support+t.{number}.{mac}@shop.example"), Forged)
    mac = sign_plus_address(KEYS, "s@d", number).split(".")[2].split("@")[0]
    assert isinstance(read_message_id(KEYS, INSTANCE, f"<sd.{INSTANCE}.{number}.{mac}@d>"), Forged)


def test_an_older_key_is_still_believed_and_a_dropped_one_is_not() -> None:
    text = sign_message_id(SigningKeys(OLD), INSTANCE, 9, "d")
    assert read_message_id(KEYS, INSTANCE, text) == SignedMessage(9, OLD.id)
    assert read_message_id(SigningKeys(NEW), INSTANCE, text) == Forged(text)


def test_another_installation_is_not_ours_and_not_a_forgery() -> None:
    text = sign_message_id(KEYS, "zzz", 9, "d")
    assert read_message_id(KEYS, INSTANCE, text) is None


@pytest.mark.parametrize(
    "text",
    ["", "<>", "< >", "<abc@def>", "sd.", "<sd.a7k2m9.9@d>", "<sd.a7k2m9.009.aaaaaaaaaaaaaaaaaaaa@d>"],
)
def test_foreign_message_ids_are_not_ours(text: str) -> None:
    assert read_message_id(KEYS, INSTANCE, text) is None


@pytest.mark.parametrize("address", ["", "support@shop.example", "support+t.@d", "support+tag@d", "a b+t.1.x@d"])
def test_ordinary_addresses_carry_no_token(address: str) -> None:
    assert read_plus_address(KEYS, address) is None
    assert not has_ticket_token(address)


def test_the_form_of_a_token_is_recognised_even_when_it_is_forged() -> None:
    assert has_ticket_token("support+t.1.aaaaaaaaaaaaaaaaaaaa@anywhere.test")


@pytest.mark.parametrize("instance", ["", "A", "a.b", "ä", "a" * 33])
def test_an_unusable_instance_is_refused(instance: str) -> None:
    with pytest.raises(ValueError, match="instance"):
        sign_message_id(KEYS, instance, 1, "d")


@pytest.mark.parametrize("number", [0, -1, 10**18])
def test_an_unusable_number_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        sign_message_id(KEYS, INSTANCE, number, "d")
    with pytest.raises(ValueError, match="positive"):
        sign_plus_address(KEYS, "s@d", number)


def test_a_secret_is_not_shown_and_not_short() -> None:
    """SEC-8."""
    assert "nnnn" not in repr(KEYS)
    with pytest.raises(ValueError, match="shorter"):
        SigningKey(3, b"short")
