"""Bounces in plain words, which follow no standard (AUTO-2): whom they name, and what they say about it.

They are believed only behind a gate: a null return path or a mailer-daemon as the sender, or a known subject together
with a known sentence. A customer who pastes or forwards a bounce is a customer.
"""

from __future__ import annotations

import json
import re

from supportdesk.mail.bounce_words import meaning, status_in
from supportdesk.mail.headers import Fields, message_id
from supportdesk.mail.limits import MAX_RECIPIENT_BLOCKS
from supportdesk.mail.model import Address, Report, ReportedRecipient

ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&*+/?^_`{|}~][A-Za-z0-9!#$%&'*+/?^_`{|}~.-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
)
_DAEMONS = frozenset(
    "mailer-daemon postmaster post_master mail-daemon mailerdaemon mailer_daemon mdaemon bounce bounces mmdf "
    "mailsystem mailadm mailadmin mailer uucp daemon double-bounce".split()
)
_SUBJECT = re.compile(
    r"undeliver|unzustellbar|returned (?:mail|to sender)|delivery (?:status|fail|notif|problem|error|report|warning|"
    r"has failed)|mail delivery|failure notice|could not (?:be delivered|send)|non remis|nicht zugestellt|"
    r"mancata consegna|"
    r"no se puede entregar|não entregue|mail (?:system )?error|non[- ]delivery|non consegn|delivery.{0,30}fail|"
    r"fail.{0,30}deliver|returning message|warning: |message (?:status|delayed|not delivered)|mail could not be|"
    r"onbestelbaar|undelivered|rejected|user unknown|bounce|nondeliverable|配信|エラー|недоставлен|не доставлен|erreur|"
    r"problème|error sending|zustellung|not deliverable|mail failure|send(?:ing)? failed|message you sent|自動|退信|"
    r"failed mail|失败|失敗",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"\s*(?:re|aw|sv|fwd?|wg|tr|rv|i|r)\s*:", re.IGNORECASE)
# Whole sentences of gateways that send as anybody: only with a subject that says the same.
_SENTENCES = re.compile(
    r"could not be delivered to (?:the following|one or more|<|$)|unable to deliver (?:the |this |your )?message to|"
    r"non-delivery report|failed recipient|your message (?:with subject|could not)|"
    r"no valid recipients|mail ?box(?:es)? (?:is|are) full|delivery of email to this address|"
    r"could not deliver (?:the )?(?:message|mail)|error: invalid user address|delivery failed|n'a pas pu etre delivre|"
    r"could not be delivered to:",
    re.IGNORECASE | re.MULTILINE,
)
_HINTS = ("deliver", "recipient", "mailbox", "mail box", "invalid user", "delivre")
_ANSWERED = re.compile(r"non remis|delivery failed", re.IGNORECASE)  # gateways that answer with the old subject
_CAUSE = re.compile(
    r"unknown|does(?:n't| not) exist|not? (?:such )?(?:user|mailbox|account|recipient)|rejected|refused|denied|"
    r"disabled|full|quota|exceed|fail|undeliver|could ?n[o']t|cannot|can't|unable|unrout|invalid|illegal|"
    r"error|inactive|"
    r"not (?:yet |been )*(?:found|listed|known|deliver|active|available)|no longer|permanent|fatal|returned|"
    r"the following|bounced|expired|timed out|unavailable|blocked|user:|recipient|intended|giving up|delayed|"
    r"over the|unreachable|"
    r"did not reach|postponed",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delayed|will (?:continue to )?(?:be )?re(?:try|tried)|not yet been deliver|has not yet|still (?:being|trying)|"
    r"warning (?:message )?only|advisory-only|attempts will continue|do not need to resend|verzögert|keep trying|"
    r"postponed|will continue to try|in ritardo|wird weiterhin versucht",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"permanent|not going to try again|giv(?:en|ing) up(?! after)|has failed|fatal error|"
    r"final attempt|have been unable",
    re.IGNORECASE,
)
_RETURNED = re.compile(
    r"^\W*(?:-{2,}|_{2,}|={2,}|original message|returned message|message header|received:|return-path:|"
    r"below (?:this line )?is (?:a |the )|here is (?:a |your )|included (?:is|below)|unsent message|"
    r"copy of (?:the|your) (?:original )?message|your message (?:begins|reads|follows)|"
    r"the (?:original|header|first \d)|headers? of|mail (?:contents|header)|start of returned|"
    r"content-type: message|old message)",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"[\s>*\-:\u2022\[(]*(?:[45]\d\d[ -])?(?:(?:failed )?recipients?:|to:|rcpt to:|user:|address:|email:|"
    r"could not be delivered to:)?\s*"
    r"(?:\"[^\"]{0,80}\"\s*|'[^']{0,80}'\s*|rfc822;\s*)?[<\"'(\[]{0,2}(?:mailto:|smtp:)?(ADDRESS)[>\"')\]]{0,2}"
    r"(?:\s*[:;,.]?\s*$|\s*:\s|\s*\[|\s+on \w|\s*\(|\s*\.\.\.|\s*;\s)".replace("ADDRESS", ADDRESS.pattern),
    re.IGNORECASE,
)
_TALK = re.compile(r"transcript|server message|smtp command|session", re.IGNORECASE)
_FOREIGN_FIELDS = (
    "from:",
    "sender:",
    "reply-to:",
    "received:",
    "return-path:",
    "references:",
    "in-reply-to:",
    "mail from:",
)
_NO_RECIPIENTS = (
    "for further assistance",
    "please contact",
    "for assistance",
    "if you need",
    "please reply",
    "contact <",
)
_SHOWN_LINES = 120
_EXPLAINED_LINES = 6


