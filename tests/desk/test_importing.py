"""An archive on disk becomes history: every mail once, through the intake of all mail, and nobody waits for it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.importing import Imported, Importer
from supportdesk.desk.intake import Intake
from supportdesk.errors import NotAllowed
from supportdesk.mail.on_disk import DiskArchive
from tests.support.desk import SHOP
from tests.support.post import ROSA, delivery_report, mail

if TYPE_CHECKING:
    from tests.support.post import Post

LINE = "From MAILER-DAEMON Wed Mar  4 09:00:00 2026\n"
ASKED = "Date: Mon, 2 Mar 2020 10:00:00 +0100\n"


def letter(text: str, *, labels: str = "", **options: Any) -> bytes:
    """A mail as an archive holds it: LF, and Gmail's labels on top."""
    raw = mail(text, **options).replace(b"\r\n", b"\n").replace(b"Date: Wed, 4 Mar 2026", b"Date: Mon, 2 Mar 2020")
    return (f"X-Gmail-Labels: {labels}\n".encode() if labels else b"") + raw


def mbox(path: Path, *mails: bytes) -> Path:
    path.write_bytes(b"".join(LINE.encode() + one + b"\n" for one in mails))
    return path


def take_over(post: Post, *paths: Path, look: bool = False, **options: Any) -> Imported:
    desk = post.house.desk
    archive = DiskArchive(paths, now=post.house.clock.now(), max_size=50_000_000)
    importer = Importer(desk, desk.mailboxes()[0], archive, **options)
    return (
        importer.look() if look else importer.run(post.house.giulia, Intake(desk, post.parser, detect=lambda _: "it"))
    )


def tickets(post: Post) -> list[Any]:
    return post.rows("ticket")


def test_an_archive_becomes_closed_tickets_with_their_own_dates(post: Post, tmp_path: Path) -> None:
    result = take_over(
        post, mbox(tmp_path / "box", letter("Dove è il mio ordine?"), letter("Altro", sender="o@x.example"))
    )
    assert (result.new, dict(result.outcomes), result.complete) == (2, {"message": 2}, True)
    for ticket in tickets(post):
        assert ticket["status"] == "closed"
        assert ticket["created_at"] == ticket["closed_at"] == datetime(2020, 3, 2, 9, 0, tzinfo=UTC)
        assert ticket["waiting_since"] is None
        assert ticket["due_at"] is None
    assert {row["reason"] for row in post.rows("dismissal")} == {"imported"}
    assert post.unanswered() == set()
    assert post.rows("outbox") == []


def test_running_it_again_adds_nothing(post: Post, tmp_path: Path) -> None:
    box = mbox(tmp_path / "box", letter("uno"), letter("due"), letter("", message_id=""))
    first = take_over(post, box)
    again = take_over(post, box)
    assert (first.new, again.new, again.sources[0].known) == (3, 0, 3)
    assert len(post.rows("message")) == len(post.rows("delivery")) == 3


def test_a_copy_elsewhere_or_fetched_before_is_a_duplicate(post: Post, tmp_path: Path) -> None:
    raw = mail("Dove è il mio ordine 5521?", message_id="<one@example.com>")
    post.arrives(raw)
    box = mbox(tmp_path / "box", raw.replace(b"\r\n", b"\n"))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "copy.eml").write_bytes(b"Received: by another; Wed, 4 Mar 2026 10:00:00 +0100\r\n" + raw)
    result = take_over(post, box, tmp_path / "tree")
    assert dict(result.outcomes) == {"duplicate": 2}
    assert len(post.rows("message")) == 1
    assert tickets(post)[0]["status"] == "new", "an archive closes nothing that waits"


def test_our_own_mail_in_it_answers_and_threads(post: Post, tmp_path: Path) -> None:
    question = letter("Dove è?", message_id="<q@example.com>")
    answer = letter(
        "Arriva.", sender=f"Bottega <{SHOP}>", to=ROSA, message_id="<a@b.example>", answers="<q@example.com>"
    )
    thanks = letter("Grazie", answers="<a@b.example>", message_id="<t@example.com>")
    take_over(post, mbox(tmp_path / "Sent", answer), mbox(tmp_path / "Inbox", thanks, question))
    [ticket] = tickets(post)
    assert [row["direction"] for row in post.messages(post.house.ticket(ticket["id"]))].count("out") == 1
    assert len(post.rows("message")) == 3
    assert ticket["first_response_at"] is not None
    assert ticket["status"] == "closed"


def test_an_answer_in_the_archive_answers_the_customer_who_waits_here(post: Post, tmp_path: Path) -> None:
    waiting = post.writes(message_id="<q@example.com>")
    answer = mail("Arriva.", sender=SHOP, to=ROSA, answers="<q@example.com>").replace(
        b"4 Mar 2026 10:00", b"4 Mar 2026 11:00"
    )
    post.house.pass_time(hours=5)
    answer = (
        b"Received: by us; "
        + post.house.clock.now().strftime("%a, %d %b %Y %H:%M:%S +0000").encode()
        + b"\r\n"
        + answer
    )
    take_over(post, mbox(tmp_path / "all.mbox", answer))
    assert post.house.ticket(waiting.id).waiting_since is None


def test_mail_sent_by_a_colleague_counts_by_its_label(post: Post, tmp_path: Path) -> None:
    take_over(
        post,
        mbox(tmp_path / "all.mbox", letter("Arriva.", sender="marta@bottega.example", to=ROSA, labels="Posta inviata")),
    )
    [message] = post.rows("message")
    assert (message["direction"], message["author_kind"]) == ("out", "agent")


