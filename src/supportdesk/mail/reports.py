"""Delivery reports, receipts and complaints (RFC 3464, RFC 6522, RFC 8098, RFC 5965), and bounces that follow no
standard.

The last are believed only behind a gate: a null return path or a mailer-daemon as the sender. A customer who pastes a
bounce is a customer.
"""

from __future__ import annotations

import re

from supportdesk.mail.headers import Fields, message_id, skip_preamble, split_header
from supportdesk.mail.limits import MAX_RECIPIENT_BLOCKS, DefectLog
from supportdesk.mail.mime import Part
from supportdesk.mail.model import Address, Report, ReportedRecipient
from supportdesk.mail.words import decode_unstructured

_DAEMONS = (
    "mailer-daemon",
    "postmaster",
    "mail-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mdaemon",
    "bounce",
    "bounces",
    "mmdf",
    "mailsystem",
    "mailadm",
    "mailadmin",
    "mailer",
    "uucp",
    "daemon",
    "double-bounce",
)
_SUBJECT = re.compile(
    r"undeliver|unzustellbar|returned (?:mail|to sender)|delivery "
    r"(?:status|fail|notif|problem|error|report|has failed)|mail delivery|"
    r"failure notice|could not (?:be delivered|send)|non remis|nicht "
    r"zugestellt"
    r"|mancata consegna|no se puede entregar|não entregue|mail (?:system "
    r")?error|non[- ]delivery|non consegn|delivery.{0,30}fail|fail.{0,"
    r"30}deliver|returning message|warning: |message (?:status|delayed|"
    r"not delivered)"
    r"|mail could not be|onbestelbaar|undelivered|rejected|user unknown|"
    r"bounce|nondeliverable|配信|エラー|недоставлен|не доставлен|erreur|"
    r"problème|error sending|zustellung|not deliverable|mail failure|"
    r"send(?:ing)? failed"
    r"|message you sent|自動|退信",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&*+/?^_`{|}~][A-Za-z0-9!#$%&'*+/?^_`{|}~.-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
)
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_BASIC = re.compile(r"(?<![\d.-])([45]\d\d)(?=[ -])")
_CAUSE = re.compile(
    r"unknown|does(?:n't| not) exist|not? (?:such )?(?:user|mailbox|"
    r"account|recipient)|rejected|refused|denied|disabled|full|quota|"
    r"exceed|fail|undeliver|could ?n[o']t|cannot|can't|unable|unrout|"
    r"invalid|illegal|error"
    r"|inactive|not (?:found|listed|known|deliver|active|available)|"
    r"no longer|permanent|fatal|returned|the following|bounced|expired|"
    r"timed out|unavailable|blocked|user:|recipient|intended|giving "
    r"up|delayed|over the|unreachable|did not reach",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delayed|will (?:continue to )?(?:be )?re(?:try|tried)|not yet|"
    r"still (?:being|trying)|warning|temporar|deferred|queued|do not "
    r"need to resend|verzögert|ritardo|keep trying",
    re.IGNORECASE,
)
_RETURNED = re.compile(
    r"^\W*(?:-{2,}|_{2,}|={2,}|original message|returned message|message "
    r"header|received:|return-path:|below (?:this line )?is (?:a |"
    r"the )|here is (?:a |your )|included (?:is|below)|unsent message|"
    r"copy of (?:the|your) (?:original )?message"
    r"|your message (?:begins|reads|follows)|the (?:original|header)|"
    r"headers? of|mail (?:contents|header)|start of returned|content-type: "
    r"message)",
    re.IGNORECASE,
)
_CAUSES = (
    (
        "5.2.2",
        re.compile(
            r"mailbox (?:is )?full|over (?:the )?(?:disk )?quota|quota (?:exceeded|"
            r"limit)|exceeded (?:the )?(?:storage|quota|allowed)|insufficient "
            r"(?:disk )?space|not enough space",
            re.IGNORECASE,
        ),
    ),
    (
        "5.1.2",
        re.compile(
            r"host unknown|unknown host|unrouteable (?:mail )?domain|domain "
            r"(?:does not exist|not found)|no such (?:host|domain)|name service "
            r"error|all relevant mx",
            re.IGNORECASE,
        ),
    ),
    (
        "5.1.1",
        re.compile(
            r"user unknown|unknown user|no such user|no mailbox here|does(?:n't|"
            r" not) exist|unknown (?:recipient|address|local)|recipient (?:unknown|"
            r"not found)|mailbox (?:not found|unavailable)|invalid recipient|"
            r"not listed|address unknown",
            re.IGNORECASE,
        ),
    ),
    (
        "4.4.7",
        re.compile(
            r"retry (?:time(?:out)? )?(?:not reached|exceeded)|delivery time "
            r"expired|message expired|could not be delivered for \d|timed "
            r"out|connection refused",
            re.IGNORECASE,
        ),
    ),
)
_SHOWN_LINES = 120
_ACTIONS = frozenset(("failed", "delayed", "delivered", "relayed", "expanded"))


