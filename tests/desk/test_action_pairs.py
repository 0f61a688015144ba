"""Two agents act on one ticket at once: all pairs of fourteen (B04); `./desk faults --part pairs` repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.pairs import ACTIONS, act_at_once

if TYPE_CHECKING:
    from tests.support.desk import House


def test_of_two_decisions_one_is_written_and_the_other_agent_is_told_whose(house: House) -> None:
    pairs = len(ACTIONS) ** 2
    assert pairs == 196
    wrong, firsts = act_at_once(house, pairs, seed=20260304)
    assert wrong == []
    assert sum(firsts.values()) == pairs
    assert firsts["both"] < pairs // 4, "a note or a reply stands beside another action, nothing else does"
