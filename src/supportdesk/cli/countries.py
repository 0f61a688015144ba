"""Countries: their time zone and language, so that `init` has something to offer. From CLDR, through babel."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

# Where a country has several zones, the one of most of its people.
_MAIN_ZONES = {
    "ES": "Europe/Madrid", "PT": "Europe/Lisbon", "DE": "Europe/Berlin", "FR": "Europe/Paris", "GB": "Europe/London",
    "NL": "Europe/Amsterdam", "NO": "Europe/Oslo", "CY": "Asia/Nicosia", "UA": "Europe/Kyiv", "US": "America/New_York",
    "CA": "America/Toronto", "BR": "America/Sao_Paulo", "MX": "America/Mexico_City", "AU": "Australia/Sydney",
}  # fmt: skip
NO_COUNTRIES = frozenset(("ZZ", "XA", "XB", "EU", "EZ", "UN", "QO"))  # CLDR's names for unions and for nowhere
FORMS = {"it": ("tu", "Lei"), "de": ("du", "Sie"), "fr": ("tu", "vous"), "es": ("tú", "usted")}
"""Languages that the starter responses have in two forms of address: informal, formal."""


def read_country(text: str) -> str:
    """An ISO 3166-1 code that CLDR knows. Raises UsageError."""
    from babel import Locale

    code = text.strip().upper()
    if len(code) != 2 or code not in Locale("en").territories or code in NO_COUNTRIES:
        raise UsageError(
            _("{text} is no country").format(text=repr(text)), hint=_("two letters, such as {code}").format(code="IT")
        )
    return code


def country_of(address: str) -> str:
    """A country to offer: the top-level domain of the address, else the terminal's locale; "" for none."""
    from babel import Locale

    known = Locale("en").territories
    ending = address.rpartition(".")[2].upper()
    if ending in known and len(ending) == 2 and ending not in ("EU", "IO", "CO", "ME", "TV", "AI"):
        return ending
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        region = os.environ.get(name, "").partition(".")[0].partition("_")[2]
        if region in known:
            return region
    return ""


def zone_of(country: str) -> str:
    """The time zone to offer for a country: its only one, its main one, or this machine's if it is there."""
    from babel.core import get_global

    zones = sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)
    if country in _MAIN_ZONES:
        return _MAIN_ZONES[country]
    here = local_zone()
    return here if here in zones else zones[0] if zones else here


def local_zone() -> str:
    """The IANA name of this machine's zone; UTC where it has none."""
    if name := os.environ.get("TZ", "").lstrip(":"):
        return name
    try:
        target = str(Path("/etc/localtime").resolve())
    except OSError:
        target = ""
    _before, found, name = target.partition("zoneinfo/")
    return name if found else (datetime.now().astimezone().tzname() or "UTC") and "UTC"


def language_of(country: str) -> str:
    """The first official language of a country."""
    from babel.languages import get_official_languages

    languages = get_official_languages(country)
    return languages[0] if languages else "en"


def read_form(text: str, language: str) -> str:
    """`tu` → "informal", `Lei` → "formal". Raises UsageError."""
    word = text.strip().casefold()
    informal, formal = FORMS.get(language, ("informal", "formal"))
    if word in (informal.casefold(), "informal", "tu", "du"):
        return "informal"
    if word in (formal.casefold(), "formal"):
        return "formal"
    raise UsageError(_("{text} is no form of address").format(text=repr(text)), hint=f"{informal}, {formal}")