def read_report(
    root: Part, from_: tuple[Address, ...], return_path: str | None, subject: str, text: str
) -> Report | None:
    """What a mail reports about other mail, or None for an ordinary one."""
    parts = list(root.walk())
    kinds = {part.content_type: part for part in reversed(parts) if not part.children}
    declared = root.params.get("report-type", "").casefold() if root.content_type == "multipart/report" else ""
    returned_id, returned_to = _returned(parts)
    if status := kinds.get("message/delivery-status") or kinds.get("message/global-delivery-status"):
        recipients, envelope_id = _delivery_status(status)
        if recipients or declared == "delivery-status":
            return Report("dsn", recipients or _guessed(text, returned_to), returned_id, envelope_id)
    if receipt := kinds.get("message/disposition-notification") or kinds.get("message/global-disposition-notification"):
        return _receipt(receipt)
    if complaint := kinds.get("message/feedback-report"):
        return _complaint(complaint, returned_id)
    if not _is_from_daemon(from_, return_path, root.fields, subject):
        return None
    failed = root.fields.first("x-failed-recipients")
    if failed:
        code = _status(text)
        delayed = code.startswith("4") or (not code and bool(_DELAYED.search(text[:2_000])))
        named = tuple(
            ReportedRecipient(address.lower(), "delayed" if delayed else "failed", code, "")
            for address in _ADDRESS.findall(failed)
        )
        if named:
            return Report("dsn", named, returned_id or _id_in_text(text))
    recipients = _guessed(text, returned_to)
    if recipients or declared == "delivery-status":
        return Report("dsn", recipients, returned_id or _id_in_text(text))
    return None


def _blocks(part: Part) -> list[Fields]:
    """The groups of fields of a status part, separated by empty lines (RFC 3464 2.1)."""
    content = part.content() + b"\n\n"
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
        if body <= at:
            newline = content.find(b"\n", at)
            body = len(content) if newline < 0 else newline + 1
        at = body
    return blocks


def _delivery_status(part: Part) -> tuple[tuple[ReportedRecipient, ...], str]:
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
        status = _status(fields.get("status")) or _status(diagnostic)
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
    match = _ADDRESS.search(text)
    if match:
        return match[0]
    bare = text.strip().strip("<>").strip()
    return bare if "@" in bare and " " not in bare else ""


def _status(text: str) -> str:
    text = text[:20_000]
    if match := _ENHANCED.search(text):
        return match[1]
    if match := _BASIC.search(text):
        return _cause(text) or f"{match[1][0]}.0.0"
    return _cause(text)


def _cause(text: str) -> str:
    """The enhanced code (RFC 3463) that a bounce means by its words."""
    return next((code for code, pattern in _CAUSES if pattern.search(text)), "")


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
        recipient = _ADDRESS.search(fields.get("to")[:2_000])
        if found or recipient:
            return found, recipient[0] if recipient else ""
    return "", ""


def _id_in_text(text: str) -> str:
    """The Message-ID of the mail that came back inside the text itself."""
    for line in text[:200_000].split("\n"):
        bare = line.lstrip("> \t")
        if bare[:11].casefold() == "message-id:":
            return message_id(bare[11:])
    return ""


def _is_from_daemon(from_: tuple[Address, ...], return_path: str | None, fields: Fields, subject: str) -> bool:
    if (
        "auto-submitted" in fields
        and fields.get("auto-submitted").strip().casefold().startswith("auto-replied")
        and "x-failed-recipients" not in fields
    ):
        # A vacation notice has a null return path as well.
        return bool(_SUBJECT.search(subject))
    daemon = (
        any(one.norm.partition("@")[0] in _DAEMONS for one in from_)
        or "mailer-daemon" in fields.get("from").casefold()
        or "mail delivery" in fields.get("from").casefold()
    )
    if "x-failed-recipients" in fields:
        return True
    if daemon:
        return True
    return return_path == "" and bool(_SUBJECT.search(subject))


def _guessed(text: str, returned_to: str) -> tuple[ReportedRecipient, ...]:
    """The recipients that a bounce in plain words names: addresses near a cause, before the returned mail begins."""
    lines = text[:50_000].split("\n")[:_SHOWN_LINES]
    end = next(
        (
            number
            for number, line in enumerate(lines)
            if number > 2 and _RETURNED.match(line.strip()[:200]) and _names_someone(lines[:number])
        ),
        len(lines),
    )
    shown = lines[:end]
    status = _status("\n".join(shown))
    delayed = status.startswith("4") or (not status.startswith("5") and bool(_DELAYED.search("\n".join(shown)[:3_000])))
    action, default = ("delayed", "4.0.0") if delayed else ("failed", "5.0.0")
    found: dict[str, ReportedRecipient] = {}
    near = 0  # lines for which a cause that was named still counts
    for number, line in enumerate(shown):
        caused = bool(_CAUSE.search(line[:500]))
        near = 4 if caused else near - 1
        ahead = any(_CAUSE.search(other[:500]) for other in shown[number + 1 : number + 4])
        if near <= 0 and not ahead:
            continue
        for address in _ADDRESS.findall(line[:1_000]):
            local = address.partition("@")[0].casefold()
            if (
                local in _DAEMONS
                or "message-id" in line.casefold()
                or line.lstrip("> \t")
                .casefold()
                .startswith(
                    ("from:", "sender:", "reply-to:", "received:", "return-path:", "references:", "in-reply-to:")
                )
            ):
                continue
            own = _status(line) or status
            found.setdefault(
                address.casefold(), ReportedRecipient(address.rstrip("."), action, own or default, line.strip()[:500])
            )
    if not found and returned_to and (status or _CAUSE.search("\n".join(shown)[:5_000])):
        found[returned_to.casefold()] = ReportedRecipient(returned_to, action, status or default, "")
    return tuple(found.values())


def _names_someone(lines: list[str]) -> bool:
    return any("@" in line for line in lines)
