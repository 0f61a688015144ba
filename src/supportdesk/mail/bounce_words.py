"""What mail servers mean by their words: the enhanced status code (RFC 3463) of a refusal, and whether the address is
at fault.

Servers give the wrong code as often as none, so the words count first. The order of the table is the order of trust:
what names the sender, the content or a quota is not about the address, whatever the code says.
"""

from __future__ import annotations

import re

_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_BASIC = re.compile(r"(?<![\d.-])([45]\d\d)(?=[ -])")
_LONGEST = 5_000
# No such mailbox, no such domain, bad syntax, moved without a new address, a domain that takes no mail (RFC 7505).
_HARD = frozenset(("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4", "4.1.1"))

_NOT_THE_ADDRESS = ("5.2.2", "5.2.3", "5.3.4", "5.7.")


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_MEANINGS = (
    # Microsoft's words for a mailbox that its directory does not know.
    ("5.1.1", _words(
        r"recipient address rejected: access denied",
    )),
    ("5.2.2", _words(
        r"mailbox (?:is )?full", r"mail ?folder is full", r"full mailbox",
        r"over (?:the )?(?:disk |storage )?quota", r"quota (?:exceeded|limit|violation|is full)",
        r"exceed(?:ed|s) (?:the |his |their )?(?:storage|quota|allowed|mailbox|disk)",
        r"(?:insufficient|not enough) (?:disk |storage |system )?(?:space|storage)", r"(?:disk|storage|user) quota",
        r"no space left", r"inbox is full", r"mailbox has exceeded", r"out of storage", r"メールボックスが一杯",
        r"boîte .{0,30}pleine", r"casella .{0,30}piena", r"postfach .{0,30}voll",
    )),
    ("5.2.3", _words(
        r"(?:message|mail|size|header)s?.{0,40}(?:too (?:big|large)|exceeds.{0,30}(?:size|limit|maximum))",
        r"larger than the (?:current )?(?:system )?(?:storage )?limit", r"maximum (?:message )?size",
    )),
    ("5.4.6", _words(
        r"too many hops", r"hop count", r"mail (?:forwarding )?loop", r"routing loop", r"loops? back to",
    )),
    ("5.1.8", _words(
        r"sender (?:address |verify |is |was |domain )?(?:rejected|refused|denied|unknown|blocked|failed)",
        r"(?:domain of )?sender(?:'s)? (?:address )?.{0,80}(?:does not exist|not exist|must (?:exist|resolve))",
        r"invalid sender", r"bad sender", r"verification failed for <", r"envelope sender",
    )),
    ("5.7.1", _words(
        r"\bspam", r"blacklist", r"black list", r"block(?:ed)? ?list", r"\brbl\b", r"dnsbl", r"spamhaus",
        r"spamcop", r"\bblocked\b", r"reputation", r"\bvirus", r"malware", r"infected", r"polic(?:y|ies)",
        r"not (?:permitted|allowed|authori[sz]ed|accepted|verified)", r"permission",
        r"relay(?:ing)? (?:is )?(?:denied|access|not|prohibited)", r"not .{0,30}\brelay", r"unable to relay",
        r"\bspf\b", r"\bdkim\b", r"\bdmarc\b", r"authenticat", r"reverse dns", r"\bptr\b", r"rdns",
        r"access denied", r"content (?:was )?reject",
        r"message (?:was )?(?:content )?(?:rejected|filtered|refused)", r"banned",
        r"too many (?:recipients|connections|messages)", r"frequency limited", r"rate (?:limit|that)", r"redundant",
        r"protocol violation", r"greylist", r"mismatches client", r"denied by", r"starttls", r"\btls\b",
        r"client host", r"helo", r"valid sender domain", r"mail from .{0,80}reject", r"inspection",
        r"receiving mail at a",
    )),
    ("5.2.1", _words(
        r"(?:account|mailbox|user|address|recipient).{0,60}(?:disabled|inactive|suspended|"
        r"frozen|deactivated|discontinued|locked|bloque|not active|closed|expired)",
        r"(?:inactive|disabled|suspended) (?:user|account|mailbox)",
    )),
    ("5.6.0", _words(
        r"8-bit data", r"duplicate header", r"malformed (?:address|header|message)", r"headers? too",
        r"not implemented", r"syntax error",
    )),
    ("5.1.10", _words(
        r"(?:host|domain|server).{0,30}(?:does(?: not|n't)|never) accepts? mail", r"null mx", r"nullmx",
        r"does not accept any mail", r"no mail service", r"no mx (?:record )?found",
        r"couldn't find a mail exchanger", r"indicated no smtp service", r"doesn't receive email",
    )),
    ("5.1.2", _words(
        r"host (?:or domain name )?(?:unknown|not found)", r"unknown host", r"host .{0,60} not found",
        r"unrouteable", r"domain .{0,80}(?:does not exist|not found|is invalid)", r"no such (?:host|domain)",
        r"name service error", r"all relevant mx", r"non-?exist[ae]nt (?:host|domain)", r"illegal host",
        r"bad destination (?:host|mailbox)", r"unknown (?:mail )?domain", r"no route to domain",
        r"domain not in service", r"domain is not reachable", r"nxdomain",
    )),
    ("5.1.1", _words(
        r"user(?: is|name)? ?(?:unknown|not (?:found|known|exist))",
        r"unknown (?:\w+ )?(?:user|recipient|address|local|mailbox|account)",
        r"no (?:such|valid) (?:\w+ )?(?:user|mailbox|recipient|account|address|person|local|alias)",
        r"no mailbox (?:here|found|by)",
        r"(?:user|address|account|recipient|mailbox|alias|it).{0,60}(?:does(?:n't| not)|do not) exist",
        r"not (?:a )?(?:known|valid) (?:user|mailbox|recipient|address|account)",
        r"recipient (?:address |name )?(?:is )?(?:unknown|not (?:found|recognized))",
        r"mailbox (?:not found|unavailable|does)", r"user doesn't have an? .{0,40}account",
        r"address couldn't be found", r"invalid final delivery userid", r"(?<!sender )address rejected\.",
        r"undeliverable address", r"invalid (?:recipient|user|mailbox|address)", r"not listed", r"address unknown",
        r"not found in directory", r"user .{0,60} not (?:found|listed|known)",
        r"no longer (?:valid|available|exists|at|with|in use|on)", r"unbekannter? (?:benutzer|empf)",
        r"utente sconosciuto", r"utilisateur inconnu", r"not our customer", r"no matches to nameserver",
        r"did not exactly match",
    )),
    ("4.4.7", _words(
        r"retry (?:time(?:out)? )?(?:not reached|exceeded)", r"delivery time expired",
        r"(?:message|envelope|queue).{0,20}expired", r"could not be delivered for \d", r"timed? ?out",
        r"connection (?:refused|reset|lost)", r"too long", r"not reachable", r"unreachable", r"unable to connect",
        r"cannot send message for", r"no answer", r"not responding", r"queue period", r"unavailable or busy",
        r"server (?:is )?busy", r"wasn't able to establish",
    )),
    ("5.3.0", _words(
        r"system (?:error|problem)", r"service (?:currently )?(?:is )?unavailable", r"transaction failed",
        r"local (?:error|problem)", r"i/o error", r"mailer (?:error|exited)", r"procmail", r"command",
    )),
)  # fmt: skip


def meaning(text: str) -> str:
    """The enhanced code that a refusal means by its words; "" when they say nothing known."""
    text = text[:_LONGEST]
    return next((code for code, pattern in _MEANINGS if pattern.search(text)), "")


def status_in(text: str) -> str:
    """The enhanced code that stands in a text, else what its words mean, else the class of its SMTP code."""
    text = text[:_LONGEST]
    if match := _ENHANCED.search(text):
        return match[1]
    if match := _BASIC.search(text):
        return meaning(text) or f"{match[1][0]}.0.0"
    return meaning(text)


def is_hard(status: str, diagnostic: str) -> bool:
    """Whether a final refusal says that the address itself is wrong, so that another mail to it will fail as well.

    A code that names a quota, a policy or a passing trouble is believed; a vague one is read by its words.
    """
    if not status or status.startswith(_NOT_THE_ADDRESS) or (status[0] == "4" and status not in _HARD):
        return False
    return (meaning(diagnostic) or status) in _HARD
