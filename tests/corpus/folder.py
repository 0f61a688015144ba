"""A folder laid out like the corpus: `messages/<source>/*.eml`, and what others say in `expected/*.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Folder:
    """The mails by their names (`source/file.eml`) in a fixed order."""

    directory: Path

    def names(self) -> list[str]:
        """In the order of INDEX.json where there is one, else by name."""
        index = self.expected("INDEX")
        if index:
            return [str(entry["file"]) for entry in index]
        messages = self.directory / "messages"
        return sorted(str(path.relative_to(messages)) for path in messages.rglob("*.eml"))

    def raw(self, name: str) -> bytes:
        return (self.directory / "messages" / name).read_bytes()

    def expected(self, name: str) -> Any:
        """What a source or a judge says; empty where this folder has nothing of it."""
        path = self.directory / "expected" / f"{name}.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}

    def samples(self) -> list[Path]:
        """The plain texts with quotes and signatures."""
        return sorted((self.directory / "reply-strip").rglob("*.txt"))
