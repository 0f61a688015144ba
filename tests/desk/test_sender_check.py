"""What the mailbox's server says of a sender, and what may deceive, reach the ticket (SEC-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.desk import SHOP

if TYPE_CHECKING:
    from tests.support.post import Post

REPORT = "Authentication-Results: mx.bottega.example; dmarc={} header.from=example.com\n"


def believes(post: Post, authserv_id: str) -> None:
    desk, house = post.house.desk, post.house
    mailbox = desk.mailbox(house.mailbox_id)
    changes = {"id": mailbox.id, "settings": {**mailbox.settings, "authserv_id": authserv_id}}
    desk.save_mailbox(house.giulia, changes)


@pytest.mark.parametrize(("result", "check"), [("pass", "pass"), ("fail", "fail"), ("none", "unverified"), ("", "")])
def test_sec_6_the_servers_word_about_the_sender_stands_in_the_thread(post: Post, result: str, check: str) -> None:
    believes(post, "mx.bottega.example")
    ticket = post.writes(headers=REPORT.format(result) if result else "")
    (entry,) = post.house.desk.read.thread(ticket.id)
    assert entry.sender_check == check


def test_sec_6_without_a_trusted_server_nothing_is_said(post: Post) -> None:
    (entry,) = post.house.desk.read.thread(post.writes(headers=REPORT.format("pass")).id)
    assert entry.sender_check == ""


def test_sec_6_a_name_that_shows_another_address_and_answers_that_go_elsewhere_are_badges(post: Post) -> None:
    sender = '"rosa@example.com" <x@evil.example>'
    ticket = post.writes(sender=sender, headers="Reply-To: y@evil.example\n")
    (entry,) = post.house.desk.read.thread(ticket.id)
    assert entry.badges == ("name_is_address:rosa@example.com <x@evil.example>", "answers_elsewhere:y@evil.example")


def test_sec_6_a_contact_form_deceives_nobody(post: Post) -> None:
    ticket = post.writes(sender=f"no-reply@{SHOP.partition('@')[2]}", headers="Reply-To: rosa@example.com\n")
    (entry,) = post.house.desk.read.thread(ticket.id)
    assert entry.badges == ()


def test_parse_12_an_encrypted_mail_is_a_ticket_that_says_so(post: Post) -> None:
    headers = 'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\n'
    parts = (
        "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
        "Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--"
    )
    ticket = post.writes(parts, headers=headers)
    (entry,) = post.house.desk.read.thread(ticket.id)
    assert entry.badges == ("encrypted",)
    kinds = [file.content_type for file in entry.attachments]
    assert kinds == ["application/pgp-encrypted", "application/octet-stream"]
