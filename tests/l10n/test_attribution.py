"""The line above the quote is in the customer's language."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from supportdesk.l10n.attribution import _WORDINGS, attribution
from supportdesk.l10n.format import babel_locale

ROME = ZoneInfo("Europe/Rome")
AT = dt.datetime(2026, 11, 20, 17, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("locale", "at", "line"),
    [
        ("it", AT, "Il 20 novembre 2026 alle 18:02, Hans Meier ha scritto:"),
        ("it@formal", AT.replace(day=8), "L’8 novembre 2026 alle 18:02, Hans Meier ha scritto:"),
        ("en-GB", AT, "On 20 November 2026 at 18:02, Hans Meier wrote:"),
        ("de", AT, "Am 20. November 2026 um 18:02 Uhr schrieb Hans Meier:"),
        ("fr", AT.replace(day=1), "Le 1er novembre 2026 à 18:02, Hans Meier a écrit :"),
        ("es", AT.replace(hour=0), "El 20 de noviembre de 2026 a la 1:02, Hans Meier escribió:"),
        ("ja", AT, "2026年11月20日 18:02 Hans Meier:"),
    ],
)
def test_the_line_is_what_people_of_that_language_write(locale, at, line):
    written = attribution("Hans Meier", at, locale, ROME)
    assert written.replace("\u00a0", " ").replace("\u202f", " ") == line


def test_every_wording_names_the_writer_and_the_day_once():
    assert len(_WORDINGS) >= 20
    for language in _WORDINGS:
        babel_locale(language)
        line = attribution("Hans Meier", AT, language, ROME)
        assert line.count("Hans Meier") == 1
        assert "20" in line
        assert "{" not in line
        assert line[-1] in ":："


def test_a_language_without_a_wording_gets_english():
    assert attribution("A", AT, "cy", ROME) == attribution("A", AT, "en", ROME)


def test_a_name_is_text_and_stays_on_its_line():
    line = attribution("{time} {0.__class__}\r\nBcc: x@example.org", AT, "it", ROME)
    assert line.endswith("{time} {0.__class__} Bcc: x@example.org ha scritto:")
