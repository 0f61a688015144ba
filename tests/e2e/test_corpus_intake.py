"""The first 1,000 messages of the corpus through a real mailbox: each ends in exactly one outcome, and only once.

`./desk corpus --only mailbox` does it with all of them (must-have 9 of mail.md).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.corpus.findings import table
from tests.corpus.replay import replay

if TYPE_CHECKING:
    from tests.support.corpus import Corpus
    from tests.support.mail_servers import MailServers

MESSAGES = 1000


@pytest.mark.slow
def test_a_thousand_real_mails_each_get_one_outcome_and_a_second_fetch_adds_nothing(
    mail_servers: MailServers, mail_user: str, corpus: Corpus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        group = replay(mail_servers, mail_user, tmp_path, corpus.messages(MESSAGES))
    assert group.holds, table(group)
    assert group.given.endswith(f"{MESSAGES:,} fetched")
    assert caplog.messages == []
