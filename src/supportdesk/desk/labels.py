"""The words that stand for identifiers where an agent reads them: statuses, priorities, reasons, states of a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS: Final = {
    "new": N_("new"),
    "open": N_("open"),
    "pending": N_("with customer"),
    "on_hold": N_("on hold"),
    "solved": N_("solved"),
    "closed": N_("closed"),
    "spam": N_("spam"),
}
PRIORITY: Final = {"low": N_("low"), "normal": N_("normal"), "high": N_("high"), "urgent": N_("urgent")}
REASON: Final = {
    "thanks": N_("only thanks"),
    "duplicate": N_("a duplicate"),
    "spam": N_("spam"),
    "answered_elsewhere": N_("answered elsewhere"),
    "no_action": N_("nothing to do"),
    "undeliverable": N_("undeliverable"),
    "imported": N_("imported history"),
}
SNOOZE_MODE: Final = {"until_reply": N_("until the customer writes"), "regardless": N_("whatever happens")}
OUTBOX: Final = {
    "draft": N_("draft"),
    "held": N_("waiting"),
    "sending": N_("being sent"),
    "sent": N_("sent"),
    "deferred": N_("not delivered yet"),
    "uncertain": N_("in doubt"),
    "failed": N_("failed"),
    "bounced": N_("bounced"),
}
UNANSWERED: Final = {
    "waiting": N_("waiting for us"),
    "deferred": N_("not delivered yet"),
    "uncertain": N_("in doubt"),
    "failed": N_("failed"),
    "bounced": N_("bounced"),
    "parked": N_("parked"),
}
MAILBOX: Final = {"active": N_("active"), "paused": N_("paused")}
AGENT: Final = {"available": N_("there"), "away": N_("away"), "disabled": N_("disabled")}
ROLE: Final = {"agent": N_("agent"), "lead": N_("lead"), "admin": N_("admin")}
WRITTEN: Final = {"reply": N_("a reply"), "new": N_("new conversation"), "forward": N_("a forward"), "note": N_("note")}
ENTRY: Final = {
    "mail": N_("mail"),
    "note": N_("note"),
    "call": N_("call"),
    "bounce": N_("could not be delivered"),
    "out_of_office": N_("out of office"),
    "notification": N_("notification"),
    "report": N_("report"),
    "stub": N_("could not be read"),
}
DIRECTION: Final = {"in": N_("received"), "out": N_("written"), "system": N_("by itself")}
PRESENCE: Final = {"viewing": N_("{name} reads"), "replying": N_("{name} writes")}
BADGE: Final = {
    "reply_stopped": N_("reply stopped"),
    "failed": N_("reply failed"),
    "bounced": N_("reply came back"),
    "uncertain": N_("reply in doubt"),
    "deferred": N_("reply delayed"),
    "external": N_("from another address"),
    "possible_duplicate": N_("duplicate of #{detail}?"),
    "suggested": N_("may belong to #{detail}"),
    "thanks": N_("only thanks?"),
    "rate": N_("many mails from here"),
    "partial": N_("cut: too large"),
    "encrypted": N_("encrypted"),
    "forwarded": N_("forwarded by {detail}"),
    "id_reused": N_("another mail has its Message-ID"),
    "file_disguised": N_("a program in disguise: {detail}"),
    "after_spam": N_("after spam"),
    "junk": N_("was in Junk"),
    "subject_changed": N_("another subject"),
    "conflict": N_("names several tickets"),
    "several_from": N_("several senders"),
    "name_is_address": N_("its name shows another address"),
    "answers_elsewhere": N_("answers go to {detail}"),
    "stub": N_("could not be read"),
}
SENDER: Final = {
    "pass": N_("sender verified"),
    "unverified": N_("sender not verified"),
    "fail": N_("sender may be forged"),
}
PARTICIPANT: Final = {
    "requester": N_("requester"),
    "cc": N_("in copy, confirmed"),
    "third_party": N_("third party"),
    "external": N_("from outside, not confirmed"),
    "proposed": N_("in copy, not confirmed"),
}
PARKED: Final = {
    "loop": N_("our own mail, back again"),
    "bounce": N_("a bounce of unknown mail"),
    "auto": N_("an automatic answer"),
    "sender": N_("the sender is parked"),
    "block": N_("the sender is blocked"),
}
SOURCE: Final = {
    "hand": N_("set by hand"),
    "order": N_("from the order"),
    "confirmed": N_("confirmed earlier"),
    "header": N_("from the mail's header"),
    "detected": N_("recognized"),
    "mailbox": N_("the mailbox's default"),
}
VIEW: Final = {
    "needs_reply": N_("Needs reply"),
    "mine": N_("Mine"),
    "unassigned": N_("Unassigned"),
    "with_customer": N_("With customer"),
    "snoozed": N_("Snoozed"),
    "notifications": N_("Notifications"),
    "all_open": N_("Open"),
    "solved": N_("Solved"),
    "spam": N_("Spam"),
    "all": N_("All"),
}
MONTHS: Final = (
    N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun"),
    N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec"),
)  # fmt: skip
DAY: Final = {
    "open": N_("open"),
    "closed": N_("closed"),
    "holiday": N_("public holiday"),
    "closure": N_("closed as planned"),
    "opening": N_("special opening"),
}
TARGET: Final = {
    "first_response": N_("first response"),
    "next_response": N_("next response"),
    "resolution": N_("resolution"),
}
VERDICT: Final = {
    "ticket": N_("a ticket"),
    "notification": N_("a notification, nobody waits"),
    "park": N_("parked"),
    "block": N_("blocked"),
    "rules": N_("as the rules decide"),
}
CHOICES: Final = {**PRIORITY, **STATUS, **REASON, **SNOOZE_MODE, **VERDICT}


def word(table: Mapping[str, str], identifier: str) -> str:
    """The word for an identifier, of which a detail may follow a colon; one without a word is shown as itself."""
    name, _colon, detail = identifier.partition(":")
    msgid = table.get(name)
    return _(msgid).replace("{detail}", detail) if msgid is not None else identifier.replace("_", " ")


def status_name(status: str) -> str:
    """A status as a command shows it: its word, and the identifier that commands take where the two differ."""
    shown = word(STATUS, status)
    return shown if shown == status else f"{shown} ({status})"
