"""The desk's use cases are tested on a real store: `house` is a furnished desk on each kind of database."""

from __future__ import annotations

from tests.desk.automatic_desk import desk
from tests.desk.delivery_round import round_
from tests.support.desk import house
from tests.support.post import post

__all__ = ["desk", "house", "post", "round_"]
