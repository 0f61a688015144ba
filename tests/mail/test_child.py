"""The contained parser: what a hostile mail can do to its child, and that nobody else notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

import supportdesk
from supportdesk.errors import NotFound
from supportdesk.mail import parsing_process
from supportdesk.mail.child import MailParserPool, ParseFailed
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.parse import parse
from supportdesk.mail.wire import Malformed, decode_mail, encode_mail
from tests.support.readers import peak_mib, reader_ids

SOURCE = str(Path(supportdesk.__file__).resolve().parent.parent)
RECEIVED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MAIL = (
    "From: Müller <a@b.example>\nSubject: Größe\nContent-Type: multipart/"
    "mixed; boundary=B\n\n--B\nContent-Type: text/html\n\n"
    '<p>Hi <a href="https://x.example">x</a></p>'
    '<div class="gmail_quote">On 1 Jan 2026 X wrote:<blockquote>old</blockquote></div>\n'
    "--B\nContent-Type: application/pdf; name=a.pdf\n\n%PDF\n--B\n"
    "Content-Type: message/rfc822\n\nSubject: inner\n\nx\n--B--\n"
).encode()


def subject_of(read: ParsedMail | ParseFailed) -> str:
    assert isinstance(read, ParsedMail), read
    return read.subject


def children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "supportdesk.mail.parsing_process" in " ".join(child.cmdline())
    ]


def faulty(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Children started from now on run `fault` when a mail says so in its subject."""
    patch = (
        "import os, sys, time; sys.path.insert(0, sys.argv[1]); from "
        "supportdesk.mail import parsing_process as inside; sound = inside.parse\n"
        f"def parse(raw, at):\n    if b'Subject: trap' in raw:\n        {fault}\n    return sound(raw, at)\n"
        "inside.parse = parse; inside.main(int(sys.argv[2]), sys.argv[3])"
    )
    monkeypatch.setattr("supportdesk.mail.child._START", patch)


def test_the_answer_is_the_same_mail():
    with MailParserPool(1) as pool:
        assert pool.parse(MAIL, RECEIVED) == parse(MAIL, RECEIVED)


def test_a_part_is_cut_in_the_child():
    with MailParserPool(1) as pool:
        assert pool.cut_part(MAIL, "2") == b"%PDF"
        for path in ("9", "ü", "1\n2"):
            with pytest.raises(NotFound):
                pool.cut_part(MAIL, path)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("time.sleep(600)", "timeout"),
        ("'x' * (1 << 34)", "memory"),
        ("bytearray(256 << 20)", "memory"),
        ("os.kill(os.getpid(), 9)", "crash"),
        ("os.write(4, b'x' * 64)", "crash"),
        ("raise RuntimeError", "error"),
        ("(lambda f: f(f))(lambda f: f(f))", "error"),
    ],
)
def test_a_failure_has_a_name_and_the_next_mail_is_read(monkeypatch: pytest.MonkeyPatch, fault: str, reason: str):
    faulty(monkeypatch, fault)
    with MailParserPool(1, seconds=0.5) as pool:
        pool.parse(MAIL)
        with pytest.raises(ParseFailed) as failure:
            pool.parse(b"Subject: trap\n\nx")
        assert failure.value.reason == reason
        assert pool.parse(MAIL, RECEIVED).subject == "Größe"
    assert children() == []


def test_many_mails_come_back_in_order_with_the_failed_one_in_its_place(monkeypatch: pytest.MonkeyPatch):
    faulty(monkeypatch, "os.abort()")
    mails = [(b"Subject: %d\n\nx" % number, RECEIVED) for number in range(40)]
    mails[7] = (b"Subject: trap\n\nx", RECEIVED)
    with MailParserPool(2) as pool:
        answers = list(pool.parse_many(mails))
    assert [one.subject if isinstance(one, ParsedMail) else one.reason for one in answers] == [
        str(number) if number != 7 else "crash" for number in range(40)
    ]


def test_a_child_is_replaced_after_its_share():
    with MailParserPool(1, recycle_after=3) as pool:
        seen = []
        for _ in range(7):
            pool.parse(MAIL)
            seen.append(psutil.Process().children(recursive=True)[-1].pid)
        assert len(set(seen)) >= 3, "what three mails leave behind ends with the fork that read them"
        assert len(children()) == 1, "and nothing is imported anew"
    assert children() == []


def test_mails_that_wait_for_a_new_child_are_not_lost():
    mails = [(b"Subject: %d\n\nx" % number, RECEIVED) for number in range(40)]
    with MailParserPool(1, recycle_after=3) as pool:
        assert [subject_of(one) for one in pool.parse_many(mails)] == [str(number) for number in range(40)]


def test_the_language_is_told_where_the_child_was_given_what_tells_it():
    text = "Dove è il mio ordine? Lo aspetto da due settimane e nessuno risponde."
    quoted = "> " + "The order has left us. " * 9
    mail = f"Subject: x\nContent-Type: text/plain; charset=utf-8\n\n{text}\n\n{quoted}\n".encode()
    with MailParserPool(1, detector="supportdesk.l10n.detect:language_of") as pool:
        assert pool.parse(mail).language == "it"
        assert pool.parse(b"Subject: x\n\nok").language is None
    with MailParserPool(1) as pool:
        assert pool.parse(mail).language is None


