"""The desk's use cases are tested on a real store: `house` is a furnished desk on each kind of database."""

from __future__ import annotations

from tests.support.desk import house

__all__ = ["house"]
