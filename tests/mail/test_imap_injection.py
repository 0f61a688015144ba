"""C11: no text from anywhere becomes a second IMAP command: counted on the wire, for hostile names, ids and logins."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from supportdesk.errors import ConnectionFailed
from supportdesk.mail.imap import ImapSource
from tests.mail.test_imap_hostile import HostileServer, running, source_of

PIECES = (
    "\r\n", "\n", "\r", "\0", '"', "\\", '\\"', "{3}", "{3+}", "~{3}", " ", "%", "*", "(", ")", "&-", "&AA0ACg-", "A1 ",
    "A1 LOGOUT", "DELETE INBOX", "\r\nA2 DELETE INBOX\r\n", "\x7f", "\x80", "\u2028", "\u202e", "é", "日", "😀",
    "INBOX", "/", ".", "..", "#news", "<", ">", "@", "sd.", "a",
)  # fmt: skip
OK = b"% OK done\r\n"
SEED = 11


def hostile_texts(count: int) -> list[str]:
    dice = random.Random(SEED)
    return ["".join(dice.choices(PIECES, k=dice.randint(1, 7))) for _ in range(count)]


def commands(server: HostileServer, since: int) -> list[bytes]:
    return [line.split()[1].upper() if len(line.split()) > 1 else b"?" for line in server.heard[since:]]


@pytest.mark.parametrize(
    ("doing", "expected"),
    [
        (lambda source, text: source.select(text), b"EXAMINE"),
        (lambda source, text: source.find_message_id("INBOX", text), b""),
        (lambda source, text: source.find_message_id(text, "<sd.a.1.abc@shop.example>"), b"EXAMINE SEARCH"),
        (lambda source, text: source.mark([1], "move", text), b"SELECT UID"),
        (lambda source, text: source.mark([1], text), b"SELECT"),
    ],
    ids=["open", "search id", "search folder", "move to", "policy"],
)
def test_c11_a_hostile_text_adds_no_command(doing: Callable[[ImapSource, str], object], expected: bytes) -> None:
    server = HostileServer({b"SEARCH": b"* SEARCH\r\n% OK done\r\n", b"MOVE": OK})
    server.answers[b"CAPABILITY"] = b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n% OK done\r\n"
    allowed = set(expected.split()) | {b"UID"}
    asked = 0
    with source_of(server) as source:
        for text in hostile_texts(1500):
            before = len(server.heard)
            with suppress(ValueError):
                doing(source, text)
            asked += len(server.heard) > before
            said = commands(server, before)
            assert set(said) <= allowed, (text, server.heard[before:])
            assert len(said) <= 2, (text, server.heard[before:])
    assert asked == (1500 if expected else 0)
    assert b"DELETE" not in {line.split()[1] for line in server.heard if len(line.split()) > 1}


def test_c11_a_copy_goes_into_the_folder_that_is_named_and_nothing_else_happens() -> None:
    for text in ("Inviata\r\nA9 DELETE INBOX", 'Inviata" "x', "Inviata {4}", "日\r\n"):
        server = HostileServer()
        with suppress(ConnectionFailed), source_of(server) as source:
            source.append(text, b"Subject: x\r\n\r\nciao\r\nA9 DELETE INBOX\r\n", datetime(2026, 3, 1, tzinfo=UTC))
        appended = [line for line in server.heard if b" APPEND " in line]
        assert len(appended) == 1
        assert not any(line.split()[1:2] == [b"DELETE"] for line in server.heard)


@pytest.mark.parametrize("where", ["login", "password"])
def test_c11_a_login_with_a_line_end_never_reaches_the_server(where: str) -> None:
    server = HostileServer()
    with running(server) as at:
        for text in (one for one in hostile_texts(40) if any(control in one for control in "\r\n\0\x7f")):
            login, password = (text, "secret") if where == "login" else ("shop", text)
            with pytest.raises(ConnectionFailed):
                ImapSource(type(at)(at.host, at.port, "none", login), password)
    assert not any(b"LOGIN" in line or b"DELETE" in line for line in server.heard)
