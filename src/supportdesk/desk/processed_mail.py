"""What becomes, on the server, of mail that has its outcome: the mailbox's setting `processed` (mail.md SYNC-11).

`leave` (the default), `seen`, `keyword`, or `move:FOLDER`. It follows the ledger after the commit, and only for mail
that came while the desk was here: history stays as it was. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from supportdesk.desk.fetch import watched_folders
from supportdesk.errors import ConfigError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.model import Mailbox
    from supportdesk.desk.ports import MailSource, Reader

AT_ONCE = 200
TREATED = ("message", "note", "parked", "duplicate", "echo")


class ProcessedMail:
    """Treats one mailbox's processed mail, again and again; remembers what it has treated."""

    def __init__(self, reader: Reader, mailbox: Mailbox) -> None:
        self._reader = reader
        self._mailbox = mailbox
        self._over: set[tuple[int, int, int]] = set()

    def treat(self, source: MailSource) -> int:
        """Do what the policy says; how many messages. Raises ConfigError for a policy that cannot be followed."""
        policy, target = self._policy()
        if policy == "leave":
            return 0
        found = source.folders()
        if policy == "move" and target not in {info.name for info in found}:
            raise ConfigError(
                _("{address}: processed mail cannot be moved: there is no folder {folder}").format(
                    address=self._mailbox.address, folder=target
                ),
                hint=_("make it on the server, or change the setting `processed` of the mailbox"),
            )
        treated = 0
        for info in watched_folders(found, self._mailbox):
            if info.role == "inbox" and info.name != target:
                for uids in self._waiting(source, info.name):
                    source.mark(uids, policy, target)
                    treated += len(uids)
        return treated

    def _policy(self) -> tuple[str, str]:
        value = self._mailbox.settings.get("processed") or "leave"
        policy, _colon, target = str(value).partition(":")
        if policy not in ("leave", "seen", "keyword", "move") or bool(target) != (policy == "move"):
            raise ConfigError(
                _("{address}: the setting `processed` is {value}").format(address=self._mailbox.address, value=value),
                hint=_("it is one of leave, seen, keyword, move:FOLDER"),
            )
        return policy, target

    def _waiting(self, source: MailSource, folder: str) -> Iterator[Sequence[int]]:
        """UIDs of the folder that have their outcome and were not treated yet, some at a time."""
        uidvalidity = source.select(folder).uidvalidity
        rows = self._reader.rows("folder", {"mailbox_id": self._mailbox.id, "name": folder, "uidvalidity": uidvalidity})
        for row in rows:
            key = row["id"], uidvalidity
            listed = [uid for uid in source.uids_from(1) if (*key, uid) not in self._over]
            for start in range(0, len(listed), AT_ONCE):
                where = {"folder_id": row["id"], "uidvalidity": uidvalidity, "uid": listed[start : start + AT_ONCE]}
                deliveries = self._reader.rows("delivery", where)
                uids = sorted(one["uid"] for one in deliveries if one["outcome"] in TREATED and not one["historic"])
                if uids:
                    yield uids
                self._over.update((*key, one["uid"]) for one in deliveries if one["outcome"] or one["historic"])
