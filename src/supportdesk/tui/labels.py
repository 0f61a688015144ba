"""The words that stand for identifiers, under the name that the console knows: they are `desk.labels`."""

from __future__ import annotations

from supportdesk.desk.labels import (
    BADGE,
    CHOICES,
    ENTRY,
    MONTHS,
    OUTBOX,
    PARKED,
    PRESENCE,
    PRIORITY,
    REASON,
    SENDER,
    SNOOZE_MODE,
    SOURCE,
    STATUS,
    VIEW,
    word,
)  # fmt: skip

__all__ = [
    "BADGE", "CHOICES", "ENTRY", "MONTHS", "OUTBOX", "PARKED", "PRESENCE", "PRIORITY", "REASON", "SENDER",
    "SNOOZE_MODE", "SOURCE", "STATUS", "VIEW", "word",
]  # fmt: skip
