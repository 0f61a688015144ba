"""Part `language`: the customer's language, told from mails in twenty languages that the mail reader has read.

The texts are in `tests/l10n/customer_mail`. What was tuned was tuned on one half of them; the table is of the other.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from supportdesk.l10n.detect import Detection, detect
from supportdesk.mail.parse import parse
from tests.bench.measure import Options
from tests.bench.report import Part, Row
from tests.l10n.customer_mail import LANGUAGES, UNKNOWN, CustomerMail, customer_mails

RIGHT_OR_UNKNOWN = 0.99
CONFIDENTLY_WRONG = 0.002


@dataclass(frozen=True, slots=True)
class Judged:
    """A mail and what was told of it; unknown is never wrong, and any language is wrong where there is none."""

    mail: CustomerMail
    told: str

    @property
    def verdict(self) -> str:
        return "right" if self.told == self.mail.language else "unknown" if self.told == UNKNOWN else "wrong"


def judge(mails: Sequence[CustomerMail]) -> list[Judged]:
    """Each mail as the desk reads it: quotes and signature folded, then detected."""
    return [Judged(mail, _told(mail.text).language or UNKNOWN) for mail in mails]


def run(options: Options) -> Part:
    mails = customer_mails("report")[:: max(1, 1500 // options.sized(1500))]
    _told(mails[0].text)
    started = time.perf_counter()
    judged = judge(mails)
    milliseconds = (time.perf_counter() - started) * 1000
    tuned_on = judge(customer_mails("development"))
    rows = (
        Row("right or unknown", _share(judged, "right", "unknown"), "%", aim="≥ 99 %"),
        Row("confidently wrong", _share(judged, "wrong"), "%", aim="≤ 0.2 %"),
        Row("right", _share(judged, "right"), "%"),
        Row("the half it was tuned on: right or unknown", _share(tuned_on, "right", "unknown"), "%"),
        Row("the half it was tuned on: confidently wrong", _share(tuned_on, "wrong"), "%"),
        Row("reading and telling one mail", milliseconds / len(judged), "ms"),
    )
    what = f"{len(judged):,} of the 3,000 mails in tests/l10n/customer_mail: the half that nothing was tuned on"
    return Part("language", what, rows, tuple(table(judged)))


def _share(judged: Sequence[Judged], *verdicts: str) -> float:
    return 100 * sum(one.verdict in verdicts for one in judged) / len(judged)


def table(judged: Sequence[Judged]) -> list[str]:
    """One line a language: how many were told right, left unknown and told wrong, and as what."""
    lines = [f"{'':<9}{'mails':>6}{'right':>7}{'unknown':>9}{'wrong':>7}"]
    for language in (*LANGUAGES, UNKNOWN):
        mine = [one for one in judged if one.mail.language == language]
        count = Counter(one.verdict for one in mine)
        wrong = Counter(one.told for one in mine if one.verdict == "wrong")
        as_what = ", ".join(f"{told} {times}" for told, times in wrong.most_common())
        # Where there is no language, unknown is what is right.
        unknown = "" if language == UNKNOWN else count["unknown"]
        lines.append(
            f"{language:<9}{len(mine):>6}{count['right']:>7}{unknown:>9}{count['wrong']:>7}  {as_what}".rstrip()
        )
    return lines


def _told(text: str) -> Detection:
    mail = EmailMessage()
    mail["From"] = "Customer <customer@example.com>"
    mail["To"] = "help@shop.example"
    mail.set_content(text)
    return detect(parse(mail.as_bytes()).fresh_text)
