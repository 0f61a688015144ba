"""What mail servers report of a sender: DMARC, as the Authentication-Results fields tell it (RFC 8601)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from supportdesk.mail.model import ParsedMail

Dmarc = Literal["", "pass", "fail", "none"]

_FAILED = re.compile(r"(?:^|;)\s*dmarc\s*=\s*fail\b", re.IGNORECASE)
_PASSED = re.compile(r"(?:^|;)\s*dmarc\s*=\s*pass\b", re.IGNORECASE)


def reported_dmarc(mail: ParsedMail, authserv_id: str) -> Dmarc:
    """What the Authentication-Results fields say of DMARC (RFC 8601); `authserv_id` is the mailbox's own server.

    A failure is believed whoever reports it: a forged one only costs its sender the acknowledgement. That nothing was
    proved is believed of our own server alone, and only where it reports at all.
    """
    if any(_FAILED.search(value) for value in mail.header_all("Authentication-Results")):
        return "fail"
    own = [
        value
        for value in mail.header_all("Authentication-Results")
        if authserv_id and value.partition(";")[0].split()[:1] == [authserv_id]
    ]
    if not own:
        return ""
    return "pass" if _PASSED.search(own[0]) else "none"
