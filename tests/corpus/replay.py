"""Every mail through a real mailbox: appended to Dovecot, fetched, taken in, exactly one outcome each (must-have 9)."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from supportdesk.desk.model import OUTCOMES
from tests.corpus.findings import Finding, Group, none_of
from tests.corpus.folder import Folder
from tests.e2e.shop import open_shop

if TYPE_CHECKING:
    from tests.e2e.shop import Shop
    from tests.support.mail_servers import MailServers

USER: Final = "replay"
_KEPT: Final = ("ticket", "message", "delivery", "parked", "event")


def measure(folder: Folder, names: Sequence[str]) -> Group:
    from tests.support.mail_servers import running_mail_servers

    with running_mail_servers() as servers, tempfile.TemporaryDirectory(prefix="supportdesk-replay-") as directory:
        return replay(servers, USER, Path(directory), (folder.raw(name) for name in names))


def replay(servers: MailServers, user: str, directory: Path, mails: Iterable[bytes]) -> Group:
    """Append the mails to the user's mailbox, fetch them twice, and compare the ledger with the server."""
    servers.append(user, *mails)
    with servers.imap(user) as connection:
        connection.select("INBOX", readonly=True)
        on_server = {int(uid) for uid in connection.uid("SEARCH", "ALL")[1][0].split()}
    with open_shop(servers, user, directory) as shop:
        fetched = shop.fetch()
        rows = shop.desk.read.rows("delivery")
        (inbox,) = [row for row in shop.desk.read.audit() if row["role"] == "inbox"]
        before = _counts(shop)
        again = shop.fetch()
        after = _counts(shop)
        stubs = shop.desk.read.rows("message", {"kind": "stub"})
    times = Counter(int(row["uid"]) for row in rows)
    wrong = [str(uid) for uid in sorted(on_server) if times[uid] != 1] + [str(uid) for uid in times.keys() - on_server]
    wrong += [f"{row['uid']}: {row['outcome']!r}" for row in rows if row["outcome"] not in OUTCOMES]
    return Group(
        "mailbox",
        f"{len(on_server):,} mails in a mailbox of Dovecot, {fetched:,} fetched",
        (
            none_of("UIDs without exactly one outcome", wrong),
            none_of("missing, unprocessed or gone by the audit",
                    [name for name in ("missing", "unprocessed", "gone") if inbox[name]]),
            none_of("stubs (mail that could not be read)", [str(row["id"]) for row in stubs]),
            none_of("mails that a second fetch brings again", [""] * again),
            none_of("tables that it changes", [name for name in _KEPT if before[name] != after[name]]),
            *(Finding(f"outcome: {name}", f"{count:,}") for name, count in Counter(r["outcome"] for r in rows).items()),
        ),
    )  # fmt: skip


def _counts(shop: Shop) -> dict[str, int]:
    return {name: len(shop.desk.read.rows(name)) for name in _KEPT}
