"""The mail corpus that lies beside the project, unpacked once into `corpus/`, which git ignores.

Where it lies elsewhere, SUPPORTDESK_CORPUS names the archive or a folder that already holds it unpacked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parents[2]
ARCHIVE = PROJECT.parent / "shared" / "corpora" / "mail-corpus.tar.xz"


@dataclass(frozen=True)
class Corpus:
    """The unpacked corpus: `messages/**.eml`, `expected/*.json`."""

    directory: Path

    @cached_property
    def index(self) -> list[dict[str, Any]]:
        """INDEX.json in its order, one entry a message."""
        entries: list[dict[str, Any]] = self.expected("INDEX")
        return entries

    def expected(self, name: str) -> Any:
        return json.loads((self.directory / "expected" / f"{name}.json").read_text("utf-8"))

    def paths(self, limit: int | None = None) -> Iterator[Path]:
        """The messages' files in INDEX order."""
        for entry in self.index[:limit]:
            yield self.directory / "messages" / entry["file"]

    def messages(self, limit: int | None = None) -> Iterator[bytes]:
        """The messages' bytes in INDEX order."""
        for path in self.paths(limit):
            yield path.read_bytes()


class NoCorpus(Exception):
    """There is no corpus here; the message says what is missing."""


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The mail corpus; skips where it is not at hand."""
    try:
        return Corpus(find_corpus())
    except NoCorpus as error:
        pytest.skip(str(error))


def find_corpus() -> Path:
    """The folder of the unpacked corpus, unpacked now if need be; NoCorpus where there is none."""
    source = Path(os.environ.get("SUPPORTDESK_CORPUS", ARCHIVE))
    if source.is_dir():
        return source
    if not source.exists():
        raise NoCorpus("no mail corpus beside the project (../shared/corpora/mail-corpus.tar.xz)")
    if shutil.which("tar") is None or shutil.which("xz") is None:
        raise NoCorpus("tar and xz are needed to unpack the mail corpus")
    return _unpacked(source)


def _unpacked(archive: Path) -> Path:
    """The folder of this very archive; it gets its name when it is whole, so a second process never sees half of it."""
    stat = archive.stat()
    target = PROJECT / "corpus" / f"{stat.st_size:x}"
    if target.exists():
        return target
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        subprocess.run(["tar", "-xJf", str(archive), "--no-same-owner", "-C", scratch], check=True, timeout=120)
        inner = Path(scratch) / "unpacked"
        inner.mkdir()
        for entry in list(Path(scratch).iterdir()):
            if entry != inner:
                entry.rename(inner / entry.name)
        try:
            inner.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target
