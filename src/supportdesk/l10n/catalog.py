"""The console's own language: gettext look-ups for every string that an agent reads.

English is the source language and costs nothing. Another language is one compiled catalogue (`.mo`) that is read once,
by the standard library, when it is chosen. The one piece of state is the active catalogue of this process.
What customers read is not here: canned responses are in `desk.canned`, CLDR values in `l10n.format`.

    python -m supportdesk.l10n.catalog --update    collect the msgids of src/ into every .po and compile the .mo
    python -m supportdesk.l10n.catalog --check     exit 1 when a msgid is not translated or a .mo is older than its .po
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

DOMAIN: Final = "supportdesk"
SOURCE_LANGUAGE: Final = "en"
LOCALE_DIR: Final = Path(__file__).parent / "locale"


class Catalogue(Protocol):
    """The part of `gettext.NullTranslations` that is used here."""

    def gettext(self, message: str, /) -> str: ...
    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str: ...
    def pgettext(self, context: str, message: str, /) -> str: ...


_active: tuple[str, Catalogue | None] = (SOURCE_LANGUAGE, None)


def _(message: str) -> str:
    """The message in the agent's language; the English msgid itself where there is no translation."""
    catalogue = _active[1]
    return catalogue.gettext(message) if catalogue is not None and message else message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form of the message that `count` takes in the agent's language; the caller fills in the placeholders."""
    catalogue = _active[1]
    if catalogue is not None:
        return catalogue.ngettext(singular, plural, count)
    return singular if count == 1 else plural


def pgettext(context: str, message: str) -> str:
    """Like `_` for a word that needs a context to be translated: `pgettext("status", "open")`."""
    catalogue = _active[1]
    return catalogue.pgettext(context, message) if catalogue is not None and message else message


def N_(message: str) -> str:  # noqa: N802 — the name that every gettext extractor knows
    """Mark a message of a table for extraction; it is translated where it is shown, with `_`."""
    return message


def use_language(tag: str) -> str:
    """Speak the language of `tag` (`it`, `it-CH`, `it_IT.UTF-8`) from now on; returns the language that is spoken.

    A language without a catalogue is spoken in English. Safe to call from any thread: readers see the old catalogue or
    the new one, never a mixture.
    """
    global _active  # noqa: PLW0603 — the one setting of this process that every string depends on
    language = _primary_subtag(tag)
    catalogue = _read_catalogue(language)
    _active = (language, catalogue) if catalogue is not None else (SOURCE_LANGUAGE, None)
    return _active[0]


def current_language() -> str:
    """The language that the console speaks, as a primary subtag: `en`, `it`."""
    return _active[0]


def available_languages() -> tuple[str, ...]:
    """The languages that the console can speak, sorted."""
    translated = {path.parent.parent.name for path in LOCALE_DIR.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")}
    return tuple(sorted(translated | {SOURCE_LANGUAGE}))


def _primary_subtag(tag: str) -> str:
    """`it_IT.UTF-8@euro` → `it`; what is no language tag (`C`, `../x`) → English."""
    head = tag.replace("_", "-").partition(".")[0].partition("@")[0].partition("-")[0].lower()
    return head if head.isascii() and head.isalpha() and 2 <= len(head) <= 3 else SOURCE_LANGUAGE


def _read_catalogue(language: str) -> Catalogue | None:
    if language == SOURCE_LANGUAGE:
        return None
    path = LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if not path.exists():
        return None
    import gettext

    with path.open("rb") as file:
        return gettext.GNUTranslations(file)


if __name__ == "__main__":
    import sys

    from supportdesk.l10n.catalog_update import main

    sys.exit(main(sys.argv[1:]))
