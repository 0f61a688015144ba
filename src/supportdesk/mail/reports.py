"""Delivery reports, receipts and complaints as the standards have them (RFC 3464, RFC 6522, RFC 8098, RFC 5965).

What has no status part is read by its words (see `plain_bounces`); what says nothing to us gets a `second_look`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from supportdesk.mail.bounce_words import status_in
from supportdesk.mail.headers import Fields, message_id, skip_preamble, split_header
from supportdesk.mail.limits import MAX_RECIPIENT_BLOCKS, MAX_TEXT, DefectLog
from supportdesk.mail.mime import Part, read_tree
from supportdesk.mail.model import Address, Report, ReportedRecipient
from supportdesk.mail.plain_bounces import (
    ADDRESS,
    explain,
    guessed,
    id_in_text,
    may_be_bounce,
    read_plain_bounce,
)
from supportdesk.mail.second_look import look_again
from supportdesk.mail.words import decode_unstructured

# Hotmail's feedback loop sends no report part.
_COMPLAINT_SUBJECTS = ("complaint about message from",)
_FIELD_LINE = re.compile(rb"\n[ \t]*[!-9;-~]+[ \t]*:")
_ACTIONS = frozenset(("failed", "delayed", "delivered", "relayed", "expanded"))


def read_report(
    root: Part,
    from_: tuple[Address, ...],
    own: tuple[Address, ...],
    return_path: str | None,
    subject: str,
    text: str,
    log: DefectLog,
) -> Report | None:
    """What a mail reports about other mail, or None for an ordinary one. `own`: the addresses it was sent to."""
    parts = list(root.walk())
    report = _by_our_rules(root, parts, from_, own, return_path, subject, text)
    if report is not None and (report.kind != "dsn" or report.recipients):
        return report
    if not may_be_bounce(root.fields, from_, return_path, subject):
        return report
    recipients = look_again(root.source, text, frozenset(one.norm for one in (*own, *from_)), log)
    if not recipients:
        return report
    if report is None:
        return Report("dsn", recipients, _returned(parts)[0] or id_in_text(text))
    return replace(report, recipients=recipients)


def _by_our_rules(
    root: Part,
    parts: list[Part],
    from_: tuple[Address, ...],
    own: tuple[Address, ...],
    return_path: str | None,
    subject: str,
    text: str,
) -> Report | None:
    kinds = {part.content_type: part for part in reversed(parts) if not part.children}
    declared = root.params.get("report-type", "").casefold() == "delivery-status"
    returned = _returned(parts)
    if status := kinds.get("message/delivery-status") or kinds.get("message/global-delivery-status"):
        recipients, envelope_id = _delivery_status(status, text)
        if recipients or declared:
            return Report("dsn", recipients or guessed(text, own, returned[1]), returned[0], envelope_id)
    if receipt := kinds.get("message/disposition-notification") or kinds.get("message/global-disposition-notification"):
        return _receipt(receipt)
    if complaint := kinds.get("message/feedback-report"):
        return _complaint(complaint, returned[0])
    if subject.startswith(_COMPLAINT_SUBJECTS) and returned[0]:
        return Report("arf", (), returned[0])
    if declared and (inner := _report_inside(parts)) is not None:
        return inner
    return read_plain_bounce(
        root.fields, from_, own, return_path, subject, text, returned,
        declared=declared and root.content_type == "multipart/report",
    )  # fmt: skip


def _report_inside(parts: list[Part]) -> Report | None:
    """The report that a gateway put into a mail of its own."""
    part = next((part for part in parts if part.parent is not None and part.content_type == "message/rfc822"), None)
    if part is None:
        return None
    inner = read_tree(part.nested_mail(), DefectLog())
    status = next((one for one in inner.walk() if one.content_type == "message/delivery-status"), None)
    if status is None:
        return None
    recipients, envelope_id = _delivery_status(status, "")
    return Report("dsn", recipients, _returned(list(inner.walk()))[0], envelope_id) if recipients else None


def _blocks(part: Part) -> list[Fields]:
    """The groups of fields of a status part, separated by empty lines (RFC 3464 2.1)."""
    content = part.beginning(MAX_TEXT) + b"\n\n"
    log = DefectLog()
    blocks: list[Fields] = []
    at = 0
    while at < len(content) and len(blocks) <= MAX_RECIPIENT_BLOCKS:
        while at < len(content) and content[at] in b"\r\n \t":
            at += 1
        if at >= len(content):
            break
        fields, body = split_header(content, at, len(content), log)
        if fields.items:
            blocks.append(fields)
        if body <= at:  # no field begins here: go on at the next line where one could
            newline = content.find(b"\n", at)
            field = _FIELD_LINE.search(content, newline) if newline >= 0 else None
            body = len(content) if field is None else field.start() + 1
        at = body
    return blocks


def _delivery_status(part: Part, text: str) -> tuple[tuple[ReportedRecipient, ...], str]:
    recipients: dict[str, ReportedRecipient] = {}
    envelope_id = ""
    for fields in _blocks(part):
        envelope_id = envelope_id or decode_unstructured(fields.get("original-envelope-id"))
        # What the sender wrote to is what the desk knows; the final recipient may be an alias behind it.
        address = (
            _typed(fields.get("original-recipient"))
            or _typed(fields.get("final-recipient"))
            or _typed(fields.get("x-actual-recipient"))
        )
        if not address:
            continue
        diagnostic = decode_unstructured(fields.get("diagnostic-code"))
        diagnostic = diagnostic or explain(text, address)
        status = status_in(fields.get("status")) or status_in(diagnostic)
        action = fields.get("action").strip().partition(" ")[0].partition(";")[0].casefold()
        if action not in _ACTIONS:
            action = {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")
        recipients.setdefault(address.casefold(), ReportedRecipient(address, action, status, diagnostic[:500]))
    return tuple(recipients.values()), envelope_id


def _typed(value: str) -> str:
    """The address in `rfc822;user@example.com`, whatever else stands around it."""
    value = decode_unstructured(value)
    _, semicolon, address = value.partition(";")
    text = address if semicolon else value
    match = ADDRESS.search(text)
    if match:
        return match[0]
    bare = text.strip().strip("<>").strip()
    return bare if "@" in bare and " " not in bare else ""


def _receipt(part: Part) -> Report:
    original, recipients = "", []
    for fields in _blocks(part):
        original = original or message_id(decode_unstructured(fields.get("original-message-id")))
        address = _typed(fields.get("final-recipient")) or _typed(fields.get("original-recipient"))
        if address:
            disposition = decode_unstructured(fields.get("disposition"))
            recipients.append(
                ReportedRecipient(
                    address, disposition.rpartition(";")[2].strip().partition("/")[0].casefold(), "", disposition
                )
            )
    return Report("mdn", tuple(recipients), original)


def _complaint(part: Part, returned_id: str) -> Report:
    recipients: list[ReportedRecipient] = []
    for fields in _blocks(part):
        kind = decode_unstructured(fields.get("feedback-type"))
        named = (_typed(value) for value in (*fields.all("original-rcpt-to"), *fields.all("removal-recipient")))
        recipients += [ReportedRecipient(address, "complained", "", kind) for address in named if address]
    return Report("arf", tuple(recipients), returned_id)


def _returned(parts: list[Part]) -> tuple[str, str]:
    """Message-ID and recipient of the mail that came back, from its copy or its headers."""
    for part in parts:
        if part.parent is None or part.content_type not in (
            "message/rfc822",
            "message/global",
            "text/rfc822-headers",
            "message/rfc822-headers",
            "message/global-headers",
        ):
            continue
        nested = part.nested_mail() if part.content_type in ("message/rfc822", "message/global") else part.content()
        fields, _ = split_header(nested, skip_preamble(nested), len(nested), DefectLog())
        found = message_id(decode_unstructured(fields.get("message-id")))
        recipient = ADDRESS.search(fields.get("to")[:2_000])
        if found or recipient:
            return found, recipient[0] if recipient else ""
    return "", ""
