"""Every code that the mail rules leave behind has its sentence."""

from __future__ import annotations

import inspect
import re
from typing import get_args

import pytest

from supportdesk.desk import evidence
from supportdesk.desk.arrival import FLAGS
from supportdesk.l10n.catalog import use_language
from supportdesk.mail import acknowledge, classify, machine, thread


def test_every_code_has_words() -> None:
    seen = set(re.findall(r'Evidence\(\s*"(\w+)"', inspect.getsource(classify) + inspect.getsource(machine)))
    seen |= {"complaint", "read_receipt"}  # chosen between in one expression
    assert seen <= evidence.SEEN.keys() and len(seen) > 15
    found = set(re.findall(r'Evidence\(\s*"(\w+)"', inspect.getsource(thread)))
    assert (found | set(get_args(thread.Key)) - {"none"}) <= evidence.THREADING.keys() and found
    assert set(get_args(thread.NewBecause)) - {""} <= evidence.NEW_BECAUSE.keys()
    assert {rule.__name__ for rule in classify.RULES} <= evidence.RULES.keys()
    assert set(FLAGS) == evidence.FLAGS.keys()
    source = inspect.getsource(acknowledge)
    reasons = set(re.findall(r'return "(\w+)"', source)) | set(
        re.findall(r'^        \("(\w+)", facts', source, re.MULTILINE)
    )
    assert reasons | {"imported", "joins_ticket"} <= evidence.NOT_ACKNOWLEDGED.keys() and len(reasons) > 15


@pytest.mark.parametrize("language", ["en", "it"])
def test_the_evidence_of_a_first_mail_reads_as_sentences(language: str) -> None:
    stored = {
        "key": "none", "threading": [], "new_because": "no_key", "rule": "bulk", "kind": "human",
        "verdict": [["precedence", "list"]], "no_ack_reason": "bulk",
    }  # fmt: skip
    use_language(language)
    try:
        told = " ".join(evidence.explain(stored))
    finally:
        use_language("en")
    assert not re.search(r"no_key|no_ack|new_because|None|\{", told)
    english = "It matched no earlier conversation, so it made a new ticket."
    assert (english in told) == (language == "en")
    assert "list" in told
