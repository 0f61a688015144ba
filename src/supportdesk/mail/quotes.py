"""Folds."""
from __future__ import annotations
from supportdesk.mail.model import Fold

def find_folds(text: str, quoted: list[tuple[int, int]]) -> tuple[Fold, ...]:
    return ()
