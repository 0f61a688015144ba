"""No value smuggles a header in, and no body ends the mail early."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from supportdesk.mail.compose import ComposeError, build
from supportdesk.mail.model import Address, OutgoingAttachment
from tests.mail.composed_mail import FULL, header_names, reread

PAYLOADS = {
    "CR": "x\rBcc: evil@x.example",
    "LF": "x\nBcc: evil@x.example",
    "CRLF": "x\r\nBcc: evil@x.example",
    "CRLF CRLF": "x\r\n\r\nevil body",
    "folded": "x\r\n Bcc: evil@x.example",
    "VT": "x\x0bBcc: evil@x.example",
    "FF": "x\x0cBcc: evil@x.example",
    "NEL": "x\x85Bcc: evil@x.example",
    "LS": "x\u2028Bcc: evil@x.example",
    "NUL": "x\x00Bcc: evil@x.example",
    "ESC": "x\x1b]0;y\x07",
    "C1": "x\x9b31m",
    "encoded word": "=?utf-8?q?x=0D=0ABcc:_evil=40x.example?=",
    "encoded word b64": "=?utf-8?b?eA0KQmNjOiBldmlsQHguZXhhbXBsZQ==?=",
    "RFC 2231": "UTF-8''x%0D%0ABcc:%20evil@x.example",
    "quote": 'x"; filename="evil.exe',
    "5,000": "x" * 5000,
    "5,000 words": "x " * 2500,
    "surrogate": "x\ud800",
    "IDN": "xn--é.example",
    "comma": "x, evil@x.example",
    "angle": "x> <evil@x.example",
}  # fmt: skip
PLACES = {
    "subject": lambda mail, evil: replace(mail, subject=evil),
    "from name": lambda mail, evil: replace(mail, from_=Address(evil, mail.from_.addr)),
    "from addr": lambda mail, evil: replace(mail, from_=Address("", evil)),
    "from local": lambda mail, evil: replace(mail, from_=Address("", f"{evil}@shop.example")),
    "from domain": lambda mail, evil: replace(mail, from_=Address("", f"support@{evil}")),
    "to name": lambda mail, evil: replace(mail, to=(Address(evil, "hans@customer.example"),)),
    "to addr": lambda mail, evil: replace(mail, to=(Address("Hans", evil),)),
    "to local": lambda mail, evil: replace(mail, to=(Address("", f"{evil}@x.example"),)),
    "to domain": lambda mail, evil: replace(mail, to=(Address("", f"hans@{evil}"),)),
    "cc name": lambda mail, evil: replace(mail, cc=(Address(evil, "c@c.example"),)),
    "cc addr": lambda mail, evil: replace(mail, cc=(Address("", evil),)),
    "bcc name": lambda mail, evil: replace(mail, bcc=(Address(evil, "b@b.example"),)),
    "bcc addr": lambda mail, evil: replace(mail, bcc=(Address("", evil),)),
    "reply-to name": lambda mail, evil: replace(mail, reply_to=Address(evil, "r@r.example")),
    "reply-to addr": lambda mail, evil: replace(mail, reply_to=Address("", evil)),
    "message-id": lambda mail, evil: replace(mail, message_id=f"<{evil}@x>"),
    "in-reply-to": lambda mail, evil: replace(mail, in_reply_to=f"<{evil}@x>"),
    "references": lambda mail, evil: replace(mail, references=(f"<{evil}@x>", evil, "<ok@x>")),
    "language": lambda mail, evil: replace(mail, language=evil),
    "automatic": lambda mail, evil: replace(mail, automatic=evil, instance="a", quoted=""),
    "instance": lambda mail, evil: replace(mail, automatic="auto-replied", instance=evil, quoted=""),
    "filename": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment(evil, "text/plain", b"x"),)),
    "extension": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment(f"a.{evil}", "text/plain", b"x"),)),
    "media type": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment("a", evil, b"x"),)),
    "subtype": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment("a", f"text/{evil}", b"x"),)),
    "text": lambda mail, evil: replace(mail, text=evil),
    "signature": lambda mail, evil: replace(mail, signature=evil),
    "attribution": lambda mail, evil: replace(mail, attribution=evil),
    "quoted": lambda mail, evil: replace(mail, quoted=evil),
}
ALLOWED = {
    "Date", "From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "X-Supportdesk-Instance", "Content-Language", "MIME-Version", "Content-Type",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("smtputf8", [False, True])
def test_c09_no_value_injects_a_header(place: str, payload: str, smtputf8: bool) -> None:
    mail = PLACES[place](FULL, PAYLOADS[payload])
    try:
        built = build(mail, smtputf8=smtputf8)
    except ComposeError:
        return
    names = header_names(built)
    assert set(names) <= ALLOWED
    assert len(names) == len(set(names))
    assert "evil@x.example" not in built.recipients
    assert len(built.recipients) == len({address.addr for address in (*mail.to, *mail.cc, *mail.bcc)})
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", built.data)
    assert max(map(len, built.data.split(b"\r\n"))) <= 998
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", built.data.decode("utf-8"))
    parts = [part for part in reread(built).walk() if not part.is_multipart()]
    assert len(parts) == 2 + len(mail.attachments)
    assert all(
        set(part.keys()) <= {"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} for part in parts
    )


def test_c09_control_characters_in_header_values_are_refused_and_the_field_is_named() -> None:
    for place, field in (
        ("subject", "Subject"),
        ("to name", "To"),
        ("cc name", "Cc"),
        ("bcc name", "Bcc"),
        ("filename", "filename"),
    ):
        for payload in ("CR", "LF", "CRLF", "VT", "FF", "NEL", "LS", "NUL", "ESC", "C1", "surrogate"):
            with pytest.raises(ComposeError, match=field):
                build(PLACES[place](FULL, PAYLOADS[payload]))


SMUGGLED = [
    "\n.\n",
    "\r.\r",
    "\n.\r\n",
    "\r\n.\r",
    "\r\n.\r\n",
    "\0.",
    "\r\n.\r\nMAIL FROM:<x>\r\n",
    "\n.\rRCPT TO:<y>\n",
    "\x85.\x85",
    ".",
]


@pytest.mark.parametrize("body", SMUGGLED)
@pytest.mark.parametrize("place", ["text", "signature", "attribution", "quoted", "attachment"])
def test_c10_no_body_can_end_the_mail_early(body: str, place: str) -> None:
    mail = FULL
    if place == "attachment":
        mail = replace(mail, attachments=(OutgoingAttachment("a", "text/plain", f"x{body}y".encode()),))
    else:
        mail = PLACES[place](mail, f"x{body}y")
    data = build(mail).data
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert b"\r\n.\r\n" not in data
    assert b"\0" not in data
    assert data.endswith(b"\r\n")