def read_plain_bounce(
    fields: Fields,
    from_: tuple[Address, ...],
    own: tuple[Address, ...],
    return_path: str | None,
    subject: str,
    text: str,
    returned: tuple[str, str],
    *,
    declared: bool,
) -> Report | None:
    """The report in a mail without a status part, or None. `own`: whom it was sent to; `returned`: id and recipient of
    the mail that came back with it; `declared`: its type says that it is a report.
    """
    returned_id, returned_to = returned
    if not _passes(fields, from_, return_path, subject, text):
        return _from_simple_notification(from_, text)
    shown = _own_words(text)
    failed = fields.first("x-failed-recipients")
    if failed and (named := _failed(failed, shown)):
        return Report("dsn", named, returned_id or id_in_text(text))
    aside = {one.norm for one in (*own, *from_)}
    recipients = _named(shown, aside, returned_to or _returned_to_in_text(text))
    if recipients or declared or _is_daemon(from_, fields):
        if (
            not recipients
            and not declared
            and not (_SUBJECT.search(subject) and _CAUSE.search("\n".join(shown)[:5_000]))
        ):
            return None
        return Report("dsn", recipients, returned_id or id_in_text(text))
    return None


def explain(text: str, address: str) -> str:
    """What a report's human part says of an address: its line and those that follow, up to the next address."""
    lines = text[:50_000].split("\n")[: 2 * _SHOWN_LINES]
    wanted = address.casefold()
    at = next((number for number, line in enumerate(lines) if wanted in line.casefold()), -1)
    if at < 0:
        return ""
    alone = len(ADDRESS.sub("", lines[at])) < 12
    return _paragraph(lines, at) if alone or not meaning(lines[at]) else lines[at].strip()[:500]


def may_be_bounce(fields: Fields, from_: tuple[Address, ...], return_path: str | None, subject: str) -> bool:
    """Whether a foreign heuristic may look at a mail: a known subject, and no person behind sender or envelope."""
    if _ANSWER.match(subject) or not _SUBJECT.search(subject) or (return_path and not is_daemon_name(return_path)):
        return False
    return return_path == "" or _is_daemon(from_, fields)


