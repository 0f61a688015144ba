"""Quotes and signatures: what stays visible of each sample, as it was reviewed by eye (`folds.toml`)."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Final

from supportdesk.mail.quotes import find_folds
from tests.corpus.findings import Finding, Group, none_of
from tests.corpus.folder import Folder

FILE: Final = Path(__file__).with_name("folds.toml")


def measure(folder: Folder) -> Group:
    """A sample whose visible part differs from the reviewed one is shown; one that nobody has reviewed is counted."""
    reviewed: dict[str, str] = tomllib.loads(FILE.read_text("utf-8"))["visible"]
    samples = {path: path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n") for path in folder.samples()}
    changed, unknown, emptied = [], [], []
    for path, text in samples.items():
        shown = visible(text)
        if not any(char.isalnum() for char in shown) and any(char.isalnum() for char in text):
            emptied.append(str(path))
        known = reviewed.get(digest(text))
        if known is None:
            unknown.append(f'{path}: {digest(text)} = "{digest(shown)}"')
        elif known != digest(shown):
            changed.append(f"{path}: {shown!r}")
    return Group(
        "folding",
        f"{len(samples):,} samples with quotes and signatures",
        (
            none_of("samples of which a person's line is folded away, or something else than reviewed", changed),
            none_of("samples of which nothing is left", emptied),
            Finding("samples that nobody has reviewed", f"{len(unknown)}", details=tuple(unknown)),
        ),
    )


def visible(text: str) -> str:
    """The lines that are not folded, without the empty ones."""
    pieces, at = [], 0
    for fold in find_folds(text):
        pieces.append(text[at : fold.start])
        at = fold.end
    lines = "".join([*pieces, text[at:]]).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
