"""One incoming mail with everything that was found out about it: what the intake hands to those who write it down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from supportdesk.desk.correspondents import (
    Correspondent,
    Language,
    answered_languages,
    decide_language,
    language_of_header,
)
from supportdesk.desk.model import ActionId, Mailbox
from supportdesk.desk.ports import Row, Transaction
from supportdesk.mail.authentication import Check, check_sender, warnings_about
from supportdesk.mail.classify import Verdict
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.recipients import OwnAddresses
from supportdesk.mail.subjects import find_order_numbers
from supportdesk.mail.thread import Match

if TYPE_CHECKING:
    from supportdesk.desk.forwarded import AgentsForward

OLD_NEWS = timedelta(days=1)
FLAGS = ("external", "subject_changed", "conflict")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail, the ledger row that it came with, and the decisions: whose it is, what it is, where it belongs."""

    delivery: Row
    mail: ParsedMail
    mailbox: Mailbox
    verdict: Verdict
    match: Match
    sender: Correspondent | None
    own: OwnAddresses
    language: str | None  # detected on what the person wrote anew
    action_id: ActionId
    forward: AgentsForward | None = None  # `mail` is then the one inside
    reuses_id: bool = False  # another mail with other content has its Message-ID

    @property
    def historic(self) -> bool:
        return bool(self.delivery["historic"])

    @property
    def is_ours(self) -> bool:
        """Whether we wrote it, in another mail program."""
        return self.verdict.kind == "own_reply"

    @property
    def is_from_junk(self) -> bool:
        """Whether its server took it for junk, and somebody fetched it all the same."""
        return bool(self.delivery["role"] == "junk")

    @property
    def is_old_news(self) -> bool:
        """Whether it had lain on the server for long when it was fetched: what a first connection finds."""
        at = self.delivery["internal_date"]
        return at is not None and bool(self.delivery["fetched_at"] - at > OLD_NEWS)

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(name for name in FLAGS if getattr(self.match, name))

    @property
    def sender_check(self) -> Check:
        """What the mailbox's own server says of the sender."""
        return "" if self.is_ours else check_sender(self.mail, str(self.mailbox.settings.get("authserv_id") or ""))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an agent should see before he believes the sender or misses the text, as badges of the message."""
        if self.is_ours:
            return ()
        seen = [f"{one.code}:{one.value[:200]}" for one in warnings_about(self.mail, self.verdict.sender)]
        if any(defect.code == "encrypted" for defect in self.mail.defects):
            seen.append("encrypted")
        seen += [f"file_disguised:{one.detail}" for one in self.mail.defects if one.code == "file-disguised"][:5]
        return tuple(seen)

    @property
    def order_number(self) -> str:
        text = f"{self.mail.subject}\n{self.mail.fresh_text}"
        return next(iter(find_order_numbers(text, self.mailbox.order_pattern)), "")

    @property
    def has_files(self) -> bool:
        return any(not file.inline for file in self.mail.attachments)

    def received_at(self, now: datetime) -> datetime:
        """When the mail server took it."""
        return received_at(self.delivery, now)

    def language_of(self, tx: Transaction, person: Correspondent | None) -> Language:
        header = language_of_header(self.mail.header("Content-Language"))
        known = person.customer if person else None
        return decide_language(
            known, header=header, detected=self.language, mailbox=self.mailbox.language,
            answered=answered_languages(tx, person.person if person else None),
        )  # fmt: skip

    def evidence(self) -> dict[str, Any]:
        """Why it went where it went, as codes and values: what `why` puts into words."""
        match, verdict = self.match, self.verdict
        return {
            "key": match.key,
            "threading": [[one.code, one.value] for one in match.evidence],
            "new_because": match.new_because,
            "rule": verdict.rule,
            "kind": verdict.kind,
            "verdict": [[one.code, one.value] for one in verdict.evidence],
            "no_ack_reason": verdict.no_ack_reason,
            **({"forwarded_by": self.forward.agent.name} if self.forward else {}),
            **dict.fromkeys(self.flags, True),
        }


def received_at(delivery: Row, now: datetime) -> datetime:
    """When the mail server took a mail: never later than now, never a date that the sender made up."""
    at: datetime = delivery["internal_date"] or delivery["fetched_at"]
    return min(at, now)
