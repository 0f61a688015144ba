"""Mail as it lies in an archive on disk: what its place and the program that wrote it say of it. Pure, no I/O.

Which folder is Sent, which labels of Gmail are tags, what was never mail to anybody (drafts), when it came. How the
files are read is in `mail.on_disk`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from supportdesk.mail.dates import parse_date
from supportdesk.mail.headers import skip_preamble, split_header
from supportdesk.mail.limits import DefectLog
from supportdesk.mail.words import decode_unstructured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Kind = Literal["mbox", "maildir", "eml"]
Role = Literal["inbox", "sent", "drafts", "junk", "trash", "other"]
LeftOut = Literal["", "drafts", "junk", "trash", "empty"]

FIRST_FIELDS: Final = 6  # where the program that wrote the archive puts its own fields; further down is the sender's
EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
SLOW_CLOCK: Final = timedelta(hours=1)
_EXPUNGED: Final = 0x0008  # X-Mozilla-Status: deleted, and still in the file until it is compacted
LONGEST_TAG: Final = 60
MOST_TAGS: Final = 50


@dataclass(frozen=True, slots=True)
class Source:
    """One folder of an archive: an mbox file, a Maildir folder, or a directory of .eml files. `size` in octets."""

    path: Path
    kind: Kind
    role: Role
    size: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read, and why."""

    path: Path
    error: str


@dataclass(frozen=True, slots=True)
class ArchivedMail:
    """One mail of an archive. `raw` is None where only its place is counted; `partial` when it was cut as too large.

    `octets` is how much of the source was read for it, mail and wrapping. `at` is when it came, as well as that is
    known.
    """

    raw: bytes = field(repr=False)
    size: int
    octets: int
    at: datetime | None
    partial: bool = False
    left_out: LeftOut = ""


def content_number(mail: ArchivedMail) -> int:
    """A positive 63-bit number of the mail's content: the same wherever the file is moved and whatever it is called."""
    digest = hashlib.sha256(mail.raw)
    if mail.partial:
        digest.update(b" of %d" % mail.size)
    return int.from_bytes(digest.digest()[:8], "big") >> 1


# ---- folders ---------------------------------------------------------------------------------------------------------

_NAMES: Final[dict[Role, str]] = {
    "inbox": "inbox|posta in arrivo|in arrivo|posteingang|boîte de réception|bandeja de entrada|recibidos"
    "|caixa de entrada|postvak in|odebrane|входящие|收件箱|受信トレイ|受信箱",
    "sent": "sent|sent items|sent messages|sent mail|sent-mail|sentmail|posta inviata|inviata|inviati|gesendet"
    "|gesendete elemente|gesendete objekte|envoyés|éléments envoyés|messages envoyés|mails envoyés|courrier envoyé"
    "|enviados|elementos enviados|correo enviado|mensajes enviados|itens enviados|e-mails enviados|verzonden"
    "|verzonden items|verzonden berichten|wysłane|отправленные|已发送|已发送邮件|送信済み|送信済みメール"
    "|送信済みアイテム",
    "drafts": "draft|drafts|bozze|bozza|entwürfe|entwurf|brouillon|brouillons|borrador|borradores|rascunho"
    "|rascunhos|concepten|szkice|черновики|草稿|下書き|templates|unsent messages|outbox|posta in uscita",
    "junk": "junk|junk e-mail|junk email|spam|bulk mail|posta indesiderata|indesiderata|unerwünscht|junk-e-mail"
    "|indésirables|courrier indésirable|no deseado|correo no deseado|lixo eletrónico|ongewenst|спам"
    "|垃圾邮件|迷惑メール",
    "trash": "trash|deleted|deleted items|deleted messages|cestino|posta eliminata|eliminati|papierkorb"
    "|gelöschte elemente|gelöschte objekte|corbeille|éléments supprimés|papelera|elementos eliminados|lixo|lixeira"
    "|prullenbak|verwijderde items|kosz|корзина|已删除|已删除邮件|ゴミ箱",
}
_FOLDERS: Final = {name: role for role, names in _NAMES.items() for name in names.split("|")}
_SUFFIXES: Final = (".mbox", ".mbx", ".mbs", ".sbd")


def folder_role(name: str) -> Role:
    """What a folder of this name holds, by the names that mail programs give in many languages."""
    folded = name.casefold().strip(" .")
    for suffix in _SUFFIXES:
        folded = folded.removesuffix(suffix)
    last = re.split(r"[./\\]", folded.removeprefix("[gmail]"))[-1].strip()
    return _FOLDERS.get(folded) or _FOLDERS.get(last) or "other"


