"""Base64 as it is found in mail: a big file in pieces is the same file, whatever junk stands between its lines."""

from __future__ import annotations

import base64
import random

import pytest

from supportdesk.mail import transfer
from supportdesk.mail.parse import parse
from supportdesk.mail.transfer import base64_pieces, decode_base64

ENDS = (b"\r\n", b"\n", b"\r", b" \n", b"\n\n", b"")
WIDTHS = (60, 76, 77, 1000, 3)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_big_file_in_pieces_is_the_same_file(monkeypatch: pytest.MonkeyPatch, width: int, end: bytes) -> None:
    monkeypatch.setattr(transfer, "_CHUNK", 500)
    dice = random.Random(width * 10 + len(end))
    for junk in (b"", b"!", b" ", b"\xff\n", b"=", b"A"):
        content = dice.randbytes(dice.randrange(1, 3000))
        encoded = base64.b64encode(content)
        written = bytearray(end.join(encoded[at : at + width] for at in range(0, len(encoded), width)) + end)
        written[dice.randrange(len(written)) : 0] = junk
        found = b"".join(base64_pieces(bytes(written)))
        if junk in (b"", b"!", b" ", b"\xff\n"):
            assert found == content, (width, end, junk)
        monkeypatch.setattr(transfer, "_CHUNK", 1 << 20)
        assert decode_base64(bytes(written)) == found, (width, end, junk)
        monkeypatch.setattr(transfer, "_CHUNK", 500)


def test_an_empty_file_has_no_content() -> None:
    assert b"".join(base64_pieces(b"")) == b""


def test_one_file_has_one_fingerprint_however_its_lines_are_broken() -> None:
    head = b"From: a@example.com\r\nSubject: x\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    encoded = base64.b64encode(random.Random(1).randbytes(2_000_000))
    lines = [b"\r\n".join(encoded[at : at + width] for at in range(0, len(encoded), width)) for width in (76, 60)]
    first, second = (parse(head + one + b"\r\n") for one in lines)
    assert first.fingerprint == second.fingerprint
    assert [file.size for file in first.attachments] == [2_000_000]
