"""Archives on disk: mbox files in all their dialects, Maildir with its subfolders, trees of .eml files.

Reading only, and streaming: an mbox of any size takes the memory of its largest mail. Nothing here decides; what a
mail is, is the intake's business. Directories are walked once each, however links lead back to them.
"""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from supportdesk.mail.archived import ArchivedMail, Head, LeftOut, Source, Unreadable, folder_role, read_head
from supportdesk.mail.dates import parse_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK: Final = 1 << 20
CUT_AFTER: Final = 512 * 1024  # of a mail that is too large: its header and the beginning of its text
LINE: Final = 2_000  # an mbox line and the field after it are looked for within so many octets
DEEPEST: Final = 100

_UNQUOTE: Final = re.compile(rb"^>(>*From )", re.MULTILINE)
_FIELD: Final = re.compile(rb"(?:>?From |[!-9;-~]{1,200}[ \t]*:)")
_WEEKDAY_MONTH: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+(?:[A-Z][a-z]{2}\s+\d|\d{1,2}\s+[A-Z][a-z]{2})"
_STRICT: Final = re.compile(
    rb"From (?:\S{1,900} {1,3})?" + _WEEKDAY_MONTH + rb"[^\r\n]{0,20}\d\d:\d\d[^\r\n]{0,40}\r?\n"
)
_LOOSE: Final = re.compile(rb"From [^\r\n]{0,900}\d{1,2}:\d\d[^\r\n]{0,60}\r?\n|From \S{1,300}@\S{1,300}[ \t]*\r?\n")
_LENGTH: Final = re.compile(rb"^Content-Length:[ \t]*(\d{1,15})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_HEADER_END: Final = re.compile(rb"\n\r?\n")
_MAIL_FIELDS: Final = re.compile(
    rb"^(?:from|received|return-path|delivered-to|date|subject|message-id|mime-version|to|x-[!-9;-~]{1,60})[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)


class DiskArchive:
    """What lies below some paths. Mail over `max_size` is cut; `everything`: drafts, junk and trash as well."""

    def __init__(self, paths: Sequence[Path], *, now: datetime, max_size: int, everything: bool = False) -> None:
        self._now = now
        self._max_size = max_size
        self._everything = everything
        self.sources: list[Source] = []
        self.unreadable: list[Unreadable] = []
        self.left_out: list[Source] = []
        self.others = 0  # files that are no mail
        self._seen: set[tuple[int, int]] = set()
        for path in paths:
            self._find(Path(os.path.realpath(path)), named=True, depth=0)

    def read(self, source: Source) -> Iterator[ArchivedMail]:
        """The mails of one source; a file that cannot be read is noted in `unreadable`, and the next one follows."""
        if source.kind == "mbox":
            yield from self._read_mbox(source)
            return
        for file, left_out in _files_of(source):
            found = self._read_file(file, "" if self._everything else left_out)
            if found is not None:
                yield found

    # ---- what there is ----

    def _find(self, path: Path, *, named: bool, depth: int) -> None:
        try:
            info = path.stat()
            key = (info.st_dev, info.st_ino)
            if key in self._seen or depth > DEEPEST:
                return
            self._seen.add(key)
            if stat.S_ISREG(info.st_mode):
                self._find_file(path, info.st_size, named=named)
            elif stat.S_ISDIR(info.st_mode):
                self._find_directory(path, named=named, depth=depth)
            elif named:
                self.unreadable.append(Unreadable(path, "neither a file nor a directory"))
        except OSError as error:
            self.unreadable.append(Unreadable(path, error.strerror or type(error).__name__))

    def _find_file(self, path: Path, size: int, *, named: bool) -> None:
        with path.open("rb") as file:
            head = file.read(4096)
        is_eml = path.suffix.casefold() in (".eml", ".emlx")
        if _begins_mbox(head) and not is_eml:
            name = path.parent.name if path.name == "mbox" else path.name  # Apple Mail: Sent Messages.mbox/mbox
            self._add(Source(path, "mbox", folder_role(name), size), named=named)
        elif named and not is_eml and b"\0" in head and not _MAIL_FIELDS.search(head):
            self.unreadable.append(Unreadable(path, "a binary file, no mail"))
        elif named or is_eml:
            if named or head.strip():
                self._add(Source(path, "eml", "other", size), named=True)
        elif path.name.isdigit() and _MAIL_FIELDS.match(head):
            self._add(Source(path, "eml", "other", size), named=True)
        else:
            self.others += 1

    def _find_directory(self, path: Path, *, named: bool, depth: int) -> None:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
        role = folder_role(path.name) if path.name not in ("cur", "new") else folder_role(path.parent.name)
        if "cur" in names and (path / "cur").is_dir():
            size = sum(_sizes(path / "cur")) + sum(_sizes(path / "new"))
            self._add(Source(path, "maildir", role, size), named=named)
            names = [name for name in names if name not in ("cur", "new", "tmp")]
        elif path.name in ("cur", "new") and named:
            self._add(Source(path, "eml", role, sum(_sizes(path))), named=True)
            return
        mails, size = 0, 0
        below: list[Path] = []
        for name in names:
            child = path / name
            try:
                info = child.stat()
            except OSError as error:
                self.unreadable.append(Unreadable(child, error.strerror or type(error).__name__))
                continue
            if stat.S_ISREG(info.st_mode) and _is_eml(name):
                mails, size = mails + 1, size + info.st_size
            elif stat.S_ISDIR(info.st_mode) or stat.S_ISREG(info.st_mode):
                below.append(child)
        if mails:
            self._add(Source(path, "eml", role, size), named=named)
        for child in below:
            self._find(child, named=False, depth=depth + 1)

    def _add(self, source: Source, *, named: bool) -> None:
        if source.role in ("drafts", "junk", "trash") and not named and not self._everything:
            self.left_out.append(source)
        else:
            self.sources.append(source)

    # ---- one file, one mail ----

    def _read_file(self, path: Path, left_out: LeftOut) -> ArchivedMail | None:
        try:
            with path.open("rb") as file:
                info = os.fstat(file.fileno())
                if not stat.S_ISREG(info.st_mode):
                    return None
                partial = info.st_size > self._max_size
                raw = file.read(CUT_AFTER if partial else self._max_size + 1)
        except OSError as error:
            self.unreadable.append(Unreadable(path, error.strerror or type(error).__name__))
            return None
        modified = datetime.fromtimestamp(min(info.st_mtime, 4e9), UTC)
        if path.suffix.casefold() == ".emlx":
            raw = _without_emlx_frame(raw)
        return self._mail(raw, info.st_size, info.st_size, modified, left_out, partial=partial)

    def _mail(
        self, raw: bytes, size: int, octets: int, fallback: datetime | None, left_out: LeftOut, *, partial: bool
    ) -> ArchivedMail:
        head: Head = read_head(raw, fallback=fallback, now=self._now)
        noted = head.left_out if head.left_out == "empty" or not self._everything else ""
        return ArchivedMail(raw, size, octets, head.at, partial, left_out or noted)

    # ---- mbox ----

    def _read_mbox(self, source: Source) -> Iterator[ArchivedMail]:
        try:
            with source.path.open("rb") as file:
                for piece in _Mbox(file, self._max_size).pieces():
                    line, _newline, raw = piece.data.partition(b"\n")
                    at = parse_date(_date_in(line))
                    yield self._mail(raw, piece.size - len(line) - 1, piece.size, at, "", partial=piece.cut)
        except OSError as error:
            self.unreadable.append(Unreadable(source.path, error.strerror or type(error).__name__))


class _Piece:
    """One mail of an mbox with its first line; `size` is what it takes in the file."""

    __slots__ = ("cut", "data", "size")

    def __init__(self, data: bytes, size: int, *, cut: bool) -> None:
        self.data, self.size, self.cut = data, size, cut


class _Mbox:
    """Cuts an mbox into its mails.

    A mail begins with a line `From …` that has a date. Two of three things are wanted with it: the date in its usual
    form, an empty line before, a header field after. `>From ` lines are unquoted as mboxrd does it. The lengths of
    mboxcl2 are believed only while every mail so far had one that led to the next mail: one forged header hides
    nobody's mail.
    """

    def __init__(self, file: BinaryIO, max_size: int) -> None:
        self._file = file
        self._max_size = max_size
        self._buffer = bytearray()
        self._ended = False
        self._trust_lengths = True

    def pieces(self) -> Iterator[_Piece]:
        self._skip_to_first()
        while self._buffer:
            yield self._next()

    def _skip_to_first(self) -> None:
        self._fill(LINE)
        while self._buffer.startswith((b"\xef\xbb\xbf", b"\n", b"\r")):
            del self._buffer[: 3 if self._buffer.startswith(b"\xef") else 1]
            self._fill(LINE)

    def _next(self) -> _Piece:
        end = self._end_by_length() if self._trust_lengths else None
        if end is not None:
            return self._take(end, quoted=False)
        self._trust_lengths = False
        at = 0
        while True:
            at = self._buffer.find(b"\nFrom ", at)
            if at < 0:
                if self._ended:
                    return self._take(len(self._buffer))
                if len(self._buffer) > self._max_size:
                    return self._take_oversize()
                at = max(0, len(self._buffer) - 6)
                self._more()
                continue
            self._fill(at + LINE)
            if self._begins_mail(at + 1):
                if at + 1 > self._max_size:
                    piece = self._take(at + 1)
                    return _Piece(piece.data[:CUT_AFTER], piece.size, cut=True)
                return self._take(at + 1)
            at += 1

    def _begins_mail(self, at: int) -> bool:
        window = bytes(self._buffer[at : at + LINE])
        strict = _STRICT.match(window)
        blank = self._buffer[max(0, at - 3) : at].endswith((b"\n\n", b"\n\r\n"))
        if strict and blank:
            return True
        line = strict or (_LOOSE.match(window) if blank else None)
        return line is not None and (line.end() == len(window) or _FIELD.match(window, line.end()) is not None)

    def _end_by_length(self) -> int | None:
        """Where the mail ends by its Content-Length, if a mail or the end of the file follows there."""
        self._fill(64 * 1024)
        header = _HEADER_END.search(self._buffer, 0, 64 * 1024)
        length = _LENGTH.search(self._buffer, 0, header.start() + 1) if header else None
        if header is None or length is None:
            return None
        end = header.end() + int(length[1])
        if end > self._max_size:
            return None
        self._fill(end + LINE)
        if end > len(self._buffer):
            return None
        while self._buffer.startswith((b"\n", b"\r"), end):
            end += 1
        if end >= len(self._buffer):
            return end if self._ended else None
        return end if self._buffer.endswith(b"\n", 0, end) and self._begins_mail(end) else None

    def _take(self, end: int, *, quoted: bool = True) -> _Piece:
        data = bytes(memoryview(self._buffer)[:end])
        del self._buffer[:end]
        if quoted and b"\n>" in data and b">From " in data:
            data = _UNQUOTE.sub(rb"\1", data)
        for blank in (b"\r\n\r\n", b"\n\n"):
            if data.endswith(blank):
                data = data[: -len(blank) // 2]
                break
        return _Piece(data, end, cut=False)

    def _take_oversize(self) -> _Piece:
        """A mail beyond all measure: its beginning, and a walk to its end that keeps nothing."""
        kept = bytes(memoryview(self._buffer)[:CUT_AFTER])
        size, at = 0, 0
        while True:
            at = self._buffer.find(b"\nFrom ", at)
            if at >= 0:
                self._fill(at + LINE)
                if self._begins_mail(at + 1):
                    break
                at += 1
                continue
            if self._ended:
                at = len(self._buffer) - 1
                break
            drop = max(0, len(self._buffer) - 6)
            del self._buffer[:drop]
            size += drop
            at = 0
            self._more()
        del self._buffer[: at + 1]
        return _Piece(kept, size + at + 1, cut=True)

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size and not self._ended:
            self._more()

    def _more(self) -> None:
        block = self._file.read(BLOCK)
        if block:
            self._buffer += block
        else:
            self._ended = True


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _begins_mbox(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    line, newline, rest = text.partition(b"\n")
    return line.startswith(b"From ") and bool(newline) and (not rest.strip() or _FIELD.match(rest) is not None)


def _is_eml(name: str) -> bool:
    return name.casefold().endswith((".eml", ".emlx"))


def _files_of(source: Source) -> Iterator[tuple[Path, LeftOut]]:
    """The mail files of a Maildir folder or of a directory, unsorted; with what the flags of a Maildir name say."""
    if source.path.is_file():
        yield source.path, ""
        return
    is_maildir = source.kind == "maildir"
    directories = [source.path / "cur", source.path / "new"] if is_maildir else [source.path]
    everything = source.path.name in ("cur", "new")
    for directory in directories:
        if not directory.is_dir():
            continue
        with os.scandir(directory) as entries:
            for entry in entries:
                if is_maildir or everything:
                    if not entry.name.startswith("."):
                        yield Path(entry.path), _flagged(entry.name)
                elif _is_eml(entry.name):
                    yield Path(entry.path), ""


def _flagged(name: str) -> LeftOut:
    """The flags after `:2,` (or `;2,`, `!2,` where a file system has no colons): D is a draft, T is trashed."""
    found = re.search(r"[:;!\-]2,([A-Za-z]*)$", name)
    flags = found[1] if found else ""
    return "drafts" if "D" in flags else "trash" if "T" in flags else ""


def _sizes(directory: Path) -> Iterator[int]:
    if not directory.is_dir():
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            try:
                if not entry.name.startswith(".") and entry.is_file():
                    yield entry.stat().st_size
            except OSError:
                continue  # it is named when it is read


def _date_in(line: bytes) -> str:
    """The date of an mbox line, after the sender; Thunderbird's sender is a dash."""
    text = line.decode("latin-1").removeprefix("From ").strip()
    found = re.search(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b", text)
    text = text[found.start() :] if found else text.partition(" ")[2]
    # Takeout puts the zone before the year: "Tue Jan 01 00:00:00 +0000 2019", which the date reader knows.
    return text.strip()


def _without_emlx_frame(raw: bytes) -> bytes:
    """Apple Mail's files begin with the length of the mail and end with a property list."""
    line, _newline, rest = raw.partition(b"\n")
    return rest[: int(line)] if line.strip().isdigit() else raw
