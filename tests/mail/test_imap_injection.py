"""C11: no text from anywhere becomes a second IMAP command: counted on the wire, for hostile names, ids and logins."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from supportdesk.errors import ConnectionFailed
from supportdesk.mail.imap import ImapSource
from tests.fuzz.imap_texts import DOINGS, extra_commands, hostile_texts
from tests.mail.test_imap_hostile import HostileServer, running, source_of

SEED, TEXTS = 11, 1500


@pytest.mark.parametrize("doing", DOINGS)
def test_c11_a_hostile_text_adds_no_command(doing: str) -> None:
    """`./desk fuzz --imap 100000` asks for many more."""
    asked, wrong = extra_commands(doing, hostile_texts(TEXTS, SEED))
    assert wrong == []
    assert asked == (TEXTS if DOINGS[doing][1] else 0)


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
        for text in (one for one in hostile_texts(40, SEED) if any(control in one for control in "\r\n\0\x7f")):
            login, password = (text, "secret") if where == "login" else ("shop", text)
            with pytest.raises(ConnectionFailed):
                ImapSource(type(at)(at.host, at.port, "none", login), password)
    assert not any(b"LOGIN" in line or b"DELETE" in line for line in server.heard)
