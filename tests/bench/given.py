"""The mail that a part reads: the generator's, or what lies below `--mails` (.eml files, an mbox, a Maildir).

Either way it is a pack of mails as a server would send them, the oldest first, with a digest over all of it: who feeds
another program what `--mails-out` wrote, and is shown the same digest, has measured the same.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supportdesk.mail.limits import MAX_RAW
from supportdesk.mail.on_disk import DiskArchive
from tests.bench.mails import MailPack, write_framed, write_maildir
from tests.bench.measure import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.measure import Options

GENERATED: Final = "tests/bench/mails.py, seed 1"

_LONE_NEWLINE: Final = re.compile(rb"(?<!\r)\n")


class BadInput(Exception):
    """Nothing can be measured on what the command line names; the message says why."""


@dataclass(frozen=True, slots=True)
class GivenMails:
    """So many mails in a file of this run; `name` is where they came from."""

    pack: MailPack
    count: int
    name: str

    @property
    def described(self) -> str:
        """`1,000 mails of shop.mbox, 13.0 MiB, sha256 0123456789abcdef`."""
        seen = Digest()
        seen.add(self.pack)
        return described(self.count, self.name, seen)


@dataclass
class Digest:
    """The octets of some packs, one after the other, and a SHA-256 over them: their mails, each after its length."""

    octets: int = 0
    sha256: Any = field(default_factory=hashlib.sha256)

    def add(self, pack: MailPack) -> None:
        with pack.file.open("rb") as stream:
            while block := stream.read(MIB):
                self.octets += len(block)
                self.sha256.update(block)


def described(count: int, name: str, seen: Digest) -> str:
    return f"{count:,} mails of {name}, {seen.octets / MIB:.1f} MiB, sha256 {seen.sha256.hexdigest()[:16]}"


def mails_of(options: Options, directory: Path, default: int) -> GivenMails:
    """What `--mails` named; without it so many of the generator's, in `directory`."""
    if options.mails is not None:
        return options.mails
    count = options.sized(default)
    return GivenMails(MailPack.make(directory / "mails", 0, count), count, GENERATED)


def read_mails(path: Path, directory: Path, count: int | None) -> GivenMails:
    """The mails below a path, the oldest first, `count` of them (None: all). Raises BadInput."""
    archive = DiskArchive([path], now=datetime.now(UTC), max_size=MAX_RAW, everything=True)
    unsorted = directory / "found"
    found: list[tuple[str, bytes, int, int]] = []
    with unsorted.open("wb") as stream:
        for at, raw in _found(archive):
            found.append((at, hashlib.sha256(raw).digest(), stream.tell(), len(raw)))
            stream.write(raw)
    if archive.unreadable:
        wrong = archive.unreadable[0]
        raise BadInput(f"--mails: {wrong.path}: {wrong.error}")
    if not found:
        raise BadInput(f"--mails: there is no mail in {path}")
    if count is not None and count > len(found):
        raise BadInput(f"--size: {path} holds {len(found):,} mails, not {count:,}")
    count = count or len(found)
    pack = MailPack(directory / "mails")
    with unsorted.open("rb") as stream, pack.file.open("wb") as target:
        for _at, _digest, offset, length in sorted(found)[:count]:
            stream.seek(offset)
            write_framed(target, stream.read(length))
    unsorted.unlink()
    return GivenMails(pack, count, str(path))


def write_mails(target: Path, count: int, directory: Path) -> GivenMails:
    """The generator's mails as a new Maildir. Raises BadInput."""
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise BadInput(f"--mails-out: {target} is there already")
        write_maildir(target, range(count))
    except OSError as error:
        raise BadInput(f"--mails-out: {target}: {error.strerror}") from error
    return GivenMails(MailPack.make(directory / "mails", 0, count), count, GENERATED)


def _found(archive: DiskArchive) -> Iterator[tuple[str, bytes]]:
    """When each mail came, and the mail with the line ends that a server sends."""
    for source in archive.sources:
        for mail in archive.read(source):
            if mail.partial:
                raise BadInput(f"--mails: {source.path}: a desk takes no mail of {mail.size / MIB:,.0f} MiB")
            if mail.left_out != "empty":
                yield (mail.at.isoformat() if mail.at else ""), _LONE_NEWLINE.sub(b"\r\n", mail.raw)
