"""One IMAP connection against a real Dovecot, and against servers that break off, cheat or are asked to do harm."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import Server
from supportdesk.errors import ConfigError, ConnectionFailed, LoginRefused
from supportdesk.mail.imap import ImapSource
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.mail_servers import MailServers

MAX = 50 * 1024 * 1024
OURS = "<sd.abc123.7.abcdefghijklmnopqrst@bottega.example>"


def mail(number: int, body: str = "ciao") -> bytes:
    return f"Subject: n. {number}\r\nMessage-ID: <n{number}@example.com>\r\n\r\n{body}\r\n".encode()


def server(servers: MailServers, user: str, tls: str = "implicit") -> Server:
    port = servers.imaps_port if tls == "implicit" else servers.imap_port
    return Server(servers.host, port, tls, user, str(servers.certificate))


@pytest.fixture
def source(mail_servers: MailServers, mail_user: str) -> Iterator[ImapSource]:
    made = ImapSource(server(mail_servers, mail_user), mail_servers.password)
    yield made
    made.close()


def test_mail_is_listed_and_fetched_byte_for_byte_and_no_flag_changes(
    mail_servers: MailServers, mail_user: str, source: ImapSource
) -> None:
    """SYNC-3, INGEST-2."""
    mails = [mail(number) for number in range(1, 6)]
    mail_servers.append(mail_user, *mails)
    state = source.select("INBOX")
    assert (state.exists, state.uidnext) == (5, 6)
    assert state.uidvalidity > 0
    assert source.uids_from(1) == [1, 2, 3, 4, 5]
    assert source.uids_from(4) == [4, 5]
    assert source.uids_from(6) == [], "n:* always names the last message; it is not news"
    fetched = list(source.fetch([1, 3, 5, 99], max_size=MAX))
    assert [(one.uid, one.raw) for one in fetched] == [(1, mails[0]), (3, mails[2]), (5, mails[4])]
    dates = source.dates([1, 99])
    assert list(dates) == [1]
    assert abs((dates[1] - datetime.now(UTC)).total_seconds()) < 120
    assert all(r"\Seen" not in flags for flags in mail_servers.flags(mail_user))


def test_sync_5_messages_are_told_apart_by_id_size_and_date(
    mail_servers: MailServers, mail_user: str, source: ImapSource
) -> None:
    raws = [b"Message-ID: <One@shop.test>\r\n" + mail(1), b"message-id:\r\n <two@shop.test>\r\n" + mail(2), mail(3)]
    for raw in raws:
        mail_servers.append(mail_user, raw)
    source.select("INBOX")
    found = source.identities(source.uids_from(1))
    assert [message_id for message_id, _size, _at in found.values()][:2] == ["<One@shop.test>", "<two@shop.test>"]
    assert [size for _id, size, _at in found.values()] == [len(raw) for raw in raws]
    assert all(at is not None for _id, _size, at in found.values())


def test_an_empty_folder_has_no_mail(source: ImapSource) -> None:
    source.select("INBOX")
    assert source.uids_from(1) == []
    assert list(source.fetch([], max_size=MAX)) == []


def test_of_a_mail_that_is_too_large_only_the_beginning_is_taken(
    mail_servers: MailServers, mail_user: str, source: ImapSource
) -> None:
    """INGEST-7."""
    large = mail(1, "x" * 70 + ("\r\n" + "y" * 70) * 10_000)
    mail_servers.append(mail_user, large, mail(2))
    source.select("INBOX")
    first, second = source.fetch([1, 2], max_size=100_000)
    assert (first.partial, first.size) == (True, len(large))
    assert first.raw is not None
    assert large.startswith(first.raw)
    assert 200_000 < len(first.raw) < 300_000
    assert (second.partial, second.raw) == (False, mail(2))


def test_folders_are_known_by_their_use(mail_servers: MailServers, mail_user: str, source: ImapSource) -> None:
    mail_servers.append(mail_user, mail(1), mailbox="Gesendete Objekte")
    mail_servers.append(mail_user, mail(1), mailbox="Ordini &AOg- &-")
    roles = {info.name: info.role for info in source.folders()}
    assert (roles["INBOX"], roles["Sent"]) == ("inbox", "sent")
    assert roles["Gesendete Objekte"] == "other", "the folder with the special use is the one"
    assert roles["Ordini è &"] == "other"
    assert source.select("Ordini è &").exists == 1


def test_a_copy_is_stored_and_found_by_our_own_message_id(
    mail_servers: MailServers, mail_user: str, source: ImapSource
) -> None:
    data = f"Message-ID: {OURS}\r\nSubject: x\r\n\r\nciao\r\n".encode()
    assert source.find_message_id("Sent", OURS) == []
    source.append("Sent", data, datetime(2026, 3, 4, 9, 30, tzinfo=UTC))
    assert source.find_message_id("Sent", OURS) == [1]
    assert mail_servers.messages(mail_user, "Sent") == [data]
    assert r"\Seen" in mail_servers.flags(mail_user, "Sent")[0]
    assert source.dates([1]) == {1: datetime(2026, 3, 4, 9, 30, tzinfo=UTC)}


@pytest.mark.parametrize(
    "hostile",
    [
        "<a@b>",
        'x" OR ALL',
        "<sd.a.1.b@c>\r\nA1 DELETE INBOX",
        "<sd.a.1.b@c>\n",
        "<sd.a.1.b@c> ALL",
        "{3}\r\n",
        "",
        "<sd.è.1.b@c>",
    ],
)
def test_nothing_but_our_own_message_id_is_ever_searched_for(source: ImapSource, hostile: str) -> None:
    with pytest.raises(ValueError, match="not a Message-ID of ours"):
        source.find_message_id("Sent", hostile)


def test_a_hostile_folder_name_stays_a_name(mail_servers: MailServers, mail_user: str, source: ImapSource) -> None:
    mail_servers.append(mail_user, mail(1))
    for name in ('x"\r\nA1 DELETE INBOX', "x\r\nA1 DELETE INBOX\r\n", "{3}\r\nabc", "\0"):
        with pytest.raises((ConnectionFailed, ValueError)):
            source.select(name)
    assert len(mail_servers.messages(mail_user)) == 1


@pytest.mark.parametrize(("policy", "flag"), [("leave", None), ("seen", r"\Seen"), ("keyword", "$Supportdesk")])
def test_what_is_done_with_processed_mail_is_the_mailboxs_choice(
    mail_servers: MailServers, mail_user: str, source: ImapSource, policy: str, flag: str | None
) -> None:
    mail_servers.append(mail_user, mail(1), mail(2))
    source.select("INBOX")
    source.mark([1], policy)
    first, second = mail_servers.flags(mail_user)
    assert (flag in first) == (flag is not None)
    assert not {r"\Seen", "$Supportdesk"} & (second if flag else first | second)


def test_mail_can_be_moved_and_nothing_else_is_removed(
    mail_servers: MailServers, mail_user: str, source: ImapSource
) -> None:
    mail_servers.append(mail_user, mail(1), mailbox="Fatto")
    mail_servers.append(mail_user, mail(2))
    mail_servers.append(mail_user, mail(3), flags=r"(\Deleted)")
    source.select("INBOX")
    source.mark([1], "move", "Fatto")
    assert len(mail_servers.messages(mail_user, "Fatto")) == 2
    assert len(mail_servers.messages(mail_user)) == 1, "somebody else's deleted mail is his business"


def test_idle_hears_of_new_mail(mail_servers: MailServers, mail_user: str, source: ImapSource) -> None:
    source.select("INBOX")
    assert not source.idle(0.1, lambda: False)
    delivery = threading.Timer(0.3, mail_servers.append, (mail_user, mail(1)))
    delivery.start()
    start = time.monotonic()
    assert source.idle(30, lambda: False)
    delivery.join()
    assert time.monotonic() - start < 25
    source.select("INBOX")
    assert source.uids_from(1) == [1]


def test_idle_ends_when_it_is_told_to(source: ImapSource) -> None:
    source.select("INBOX")
    assert not source.idle(30, lambda: True)


def test_a_connection_that_is_cut_during_idle_raises(
    mail_servers: MailServers, mail_user: str, source: ImapSource
) -> None:
    source.select("INBOX")
    cut = threading.Timer(0.3, mail_servers.doveadm, ("kick", mail_user))
    cut.start()
    with pytest.raises(ConnectionFailed):
        wait_until(lambda: source.idle(1.0, lambda: False) and False, seconds=30, what="the cut")
    cut.join()


def test_starttls_and_implicit_tls_both_log_in(mail_servers: MailServers, mail_user: str) -> None:
    for tls in ("starttls", "implicit"):
        ImapSource(server(mail_servers, mail_user, tls), mail_servers.password).close()


def test_a_wrong_password_is_for_a_person_to_mend(mail_servers: MailServers, mail_user: str) -> None:
    with pytest.raises(LoginRefused, match="login refused") as refused:
        ImapSource(server(mail_servers, mail_user), "geheim")
    assert "geheim" not in refused.value.message
    assert refused.value.message.endswith(": [AUTHENTICATIONFAILED] Authentication failed.")


def test_a_certificate_that_is_not_trusted_is_refused_before_the_password(mail_servers: MailServers) -> None:
    with pytest.raises(LoginRefused, match="certificate"):
        ImapSource(Server(mail_servers.host, mail_servers.imaps_port, "implicit", "shop", ""), "secret")


def test_plain_text_is_for_this_machine_only() -> None:
    with pytest.raises(ConfigError):
        ImapSource(Server("mail.example.com", 143, "none", "shop"), "secret")


# ---- servers that cheat ----------------------------------------------------------------------------------------------


@contextmanager
def cheating_server(talk: Callable[[socket.socket, list[bytes]], None]) -> Iterator[tuple[Server, list[bytes]]]:
    """A server for one connection; `talk` gets the socket and the list in which it notes what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                connection, _address = listening.accept()
                with connection:
                    connection.settimeout(10)
                    talk(connection, heard)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Server("127.0.0.1", listening.getsockname()[1], "none", "shop"), heard
        finally:
            listening.close()
            thread.join(15)


