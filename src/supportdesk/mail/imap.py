"""One IMAP connection of one mailbox, through imapclient. UIDs only, BODY.PEEK only, TLS verified, every wait bounded.

No text from a sender ever enters a command (RFC 3501 quoting is not trusted): the only searches are UID ranges that we
computed and our own signed Message-ID. What imapclient gets wrong is mended here: the `n:*` ghost, the socket that died
during IDLE, the literal of any size (mail.md section 0.5).
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import select
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from supportdesk import __version__
from supportdesk.errors import CommandRefused, ConnectionFailed, LoginRefused
from supportdesk.mail.headers import message_id
from supportdesk.mail.imap_wire import COMMAND_SECONDS, READ_SECONDS, BoundedClient
from supportdesk.mail.model import FetchedMail, FolderInfo, FolderState
from supportdesk.mail.sasl import bearer_dialogue
from supportdesk.mail.tls import check_tls_mode, network_reason, tls_context

if TYPE_CHECKING:
    from supportdesk.desk.model import Server
    from supportdesk.mail.sasl import Secret

WATCHDOG_SECONDS = 120.0  # beyond the end of the waiting: then whoever is there does not answer any more (SYNC-8)
GROUP_BYTES = 8 * 1024 * 1024
GROUP_MAILS = 100
LISTED_AT_ONCE = 500
SEARCH_RANGE = 20_000
PARTIAL_BYTES = 262_144
SASL_IR_BYTES = 4_096  # Dovecot reads a line of 8,192 before the login; what is longer goes as an answer
OWN_MESSAGE_ID = re.compile(r"<sd\.[A-Za-z0-9]+\.[0-9]+\.[A-Za-z2-7]+@[A-Za-z0-9.-]+>")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
# RFC 5530: the server is there, and waiting can help; every other refusal of a login needs a person.
PASSING_CODES = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")
# What imapclient trips over when an answer is not IMAP. It was read to its end: the connection lives on.
UNREADABLE = (RecursionError, LookupError, TypeError, AttributeError, AssertionError)
SENT_NAMES = frozenset(
    {"sent", "sent items", "sent messages", "sent mail", "inbox.sent", "posta inviata", "gesendet",
     "gesendete elemente", "gesendete objekte", "envoyés", "éléments envoyés", "messages envoyés", "enviados",
     "elementos enviados"}
)  # fmt: skip
JUNK_NAMES = frozenset({"junk", "junk e-mail", "spam", "bulk mail", "inbox.junk", "posta indesiderata", "indésirables"})


class ImapSource:
    """A logged-in connection. Every method raises ConnectionFailed, or LoginRefused when a person must act."""

    def __init__(self, server: Server, secret: Secret) -> None:
        check_tls_mode(server)
        self._server = server
        self._folder = "INBOX"
        self._state = FolderState(0, 0, 0)
        if isinstance(secret, str):
            self._open(lambda: self._give_password(secret))
            return
        token = secret.current()
        try:
            self._open(lambda: self._give_token(token))
        except _TokenRefused:
            fresh = secret.renewed(token)
            if fresh == token:
                raise
            self._open(lambda: self._give_token(fresh))

    def _open(self, give_secret: Callable[[], None]) -> None:
        server = self._server
        with self._failures("connect"):
            self._client = BoundedClient(
                server.host, server.port, tls_context(server) if server.tls == "implicit" else None
            )
        self._client.normalise_times = False
        try:
            self._log_in(give_secret)
        except BaseException:
            self.close()
            raise

    def folders(self) -> list[FolderInfo]:
        """The folders that can hold mail, with their use (RFC 6154, else by name)."""
        with self._failures("list folders"):
            listed = self._client.list_folders()
        found, roles = [], set()
        for flags, _, name in sorted(listed, key=lambda item: not _special(item[0])):
            if b"\\Noselect" in flags or b"\\NonExistent" in flags:
                continue
            role = _special(flags) or _role_by_name(str(name))
            if role != "other" and role in roles:
                role = "other"
            roles.add(role)
            found.append(FolderInfo(str(name), role))
        return found

    def select(self, folder: str) -> FolderState:
        """Open the folder read-only: nothing that is read here changes a flag."""
        with self._failures(f"open folder: {folder}"):
            state = self._client.select_folder(folder, readonly=True)
        try:
            uidvalidity, uidnext = int(state[b"UIDVALIDITY"]), int(state.get(b"UIDNEXT", 0))
        except (KeyError, TypeError, ValueError):
            raise ConnectionFailed.because("no uidvalidity", server=self._server.host, folder=folder) from None
        self._folder, self._state = folder, FolderState(uidvalidity, uidnext, int(state.get(b"EXISTS", 0)))
        return self._state

    def uids_from(self, uid: int) -> list[int]:
        """UIDs ≥ `uid` in the selected folder, ascending.

        `n:*` always answers with the last message (RFC 3501 6.4.8), hence the filter; wide ranges are asked in pieces
        because imaplib refuses a line over 1,000,000 bytes. Where they end is asked for: a UIDNEXT that is too high
        would make the pieces endless, and one that is too low the last of them too wide.
        """
        with self._failures("list messages"):
            if self._state.exists == 0:
                return []
            if self._state.exists <= SEARCH_RANGE:
                return self._uids_to_the_end(uid)
            last = max(self._client.search(["UID", "*"]), default=self._state.uidnext - 1)
            uids: list[int] = []
            for start in range(uid, last + 1, SEARCH_RANGE):
                piece = self._client.search(["UID", f"{start}:{start + SEARCH_RANGE - 1}"])
                uids.extend(found for found in piece if start <= found < start + SEARCH_RANGE)
            return sorted(set(uids))

    def identities(self, uids: Sequence[int]) -> dict[int, tuple[str, int, datetime | None]]:
        """Message-ID ("" without one), RFC822.SIZE and INTERNALDATE of each message that is still there."""
        found: dict[int, tuple[str, int, datetime | None]] = {}
        for start in range(0, len(uids), LISTED_AT_ONCE):
            chunk = list(uids[start : start + LISTED_AT_ONCE])
            with self._failures("sizes"):
                answers = self._client.fetch(chunk, ["BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"])
            named = {uid: _header_of(items) for uid, items in answers.items()}
            for uid, (size, at) in self._sizes(chunk).items():
                field = named.get(uid, b"").decode("ascii", "replace").partition(":")[2]
                found[uid] = (message_id(field), size, at)
        return found

    def dates(self, uids: Sequence[int]) -> dict[int, datetime]:
        """INTERNALDATE of each message that is still there."""
        return {uid: at for uid, (_, at) in self._sizes(uids).items() if at is not None}

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        """The messages in order, in small groups. One that vanished is left out; one without a body has `raw` None."""
        for start in range(0, len(uids), LISTED_AT_ONCE):
            chunk = list(uids[start : start + LISTED_AT_ONCE])
            sizes = self._sizes(chunk)
            for group in _grouped([(uid, sizes[uid][0]) for uid in chunk if uid in sizes], max_size):
                large = sizes[group[0]][0] > max_size
                bodies = self._heads(group[0]) if large else self._bodies(group)
                for uid in group:
                    if uid in bodies:
                        size, at = sizes[uid]
                        short = not large and _is_short(bodies[uid], size)
                        yield FetchedMail(uid, bodies[uid], size, at, partial=large, short=short)

    def idle(self, seconds: float, stop: Callable[[], bool]) -> bool:
        """Wait for news with IDLE (RFC 2177), else with a pause and NOOP; True if there may be some."""
        if not self._client.has_capability("IDLE"):
            return self._pause(seconds, stop)
        with self._failures("news", seconds + WATCHDOG_SECONDS):
            self._client.idle()
            deadline = time.monotonic() + seconds
            news = self._has_read_ahead()
            while not news and not stop() and (left := deadline - time.monotonic()) > 0:
                readable, _, _ = select.select([self._client.socket()], [], [], min(left, 1.0))
                news = bool(readable)
            # Not idle_check: it reads without waiting, and gives the connection up where half a line has come.
            _, answers = self._client.idle_done()
            if any(answer and answer[0] == b"BYE" for answer in answers):
                raise IMAPClientAbortError("the server said BYE")
            return news or bool(answers)

    def find_message_id(self, folder: str, message_id: str) -> list[int]:
        """UIDs in `folder` of our own signed Message-ID; anything else is refused before it reaches the wire."""
        if not OWN_MESSAGE_ID.fullmatch(message_id):
            raise ValueError(f"not a Message-ID of ours: {message_id!r}")
        self.select(folder)
        with self._failures(f"search: {folder}"):
            return [int(uid) for uid in self._client.search(["HEADER", "Message-ID", message_id])]

    def append(self, folder: str, data: bytes, at: datetime) -> None:
        with self._failures(f"append: {folder}"):
            self._client.append(folder, data, flags=(b"\\Seen",), msg_time=at)

    def mark(self, uids: Sequence[int], policy: str, target: str = "") -> None:
        """What the mailbox's policy does with processed mail on the server; `leave` does nothing at all."""
        if policy == "leave" or not uids:
            return
        folder = self._folder
        with self._failures("mark"):
            state = self._client.select_folder(folder, readonly=False)
            if policy == "seen":
                self._client.add_flags(list(uids), [b"\\Seen"], silent=True)
            elif policy == "keyword":
                permanent = state.get(b"PERMANENTFLAGS", ())
                if b"\\*" in permanent or b"$Supportdesk" in permanent:
                    self._client.add_flags(list(uids), [b"$Supportdesk"], silent=True)
            elif policy == "move":
                self._move(list(uids), target)

    def close(self) -> None:
        with contextlib.suppress(IMAPClientError, imaplib.IMAP4.error, OSError, ssl.SSLError, ValueError):
            self._client.logout()
        with contextlib.suppress(IMAPClientError, imaplib.IMAP4.error, OSError, AttributeError):
            self._client.shutdown()

    def _log_in(self, give_secret: Callable[[], None]) -> None:
        client, server = self._client, self._server
        if getattr(client._imap, "state", "") == "AUTH":
            raise ConnectionFailed.because("preauth", server=server.host)
        if server.tls == "starttls":
            if not client.has_capability("STARTTLS"):
                raise LoginRefused.because("no starttls", server=server.host)
            with self._failures("start TLS"):
                client.starttls(tls_context(server))
        with self._failures("log in"):
            give_secret()
        with self._failures("introduce"):
            client.capabilities()
            if client.has_capability("ID"):
                client.id_({"name": "supportdesk", "version": __version__})

    def _give_password(self, password: str) -> None:
        """LOGIN, which takes only ASCII (RFC 3501 9); with other letters SASL PLAIN, which takes UTF-8 (RFC 4616)."""
        login, host = self._server.login, self._server.host
        if self._client.has_capability("LOGINDISABLED"):
            raise LoginRefused.because("login disabled", server=host)
        if _CONTROLS.search(login + password):
            raise LoginRefused.because("control character", server=host, login=repr(login))
        try:
            if (login + password).isascii():
                self._client.login(login, password)
            elif self._client.has_capability("AUTH=PLAIN"):
                self._client.plain_login(login, password)
            else:
                raise LoginRefused.because("ascii only", server=host)
        except LoginError as error:
            raise self._refusal(LoginRefused, "login refused", _words(error)) from None

    def _give_token(self, token: str) -> None:
        """AUTHENTICATE with an access token, in one go where the server takes it so (SASL-IR, RFC 4959)."""
        client, server = self._client, self._server
        if _CONTROLS.search(server.login + token):
            raise LoginRefused.because("control character", server=server.host, login=repr(server.login))
        dialogue = bearer_dialogue(
            lambda name: bool(client.has_capability(f"AUTH={name}")), server.login, server.host, server.port, token
        )
        if dialogue is None:
            raise LoginRefused.because("no token login", server=server.host)
        connection: Any = client._imap
        at_once = client.has_capability("SASL-IR") and len(dialogue.opening) <= SASL_IR_BYTES
        connection.literal = dialogue.close if at_once else dialogue.answer
        # The protocol's own log writes every line; not this one.
        note, connection._mesg = connection._mesg, lambda *_line: None
        try:
            words = (dialogue.mechanism, dialogue.opening.decode()) if at_once else (dialogue.mechanism,)
            answered, data = connection._simple_command("AUTHENTICATE", *words)
        finally:
            connection._mesg, connection.literal = note, None
        if answered != "OK":
            said = data[-1].decode("utf-8", "replace") if data and data[-1] else answered
            raise self._refusal(_TokenRefused, "token refused", said)
        connection.state = "AUTH"

    def _refusal(self, kind: type[LoginRefused], code: str, said: str) -> ConnectionFailed:
        """What a refused login means: another try can help, or only a person can."""
        server = self._server
        if any(passing in said for passing in PASSING_CODES):
            return ConnectionFailed.because("login later", server=server.host, reason=said)
        return kind.because(code, server=server.host, login=server.login, reason=said)

    def _sizes(self, uids: Sequence[int]) -> dict[int, tuple[int, datetime | None]]:
        found: dict[int, tuple[int, datetime | None]] = {}
        for start in range(0, len(uids), LISTED_AT_ONCE):
            for uid, items in self._size_answers(list(uids[start : start + LISTED_AT_ONCE])).items():
                # What nobody asked for (another client's flags) may come without a UID: imapclient then takes the
                # sequence number for one.
                if b"RFC822.SIZE" in items:
                    at = items.get(b"INTERNALDATE")
                    found[uid] = (int(items[b"RFC822.SIZE"] or 0), at.astimezone(UTC) if at else None)
        return found

    def _size_answers(self, uids: list[int]) -> dict[int, dict[bytes, Any]]:
        """What the server says of each; one message of which it says nothing sensible does not hide the others."""
        try:
            with self._failures("sizes"):
                answers: dict[int, dict[bytes, Any]] = self._client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
                return answers
        except CommandRefused:
            if len(uids) == 1:
                return {uids[0]: {b"RFC822.SIZE": 0}}
            half = len(uids) // 2
            return self._size_answers(uids[:half]) | self._size_answers(uids[half:])

    def _uids_to_the_end(self, uid: int) -> list[int]:
        try:
            with self._failures("list messages"):
                return sorted(found for found in self._client.search(["UID", f"{uid}:*"]) if found >= uid)
        except CommandRefused:
            if uid >= self._state.uidnext > 0:  # some refuse a range past the end, where there is nothing (SYNC-14)
                return []
            raise

    def _bodies(self, uids: list[int]) -> dict[int, bytes | None]:
        try:
            with self._failures("fetch"):
                answers = self._client.fetch(uids, ["BODY.PEEK[]"])
        except CommandRefused:
            if len(uids) == 1:
                return {uids[0]: None}
            return {uid: body for one in uids for uid, body in self._bodies([one]).items()}
        return {uid: items[b"BODY[]"] or None for uid, items in answers.items() if b"BODY[]" in items}

    def _heads(self, uid: int) -> dict[int, bytes | None]:
        """The header and the beginning of an oversize message: our reader needs no closing boundary."""
        try:
            with self._failures("fetch head"):
                wanted = ["BODY.PEEK[HEADER]", f"BODY.PEEK[TEXT]<0.{PARTIAL_BYTES}>"]
                items = self._client.fetch([uid], wanted).get(uid, {})
        except CommandRefused:
            return {uid: None}
        header = items.get(b"BODY[HEADER]")
        body: bytes = next((value for key, value in items.items() if key.startswith(b"BODY[TEXT]") and value), b"")
        return {uid: header + body if header else None}

    def _move(self, uids: list[int], target: str) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move(uids, target)
        elif self._client.has_capability("UIDPLUS"):
            self._client.copy(uids, target)
            self._client.delete_messages(uids, silent=True)
            self._client.uid_expunge(uids)
        # Without either, a bare EXPUNGE would remove other people's deleted mail: the mail stays.

    def _has_read_ahead(self) -> bool:
        """Whether news came in one packet with the answer to IDLE: of bytes already read the socket says nothing."""
        connection = self._client.socket()
        connection.setblocking(False)
        try:
            return bool(self._client._imap.file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            connection.settimeout(READ_SECONDS)

    def _pause(self, seconds: float, stop: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while not stop() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
        with self._failures("news"):
            self._client.noop()
        return True

    @contextlib.contextmanager
    def _failures(self, doing: str, seconds: float = COMMAND_SECONDS) -> Iterator[None]:
        """Tell what goes wrong; `doing` is one of `l10n.server_failures.STEPS`, some with `: NAME` behind."""
        if hasattr(self, "_client"):
            self._client.allowance.renew(seconds)
        server = f"IMAP {self._server.host}:{self._server.port}"
        try:
            yield
        except LoginError:
            raise
        except IMAPClientAbortError as error:
            raise ConnectionFailed.because("broken", server=server, doing=doing, reason=_words(error)) from None
        except IMAPClientError as error:
            raise CommandRefused.because("broken", server=server, doing=doing, reason=_words(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise LoginRefused.because("certificate", server=server, reason=error.verify_message) from None
        except UNREADABLE as error:
            raise CommandRefused.because(
                "unreadable", server=server, doing=doing, reason=type(error).__name__
            ) from None
        except (OSError, ssl.SSLError, ValueError, EOFError) as error:
            raise ConnectionFailed.because("broken", server=server, doing=doing, reason=network_reason(error)) from None


def _is_short(body: bytes | None, size: int) -> bool:
    """Whether the server promised clearly more than it gave; for some the size is an estimate (SYNC-4)."""
    return body is not None and len(body) < size - max(1024, size // 10)


def _header_of(items: dict[bytes, Any]) -> bytes:
    return next((bytes(value) for key, value in items.items() if key.startswith(b"BODY[HEADER") and value), b"")


def _words(error: Exception) -> str:
    """What the server said; imapclient hands its bytes on as they are, or as their repr."""
    said = error.args[0] if error.args else ""
    if isinstance(said, bytes):
        return said.decode("utf-8", "replace")
    return re.sub(r"""\Ab(['"])(.*)\1\Z""", r"\2", str(said), flags=re.DOTALL)


class _TokenRefused(LoginRefused):
    """The server did not take this access token; another one may do."""


def _special(flags: Sequence[bytes]) -> str:
    lowered = {bytes(flag).lower() for flag in flags}
    if b"\\sent" in lowered:
        return "sent"
    return "junk" if b"\\junk" in lowered else ""


def _role_by_name(name: str) -> str:
    folded = name.casefold()
    if folded == "inbox":
        return "inbox"
    if folded in SENT_NAMES or folded.removeprefix("inbox/") in SENT_NAMES:
        return "sent"
    return "junk" if folded in JUNK_NAMES else "other"


def _grouped(sized: list[tuple[int, int]], max_size: int) -> Iterator[list[int]]:
    group: list[int] = []
    octets = 0
    for uid, size in sized:
        if size > max_size:
            if group:
                yield group
            yield [uid]
            group, octets = [], 0
            continue
        if group and (octets + size > GROUP_BYTES or len(group) >= GROUP_MAILS):
            yield group
            group, octets = [], 0
        group.append(uid)
        octets += size
    if group:
        yield group
