"""Eight fetchers at once on one real mailbox: each mail becomes a ticket once (must-have 4, A11)."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from supportdesk.engine import open_engine
from tests.e2e.shop import open_shop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.shop import Shop
    from tests.support.mail_servers import MailServers

FETCHERS, MAILS = 8, 120


def test_eight_fetchers_at_once_take_each_mail_once(mail_servers: MailServers, mail_user: str, tmp_path: Path) -> None:
    mails = [
        f"From: Cliente {number} <c{number}@customer.test>\nTo: {mail_user}@example.test\nSubject: Ordine {number}\n"
        f"Message-ID: <at-once-{number}@customer.test>\n\nDov'è l'ordine {number}?\n".encode()
        for number in range(MAILS)
    ]
    with open_shop(mail_servers, mail_user, tmp_path) as shop:
        mail_servers.append(mail_user, *mails)
        at_once = threading.Barrier(FETCHERS)
        with ThreadPoolExecutor(FETCHERS) as pool:
            fetched = [job.result() for job in [pool.submit(_fetch, shop, at_once) for _ in range(FETCHERS)]]
        rows = shop.desk.read.rows("delivery")
        subjects = Counter(row["subject"] for row in shop.desk.read.rows("ticket"))
    assert Counter(row["uid"] for row in rows) == Counter(range(1, MAILS + 1))
    assert {row["outcome"] for row in rows} == {"message"}
    assert subjects == Counter(f"Ordine {number}" for number in range(MAILS))
    assert sum(fetched) >= MAILS


def _fetch(shop: Shop, at_once: threading.Barrier) -> int:
    """One pass and the intake, as a process of its own has them: its own connections to the server and the store."""
    engine = open_engine(shop.engine.config)
    try:
        source = engine.servers.source(shop.mailbox_id)
        try:
            fetcher = engine.fetcher(engine.desk.mailbox(shop.mailbox_id), stop=lambda: False)
            at_once.wait(60)
            fetched = fetcher.run_pass(source).fetched
        finally:
            source.close()
        engine.intake().process_all()
        return fetched
    finally:
        engine.close()