# ---- labels of Gmail -------------------------------------------------------------------------------------------------

# States and tabs of the program itself, in the languages of its exports; folders are in _FOLDERS.
_STATES: Final = frozenset(
    "unread|opened|starred|important|archived|chat|chats|all mail|snoozed|scheduled|muted|social|promotions|updates"
    "|forums|primary"
    "|da leggere|non letti|non letto|aperti|aperto|speciali|speciale|importanti|importante|archiviati|archiviato"
    "|archivio|posticipati|tutti i messaggi|programmati"
    "|ungelesen|geöffnet|markiert|wichtig|archiviert|alle nachrichten|zurückgestellt"
    "|non lus|non lu|ouvert|ouverts|suivis|favoris|messages archivés|archivés|archivé|tous les messages|en attente"
    "|no leídos|no leído|abierto|abiertos|destacados|importantes|archivado|archivados|todos|pospuestos"
    "|não lidos|não lidas|aberto|com estrela|arquivado|arquivados|ongelezen|geopend|met ster|belangrijk|gearchiveerd"
    .split("|")
)  # fmt: skip
_CATEGORY: Final = re.compile(r"(?:category|categoria|categoría|kategorie|catégorie|categorie)\b", re.IGNORECASE)
_LABEL: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,]+)')


def gmail_labels(fields: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The labels that Google Takeout wrote above a mail; `fields` are its header fields, decoded, top to bottom.

    A field of that name further down came from the sender and is none. A label with a comma stands in quotes.
    """
    for at, (name, value) in enumerate(fields):
        if at >= FIRST_FIELDS:
            break
        if name.casefold() == "x-gmail-labels":
            found = (re.sub(r"\\(.)", r"\1", quoted) if quoted else bare for quoted, bare in _LABEL.findall(value))
            return tuple(dict.fromkeys(label for one in found if (label := " ".join(one.split()))))
    return ()


def label_role(labels: Sequence[str]) -> Role:
    """Where Gmail kept the mail: a draft, junk or trash whatever else it is, then what was sent, then the inbox."""
    roles = {folder_role(label) for label in labels}
    return next((role for role in ("drafts", "junk", "trash", "sent", "inbox") if role in roles), "other")


def tags_of(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels that people made, as tags: small letters, no blanks. What the program itself set is none."""
    found: dict[str, None] = {}
    for label in labels:
        if folder_role(label) != "other" or label.casefold() in _STATES or _CATEGORY.match(label):
            continue
        printable = "".join(char if char.isprintable() else " " for char in label)
        tag = "-".join(printable.casefold().lstrip("#").replace(",", " ").split())[:LONGEST_TAG]
        if tag:
            found[tag] = None
    return tuple(found)[:MOST_TAGS]


# ---- one mail's head -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """What an archive's reader needs to know of a mail: when it came, and what the archive's program noted on it."""

    at: datetime | None
    left_out: LeftOut = ""


def read_head(raw: bytes, *, fallback: datetime | None, now: datetime) -> Head:
    """Look at the header alone, in linear time. `fallback` is what the archive says of the date (mbox line, file)."""
    fields, body = split_header(raw, skip_preamble(raw), len(raw), DefectLog())
    if not fields.items and not raw[body:].strip():
        return Head(None, "empty")
    first = [(name, decode_unstructured(value)) for name, value in fields.items[:FIRST_FIELDS]]
    return Head(_came_at(fields.first("received"), fields.first("date"), fallback, now), _left_out(first))


def _came_at(received: str | None, date: str | None, fallback: datetime | None, now: datetime) -> datetime | None:
    """The last server's time, else the sender's; then the archive's, which is often that of a copy."""
    for value in (received.rpartition(";")[2] if received else "", date or ""):
        at = parse_date(value)
        if at is not None and EARLIEST <= at <= now + SLOW_CLOCK:
            return at
    return fallback if fallback is not None and fallback <= now + SLOW_CLOCK else None


def _left_out(first: Sequence[tuple[str, str]]) -> LeftOut:
    role = label_role(gmail_labels(first))
    if role in ("drafts", "junk", "trash"):
        return role
    for name, value in first:
        folded = name.casefold()
        if folded == "x-mozilla-status" and re.fullmatch("[0-9A-Fa-f]{4}", value) and int(value, 16) & _EXPUNGED:
            return "trash"
        if folded in ("x-imap", "x-imapbase") and ("subject", "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA") in (
            (other.casefold(), text) for other, text in first
        ):
            return "empty"  # a note of the program to itself
    return ""