def is_daemon_name(address: str) -> bool:
    """Whether an address is that of a mail server's own mailbox."""
    return address.casefold().partition("@")[0] in _DAEMONS


def guessed(text: str, own: tuple[Address, ...], returned_to: str) -> tuple[ReportedRecipient, ...]:
    """The recipients that a text names, for a report whose status part names none."""
    return _named(_own_words(text), {one.norm for one in own}, returned_to)


def id_in_text(text: str) -> str:
    """The Message-ID of the mail that came back inside the text itself."""
    for line in text[:200_000].split("\n"):
        bare = line.lstrip("> \t")
        if bare[:11].casefold() == "message-id:":
            return message_id(bare[11:])
    return ""


def _passes(fields: Fields, from_: tuple[Address, ...], return_path: str | None, subject: str, text: str) -> bool:
    if "x-failed-recipients" in fields:
        return True
    if fields.get("auto-submitted").strip().casefold().startswith("auto-replied"):
        # A vacation notice has a null return path as well.
        return _SUBJECT.search(subject) is not None
    if _is_daemon(from_, fields):
        return True
    if return_path == "" and _SUBJECT.search(subject):
        return True
    beginning = text[:1_500].casefold()
    if not any(hint in beginning for hint in _HINTS):
        return False
    if _ANSWER.match(subject):
        return bool(_ANSWERED.search(subject)) and _SENTENCES.search(beginning) is not None
    return _SUBJECT.search(subject) is not None and _SENTENCES.search(beginning) is not None


def _is_daemon(from_: tuple[Address, ...], fields: Fields) -> bool:
    written = fields.get("from").casefold()
    return any(is_daemon_name(one.norm) for one in from_) or "mailer-daemon" in written or "mail delivery" in written


def _own_words(text: str) -> list[str]:
    """The lines before the mail that came back begins."""
    lines = text[:50_000].split("\n")[:_SHOWN_LINES]
    for number, line in enumerate(lines):
        if number > 2 and _RETURNED.match(line.strip()[:200]) and any("@" in one for one in lines[:number]):
            if line.lstrip()[:1] in "-_=" and (_CAUSE.search(line) or _TALK.search(line)):
                continue
            return lines[:number]
    return lines


def _failed(value: str, shown: list[str]) -> tuple[ReportedRecipient, ...]:
    action = _action("\n".join(shown))
    whole = "\n".join(shown)
    found = []
    for address in ADDRESS.findall(value):
        words = explain(whole, address)
        found.append(ReportedRecipient(address.lower(), action, status_in(words) or status_in(whole), words))
    return tuple(found)


def _action(text: str) -> str:
    return "delayed" if _DELAYED.search(text[:3_000]) and not _GIVEN_UP.search(text[:3_000]) else "failed"


def _named(shown: list[str], aside: set[str], returned_to: str) -> tuple[ReportedRecipient, ...]:
    whole = "\n".join(shown)
    action = _action(whole)
    status = status_in(whole)
    default = status or ("4.0.0" if action == "delayed" else "5.0.0")
    found: dict[str, ReportedRecipient] = {}
    spare: dict[str, ReportedRecipient] = {}
    said: dict[int, tuple[str, str]] = {}  # by line: its words and the status that they mean
    for number, address in (_alone(shown) or _near_a_cause(shown))[:MAX_RECIPIENT_BLOCKS]:
        key = address.casefold()
        if number not in said:
            words = _paragraph(shown, number)
            said[number] = words, status_in(words) or default
        words, own = said[number]
        known = spare if key in aside or is_daemon_name(key) else found
        known.setdefault(key, ReportedRecipient(address, action, own, words))
    if not found and returned_to and (status or _CAUSE.search(whole[:5_000])):
        found[returned_to.casefold()] = ReportedRecipient(returned_to, action, default, whole.strip()[:500])
    return tuple((found or spare).values())


