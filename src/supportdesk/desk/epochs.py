"""A folder that its server numbers anew (another UIDVALIDITY): when its mail is taken over, and when a person is asked.

A restored server, a moved mailbox or another program's folder of the same name all look alike. The mail that is known
is recognised by its Message-ID and size, or by its date and size; where most of it is strange, something else than a
new numbering has happened, and nothing is fetched before somebody has looked (mail.md SYNC-5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.ports import Ledger, MailSource, Row

FEW = 50  # so many are taken over without a question: what is known among them is recognised by its content
STRANGE_SHARE = 0.2


def why_ask(ledger: Ledger, source: MailSource, folder: Row, name: str) -> str:
    """What to ask a person before the selected folder is taken over under its new numbering; "" for nothing."""
    if folder["uidvalidity"] is None:
        return ""
    uids = source.uids_from(1)
    if len(uids) <= FEW:
        return ""
    by_id, by_date = set(), set()
    for message_id, size, at in ledger.identities(folder["id"]):
        by_id.add((message_id, size))
        by_date.add((at, size))
    if not by_date:
        return ""
    strange = sum(
        not (message_id and (message_id, size) in by_id) and (at, size) not in by_date
        for message_id, size, at in source.identities(uids).values()
    )
    if strange <= len(uids) * STRANGE_SHARE:
        return ""
    return _(
        "{folder}: the server numbers this folder anew, and {strange} of its {total} messages are unknown here: nothing"
        " is fetched from it until `supportdesk mail fetch --renumbered` says that this is as it should be"
    ).format(folder=name, strange=strange, total=len(uids))
