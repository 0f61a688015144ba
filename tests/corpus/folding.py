"""Quotes and signatures: what stays visible of each sample, as it was reviewed by eye (`folds.toml`)."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from supportdesk.mail.quotes import find_folds
from tests.corpus import written
from tests.corpus.findings import Finding, Group, none_of
from tests.corpus.folder import Folder
from tests.support.timing import quickest_of_three

FILE: Final = Path(__file__).with_name("folds.toml")
MEGABYTE: Final = 1_000_000
ROUNDS: Final = 5  # each with both sizes: a slow second of the machine falls on both
NOISE: Final = 0.02  # seconds that are too short to compare
HOSTILE: Final = ("On ", "On \n", ">", "> \n", ">" * 500 + "\n", "From:\n", "From: a@b\nSent:\n", "-" * 30 + "\n",
                  "-- \n", "wrote:\n", "On 1/1/2026 a@b wrote:\n", ":\n", "\n", "\u200e", "x\n> y\n")  # fmt: skip


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
            *_of_ours(),
            *_hostile(),
        ),
    )


def _of_ours() -> Iterator[Finding]:
    """The samples written by us, of which every line is known to be the person's or not."""
    given = list(written.samples())
    hidden, shown = [], []
    for sample in given:
        lines = visible(sample.text).split("\n")
        hidden += [f"{sample.name}: {line}" for line in sample.human if line not in lines]
        shown += [f"{sample.name}: {line}" for line in sample.earlier if line in lines]
    tongues = len({sample.name.partition("-")[0] for sample in given})
    yield none_of(f"lines of a person folded away in {len(given)} samples of ours, {tongues} languages", hidden)
    yield none_of("lines of earlier mail left open in them", shown)


def _hostile() -> Iterator[Finding]:
    """1 MB of what a quote finder may choke on, and how much longer twice as much takes."""
    slowest, growth = 0.0, 0.0
    for piece in HOSTILE:
        texts = [piece * (size // len(piece)) for size in (MEGABYTE, 2 * MEGABYTE)]
        rounds = [[quickest_of_three(partial(find_folds, text)) for text in texts] for _round in range(ROUNDS)]
        once, twice = (min(taken) for taken in zip(*rounds, strict=True))
        slowest, growth = max(slowest, once), max(growth, twice / once if once > NOISE else 0.0)
    yield Finding(
        "1 MB of a hostile text, the slowest", f"{slowest * 1000:.0f} ms", "< 100 ms", slowest < 0.1, is_timed=True
    )
    yield Finding("the time for twice as much", f"{growth:.1f} ×", "≤ 2.5 ×", growth <= 2.5, is_timed=True)


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
