"""The document check finds what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests import documents

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_links_that_lead_nowhere_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "PROJECT", tmp_path)
    (tmp_path / "there.md").write_text("# One Heading, two words\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#one-heading-two-words) [c](https://example.test/x)\n"
        "[d](gone.md) [e](there.md#gone)\n"
        "```\n[f](also-gone.md)\n```\n"
    )
    assert list(documents.broken_links(page)) == ["page.md: gone.md", "page.md: there.md#gone"]


def test_a_module_that_the_map_does_not_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "architecture.md").write_text("| mail in | `fetch`, `read/queue` |\n")
    for module in ("desk/fetch", "desk/__init__", "desk/new", "store/read/queue", "store/tables/ticket"):
        file = tmp_path / "src" / "supportdesk" / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert list(documents.unmapped_modules(tmp_path)) == ["desk/new.py"]
