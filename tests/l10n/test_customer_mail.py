"""The aims of issue 5 on 3,000 mails in twenty languages: told right or left unknown, almost never told wrong."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.bench.language import CONFIDENTLY_WRONG, RIGHT_OR_UNKNOWN, judge, table
from tests.l10n.customer_mail import LANGUAGES, UNKNOWN, Half, customer_mails


@pytest.mark.parametrize("half", ["development", "report"])
def test_a_customers_language_is_told_right_or_left_unknown_and_almost_never_told_wrong(half: Half):
    judged = judge(customer_mails(half))
    count = Counter(one.verdict for one in judged)
    told = "\n".join(table(judged))
    assert (count["right"] + count["unknown"]) / len(judged) >= RIGHT_OR_UNKNOWN, told
    assert count["wrong"] / len(judged) <= CONFIDENTLY_WRONG, told
    assert count["right"] / len(judged) >= 0.8, f"unknown is an answer, but not to everything:\n{told}"


def test_the_mails_are_3000_different_ones_in_twenty_languages_and_no_sentence_is_in_both_halves():
    mails = customer_mails()
    assert len(mails) == len({(mail.text, mail.language) for mail in mails}) == 3_000
    assert Counter(mail.language for mail in mails) == {**dict.fromkeys(LANGUAGES, 140), UNKNOWN: 200}
    halves = [{(mail.text, mail.language) for mail in customer_mails(half)} for half in ("development", "report")]
    assert not halves[0] & halves[1]
