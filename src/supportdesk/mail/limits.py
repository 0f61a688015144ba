"""How much of one mail is read (PARSE-1), and the list that says what was cut or mended on the way.

Whatever is beyond a limit is cut with a defect; the raw mail is kept elsewhere, so nothing is lost.
"""

from __future__ import annotations

from supportdesk.mail.charset import storable
from supportdesk.mail.model import Defect

MAX_RAW = 100 << 20
MAX_HEADER_BLOCK = 1 << 20
MAX_HEADER_LINES = 2_000
MAX_FIELD = 64 << 10
MAX_ADDRESSES = 1_000
MAX_REFERENCES = 1_000
MAX_DEPTH = 30
MAX_PARTS = 2_000
MAX_PARAMETERS = 1_000
MAX_BOUNDARY_HITS = 100_000
MAX_TEXT = 10_000_000
MAX_HTML = 2 << 20
MAX_HTML_NODES = 100_000
MAX_HTML_DEPTH = 400
MAX_LINKS = 5_000
MAX_RECIPIENT_BLOCKS = 1_000
MAX_CONTAINED_FILES = 500
MAX_OPENED = 32 << 20  # of an attached mail or a signature that is looked into: it is held a second time
MAX_DEFECTS = 50


class DefectLog:
    """Collects each defect once, in the order of discovery, up to MAX_DEFECTS."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[Defect, None] = {}

    def add(self, code: str, detail: str = "") -> None:
        if len(self._seen) < MAX_DEFECTS:
            self._seen[Defect(code, storable(detail[:200]))] = None

    def result(self) -> tuple[Defect, ...]:
        return tuple(self._seen)
