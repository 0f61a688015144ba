"""What holds for every mail of the corpus; what other readers say about it is compared in tests/corpus."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.mail.model import ParsedMail
from supportdesk.mail.parse import cut_part, parse
from supportdesk.mail.wire import decode_mail, encode_mail

if TYPE_CHECKING:
    from tests.support.corpus import Corpus


@pytest.fixture(scope="module")
def read(corpus: Corpus) -> dict[str, ParsedMail]:
    return {str(path.relative_to(corpus.directory / "messages")): parse(path.read_bytes()) for path in corpus.paths()}


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for one in fields(value) for text in strings(getattr(value, one.name))]
    return [text for one in value for text in strings(one)] if isinstance(value, tuple) else []


def test_every_mail_is_read_and_every_text_can_be_stored(read: dict[str, ParsedMail]):
    assert len(read) >= 4_800
    for mail in read.values():
        text = "".join(strings(mail))
        assert "\0" not in text
        text.encode("utf-8")


def test_folds_are_ordered_disjoint_and_leave_something(read: dict[str, ParsedMail]):
    folded = 0
    for mail in read.values():
        at = 0
        for fold in mail.folds:
            assert at <= fold.start < fold.end <= len(mail.text)
            at = fold.end
        folded += bool(mail.folds)
        assert bool(mail.fresh_text) or not mail.text.strip()
    assert folded > 1_000


def test_every_mail_survives_the_pipe(read: dict[str, ParsedMail]):
    for mail in read.values():
        assert decode_mail(encode_mail(mail)) == mail


def test_every_listed_attachment_can_be_cut_with_its_size(corpus: Corpus, read: dict[str, ParsedMail]):
    cut = 0
    for name, mail in read.items():
        raw = (corpus.directory / "messages" / name).read_bytes() if mail.attachments else b""
        for one in mail.attachments[:20]:
            assert len(cut_part(raw, one.part)) == one.size, (name, one)
            cut += 1
        assert len({one.name.casefold() for one in mail.attachments}) == len(mail.attachments)
    assert cut > 1_000


def test_a_winmail_dat_is_opened(corpus: Corpus):
    from base64 import encodebytes

    opened = 0
    for path in sorted((corpus.directory / "tnef").glob("*.tnef")):
        raw = (
            b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
            + encodebytes(path.read_bytes())
        )
        mail = parse(raw)
        assert mail.attachments[0].name == "winmail.dat"
        assert cut_part(raw, "1") == path.read_bytes()
        for one in mail.attachments[1:]:
            assert len(cut_part(raw, one.part)) == one.size
            opened += 1
    assert opened > 20
