"""`python -m tests.documents`: says which links in the project's documents lead nowhere, and what the map leaves out.

Links to other files and to headings are followed; addresses on the web are not: a check must not need a network.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MAPPED = ("desk", "l10n", "mail", "store", "tui")
CODE = re.compile(r"`(?:[a-z]+/)?([a-z0-9_]+)`")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)


def documents() -> list[Path]:
    return sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])


def broken_links(document: Path) -> Iterator[str]:
    """Each link of the document that leads to no file or no heading, as "file: link"."""
    for link in LINK.findall(FENCE.sub("", document.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            yield f"{document.relative_to(PROJECT)}: {link}"


def unmapped_modules(project: Path = PROJECT) -> Iterator[str]:
    """Each module that docs/architecture.md does not name: a newcomer would not find it."""
    named = set(CODE.findall((project / "docs" / "architecture.md").read_text("utf-8")))
    package = project / "src" / "supportdesk"
    for room in MAPPED:
        for module in sorted((package / room).rglob("*.py")):
            inside = module.relative_to(package)
            known = module.stem == "__init__" or {"migrations", "tables"} & set(inside.parts) or module.stem in named
            if not known:
                yield str(inside)


def main() -> int:
    broken = [link for document in documents() for link in broken_links(document)]
    for link in broken:
        print(f"leads nowhere: {link}", file=sys.stderr)
    unmapped = list(unmapped_modules())
    for module in unmapped:
        print(f"docs/architecture.md does not say where it belongs: {module}", file=sys.stderr)
    print(f"{len(documents())} documents, {len(broken)} broken links, {len(unmapped)} modules not on the map")
    return 1 if broken or unmapped else 0


def _anchors(document: Path) -> set[str]:
    """The names that hosting sites give to the document's headings."""
    text = FENCE.sub("", document.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text)}


if __name__ == "__main__":
    sys.exit(main())
