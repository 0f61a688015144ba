"""reindex makes anew what follows from the raw mail, decides nothing, and tells what it would decide differently."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.reindex import Reindexer, Report
from supportdesk.errors import NotAllowed, SupportdeskError
from supportdesk.mail.model import Address, ParsedMail
from supportdesk.store.columns import TABLES
from supportdesk.store.write.transaction import DERIVED
from tests.support.desk import SHOP
from tests.support.post import ROSA, Parser, delivery_report, mail

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from tests.support.desk import House
    from tests.support.post import Post

FILE = (
    'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n',
    (
        "--b\r\n\r\nEcco la foto dell'ordine\r\n--b\r\nContent-Type: image/png; name=foto.png\r\n"
        "Content-Disposition: attachment\r\n\r\nPNG\r\n--b--"
    ),
)


class OtherParser(Parser):
    """A reader that reads some things otherwise than ours."""

    def __init__(self, differently: Callable[[ParsedMail], ParsedMail]) -> None:
        super().__init__()
        self.differently = differently

    def parse(self, raw: bytes, received_at: datetime | None = None) -> ParsedMail:
        return self.differently(super().parse(raw, received_at))


def cruder(mail: ParsedMail) -> ParsedMail:
    """What a worse parser made of it: no files, a shouted text, no folds, a broken subject."""
    return replace(mail, text=mail.text.upper(), attachments=(), folds=(), subject=f"?{mail.subject}", references=())


def run(house: House, parser: Parser | None = None, *, desk: Desk | None = None, **options: Any) -> Report:
    detect = options.pop("detect", lambda text: "it" if "ordine" in text.lower() else None)
    return Reindexer(desk or house.desk, parser or Parser(), detect=detect, **options).run(house.giulia)


def decided(house: House) -> dict[str, str]:
    """A hash of each table's rows, without what is derived from raw mail."""
    derived = {table: set(columns) for table, columns in DERIVED.items()}
    hashes = {}
    for name, table in TABLES.items():
        if name in ("attachment", "message_text"):
            continue
        kept = [column for column in table.kinds if column not in derived.get(name, ())]
        rows = sorted(repr([row[column] for column in kept]) for row in house.desk.read.rows(name))
        hashes[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return hashes


def derived_rows(house: House) -> Any:
    return {
        name: sorted(repr(row) for row in house.desk.read.rows(name))
        for name in ("message", "message_mail", "attachment", "message_text", "ticket")
    }


def fill(post: Post) -> None:
    """A desk with every kind of message."""
    first = post.writes(message_id="<q@example.com>")
    post.answered(first, after="pending")
    post.arrives(mail("Grazie mille!", answers="<q@example.com>", subject="Re: Ordine 5521"))
    post.house.desk.add_note(post.house.luca, first.id, "Nota: ordine spedito")
    post.arrives(mail(FILE[1], headers=FILE[0], sender="Otto <otto@example.net>", message_id="<f@example.net>"))
    post.arrives(mail("Altra cosa", sender=SHOP, to=ROSA, answers="<q@example.com>"), folder="Sent")
    post.arrives(mail("alt", sender="alt@example.net"), at=datetime(2020, 1, 1, tzinfo=UTC), historic=True)
    post.arrives(delivery_report("<nobody@example.net>", "x@example.net"))
    post.arrives(mail("sono via", sender="via@example.com", headers="Auto-Submitted: auto-replied\n"))


def test_what_is_as_it_should_be_stays_to_the_last_bit(post: Post) -> None:
    fill(post)
    before, all_before = decided(post.house), derived_rows(post.house)
    report = run(post.house)
    assert (report.complete, report.changed, report.columns) == (True, 0, {})
    assert report.differences == []
    assert report.messages == len(post.rows("message")) == 7
    assert decided(post.house) == before
    assert derived_rows(post.house) == all_before


def test_a_better_parser_changes_what_is_derived_and_nothing_else(post: Post) -> None:
    post.parser = OtherParser(cruder)
    fill(post)
    before = decided(post.house)
    assert not post.rows("attachment")
    report = run(post.house)
    assert report.columns["message.body"] >= 5
    assert {"message.subject", "attachment", "message_text.folded"} <= set(report.columns)
    assert decided(post.house) == before, "only derived columns changed"
    [file] = post.rows("attachment")
    assert file["name"] == "foto.png"
    assert {row["subject"] for row in post.rows("message")} >= {"Ordine 5521"}
    with_file = next(row for row in post.rows("message") if row["id"] == file["message_id"])
    assert post.house.ticket(with_file["ticket_id"]).has_attachment
    assert run(post.house).changed == 0, "a second run finds nothing to do"


def test_a_file_that_was_known_keeps_its_number(post: Post) -> None:
    post.arrives(mail(FILE[1], headers=FILE[0]))
    [before] = post.rows("attachment")
    extra = replace(Parser().parse(mail(FILE[1], headers=FILE[0])).attachments[0], part="7", name="altra.png")
    report = run(post.house, OtherParser(lambda one: replace(one, attachments=(*one.attachments, extra))))
    assert report.columns["attachment"] == 1
    kept, new = post.rows("attachment")
    assert kept == before
    assert new["name"] == "altra.png"


def test_another_language_is_evidence_and_not_the_customers(post: Post) -> None:
    ticket = post.writes()
    assert run(post.house, detect=lambda _text: "pt").columns["message.language"] == 1
    assert post.rows("message")[0]["language"] == "pt"
    assert post.house.ticket(ticket.id).language == "it"


def test_search_text_is_made_anew_for_replies_and_notes_too(post: Post) -> None:
    fill(post)
    texts = post.house.desk.read.rows("message_text")
    with post.house.store.transaction() as tx:
        for row in texts:
            tx.index_message(row["message_id"], "vecchio")
    assert run(post.house).columns == {"message_text.folded": len(texts)}
    assert sorted(map(repr, post.house.desk.read.rows("message_text"))) == sorted(map(repr, texts))


@pytest.mark.parametrize(
    ("differently", "what", "now"),
    [
        (
            lambda one: replace(one, headers=(*one.headers, ("Auto-Submitted", "auto-generated"))),
            "class",
            "notification",
        ),
        (lambda one: replace(one, from_=(Address("", "altra@example.com"),)), "sender", "altra@example.com"),
    ],
)
def test_another_decision_is_told_and_not_taken(
    post: Post, differently: Callable[[ParsedMail], ParsedMail], what: str, now: str
) -> None:
    ticket = post.writes()
    before = decided(post.house)
    report = run(post.house, OtherParser(differently))
    assert [(one.what, one.now, one.ticket) for one in report.differences if one.what == what] == [
        (what, now, ticket.id)
    ]
    assert decided(post.house) == before


def test_another_thread_is_told_and_not_taken(post: Post) -> None:
    first = post.writes(message_id="<q@example.com>")
    post.parser = OtherParser(lambda one: replace(one, in_reply_to=(), references=(), subject="altro"))
    second = post.writes("Ancora io", answers="<q@example.com>", subject="Altro tema")
    assert second.id != first.id
    report = run(post.house)
    [thread] = [one for one in report.differences if one.what == "thread"]
    assert (thread.ticket, thread.was, thread.now) == (second.id, "none", f"message_id #{first.id}")
    assert run(post.house).counts["thread"] == 1, "it is still so, and still not done"


def test_what_agents_moved_is_no_difference(post: Post) -> None:
    first = post.writes(message_id="<q@example.com>")
    post.arrives(mail("e ancora", answers="<q@example.com>"))
    other = post.writes("altro", subject="Altro", sender=ROSA, message_id="<z@example.com>")
    post.house.desk.perform("merge", post.house.giulia, [other.id], {"into": first.id})
    post.becomes(post.writes("terzo", sender="c@example.net", message_id="<c@example.net>"), "spam")
    assert run(post.house).differences == []


def test_mail_that_can_be_read_now_or_no_more_is_told(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")
    post.parser.unreadable.add(b"BOMB")
    for _try in range(3):
        post.arrives(mail("BOMB", message_id="<b@example.com>"))
    post.writes("ordine CARTA")
    worse = Parser()
    worse.unreadable.add(b"CARTA")
    before = decided(post.house)
    report = run(post.house, worse)
    assert sorted((one.what, one.was) for one in report.differences) == [("class", "stub"), ("unreadable", "mail")]
    assert decided(post.house) == before
    assert any("CARTA" in row["body"] for row in post.rows("message")), "the text that there is stays"


@pytest.mark.parametrize("after", [2, 3, 4])
def test_broken_off_it_goes_on_where_it_was(post: Post, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr("supportdesk.desk.reindex.IDS_AT_ONCE", 2)
    post.parser = OtherParser(cruder)
    fill(post)
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > after * 2

    first = run(post.house, stop=stop)
    assert not first.complete
    rest = run(post.house)
    assert rest.complete
    assert rest.started_at > 1
    assert run(post.house).changed == 0
    assert post.house.desk.read.rows("setting", {"key": "reindex"}) == []


def test_mail_that_comes_meanwhile_is_not_in_the_way(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportdesk.desk.reindex.IDS_AT_ONCE", 1)
    fill(post)

    class Busy(Parser):
        def parse_many(self, mails: Iterable[tuple[bytes, datetime | None]]) -> Iterator[ParsedMail | SupportdeskError]:
            for one in super().parse_many(mails):
                post.arrives(mail("nuovo ordine", sender="neu@example.org"))
                yield one

    report = run(post.house, Busy())
    assert (report.complete, report.changed, report.differences) == (True, 0, [])


def test_a_rehearsed_run_tells_what_the_run_does_and_changes_nothing(post: Post) -> None:
    post.parser = OtherParser(cruder)
    fill(post)
    before = decided(post.house), derived_rows(post.house)
    foreseen = run(post.house, desk=post.house.desk.rehearsal())
    assert (decided(post.house), derived_rows(post.house)) == before
    done = run(post.house)
    assert foreseen == done and done.changed > 0


def test_only_an_admin_reindexes(house: House) -> None:
    with pytest.raises(NotAllowed):
        Reindexer(house.desk, Parser()).run(house.luca)
