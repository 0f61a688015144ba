"""In which language a customer is answered: his own, or the one chosen once for those whom the shop does not serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from supportdesk.l10n.tags import canonical_language

# The mailbox's manner: `{"nl": "en", "*": "en"}`, by language, `*` for all others.
REPLY_LANGUAGES = "reply_languages"


def reply_language(language: str, served: Sequence[str], settings: Mapping[str, Any]) -> str:
    """The language of the reply to a customer of `language`; his own where nothing was chosen.

    A language named in the settings is answered as they say; `*` stands for those that are not `served`.
    """
    chosen: Mapping[str, str] = settings.get(REPLY_LANGUAGES) or {}
    primary = canonical_language(language) if language else ""
    if not primary or not chosen:
        return language
    for name, target in chosen.items():
        if name != "*" and canonical_language(name) == primary:
            return target
    if "*" in chosen and served and primary not in {canonical_language(tag) for tag in served}:
        return chosen["*"]
    return language
