"""The golden file: what forty locales show of the same values. `python -m tests.l10n.golden --write` makes it anew.

One line a value: locale, what, text. Invisible characters are written as `<00A0>`, so that a reader sees them. Whoever
changes a line has read it: `tests/l10n/test_golden.py` holds every line that CLDR decides against its raw data.

What CLDR does not decide (greetings), or babel does not carry (near days, date and time as one), was compared with ICU
78.2 (CLDR 48) for all forty on 2026-11-22, with everything else. They differ in nothing but this, which stays:
ICU's JavaScript shows U+202F as a blank; it leaves 1234 ungrouped in it, es, pt-PT, pl, hu, bg, sl, et, lv
(minimumGroupingDigits, which babel does not know: 1.234,50 € is as right in a shop's mail); it writes ' for ’ in
Switzerland and groups de-AT by blanks; Korean 오전 for AM is CLDR's wide form; Finnish full dates are nominative
(tiistai), not `on Tuesday`; Hebrew ו stands without a hyphen before Latin letters.

Read by eye on the same day: it, de, fr, es, en, ja, ar, pl. Judgement: every line is what a native would send. Noted
and left: `Gentile Dr. Smith` (a title whose gender is unknown is kept as it was typed), a bare `Bonjour,` and
`Dzień dobry,` where a name without a known title would sound like a list of addresses, ￥ in full width in Japanese.
"""

from __future__ import annotations

import datetime as dt
import sys
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from supportdesk.l10n import format as cldr
from supportdesk.l10n import names
from supportdesk.l10n.format import Money

FILE = Path(__file__).with_suffix(".tsv")
LOCALES = (
    "it it-CH en en-GB en-IE de de-AT de-CH fr fr-CH es es-MX pt pt-PT nl nl-BE pl cs sk hu ro bg hr sl el tr ru uk sv"
    " da no fi et lv lt ja zh ko ar he"
).split()
MONEY = (
    Money(123450, "EUR"), Money(4990, "USD"), Money(99, "GBP"), Money(12345, "JPY"), Money(1234567, "KWD"),
    Money(-4990, "CHF"),
)  # fmt: skip
ROME = ZoneInfo("Europe/Rome")
# The hour before and after Rome's clocks go forward, and the two that both say half past two in autumn.
TIMES = tuple(
    dt.datetime.fromisoformat(text)
    for text in ("2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z")
)
DAY = dt.date(2026, 9, 8)
COUNTS = (
    Decimal(0),
    Decimal(1),
    Decimal(2),
    Decimal(3),
    Decimal(4),
    Decimal(5),
    Decimal(11),
    Decimal(21),
    Decimal("1.5"),
)
UNITS = (("kilogram", 1), ("kilogram", 2), ("centimeter", 42), ("day", 5), ("day", 21))
SKELETONS = ("MMMMEEEEd", "yMMMMEEEEd")
PEOPLE = ("Giulia Rossi", "", "田中 太郎")
TITLED = ("Sig.ra Anna Rossi", "Sig. Mario Rossi", "Frau Anna Müller", "Herr Jürgen Müller", "Mme Anne Dupont",
          "M. Paul Dupont", "Mrs Jane Smith", "Sra. María García", "Dr. Alex Smith")  # fmt: skip


def values(locale: str) -> Iterator[tuple[str, str]]:
    """Everything that the file holds of one locale: (what, text)."""
    for amount in MONEY:
        yield f"money {amount.minor} {amount.currency}", cldr.money(amount, locale)
    yield "number 1234567.891", cldr.number(Decimal("1234567.891"), locale)
    yield "percent 0.225", cldr.percent(Decimal("0.225"), locale)
    for style in (*cldr.DATE_STYLES, *SKELETONS):
        yield f"date {style}", cldr.date(DAY, locale, style=style)
    for moment in TIMES:
        yield f"time {moment:%Y-%m-%dT%H:%MZ}", cldr.time(moment, locale, ROME)
    yield "date_time long", cldr.date_time(TIMES[1], locale, ROME)
    for days in (-1, 0, 1, 3, 200):
        yield f"relative {days:+d}", cldr.relative_day(DAY + dt.timedelta(days=days), DAY, locale)
    yield "plurals", " ".join(f"{count}={cldr.plural_category(count, locale)}" for count in COUNTS)
    for items in ("A", "AB", "ABC"):
        yield f"list {len(items)}", cldr.join(list(items), locale)
    yield "list or", cldr.join(["A", "B", "C"], locale, "or")
    for name, count in UNITS:
        yield f"unit {count} {name}", cldr.unit(count, name, locale)
    for register in ("", "@formal"):
        for person in PEOPLE:
            yield f"greeting{register} {person}".strip(), names.greeting(person, locale + register)
    for person in TITLED:
        yield f"greeting@formal {person}", names.greeting(person, f"{locale}@formal")
    yield "name Anna Nagy", names.full_name("Anna", "Nagy", locale)


def text() -> str:
    return "".join(f"{locale}\t{what}\t{visible(shown)}\n" for locale in LOCALES for what, shown in values(locale))


def visible(shown: str) -> str:
    return "".join(
        f"<{ord(char):04X}>" if char != " " and unicodedata.category(char) in ("Zs", "Cf") else char for char in shown
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())
