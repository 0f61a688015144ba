"""IMAP servers that cheat, babble or fall silent (C15), and what the SYNC rules say on the wire."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from supportdesk.desk.model import Server
from supportdesk.errors import CommandRefused, ConnectionFailed
from supportdesk.mail import imap_wire
from supportdesk.mail.imap import ImapSource

MAX = 50 * 1024 * 1024
Answer = bytes | Callable[[bytes, bytes], bytes | Iterator[bytes]]


@dataclass
class HostileServer:
    """Answers each command by its verb (`%` is the tag); an answer may be made from the line, or be endless."""

    answers: dict[bytes, Answer] = field(default_factory=dict)
    greeting: bytes | Iterator[bytes] = b"* OK hi\r\n"
    heard: list[bytes] = field(default_factory=list)
    patience: float = 20  # seconds that it waits for a command
    connections: int = 0

    def talk(self, connection: socket.socket) -> None:
        self._say(connection, self.greeting)
        for line in connection.makefile("rb"):
            self.heard.append(line)
            tag, _space, rest = line.partition(b" ")
            words = rest.upper().split()
            verb = words[1] if words[:1] == [b"UID"] else words[0] if words else b""
            answer = {**ORDINARY, **self.answers}.get(verb)
            if answer is None:
                return
            said = answer(tag, rest) if callable(answer) else answer.replace(b"%", tag)
            self._say(connection, said)

    def _say(self, connection: socket.socket, said: bytes | Iterator[bytes]) -> None:
        for piece in [said] if isinstance(said, bytes) else said:
            connection.sendall(piece)


def opened(uidvalidity: int = 5, exists: int = 3) -> bytes:
    return b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] x\r\n* OK [UIDNEXT %d] x\r\n%% OK done\r\n" % (
        exists, uidvalidity, exists + 1,
    )  # fmt: skip


ORDINARY: dict[bytes, Answer] = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n% OK done\r\n", b"LOGIN": b"% OK done\r\n",
    b"EXAMINE": opened(), b"SELECT": opened(), b"LOGOUT": b"* BYE\r\n% OK done\r\n", b"NOOP": b"% OK done\r\n",
}  # fmt: skip


@contextmanager
def running(server: HostileServer) -> Iterator[Server]:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _address = listening.accept()
                server.connections += 1
                with connection, suppress(OSError):
                    connection.settimeout(server.patience)
                    server.talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Server("127.0.0.1", listening.getsockname()[1], "none", "shop")
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(25)


@contextmanager
def source_of(server: HostileServer) -> Iterator[ImapSource]:
    with running(server) as where:
        source = ImapSource(where, "secret")
        try:
            source.select("INBOX")
            yield source
        finally:
            source.close()


def sizes(*known: tuple[int, int]) -> bytes:
    return b"".join(b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n" % (uid, uid, size) for uid, size in known)


def fetching(listed: bytes, bodies: bytes) -> Callable[[bytes, bytes], bytes]:
    def answer(tag: bytes, rest: bytes) -> bytes:
        return (listed if b"RFC822.SIZE" in rest else bodies) + tag + b" OK done\r\n"

    return answer


# ---- endless and enormous --------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_wire, "READ_SECONDS", 0.4)
    monkeypatch.setattr(imap_wire, "CONNECT_SECONDS", 0.4)
    monkeypatch.setattr(imap_wire, "COMMAND_BYTES", 1 << 20)
    monkeypatch.setattr(imap_wire, "COMMAND_LINES", 1000)


def trickle(piece: bytes = b"x") -> Iterator[bytes]:
    """A byte now and then, for ever: no read ever times out."""
    while True:
        time.sleep(0.02)  # the slowness is what is tried
        yield piece


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("greeting", [b"", trickle()], ids=["silent", "endless"])
def test_c15_a_greeting_that_never_ends_is_not_waited_for(greeting: bytes | Iterator[bytes]) -> None:
    with running(HostileServer(greeting=greeting)) as where, pytest.raises(ConnectionFailed):
        ImapSource(where, "secret")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "babble",
    [b"* 1 EXISTS\r\n", b"* OK " + b"x" * 5000 + b"\r\n", b"(" * 5000],
    ids=["short lines", "long lines", "one line"],
)
def test_c15_an_answer_without_end_is_cut_off(babble: bytes) -> None:
    def for_ever(tag: bytes, rest: bytes) -> Iterator[bytes]:
        while True:
            yield babble

    with source_of(HostileServer({b"SEARCH": for_ever})) as source, pytest.raises(ConnectionFailed):
        source.uids_from(1)


@pytest.mark.parametrize("octets", [1_000_001, 3_000_000])
def test_c15_a_line_of_more_than_a_million_bytes_ends_the_connection(octets: int) -> None:
    server = HostileServer({b"SEARCH": b"* SEARCH " + b"1 " * (octets // 2) + b"\r\n% OK done\r\n"})
    with source_of(server) as source:
        with pytest.raises(ConnectionFailed, match="more than") as failed:
            source.uids_from(1)
        assert not isinstance(failed.value, CommandRefused), "nobody knows where the next answer begins"


@pytest.mark.parametrize("literal", [b"{99999999999}", b"{67108865}"])
def test_c15_a_literal_of_any_size_is_not_believed(literal: bytes) -> None:
    server = HostileServer({b"FETCH": fetching(sizes((1, 10)), b"* 1 FETCH (UID 1 BODY[] " + literal + b"\r\n")})
    with source_of(server) as source, pytest.raises(ConnectionFailed, match="more than"):
        list(source.fetch([1], max_size=MAX))


def test_c15_deep_parentheses_break_one_command_and_no_more() -> None:
    deep = b"* 1 FETCH (UID 1 RFC822.SIZE " + b"(" * 100_000 + b")" * 100_000 + b")\r\n"
    answers: dict[bytes, Answer] = {b"FETCH": fetching(deep, b"* 1 FETCH (UID 1 BODY[] {4}\r\nciao)\r\n")}
    with source_of(HostileServer(answers)) as source:
        (found,) = source.fetch([1], max_size=MAX)
        assert found.raw == b"ciao"


@pytest.mark.parametrize("literal", [b"{3}\r\nciao)\r\n", b"{400}\r\nciao)\r\n", b"{x}\r\nciao)\r\n"])
def test_c15_a_literal_of_another_length_than_announced_gives_nothing_half(literal: bytes) -> None:
    server = HostileServer({b"FETCH": fetching(sizes((1, 4)), b"* 1 FETCH (UID 1 BODY[] " + literal)}, patience=3)
    with source_of(server) as source:
        found: list[bytes | None] = []
        with suppress(ConnectionFailed):
            found = [one.raw for one in source.fetch([1], max_size=MAX)]
        assert found in ([], [None])


@pytest.mark.parametrize("said", [b"* BYE see you\r\n", b"* 1 FETCH (UID 1 BODY[] {400}\r\nhalf* BYE\r\n"])
def test_c15_a_goodbye_in_the_middle_gives_nothing_half(said: bytes) -> None:
    def answer(tag: bytes, rest: bytes) -> bytes | Iterator[bytes]:
        if b"RFC822.SIZE" in rest:
            return sizes((1, 400)) + tag + b" OK done\r\n"
        return goodbye()

    def goodbye() -> Iterator[bytes]:
        yield said
        raise OSError("gone")

    with source_of(HostileServer({b"FETCH": answer})) as source, pytest.raises(ConnectionFailed):
        list(source.fetch([1], max_size=MAX))


@pytest.mark.usefixtures("impatient")
def test_c15_a_connection_that_is_only_half_open_is_noticed() -> None:
    noticed = threading.Event()

    def nothing(tag: bytes, rest: bytes) -> Iterator[bytes]:
        yield b""
        noticed.wait(60)

    with source_of(HostileServer({b"SEARCH": nothing})) as source:
        with pytest.raises(ConnectionFailed):
            source.uids_from(1)
        noticed.set()


@pytest.mark.usefixtures("impatient")
def test_sync_8_a_server_that_does_not_end_the_waiting_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportdesk.mail.imap.WATCHDOG_SECONDS", 0.2)

    def idling(tag: bytes, rest: bytes) -> Iterator[bytes]:
        yield b"+ idling\r\n"
        yield from trickle()

    with source_of(HostileServer({b"IDLE": idling})) as source, pytest.raises(ConnectionFailed):
        source.idle(0.1, lambda: False)


def test_sync_8_a_dead_peer_is_asked_for_by_the_system() -> None:
    with source_of(HostileServer()) as source:
        assert source._client.socket().getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


# ---- answers that do not fit the question ----------------------------------------------------------------------------


def test_sync_4_a_body_that_is_clearly_shorter_than_promised_is_marked() -> None:
    bodies = b"".join(b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (n, n, k, b"x" * k) for n, k in LENGTHS)
    server = HostileServer({b"FETCH": fetching(sizes((1, 10_000), (2, 10_000), (3, 10_000)), bodies)})
    with source_of(server) as source:
        assert [(one.uid, one.short) for one in source.fetch([1, 2, 3], max_size=MAX)] == [
            (1, False), (2, False), (3, True),
        ]  # fmt: skip


LENGTHS = [(1, 10_000), (2, 9_500), (3, 4_000)]


@pytest.mark.parametrize("body", [b"NIL", b'""', b"{0}\r\n"])
def test_sync_4_no_body_is_none_and_not_an_empty_mail(body: bytes) -> None:
    answered = b"* 1 FETCH (UID 1 BODY[] " + body + b")\r\n* 2 FETCH (UID 2 BODY[] {4}\r\nciao)\r\n"
    with source_of(HostileServer({b"FETCH": fetching(sizes((1, 4), (2, 4)), answered)})) as source:
        assert [one.raw for one in source.fetch([1, 2], max_size=MAX)] == [None, b"ciao"]


@pytest.mark.parametrize("nonsense", [b"* 2 FETCH (UID 2 RFC822.SIZE\r\n", b"* 2 FETCH (UID x RFC822.SIZE 4)\r\n"])
def test_sync_4_an_answer_that_cannot_be_parsed_costs_one_message(nonsense: bytes) -> None:
    def answer(tag: bytes, rest: bytes) -> bytes:
        uids = rest.split()[2]
        wanted = [1, 2, 3] if uids in (b"1:3", b"1,2,3") else [int(uid) for uid in uids.replace(b":", b",").split(b",")]
        if b"RFC822.SIZE" in rest:
            said = b"".join(nonsense if uid == 2 else sizes((uid, 4)) for uid in wanted)
        else:
            said = b"".join(b"* %d FETCH (UID %d BODY[] {4}\r\nciao)\r\n" % (uid, uid) for uid in wanted)
        return said + tag + b" OK done\r\n"

    with source_of(HostileServer({b"FETCH": answer})) as source:
        found = {one.uid: one.raw for one in source.fetch([1, 2, 3], max_size=MAX)}
        assert (found[1], found[3]) == (b"ciao", b"ciao")


def test_sync_3_flags_are_never_set_by_reading() -> None:
    server = HostileServer({b"FETCH": fetching(sizes((1, 4)), b"* 1 FETCH (UID 1 BODY[] {4}\r\nciao)\r\n")})
    with source_of(server) as source:
        list(source.fetch([1], max_size=MAX))
        list(source.fetch([1], max_size=1))
    assert any(b"BODY.PEEK[]" in line for line in server.heard)
    assert not any(word in line for line in server.heard for word in (b"BODY[", b"RFC822 ", b"RFC822)", b"STORE"))
    assert not any(b"SELECT" in line for line in server.heard), "the folder is opened read-only"


# ---- listing ---------------------------------------------------------------------------------------------------------


def test_sync_1_the_last_message_is_not_new_because_the_star_names_it() -> None:
    with source_of(HostileServer({b"SEARCH": b"* SEARCH 3\r\n% OK done\r\n"})) as source:
        assert source.uids_from(4) == []


def test_sync_1_wide_ranges_are_asked_in_pieces_and_what_is_outside_them_is_ignored() -> None:
    def answer(tag: bytes, rest: bytes) -> bytes:
        if rest.split()[3] == b"*":
            return b"* SEARCH 60000\r\n" + tag + b" OK done\r\n"
        first = int(rest.split()[3].partition(b":")[0])
        return b"* SEARCH %d %d 7\r\n%s OK done\r\n" % (first + 5, first + 19_999, tag)

    server = HostileServer({b"SEARCH": answer, b"EXAMINE": opened(exists=50_000)})
    with source_of(server) as source:
        assert source.uids_from(1) == [6, 7, 20_000, 20_006, 40_000, 40_006, 60_000]
    assert all(len(line) <= 8000 for line in server.heard)


def holding(*uids: int) -> Callable[[bytes, bytes], bytes]:
    """What a server with these messages answers to `UID SEARCH UID …`."""

    def answer(tag: bytes, rest: bytes) -> bytes:
        first, _colon, last = rest.split()[-1].partition(b":")
        low = max(uids) if first == b"*" else int(first)
        high = max(uids) if last in (b"*", b"") else int(last)
        found = b" ".join(b"%d" % uid for uid in uids if min(low, high) <= uid <= max(low, high))
        return b"* SEARCH %s\r\n%s OK done\r\n" % (found, tag)

    return answer


def boasting(uidnext: int, exists: int) -> bytes:
    return opened(exists=exists).replace(b"[UIDNEXT %d]" % (exists + 1), b"[UIDNEXT %d]" % uidnext)


@pytest.mark.parametrize("uidnext", [1, 2, 2**32 - 1])
@pytest.mark.parametrize("exists", [4, 20_001])
def test_a09_a_lying_uidnext_neither_hides_a_message_nor_makes_the_listing_endless(uidnext: int, exists: int) -> None:
    uids = (1, 7, 20_500, 45_000)
    server = HostileServer({b"EXAMINE": boasting(uidnext, exists), b"SEARCH": holding(*uids)})
    with source_of(server) as source:
        assert source.uids_from(1) == list(uids)
        assert source.uids_from(45_000) == [45_000]
        assert source.uids_from(45_001) == []
    assert sum(b"SEARCH" in line for line in server.heard) <= 9


def test_a09_a_uidvalidity_of_0_is_a_numbering_like_any_other() -> None:
    """RFC 9051 forbids it; the mail behind it is mail all the same, and is taken once."""
    from supportdesk.desk.fetch import Fetcher
    from tests.desk.test_fetch import MemoryLedger, mailbox

    listed = sizes((1, 20)).replace(b"FETCH (", b'FETCH (INTERNALDATE "01-Mar-2026 10:00:00 +0000" ')
    body = b"* 1 FETCH (UID 1 BODY[] {20}\r\nSubject: n. 1\r\n\r\nx\r\n)\r\n"
    answers: dict[bytes, Answer] = {
        b"LIST": b'* LIST () "/" INBOX\r\n% OK done\r\n', b"EXAMINE": opened(uidvalidity=0, exists=1),
        b"SEARCH": holding(1), b"FETCH": fetching(listed, body),
    }  # fmt: skip
    ledger = MemoryLedger()
    with source_of(HostileServer(answers)) as source:
        assert [Fetcher(ledger, mailbox()).run_pass(source).fetched for _again in range(2)] == [1, 0]
    assert list(ledger.items) == [(1, 0, 1)]


def test_sync_14_a_server_that_refuses_a_range_past_the_end_has_nothing_new() -> None:
    server = HostileServer({b"SEARCH": b"% BAD The specified message set is invalid.\r\n"})
    with source_of(server) as source:
        assert source.uids_from(4) == []
        with pytest.raises(CommandRefused):
            source.uids_from(2)


def test_sync_2_messages_are_named_by_uid_only() -> None:
    answers: dict[bytes, Answer] = {
        b"FETCH": fetching(sizes((1, 4)), b"* 1 FETCH (UID 1 BODY[] {4}\r\nciao)\r\n"),
        b"SEARCH": b"* SEARCH 1\r\n% OK done\r\n", b"STORE": b"% OK done\r\n",
    }  # fmt: skip
    server = HostileServer(answers)
    with source_of(server) as source:
        list(source.fetch(source.uids_from(1), max_size=MAX))
        source.mark([1], "seen")
    named = [line for line in server.heard if any(verb in line for verb in (b"FETCH", b"STORE", b"SEARCH"))]
    assert len(named) >= 4
    assert all(line.split()[1] == b"UID" or b"SEARCH UID" in line for line in named)


def test_sync_1_a_set_of_many_uids_is_written_in_short_commands() -> None:
    server = HostileServer({b"FETCH": b"% OK done\r\n"})
    with source_of(server) as source:
        source.dates(list(range(1, 100_000, 2)))
    assert max(len(line) for line in server.heard) <= 8000


# ---- moving, removing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (b"MOVE UIDPLUS", [b"UID MOVE 4 Fatto"]),
        (b"UIDPLUS", [b"UID COPY 4 Fatto", b"UID STORE 4 +FLAGS.SILENT (\\Deleted)", b"UID EXPUNGE 4"]),
        (b"", []),
    ],
)
def test_sync_11_a_moved_mail_takes_nobody_elses_with_it(offered: bytes, expected: list[bytes]) -> None:
    done: dict[bytes, Answer] = dict.fromkeys((b"MOVE", b"COPY", b"STORE", b"EXPUNGE"), b"% OK done\r\n")
    capable = b"* CAPABILITY IMAP4rev1 " + offered + b"\r\n% OK done\r\n"
    server = HostileServer({b"CAPABILITY": capable, **done})
    with source_of(server) as source:
        source.mark([4], "move", "Fatto")
    changing = [line.partition(b" ")[2].strip().replace(b'"', b"") for line in server.heard]
    assert [line for line in changing if line.split()[-1:] and line.split()[0] == b"UID"] == expected
    assert not any(line.split()[:1] == [b"EXPUNGE"] for line in changing)


@pytest.mark.parametrize(
    ("flags", "stored"), [(b"\\Seen \\*", True), (b"\\Seen $Supportdesk", True), (b"\\Seen \\Deleted", False)]
)
def test_sync_11_a_keyword_is_set_only_where_the_server_keeps_it(flags: bytes, stored: bool) -> None:
    select = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [PERMANENTFLAGS (" + flags + b")] x\r\n% OK done\r\n"
    server = HostileServer({b"SELECT": select, b"STORE": b"% OK done\r\n"})
    with source_of(server) as source:
        source.mark([1], "keyword")
    assert any(b"STORE" in line for line in server.heard) == stored


# ---- folders ---------------------------------------------------------------------------------------------------------


def test_sync_12_folders_by_their_use_then_by_name_and_their_names_decoded() -> None:
    listed = (
        b'* LIST (\\HasNoChildren) "." INBOX\r\n* LIST (\\HasNoChildren) "." "INBOX.Sent"\r\n'
        b'* LIST (\\HasNoChildren \\Junk) "." "INBOX.Posta indesiderata"\r\n'
        b'* LIST (\\All \\HasNoChildren) "." "[Gmail].Tutti i messaggi"\r\n'
        b'* LIST (\\Noselect) "." "[Gmail]"\r\n* LIST () "." "INBOX.Entw&APw-rfe"\r\n% OK done\r\n'
    )
    with source_of(HostileServer({b"LIST": listed})) as source:
        assert {info.name: info.role for info in source.folders()} == {
            "INBOX": "inbox", "INBOX.Sent": "sent", "INBOX.Posta indesiderata": "junk",
            "[Gmail].Tutti i messaggi": "other", "INBOX.Entwürfe": "other",
        }  # fmt: skip


def test_sync_15_we_say_who_we_are_before_any_folder_is_opened() -> None:
    capable = b"* CAPABILITY IMAP4rev1 ID\r\n% OK done\r\n"
    server = HostileServer({b"CAPABILITY": capable, b"ID": b"* ID NIL\r\n% OK done\r\n"})
    with source_of(server):
        pass
    verbs = [line.split()[1] for line in server.heard]
    assert verbs.index(b"LOGIN") < verbs.index(b"ID") < verbs.index(b"EXAMINE")
    assert verbs[verbs.index(b"LOGIN") + 1] == b"CAPABILITY", "asked again: what is offered may differ now"