def _alone(shown: list[str]) -> list[tuple[int, str]]:
    """The lines that name nothing but an address, or begin with one."""
    found = []
    for number, line in enumerate(shown):
        match = _ALONE.match(line[:1_000])
        if match and not _is_aside(shown, number):
            found.append((number, match[1]))
    return found


def _near_a_cause(shown: list[str]) -> list[tuple[int, str]]:
    """Addresses within a few lines of a word that says what is wrong."""
    found = []
    near = 0  # lines for which a cause that was named still counts
    for number, line in enumerate(shown):
        near = 4 if _CAUSE.search(line[:500]) else near - 1
        if near <= 0 and not any(_CAUSE.search(other[:500]) for other in shown[number + 1 : number + 4]):
            continue
        if not _is_aside(shown, number):
            found += [(number, address.rstrip(".")) for address in ADDRESS.findall(line[:1_000])]
    return found


def _is_aside(shown: list[str], number: int) -> bool:
    """Whether a line names an address for another reason than that mail to it failed."""
    line = shown[number].casefold()
    before = shown[number - 1].casefold() if number else ""
    after = shown[number + 1].lstrip("> \t").casefold() if number + 1 < len(shown) else ""
    return (
        "message-id" in line
        # The head of the mail that came back: whom it was written to, not who could not be reached.
        or (line.lstrip("> \t").startswith(("to:", "cc:")) and after.startswith(("subject:", "sent:", "date:", "cc:")))
        or line.lstrip("> \t").startswith(_FOREIGN_FIELDS)
        or any(phrase in line or phrase in before[-60:] for phrase in _NO_RECIPIENTS)
    )


def _paragraph(lines: list[str], at: int) -> str:
    """A line and what follows it, up to an empty line once something is said, or the next address that stands alone."""
    pieces = [lines[at].strip()]
    for line in lines[at + 1 : at + 1 + _EXPLAINED_LINES]:
        if _ALONE.match(line[:1_000]):
            break
        if line.strip():
            pieces.append(line.strip())
        elif meaning(" ".join(pieces)):
            break
    return " ".join(pieces)[:500]


def _returned_to_in_text(text: str) -> str:
    """Whom the mail that came back inside the text was written to."""
    for line in text[:50_000].split("\n"):
        bare = line.lstrip("> \t")
        if bare[:3].casefold() == "to:" and (match := ADDRESS.search(bare[:1_000])):
            return match[0]
    return ""


def _from_simple_notification(from_: tuple[Address, ...], text: str) -> Report | None:
    """Amazon's notification service mails its reports as one JSON object."""
    if not text.startswith("{") or not any(one.domain.endswith("amazonaws.com") for one in from_):
        return None
    try:
        told, _ = json.JSONDecoder().raw_decode(text[:200_000].replace("\n", " "))
        kind, mail = told["notificationType"], told["mail"]
        original = str(mail.get("commonHeaders", {}).get("messageId", ""))
        if kind == "Bounce":
            bounce = told["bounce"]
            given_up = "failed" if bounce["bounceType"] == "Permanent" else "delayed"
            return Report("dsn", tuple(
                ReportedRecipient(str(one["emailAddress"]), str(one.get("action") or given_up),
                                  str(one.get("status", "")), str(one.get("diagnosticCode", ""))[:500])
                for one in bounce["bouncedRecipients"][:1_000]
            ), original)  # fmt: skip
        if kind == "Delivery":
            return Report("dsn", tuple(
                ReportedRecipient(str(one), "delivered", "2.0.0", str(told["delivery"].get("smtpResponse", ""))[:500])
                for one in told["delivery"]["recipients"][:1_000]
            ), original)  # fmt: skip
        if kind == "Complaint":
            return Report("arf", tuple(
                ReportedRecipient(str(one["emailAddress"]), "complained", "",
                                  str(told["complaint"].get("complaintFeedbackType", "")))
                for one in told["complaint"]["complainedRecipients"][:1_000]
            ), original)  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return None
