"""A spelling dictionary that knows hardly any word, in place of those that this machine may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n import spelling

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def install_dictionary(
    folder: Path, monkeypatch: pytest.MonkeyPatch, locale: str, words: str, *, rules: str = ""
) -> None:
    """Write `locale`.dic and .aff into the folder and make it the only place that is looked at."""
    listed = words.split()
    (folder / f"{locale}.dic").write_text("\n".join([str(len(listed)), *listed, ""]), "utf-8")
    (folder / f"{locale}.aff").write_text(f"SET UTF-8\nTRY aeioutrnslpc\n{rules}", "utf-8")
    monkeypatch.setenv("DICPATH", str(folder))
    monkeypatch.setattr(spelling, "PLACES", ())
