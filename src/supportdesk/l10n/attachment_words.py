"""Whether a letter announces a file, by the words of its language. What is quoted is not looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from supportdesk.l10n.tags import canonical_language

ANNOUNCING: Final[Mapping[str, str]] = {
    "it": r"in allegato|allego|allegh?iamo|le allego|ti allego|allegat[oaie]|trov(?:a|erà|i|erai) allegat[oaie]",
    "en": r"attached|attaching|attachments?|enclosed|enclosing",
    "de": r"im anhang|anbei|angehängt\w*|beigefügt\w*|als anhang|anhänge",
    "fr": r"ci-joint(?:e|es|s)?|en pièces? jointes?|pièces? jointes?|je vous joins|je te joins",
    "es": r"adjunt[oa]s?|adjuntamos|en anexo",
    "pt": r"em anexo|anex[oa]s?|segue anex[oa]",
    "nl": r"bijgevoegd\w*|bijlagen?|in de bijlage",
    "pl": r"w załączniku|załącz\w+",
    "sv": r"bifogad\w*|bifogar|bilag(?:a|or|d|t)",
    "da": r"vedhæft\w*",
    "fi": r"liitteenä|liitteessä|ohessa",
}
"""Words that announce a file, by language."""

# `Senza allegato`, `the attached photo that you sent`: the customer's own file is no promise of ours.
DENYING: Final[Mapping[str, str]] = {
    "it": r"senza(?: l[’'])?|nessun[oa]?|non c[’']è|(?:suo|tuo|vostro)",
    "en": r"without(?: an?| the)?|no|your",
    "de": r"ohne|kein\w*|ihr(?:em|en|e)?|dein(?:em|en|e)?",
    "fr": r"sans|aucune?|votre|ta",
    "es": r"sin|ningún|su|tu",
}


def announces_file(text: str, language: str) -> str:
    """The words that announce a file, as they stand there; "" where none do. An unknown language: the words of all."""
    written = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
    for found in _pattern(canonical_language(language) if language else "").finditer(written):
        if found["said"]:
            return found["said"]
    return ""


@lru_cache(maxsize=32)
def _pattern(language: str) -> re.Pattern[str]:
    words = ANNOUNCING.get(language) or "|".join(ANNOUNCING.values())
    denied = DENYING.get(language)
    # What is denied is taken first, so that the search goes on behind it.
    denial = rf"\b(?:{denied})\s*(?:{words})(?!\w)|" if denied else ""
    return re.compile(rf"{denial}\b(?P<said>{words})(?!\w)", re.IGNORECASE)