def test_a_second_child_begins_only_when_the_first_cannot_keep_up():
    with MailParserPool(2) as pool:
        assert len(list(pool.parse_many([(MAIL, None)] * 3))) == 3
        assert len(children()) == 1
        many = pool.parse_many([(b"Subject: x\n\n" + b"> a\nb\n" * 2000, None)] * 100)
        assert len(list(many)) == 100
        assert len(children()) == 2


def test_reading_one_mail_amid_many_waits_for_nobody():
    with MailParserPool(1) as pool:
        many = pool.parse_many([(MAIL, None)] * 5)
        assert subject_of(next(many)) == "Größe"
        assert pool.parse(b"Subject: between\n\nx").subject == "between"
        assert len(list(many)) == 4


def test_what_is_broken_off_leaves_no_child_that_owes_an_answer():
    with MailParserPool(1) as pool:
        many = pool.parse_many([(b"Subject: old\n\nx", None)] * 20)
        next(many)
        many.close()
        assert pool.parse(b"Subject: new\n\nx").subject == "new"


def test_the_wall_time_is_each_mails_own_however_many_wait(monkeypatch: pytest.MonkeyPatch):
    faulty(monkeypatch, "time.sleep(600)")
    mails = [(b"Subject: trap\n\nx" if number in (3, 9) else MAIL, None) for number in range(14)]
    with MailParserPool(1, seconds=0.5) as pool:
        answers = list(pool.parse_many(mails))
    assert [number for number, one in enumerate(answers) if not isinstance(one, ParsedMail)] == [3, 9]
    assert all(one.reason == "timeout" for one in answers if not isinstance(one, ParsedMail))


def test_several_threads_share_the_children():
    subjects: list[str] = []
    with MailParserPool(2) as pool:

        def work(number: int) -> None:
            subjects.extend(pool.parse(b"Subject: %d\n\nx" % number).subject for _ in range(10))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(children()) <= 2
    assert sorted(subjects) == sorted(str(number) for number in range(5) for _ in range(10))


def test_a_closed_pool_refuses():
    pool = MailParserPool(1)
    pool.parse(MAIL)
    pool.close()
    with pytest.raises(ParseFailed):
        pool.parse(MAIL)


def test_the_children_die_with_a_killed_parent():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom supportdesk.mail.child import MailParserPool\n"
        "pool = MailParserPool(2); list(pool.parse_many([(b'Subject: "
        "x\\n\\nx', None)] * 20)); print('ready', flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, SOURCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin and parent.stdout and parent.stdout.readline() == b"ready\n"
    offspring = psutil.Process(parent.pid).children()
    assert offspring
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs(offspring, timeout=10)
    parent.stdin.close()
    parent.stdout.close()
    assert alive == []


def test_the_child_imports_only_what_parsing_needs():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import supportdesk.mail.parsing_process; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", program, SOURCE], capture_output=True, text=True, check=True
    ).stdout.split()
    assert parsing_process.__name__ in loaded
    assert {
        "textual",
        "sqlalchemy",
        "sqlmodel",
        "babel",
        "email",
        "typer",
        "rich",
        "imapclient",
        "chardet",
        "selectolax",
    }.isdisjoint(loaded)


HEAD = b"From: a@b.example\nSubject: x\n"
LARGEST = 95 << 20
BASE64 = b"Content-Transfer-Encoding: base64\nContent-Type: application/zip\n\n"
LARGE = {
    "a file": (b"Content-Type: multipart/mixed; boundary=B\n\n--B\n" + BASE64, b"QUJD" * 19 + b"\n"),
    "a text": (b"Content-Type: text/plain; charset=utf-8\n\n", "Dov'è il mio ordine?\n".encode()),
    "a quoted text": (b"Content-Transfer-Encoding: quoted-printable\n\n", b"Dov'=C3=A8 il mio =\n"),
    "a mail in a mail": (b"Content-Type: message/rfc822\n\nSubject: y\n" + BASE64, b"QUJD" * 19 + b"\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", LARGE)
def test_reliability_r12_a_mail_near_the_limit_is_read_in_256_mb(shape: str) -> None:
    head, line = LARGE[shape]
    with MailParserPool(1, seconds=60) as pool:
        read = pool.parse(HEAD + head + line * (LARGEST // len(line)))
        (reader,) = reader_ids(pool)
        peak = peak_mib(reader)
    assert read.size >= LARGEST - 1000
    assert read.text or read.attachments[0].size >= 70_000_000
    assert peak <= 256


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 10_000,
        encode_mail(parse(MAIL)).replace(b'"html"', b"7"),
        encode_mail(parse(MAIL)).replace(b"Gr", b"\\ud800"),
        encode_mail(parse(MAIL)).replace(b'"quote"]', b'"quote",1]'),
    ],
)
def test_an_answer_that_is_no_mail_is_refused(data: bytes):
    with pytest.raises(Malformed):
        decode_mail(data)
