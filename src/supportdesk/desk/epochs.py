"""A folder that its server numbers anew (another UIDVALIDITY): when its mail is taken over, and when a person is asked.

A restored server, a moved mailbox or another program's folder of the same name all look alike. Mail with the
Message-ID, size and date of one that has its outcome is that one, and is not fetched again; what has only some of them
in common is fetched and recognised by its content. Where most of it is strange, something else than a new numbering has
happened, and nothing is fetched before somebody has looked (mail.md SYNC-5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportdesk.desk.ports import Identity, Ledger, MailSource, Row

FEW = 50  # so many are taken over without a question: what is known among them is recognised by its content
STRANGE_SHARE = 0.2


def enter_epoch(
    ledger: Ledger, source: MailSource, folder: Row, uidvalidity: int, name: str, *, accepted: bool = False
) -> str:
    """Take over the selected folder under its new numbering; what to ask a person first where it stays as it is."""
    listed: Mapping[int, Identity] = {}
    if folder["uidvalidity"] is not None:
        listed = source.identities(source.uids_from(1))
        if not accepted and (question := _question(ledger, listed, folder, name)):
            return question
    ledger.new_epoch(folder["id"], uidvalidity)
    if listed:
        ledger.link_known(folder["id"], uidvalidity, listed)
    return ""


def _question(ledger: Ledger, listed: Mapping[int, Identity], folder: Row, name: str) -> str:
    if len(listed) <= FEW:
        return ""
    by_id, by_date = set(), set()
    for message_id, size, at in ledger.identities(folder["id"]):
        by_id.add((message_id, size))
        by_date.add((at, size))
    if not by_date:
        return ""
    strange = sum(
        not (message_id and (message_id, size) in by_id) and (at, size) not in by_date
        for message_id, size, at in listed.values()
    )
    if strange <= len(listed) * STRANGE_SHARE:
        return ""
    return _(
        "{folder}: the server numbers this folder anew, and {strange} of its {total} messages are unknown here: nothing"
        " is fetched from it until `supportdesk mail fetch --renumbered` says that this is as it should be"
    ).format(folder=name, strange=strange, total=len(listed))
