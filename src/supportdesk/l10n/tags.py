"""Locale tags: BCP 47 language and region, with supportdesk's `@register` behind it. No locale data is read here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

FORMAL: Final = "formal"
REGISTERS: Final = ("", FORMAL)  # the plain variant of a language is the informal or the only form of address

# One spelling for languages that mail programs, CLDR and the detector write in several ways (IANA registry,
# Preferred-Value). Norwegian: CLDR made `no` the parent of `nb`, and no shop answers in its two written forms apart.
_CANONICAL: Final = {
    "nb": "no",
    "nn": "no",
    "iw": "he",
    "in": "id",
    "ji": "yi",
    "tl": "fil",
    "mo": "ro",
    "cmn": "zh",
    "sh": "sr",
}

_TAG: Final = re.compile(
    r"""(?P<language>[a-z]{2,3})
        (?:[-_](?P<script>[a-z]{4}))?
        (?:[-_](?P<region>[a-z]{2}|\d{3}))?
        (?:@(?P<register>[a-z]+))?""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class LocaleTag:
    """A language, a region and a form of address: `de-AT@formal`; empty strings where nothing is said."""

    language: str
    region: str = ""
    register: str = ""
    script: str = ""

    @classmethod
    def parse(cls, text: str) -> LocaleTag:
        """Read `it`, `de-AT`, `de_AT`, `zh-Hant-TW`, `it@formal`; ValueError names what is not such a tag."""
        match = _TAG.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not a locale tag: {text!r} (expected one like it, de-AT or it@formal)")
        register = (match["register"] or "").lower()
        if register not in REGISTERS:
            raise ValueError(f"unknown register in {text!r}: only @{FORMAL} exists")
        return cls(
            language=canonical_language(match["language"]),
            region=(match["region"] or "").upper(),
            register=register,
            script=(match["script"] or "").title(),
        )

    @property
    def locale(self) -> str:
        """The tag without its register, for CLDR and for Content-Language: `de-AT`."""
        return "-".join(part for part in (self.language, self.script, self.region) if part)

    def __str__(self) -> str:
        return f"{self.locale}@{self.register}" if self.register else self.locale


def canonical_language(language: str) -> str:
    """The primary subtag in the one spelling used everywhere here: `nb` → `no`, `IT` → `it`."""
    primary = re.split(r"[-_@.]", language.strip().lower(), maxsplit=1)[0]
    return _CANONICAL.get(primary, primary)


def same_language(one: str, other: str) -> bool:
    """Whether two tags are the same language, whatever their region, script or register."""
    return canonical_language(one) == canonical_language(other)