def conversation(
    answers: dict[bytes, bytes], greeting: bytes = b"* OK hi"
) -> Callable[[socket.socket, list[bytes]], None]:
    """Answers each command by its verb (`%` stands for the tag); closes on a verb that it has no answer for."""

    def talk(connection: socket.socket, heard: list[bytes]) -> None:
        connection.sendall(greeting + b"\r\n")
        reader = connection.makefile("rb")
        while line := reader.readline():
            heard.append(line)
            tag, _, rest = line.partition(b" ")
            verb = rest.split()[1] if rest.upper().startswith(b"UID") else rest.split()[0]
            if verb.upper() not in answers:
                return
            connection.sendall(answers[verb.upper()].replace(b"%", tag))

    return talk


LOGGED_IN = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n% OK done\r\n", b"LOGIN": b"% OK done\r\n",
    b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 4] x\r\n% OK [READ-ONLY] done\r\n",
    b"SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 4] x\r\n% OK done\r\n",
    b"LOGOUT": b"* BYE\r\n% OK done\r\n",
}  # fmt: skip


def test_a_server_that_logs_us_in_unasked_is_left() -> None:
    with cheating_server(conversation(LOGGED_IN, b"* PREAUTH welcome")) as (where, heard):
        with pytest.raises(ConnectionFailed, match="PREAUTH"):
            ImapSource(where, "secret")
        assert not any(b"LOGIN" in line for line in heard)


