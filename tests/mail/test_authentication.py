"""Which reports about a sender are believed."""

from __future__ import annotations

import pytest

from supportdesk.mail.authentication import reported_dmarc
from supportdesk.mail.parse import parse

OURS = "mx.shop.example"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ((), ""),
        (("mx.shop.example; spf=pass smtp.mailfrom=example.com; dmarc=pass header.from=example.com",), "pass"),
        (("mx.shop.example; dmarc=fail header.from=example.com",), "fail"),
        (("mx.shop.example; spf=none; dmarc=none",), "none"),
        (("mx.shop.example 1; spf=pass",), "none"),
        (("evil.example; dmarc=pass",), ""),
        (("evil.example; dmarc=fail",), "fail"),
        (("mx.shop.example; dmarc=none", "mx.shop.example; dmarc=pass"), "none"),
        (('mx.shop.example; spf=pass reason="dmarc=fail"',), "none"),
    ],
)
def test_a_failure_is_believed_of_anybody_the_rest_of_our_own_server(fields: tuple[str, ...], said: str) -> None:
    head = "".join(f"Authentication-Results: {field}\r\n" for field in fields)
    mail = parse(f"{head}From: rosa@example.com\r\nSubject: x\r\n\r\nx\r\n".encode())
    assert reported_dmarc(mail, OURS) == said
