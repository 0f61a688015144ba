"""What an SMTP attempt means for the mail: sent, deferred, failed or uncertain (mail.md OUT-5, OUT-7). Pure.

After the final dot the server may have taken the mail although we never heard of it (RFC 1047): only then is a broken
connection `uncertain`. Before it, the server must discard what it has (RFC 5321 4.1.1.4).
"""

from __future__ import annotations

import re

ENHANCED_CODE = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")  # RFC 3463
ACCOUNT_CODES = frozenset({530, 534, 535, 538})  # authentication, RFC 4954 6: the account's problem, not this mail's
POLICY_CODE = re.compile(r"55[04][ -]5\.7\.\d{1,3}\b")
LATER_WORDS = re.compile(
    r"try(?:ing)? (?:again|later)|later|retry|temporar|rate.?limit|too (?:many|fast|much)|throttl|exceeded",
    re.IGNORECASE,
)
RATE_WORDS = re.compile(r"\A432\b|\b4\.3\.2 .*concurrent|submission rate|sending (?:rate|limit)|throttl", re.IGNORECASE)
QUOTA_WORDS = re.compile(r"\b5\.2\.[02]\b.*(sendasdenied|submission|quota|exceeded)", re.IGNORECASE | re.DOTALL)


def judge_reply(code: int, text: str, *, stage: str) -> str:
    """`deferred`, `failed`, or `uncertain` for a refusal the server put into words at that stage ("": before login)."""
    if not stage:
        return "deferred"  # banner, EHLO, STARTTLS: whatever was refused there, it was not this mail
    if code < 200:
        # Not an SMTP reply at all; after the final dot nobody can tell what became of the mail.
        return judge_silence(stage)
    if code == 552 and stage == "rcpt":
        return "deferred"  # too many recipients, to be read as 452 (RFC 5321 4.5.3.1.10)
    if is_account_problem(code, text, stage=stage) or is_worth_one_more_try(f"{code} {text}"):
        return "deferred"
    if enhanced := ENHANCED_CODE.match(text.lstrip()):
        return "failed" if enhanced.group(1) == "5" else "deferred"
    return "failed" if code >= 500 else "deferred"


def judge_silence(stage: str) -> str:
    """For a connection that broke, or an answer that did not come, at that stage."""
    return "uncertain" if stage == "dot_sent" else "deferred"


def is_rate_limit(text: str) -> bool:
    """True for words by which a server says that the account sends too fast, whatever it thinks of the mail."""
    return bool(RATE_WORDS.search(text))


def is_worth_one_more_try(text: str) -> bool:
    """True for a permanent refusal by policy that itself says to try later: it is deferred once (OUT-7)."""
    return bool(POLICY_CODE.match(text.lstrip()) and LATER_WORDS.search(text))


def is_account_problem(code: int, text: str, *, stage: str) -> bool:
    """True if the server refuses us, our login or our account, so that every mail of the mailbox must wait."""
    if not stage and code >= 500:
        return True
    return code in ACCOUNT_CODES or (code == 554 and bool(QUOTA_WORDS.search(text)))