def test_a_server_without_starttls_gets_no_password() -> None:
    with cheating_server(conversation(LOGGED_IN)) as (where, heard):
        with pytest.raises(LoginRefused, match="STARTTLS"):
            ImapSource(Server(where.host, where.port, "starttls", "shop"), "geheim")
        assert not any(b"geheim" in line for line in heard)


def test_a_password_with_other_letters_is_given_by_sasl_plain() -> None:
    offered = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n% OK done\r\n", b"AUTHENTICATE": b"+ \r\n"}
    encoded = b64encode("\0shop\0perché".encode())
    answers = {**LOGGED_IN, **offered}

    def talk(connection: socket.socket, heard: list[bytes]) -> None:
        connection.sendall(b"* OK hi\r\n")
        reader, asked = connection.makefile("rb"), b""
        while line := reader.readline():
            heard.append(line)
            if line.strip() == encoded:
                connection.sendall(asked + b" OK done\r\n")
                continue
            asked, _, rest = line.partition(b" ")
            connection.sendall(answers[rest.split()[0].upper()].replace(b"%", asked))

    with cheating_server(talk) as (where, heard):
        ImapSource(where, "perché").close()
        assert any(line.strip() == encoded for line in heard)


@pytest.mark.parametrize(
    ("password", "says"), [("perché", "ASCII"), ("geheim\r\nA1 DELETE INBOX", "control character")]
)
def test_a_password_that_cannot_be_given_is_for_a_person_to_mend(password: str, says: str) -> None:
    with cheating_server(conversation(LOGGED_IN)) as (where, heard):
        with pytest.raises(LoginRefused, match=says) as refused:
            ImapSource(where, password)
        assert not any(b"LOGIN" in line or b"DELETE" in line for line in heard)
    assert "geheim" not in refused.value.message
    assert "é" not in refused.value.message


