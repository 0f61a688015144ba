"""The whole corpus of real and nasty mail, against what Dovecot and other readers say about it."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.mail.limits import MAX_ADDRESSES, MAX_PARTS
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.parse import cut_part, parse
from supportdesk.mail.wire import decode_mail, encode_mail
from supportdesk.mail.words import decode_unstructured

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


def bare(text: str | None) -> str:
    return "".join((text or "").split()).strip("<>").casefold()


def share(pairs: list[tuple[Any, Any]]) -> float:
    assert len(pairs) >= 40
    return sum(1 for expected, got in pairs if expected == got) / len(pairs)


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


def test_agreement_with_dovecot(corpus: Corpus, read: dict[str, ParsedMail]):
    froms, subjects, ids, dates = [], [], [], []
    for name, entry in corpus.expected("dovecot-structure").items():
        envelope, mail = entry.get("envelope"), read[name]
        if not envelope:
            continue
        # Dovecot invents MISSING_DOMAIN for what is no address.
        usable = [
            address.casefold()
            for _, address in envelope["from"] or ()
            if "@" in address and "MISSING_" not in address and "SYNTAX_ERROR" not in address
        ]
        if usable and usable[0].isascii():
            froms.append((usable[0], mail.from_[0].norm if mail.from_ else ""))
        if (envelope["subject"] or "").isascii():
            subjects.append((bare(decode_unstructured(envelope["subject"] or "")), bare(mail.subject)))
        ids.append((bare(envelope["message_id"]), bare(mail.message_id)))
        if envelope.get("date") and envelope["date"] != "None":
            dates.append((envelope["date"], mail.date and f"{mail.date:%Y-%m-%d %H:%M:%S}"))
    print("from", share(froms), "subject", share(subjects), "message-id", share(ids), "date", share(dates))
    assert share(froms) >= 0.99
    assert share(subjects) >= 0.99
    assert share(ids) >= 0.99
    assert share(dates) >= 0.98


def test_agreement_with_zammad(corpus: Corpus, read: dict[str, ParsedMail]):
    expected = corpus.expected("zammad")
    froms = [
        (entry["from_email"].casefold(), read[name].from_[0].norm)
        for name, entry in expected.items()
        if entry.get("from_email")
    ]
    subjects = [
        (bare(entry["subject"]), bare(read[name].subject)) for name, entry in expected.items() if "subject" in entry
    ]
    assert share(froms) >= 0.95  # the rest: it keeps the blanks of an address without angle brackets
    assert share(subjects) == 1
    missing = []
    for name, entry in expected.items():
        raw = (corpus.directory / "messages" / name).read_bytes()
        ours = {hashlib.md5(cut_part(raw, one.part)).hexdigest() for one in read[name].attachments}
        missing += [
            (name, one["filename"])
            for one in entry.get("attachments") or ()
            if one["filename"] != "message.html" and one["md5"] not in ours
        ]
    # It shows further text and HTML parts as files and rewrites line ends; a real file must never be missing.
    assert not [one for one in missing if one[1].endswith((".pdf", ".png", ".jpg", ".gif", ".doc", ".xls", ".zip"))], (
        missing
    )


def test_agreement_with_stalwart(corpus: Corpus, read: dict[str, ParsedMail]):
    expected = corpus.expected("stalwart")
    assert (
        share(
            [
                (bare(entry["subject"]), bare(read[name].subject))
                for name, entry in expected.items()
                if entry.get("subject") is not None
            ]
        )
        == 1
    )
    froms = [
        (entry["from"][0][1].casefold(), read[name].from_[0].norm)
        for name, entry in expected.items()
        if entry.get("from") and entry["from"][0][1]
    ]
    assert all(theirs == ours for theirs, ours in froms) and froms


def test_bounces_are_found_and_people_are_not(corpus: Corpus, read: dict[str, ParsedMail]):
    bounces = [
        name for name, rows in corpus.expected("sisimai-set").items() if rows and rows[0]["reason"] != "vacation"
    ]
    found = [name for name in bounces if read[name].report]
    assert len(found) / len(bounces) >= 0.93
    named = {
        name: {*entry["permanent"], *entry["temporary"]} for name, entry in corpus.expected("flufl-bounce").items()
    }
    wanted = {name: {address.casefold() for address in addresses} for name, addresses in named.items() if addresses}
    met = [
        name
        for name, addresses in wanted.items()
        if (report := read[name].report) and addresses & {one.address.casefold() for one in report.recipients}
    ]
    assert len(met) / len(wanted) >= 0.85
    human = [name for name, mail in read.items() if name.startswith("sa-public/") and mail.report]
    assert len(human) <= 3  # and those three are bounces


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


BOMBS = {
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 100_000,
    "words never closed": b"Subject: " + b"=?utf-8?q?" * 100_000,
    "quotes": b"To: " + b'"' * 1_000_000,
    "commas after quotes": b"To: " + b'"\\",' * 200_000,
    "mailboxes": b"To: " + b"a@b.example, " * 80_000,
    "comments": b"To: " + b"(" * 1_000_000,
    "angles": b"To: " + b"<" * 1_000_000,
    "parameters": b"Content-Type: text/plain" + b"; a*0=b" * 100_000,
    "semicolons": b"Content-Type: text/plain" + b"; " * 400_000,
    "fields": b"X: y\n" * 200_000,
    "folds": b"X: y\n" + b" z\n" * 300_000,
    "no empty line": b"X: y\n" + b"prose\n" * 200_000,
    "parts": b"Content-Type: multipart/mixed; boundary=B\n\n" + b"--B\n\n\n" * 150_000,
    "one-letter boundary": b"Content-Type: multipart/mixed; boundary=-\n\n" + b"---" * 350_000,
    "nested": b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (level, level) for level in range(10_000)
    ),
    "same boundary": b"Content-Type: multipart/mixed; boundary=B\n\n"
    + b"--B\nContent-Type: multipart/mixed; boundary=B\n\n" * 20_000,
    "links": b"Content-Type: text/html\n\n" + b"<a href=http://x.example>x</a>" * 30_000,
    "open tags": b"Content-Type: text/html\n\n" + b"<div>" * 200_000,
    "uuencode": b"Subject: x\n\n" + b"begin 644 x\n" * 80_000,
    "quoted blanks": b"Content-Transfer-Encoding: quoted-printable\n\n=" + b" " * 1_000_000,
}


@pytest.mark.parametrize("raw", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_of_a_megabyte_is_a_mail_like_another(raw: bytes):
    mail = parse(raw)
    assert mail.size == len(raw)
    assert len(mail.to) <= MAX_ADDRESSES
    assert len(mail.attachments) <= MAX_PARTS
