"""What the pickers over a conversation offer: one mark and one preview for each link."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from supportdesk.tui.ticket_looks import link_entries, link_preview

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL, HOST = "https://evil.example/", "evil.example"


def conversation(*texts: str) -> Any:
    """Entries, oldest first, that link to one address with these texts."""
    entries = tuple(SimpleNamespace(links=((1, URL, HOST, text),)) for text in texts)
    return SimpleNamespace(entries=entries)


@pytest.mark.parametrize("texts", [("www.bottega.example", "Qui"), ("Qui", "www.bottega.example")])
def test_no_honest_copy_of_a_link_hides_its_disguise(texts: tuple[str, ...]) -> None:
    bundle = conversation(*texts)
    (entry,) = link_entries(bundle)
    assert (entry.label, entry.detail) == ("! evil.example", "www.bottega.example")
    assert "looks like www.bottega.example, goes to evil.example" in link_preview(bundle, URL)


def test_of_two_disguises_mark_and_preview_show_the_newest() -> None:
    bundle = conversation("www.bottega.example", "www.paypal.com")
    (entry,) = link_entries(bundle)
    assert entry.detail == "www.paypal.com"
    assert "www.paypal.com" in link_preview(bundle, entry.id)


def test_an_honest_link_is_not_marked() -> None:
    bundle = conversation("Qui", "WWW.EVIL.EXAMPLE")
    (entry,) = link_entries(bundle)
    assert entry.label == HOST
    assert link_preview(bundle, URL) == URL
