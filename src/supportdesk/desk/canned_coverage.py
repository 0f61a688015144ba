"""Which response is written in which language and register: the coverage of a set. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from supportdesk.desk.canned import CannedResponse

State = Literal["", "written", "outdated"]


@dataclass(frozen=True, slots=True)
class Row:
    """One response: for each tag of the matrix whether it is missing (""), written, or older than its source."""

    key: str
    states: Mapping[str, State]

    @property
    def complete(self) -> bool:
        return all(state == "written" for state in self.states.values())


@dataclass(frozen=True, slots=True)
class Matrix:
    tags: tuple[str, ...]
    rows: tuple[Row, ...]


def matrix(responses: Iterable[CannedResponse]) -> Matrix:
    """Response × language and register. Automatic texts come in languages of their own, and are not in it."""
    from supportdesk.desk.automatic_texts import is_automatic

    whole = [response for response in responses if not is_automatic(response.key)]
    tags = sorted({str(variant.tag) for response in whole for variant in response.variants})
    return Matrix(tuple(tags), tuple(Row(one.key, {tag: _state(one, tag) for tag in tags}) for one in whole))


def _state(response: CannedResponse, tag: str) -> State:
    variant = response.variant(tag)
    if variant is None or not variant.body.strip():
        return ""
    return "outdated" if response.is_outdated(variant) else "written"
