"""One piece of the reasoning behind a decision about a mail, as a code: what `why` prints is made of it, localized."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen: a stable `code` and the `value` it was seen in (verbatim, untrusted)."""

    code: str
    value: str = ""
