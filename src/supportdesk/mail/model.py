"""What a mail is, once it has been read: plain values, no I/O.

Everything here is the output of `mail.parse` (and crosses the pipe from the parsing child as JSON) or the input of
`mail.compose`. Text is verbatim but for NUL and lone surrogates, which never appear.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox (RFC 5322 3.4): `name` decoded, `addr` as `local@domain`, the domain spelt as `domains` has it."""

    name: str
    addr: str

    @property
    def norm(self) -> str:
        """The key by which two spellings of one address are equal: case-folded."""
        return self.addr.casefold()

    @property
    def domain(self) -> str:
        return self.norm.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.name} <{self.addr}>" if self.name else self.addr


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing in the mail that was repaired, cut or could not be read; `code` is stable, `detail` is for people."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """A half-open range [start, end) of `ParsedMail.text` that is shown folded; nothing is ever deleted."""

    start: int
    end: int
    kind: str  # "quote" | "signature"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the body, numbered as in the text; `host` is where it really goes (Punycode if scripts are mixed)."""

    number: int
    url: str
    host: str
    text: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the body. `part` is its path in the MIME tree (`1.2`), to cut it from the raw mail on
    demand.
    """

    part: str
    name: str
    content_type: str
    size: int
    inline: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """An attached picture as a terminal can show it: `rows` holds red, green and blue of each pixel, top row first."""

    width: int
    height: int
    rows: bytes

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        """Red, green and blue, 0–255."""
        at = (y * self.width + x) * 3
        return self.rows[at], self.rows[at + 1], self.rows[at + 2]


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient block of a delivery report (RFC 3464 2.3). `action`: failed, delayed, delivered, relayed,
    expanded.
    """

    address: str
    action: str
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A multipart/report, or what looks like a non-standard bounce. `kind`: dsn | mdn | arf."""

    kind: str
    recipients: tuple[ReportedRecipient, ...] = ()
    original_message_id: str = ""
    original_envelope_id: str = ""


@dataclass(frozen=True, slots=True)
class InnerMail:
    """The human's mail inside another one: a certified mail's `postacert.eml`, a forward, a contact form's fields."""

    kind: str  # "pec" | "forward" | "attached"
    from_: tuple[Address, ...]
    subject: str
    message_id: str
    text: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail, read tolerantly. Never an exception: what could not be read is a defect and the raw mail remains."""

    headers: tuple[tuple[str, str], ...]  # every field in order, name as written, value unfolded and decoded
    subject: str
    from_: tuple[Address, ...]
    sender: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]  # Delivered-To, X-Original-To, Envelope-To, X-Forwarded-To
    return_path: str | None  # "" is the null reverse-path, None: no such field
    message_id: str  # with angle brackets; "" when missing or empty
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]  # oldest first, as in the field
    date: datetime | None  # aware UTC
    text: str
    text_source: str  # "plain" | "html" | "none"
    folds: tuple[Fold, ...] = ()
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    report: Report | None = None
    inner: InnerMail | None = None
    fingerprint: str = ""  # hex SHA-256, the content identity of INGEST-4
    content_type: str = "text/plain"
    size: int = 0  # octets of the raw mail
    defects: tuple[Defect, ...] = ()
    language: str | None = None  # of what the person wrote anew, where the parser was given something that detects it
    searchable: str = field(default="", compare=False)  # what `mail.searchable` makes of it, where that is done already
    _fields: dict[str, list[str]] = field(init=False, repr=False, compare=False)  # the rules ask for some sixty names

    def __post_init__(self) -> None:
        fields: dict[str, list[str]] = {}
        for name, value in self.headers:
            fields.setdefault(name.casefold(), []).append(value)
        object.__setattr__(self, "_fields", fields)

    def header(self, name: str) -> str | None:
        """The first field of that name, case-insensitive, or None."""
        found = self._fields.get(name.casefold())
        return found[0] if found else None

    def header_all(self, name: str) -> tuple[str, ...]:
        """Every field of that name, top to bottom."""
        return tuple(self._fields.get(name.casefold(), ()))

    @property
    def fresh_text(self) -> str:
        """The text without what is folded: what this person wrote now."""
        return without_folds(self.text, self.folds)


def without_folds(text: str, folds: Iterable[Fold]) -> str:
    """The text without its quotes, signatures and footers."""
    pieces, at = [], 0
    for fold in sorted(folds, key=lambda fold: fold.start):
        pieces.append(text[at : fold.start])
        at = max(at, fold.end)
    pieces.append(text[at:])
    return "".join(pieces).strip()


@dataclass(frozen=True, slots=True)
class OutgoingAttachment:
    """A file that goes out with a reply."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """Everything that `mail.compose.build` needs to make a reply's bytes; localized strings are arguments."""

    message_id: str
    date: datetime
    from_: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    subject: str
    text: str
    language: str  # BCP 47, for Content-Language and the HTML's lang
    signature: str = ""
    attribution: str = ""  # "Il 20 novembre 2026 alle 18:02 Hans Meier ha scritto:"
    quoted: str = ""  # the text that is quoted below the attribution, unquoted
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    reply_to: Address | None = None
    attachments: tuple[OutgoingAttachment, ...] = ()
    automatic: str = ""  # "" for people; "auto-replied" | "auto-generated" adds the loop headers (OUT-2)
    instance: str = ""  # this installation, in X-Supportdesk-Instance on automatic mail


@dataclass(frozen=True, slots=True)
class BuiltMail:
    """The finished bytes (CRLF) and the envelope; `recipients` are the frozen RCPT addresses."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    data: bytes = field(repr=False)
    eightbit: bool = False
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class FolderInfo:
    name: str
    role: str  # inbox | sent | junk | other (RFC 6154)


@dataclass(frozen=True, slots=True)
class FolderState:
    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True, slots=True)
class FetchedMail:
    """One answer of UID FETCH. `raw` is None when the server did not supply a body; `partial` when only the head was
    taken, `short` when it gave clearly less than it had promised.
    """

    uid: int
    raw: bytes | None
    size: int
    internal_date: datetime | None
    partial: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class RecipientResult:
    address: str
    state: str  # accepted | deferred | failed
    detail: str  # the server's words, with code


@dataclass(frozen=True, slots=True)
class SendResult:
    """The verdict of OUT-5 on one delivery attempt."""

    verdict: str  # sent | deferred | failed | uncertain
    stage: str
    detail: str
    recipients: tuple[RecipientResult, ...] = ()
    account_problem: bool = False  # the login or the account, not this mail: pause the mailbox


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The program as a login service knows it (RFC 6749 section 2), and where that service is.

    `client_secret` is what a service gives to programs on people's machines: no secret, but not for the screen either.
    """

    client_id: str
    token_url: str
    scope: str
    device_url: str = ""
    authorization_url: str = ""
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login service gave: an access token until `expires_at`, and what another one is got with."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person enters where (RFC 8628 section 3.2); `interval` in seconds."""

    user_code: str
    verification_url: str
    expires_at: datetime
    interval: float
    device_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A login that was begun in a browser (RFC 8252, 7636): where to, where it comes back to, how we know it again."""

    url: str
    redirect_url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)