def test_a_contact_form_that_writes_from_our_address_is_its_customers(post: Post, tmp_path: Path) -> None:
    form = letter("Dove è?", sender=SHOP, headers="Reply-To: rosa@example.com\n")
    take_over(post, mbox(tmp_path / "all.mbox", form))
    [message] = post.rows("message")
    assert (message["direction"], message["author_kind"]) == ("in", "customer")


def test_labels_become_tags_of_the_ticket(post: Post, tmp_path: Path) -> None:
    first = letter("Reso", message_id="<q@example.com>", labels='Posta in arrivo,Resi,"Rossi, Bianchi"')
    second = letter("Ancora", answers="<q@example.com>", labels="=?UTF-8?Q?Resi,Priorit=C3=A0?=")
    take_over(post, mbox(tmp_path / "all.mbox", first, second))
    [ticket] = tickets(post)
    assert post.house.desk.read.tags(ticket["id"]) == ("priorità", "resi", "rossi-bianchi")


def test_a_label_on_mail_that_was_fetched_is_the_senders_and_no_tag(post: Post) -> None:
    ticket = post.ticket_of(post.arrives(letter("ordine", labels="VIP")))
    assert post.house.desk.read.tags(ticket.id) == ()


def test_old_machine_mail_bothers_nobody(post: Post, tmp_path: Path) -> None:
    old = post.writes(message_id="<q@example.com>", at=datetime(2020, 1, 1, tzinfo=UTC), historic=True)
    loose = delivery_report("<nobody@example.net>", "x@example.net").replace(b"\r\n", b"\n")
    take_over(post, mbox(tmp_path / "all.mbox", loose))
    assert dict.fromkeys(post.outcomes()) == {"message": None, "parked": None}
    post.house.pass_time(days=3)
    assert post.house.desk.read.unanswered(now=post.house.clock.now()) == []
    assert post.house.ticket(old.id).status == "closed"


def test_a_mail_that_cannot_be_read_becomes_a_stub_and_stops_nothing(
    post: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    post.parser.unreadable.add(b"BOMB")
    result = take_over(post, mbox(tmp_path / "box", letter("BOMB"), letter("Ciao")))
    assert dict(result.outcomes) == {"message": 2}
    assert [row["kind"] for row in post.rows("message")].count("stub") == 1
    assert {row["status"] for row in tickets(post)} == {"closed"}
    assert post.unanswered() == set()


def test_hostile_and_foreign_mail_comes_through_whole(post: Post, tmp_path: Path) -> None:
    cjk = letter(
        "ご注文の件", subject="=?ISO-2022-JP?B?GyRCQ21KOCRONm8bKEI=?=", sender="=?utf-8?b?5bGx55Sw?= <y@example.jp>"
    )
    rtl = letter("שלום, איפה ההזמנה שלי?", subject="هلا \u202e txt.exe", sender="d@example.il")
    big = letter(
        "Allegato", sender="b@example.com", headers="MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
    )
    file = (
        b"--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n" + b"QUJD" * 19 + b"\n"
    )
    big = big.replace(b"Allegato\n", b"--b\n\nAllegato\n" + file + (b"QUJD" * 19 + b"\n") * 340_000 + b"--b--\n")
    anonymous = letter("senza id", sender="z@example.com", message_id="")
    result = take_over(post, mbox(tmp_path / "box", cjk, rtl, big, anonymous, anonymous))
    assert dict(result.outcomes) == {"message": 4}
    [attachment] = post.rows("attachment")
    assert attachment["size"] > 19_000_000
    bodies = {row["body"].strip() for row in post.rows("message")}
    assert {"ご注文の件", "שלום, איפה ההזמנה שלי?", "senza id"} <= bodies


def test_a_look_writes_nothing(post: Post, tmp_path: Path) -> None:
    result = take_over(post, mbox(tmp_path / "box", letter("uno"), letter("due")), look=True)
    assert (result.new, result.sources[0].oldest) == (2, datetime(2020, 3, 2, 9, 0, tzinfo=UTC))
    assert post.rows("delivery") == post.rows("folder") == []


def test_only_what_is_recent_enough_is_taken(post: Post, tmp_path: Path) -> None:
    recent = mail("recente").replace(b"\r\n", b"\n")
    result = take_over(post, mbox(tmp_path / "box", letter("vecchio"), recent), since=datetime(2026, 1, 1, tzinfo=UTC))
    assert (result.new, result.sources[0].older) == (1, 1)


@pytest.mark.parametrize("after", range(1, 7))
def test_broken_off_anywhere_it_goes_on_and_ends_the_same(post: Post, tmp_path: Path, after: int) -> None:
    box = mbox(tmp_path / "box", *(letter(f"numero {n}", sender=f"c{n}@example.com") for n in range(5)))
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > after

    assert not take_over(post, box, stop=stop).complete
    result = take_over(post, box)
    assert result.complete
    assert (dict(result.outcomes), result.waiting) == ({"message": 5}, 0)
    assert len(tickets(post)) == 5


def test_new_mail_does_not_wait_behind_an_archive(post: Post, tmp_path: Path) -> None:
    calls = iter(range(100))
    take_over(post, mbox(tmp_path / "box", *(letter(f"n {n}") for n in range(3))), stop=lambda: next(calls) > 4)
    waiting = len(post.house.store.ledger.unprocessed(10, imported=True))
    assert waiting
    post.writes("ordine nuovo", sender="neu@example.com")
    assert len(post.house.store.ledger.unprocessed(10, imported=True)) == waiting


def test_only_an_admin_imports(post: Post, tmp_path: Path) -> None:
    desk = post.house.desk
    archive = DiskArchive([mbox(tmp_path / "box", letter("x"))], now=post.house.clock.now(), max_size=1000)
    with pytest.raises(NotAllowed):
        Importer(desk, desk.mailboxes()[0], archive).run(post.house.luca, Intake(desk, post.parser))
