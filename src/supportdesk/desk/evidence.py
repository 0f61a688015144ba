"""The reasoning that was stored with a message, in words: one sentence for each code that the mail rules leave behind.

The codes come from `mail.thread`, `mail.classify`, `mail.machine` and `mail.acknowledge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from supportdesk.l10n.catalog import N_, _

# How a message found its ticket, or why it found none.
THREADING: Mapping[str, str] = {
    "plus_token": N_("It was sent to the ticket's own address {value}."),
    "signed_message_id": N_("It answers a message that we sent, {value}."),
    "message_id": N_("It answers a message of the conversation, {value}."),
    "shared_root": N_("It goes back to the same mail as the conversation, {value}, which was never here."),
    "subject_tag": N_("Its subject names the ticket: {value}."),
    "order_number": N_("It names the order {value}, about which the sender had written before."),
    "relay_address": N_("It came from the marketplace's address {value}, as the conversation did."),
    "token_without_ticket": N_("It was sent to {value}, the address of a ticket that does not exist."),
    "signed_id_without_ticket": N_("It answers {value}, which belongs to no ticket any more."),
    "bad_mac": N_("It carries a forged ticket number, which was not believed: {value}."),
}
NEW_BECAUSE: Mapping[str, str] = {
    "no_key": N_("It matched no earlier conversation, so it made a new ticket."),
    "stranger": N_("Its sender takes no part in that conversation, so it made a new ticket."),
    "spam": N_("That conversation is spam, so it made a new ticket."),
    "closed": N_("That conversation was closed long ago, so it made a new ticket."),
    "other_subject": N_("It has another subject and that conversation is old, so it made a new ticket."),
}
FLAGS: Mapping[str, str] = {
    "external": N_("Its sender takes no part in the conversation: he sees nothing of it until an agent confirms him."),
    "subject_changed": N_("Its subject is another one than the ticket's."),
    "conflict": N_("It pointed to different tickets; the one with the newest message won."),
}
# What kind of mail it is: by which rule, and what the rule saw.
RULES: Mapping[str, str] = {
    "echo": N_("It is our own mail, come back."),
    "own_reply": N_("It was written from our own address, outside the desk."),
    "report": N_("A mail server or program reports on a mail of ours."),
    "own_loop": N_("It is our own mail in a loop."),
    "sender_verdict": N_("An agent has decided what mail of this sender becomes."),
    "human_inside": N_("A form or a certified mail brings the words of a person."),
    "bounce": N_("A mail server says that a mail could not be delivered."),
    "out_of_office": N_("It is an automatic out-of-office answer."),
    "notification": N_("A program wrote it, or nobody reads answers to it: it is a notification."),
    "bulk": N_("It was sent to many; it is a ticket like any other."),
    "too_many": N_("Its sender writes very often, so it joins what he has written already."),
    "human": N_("A person wrote it."),
    "released": N_("An agent released it from the parked mail."),
    "unreadable": N_("It could not be read; the original is kept."),
}
SEEN: Mapping[str, str] = {
    "own_message_id": N_("It carries our own Message-ID, {value}."),
    "auto_submitted": N_("Its header says that it is automatic: {value}."),
    "found_in_sent": N_("It was found in the Sent folder."),
    "delivery_report": N_("It is a delivery report on {value}."),
    "complaint": N_("It is a complaint about {value}."),
    "read_receipt": N_("It is a read receipt for {value}."),
    "own_loop_header": N_("It carries the mark of this desk, {value}."),
    "from_own_mailbox": N_("It comes from our own mailbox {value}."),
    "sender_verdict": N_("The decision is: {value}."),
    "pec_receipt": N_("It is a receipt of a certified mail: {value}."),
    "mail_server": N_("It comes from the mail server {value}."),
    "bounce_unread": N_("The second reader of bounces could not read it: {value}."),
    "auto_reply_header": N_("Its header marks an automatic answer: {value}."),
    "out_of_office_subject": N_("Its subject is that of an out-of-office answer: {value}."),
    "no_reply_sender": N_("{value} takes no answers."),
    "precedence": N_("Its precedence is {value}."),
    "list": N_("It comes from a mailing list: {value}."),
    "auto_response_suppress": N_("It asks for no automatic answers: {value}."),
    "rate": N_("Its sender wrote {value} mails within an hour."),
    "pec": N_("The certified mail is from {value}."),
    "foreign_reply_to": N_("Its answers go to {value}."),
    "form_fields": N_("The form names {value}."),
    "parse_failed": N_("The reader said: {value}."),
}
NOT_ACKNOWLEDGED: Mapping[str, str] = {
    "not_human": N_("it is no mail of a person"),
    "switched_off": N_("the acknowledgements are switched off"),
    "no_sender": N_("it has no sender"),
    "own_address": N_("it comes from one of our own addresses"),
    "no_reply_sender": N_("its sender takes no answers"),
    "null_sender": N_("its envelope has no sender, as that of an automatic mail"),
    "bounce_sender": N_("its envelope's sender is for bounces"),
    "auto_submitted": N_("it says that it is automatic"),
    "bulk": N_("it was sent to many"),
    "other_desk": N_("another desk sent it"),
    "not_addressed_to_us": N_("it was not addressed to us"),
    "too_many_hops": N_("it has passed too many servers: a loop"),
    "address_bounces": N_("mail to its sender comes back"),
    "dmarc_failed": N_("its sender may be forged (DMARC failed)"),
    "dmarc_not_passed": N_("its sender is not proved (no DMARC)"),
    "cap_ticket": N_("the ticket has had its acknowledgement"),
    "cap_address_24h": N_("its sender had one within a day"),
    "cap_address_7d": N_("its sender had two within a week"),
    "cap_domain": N_("its sender's domain had many within a minute"),
    "cap_all": N_("many were sent within the hour"),
    "sender_rate": N_("its sender writes too fast"),
    "same_body": N_("its sender sends the same text again and again"),
    "imported": N_("it is history"),
    "joins_ticket": N_("it belongs to a conversation that goes on"),
    "released": N_("an agent released it"),
    "forwarded": N_("an agent forwarded it"),
    "junk": N_("it lay in the Junk folder"),
    "too_late": N_("the time by which an answer is promised was over"),
    "no_language": N_("its sender's language is not known, and no other one is chosen for automatic mail"),
    "no_variant": N_("none is written in its sender's language, and no other one is chosen for automatic mail"),
    "broken_text": N_("the text of the acknowledgement cannot be used: see canned lint"),
}


def explain(evidence: Mapping[str, Any]) -> Iterator[str]:
    """The evidence of a message, as sentences; what was stored by a version with other codes is left out."""
    yield from _told(THREADING, evidence.get("threading", ()))
    because = str(evidence.get("new_because") or "")
    if because in NEW_BECAUSE:
        yield _(NEW_BECAUSE[because])
    for flag, sentence in FLAGS.items():
        if evidence.get(flag):
            yield _(sentence)
    if evidence.get("forwarded_by"):
        yield _("{name} forwarded it: its requester is who had written it.").format(name=evidence["forwarded_by"])
    rule = str(evidence.get("rule") or "")
    if rule in RULES:
        yield _(RULES[rule])
    yield from _told(SEEN, evidence.get("verdict", ()))
    reason = str(evidence.get("no_ack_reason") or "")
    if reason in NOT_ACKNOWLEDGED:
        yield _("It was not acknowledged automatically: {reason}.").format(reason=_(NOT_ACKNOWLEDGED[reason]))


def _told(sentences: Mapping[str, str], seen: Any) -> Iterator[str]:
    for code, value in seen:
        if code in sentences:
            yield _(sentences[code]).format(value=value)