def test_a_folder_without_uidvalidity_is_an_error() -> None:
    answers = {**LOGGED_IN, b"EXAMINE": b"* 3 EXISTS\r\n% OK done\r\n", b"SELECT": b"* 3 EXISTS\r\n% OK done\r\n"}
    with cheating_server(conversation(answers)) as (where, _heard):
        source = ImapSource(where, "secret")
        with pytest.raises(ConnectionFailed, match="UIDVALIDITY"):
            source.select("INBOX")
        source.close()


def test_a_literal_beyond_all_measure_is_not_waited_for() -> None:
    sizes = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 10)\r\n" % (uid, uid) for uid in (1, 2, 3))
    answers = {**LOGGED_IN, b"FETCH": sizes + b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n"}
    with cheating_server(conversation(answers)) as (where, _heard):
        source = ImapSource(where, "secret")
        source.select("INBOX")
        with pytest.raises(ConnectionFailed, match="more than"):
            list(source.fetch([1, 2, 3], max_size=MAX))
        source.close()


def test_answers_for_mail_that_was_not_asked_for_are_ignored() -> None:
    fetched = (
        b"* 9 EXPUNGE\r\n* 1 FETCH (UID 1 RFC822.SIZE 10 BODY[] {4}\r\nciao)\r\n"
        b"* 7 FETCH (UID 77 RFC822.SIZE 10 BODY[] {4}\r\nevil)\r\n* 2 FETCH (FLAGS (\\Seen))\r\n% OK done\r\n"
    )
    with cheating_server(conversation({**LOGGED_IN, b"FETCH": fetched})) as (where, _heard):
        source = ImapSource(where, "secret")
        source.select("INBOX")
        assert [(one.uid, one.raw) for one in source.fetch([1, 2, 3], max_size=MAX)] == [(1, b"ciao")]
        source.close()


def test_one_mail_that_the_server_refuses_to_give_does_not_stop_the_others() -> None:
    def talk(connection: socket.socket, heard: list[bytes]) -> None:
        def answer(line: bytes, tag: bytes) -> bytes:
            if b"RFC822.SIZE" in line:
                return (
                    b"".join(b"* %d FETCH (UID %d RFC822.SIZE 4)\r\n" % (n, n) for n in (1, 2, 3))
                    + tag
                    + b" OK done\r\n"
                )
            wanted = line.split()[3]
            if wanted in (b"1:3", b"1,2,3", b"2"):
                return tag + b" NO I cannot\r\n"
            return b"* %s FETCH (UID %s BODY[] {4}\r\nciao)\r\n" % (wanted, wanted) + tag + b" OK done\r\n"

        connection.sendall(b"* OK hi\r\n")
        reader = connection.makefile("rb")
        while line := reader.readline():
            tag, _, rest = line.partition(b" ")
            if b"FETCH" in rest:
                connection.sendall(answer(line, tag))
            else:
                connection.sendall(LOGGED_IN[rest.split()[0].upper()].replace(b"%", tag))

    with cheating_server(talk) as (where, _heard):
        source = ImapSource(where, "secret")
        source.select("INBOX")
        assert [(one.uid, one.raw) for one in source.fetch([1, 2, 3], max_size=MAX)] == [
            (1, b"ciao"),
            (2, None),
            (3, b"ciao"),
        ]
        source.close()


@pytest.mark.parametrize("cut", [0, 3, 40, 200])
def test_a_connection_that_ends_within_a_mail_gives_nothing_half(cut: int) -> None:
    whole = b"* 1 FETCH (UID 1 RFC822.SIZE 300 BODY[] {300}\r\n" + b"x" * 300 + b")\r\n"

    def talk(connection: socket.socket, heard: list[bytes]) -> None:
        connection.sendall(b"* OK hi\r\n")
        reader = connection.makefile("rb")
        while line := reader.readline():
            tag, _, rest = line.partition(b" ")
            if b"BODY.PEEK" in rest:
                connection.sendall(whole[: 60 + cut])
                return
            if b"FETCH" in rest:
                connection.sendall(b"* 1 FETCH (UID 1 RFC822.SIZE 300)\r\n" + tag + b" OK done\r\n")
            else:
                connection.sendall(LOGGED_IN[rest.split()[0].upper()].replace(b"%", tag))

    with cheating_server(talk) as (where, _heard):
        source = ImapSource(where, "secret")
        source.select("INBOX")
        with pytest.raises(ConnectionFailed):
            list(source.fetch([1], max_size=MAX))
        source.close()
