"""Archives on disk as programs really write them: dialects of mbox, Maildirs, trees, and what is broken in them."""

from __future__ import annotations

import os
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from supportdesk.mail import on_disk
from supportdesk.mail.archived import ArchivedMail, content_number, folder_role, gmail_labels, tags_of
from supportdesk.mail.on_disk import DiskArchive

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
LINE = b"From rosa@example.com Mon Mar  2 09:15:00 2026\n"


def mail(number: int, text: bytes = b"Ciao", *, head: bytes = b"") -> bytes:
    return b"%sFrom: rosa@example.com\nSubject: %d\nDate: Mon, 2 Mar 2026 10:00:00 +0100\n\n%s\n" % (head, number, text)


def archive(*paths: Path, everything: bool = False, max_size: int = 50_000_000) -> DiskArchive:
    return DiskArchive(paths, now=NOW, max_size=max_size, everything=everything)


def read(found: DiskArchive) -> list[ArchivedMail]:
    return [one for source in found.sources for one in found.read(source)]


def bodies(*paths: Path, everything: bool = False) -> list[bytes]:
    return [one.raw for one in read(archive(*paths, everything=everything)) if not one.left_out]


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# ---- mbox ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_an_mbox_is_cut_at_its_from_lines_and_nowhere_else(tmp_path: Path, newline: bytes) -> None:
    mails = [mail(1), mail(2, b"From now on I write to you.\n\n>From the shop\n>>From them"), mail(3)]
    quoted = [mails[0], mails[1].replace(b">From", b">>From"), mails[2]]
    data = b"".join(LINE + one + b"\n" for one in quoted).replace(b"\n", newline)
    assert bodies(written(tmp_path / "box", data)) == [one.replace(b"\n", newline) for one in mails]


@pytest.mark.parametrize(
    "line",
    [
        b"From 1812345678@xxx Tue Jan 01 00:00:00 +0000 2019\n",  # Google Takeout
        b"From - Tue Jan 01 00:00:00 2019\n",  # Thunderbird
        b"From MAILER-DAEMON Tue Jan  1 00:00:00 2019\n",
        b"From rosa@example.com  Tue, 1 Jan 2019 00:00:00 +0100\n",
        b"From ???@??? Tue Jan 01 00:00:00 2019\n",  # Eudora
        b"From rosa@example.com\n",
    ],
)
def test_the_from_lines_of_the_usual_programs_are_known(tmp_path: Path, line: bytes) -> None:
    data = b"".join(line + mail(n) + b"\n" for n in range(3))
    assert bodies(written(tmp_path / "box", data)) == [mail(n) for n in range(3)]


def test_a_mail_without_an_empty_line_after_it_does_not_swallow_the_next(tmp_path: Path) -> None:
    assert bodies(written(tmp_path / "box", LINE + mail(1) + LINE + mail(2))) == [mail(1), mail(2)]


def test_a_mail_that_does_not_begin_with_a_field_is_a_mail_of_its_own(tmp_path: Path) -> None:
    odd = b"\nno header at all\n"
    assert bodies(written(tmp_path / "box", LINE + mail(1) + b"\n" + LINE + odd + b"\n" + LINE + mail(2))) == [
        mail(1), odd, mail(2),
    ]  # fmt: skip


def test_lengths_are_believed_where_every_mail_has_one(tmp_path: Path) -> None:
    inner = b"see:\n\n" + LINE + mail(9)
    mails = [mail(1, inner), mail(2)]
    data = b""
    for one in mails:
        header, _blank, body = one.partition(b"\n\n")
        data += LINE + header + b"\nContent-Length: %d\n\n" % len(body) + body + b"\n"
    found = bodies(written(tmp_path / "box", data))
    assert len(found) == 2
    assert found[0].endswith(inner + b"\n")


def test_one_forged_length_hides_nobodys_mail(tmp_path: Path) -> None:
    hidden = LINE + mail(2) + b"\n"
    forged = mail(1, head=b"Content-Length: %d\n" % (len(hidden) + len(b"Ciao\n\n")))
    data = LINE + mail(0) + b"\n" + LINE + forged + b"\n" + hidden + LINE + mail(3)
    assert bodies(written(tmp_path / "box", data)) == [mail(0), forged, mail(2), mail(3)]


def test_a_truncated_tail_is_kept_as_far_as_it_goes(tmp_path: Path) -> None:
    data = LINE + mail(1) + b"\n" + LINE + mail(2)[:-12]
    assert bodies(written(tmp_path / "box", data)) == [mail(1), mail(2)[:-12]]


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_where_the_blocks_end_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(on_disk, "BLOCK", block)
    mails = [mail(n, b"x" * (n * 37) + b"\n\nFrom here on") for n in range(20)]
    assert bodies(written(tmp_path / "box", b"".join(LINE + one + b"\n" for one in mails))) == mails


def test_memory_is_that_of_the_largest_mail_and_a_monster_is_cut(tmp_path: Path) -> None:
    box = tmp_path / "box"
    with box.open("wb") as file:
        for n in range(40):
            file.write(LINE + mail(n, b"y" * 75 * 10_000) + b"\n")
        file.write(LINE + mail(98))
        for _ in range(40):
            file.write(b"z" * 1_000_000)
        file.write(b"\n\n" + LINE + mail(99))
    found = archive(box, max_size=4_000_000)
    tracemalloc.start()
    seen = [(one.partial, one.size, len(one.raw)) for source in found.sources for one in found.read(source)]
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 42
    assert [at for at, (partial, *_rest) in enumerate(seen) if partial] == [40]
    assert seen[40][1] > 40_000_000
    assert seen[40][2] <= on_disk.CUT_AFTER
    assert peak < 25_000_000


# ---- dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "at"),
    [
        (b"Received: by mx; Mon, 2 Mar 2026 08:30:00 +0000\n", datetime(2026, 3, 2, 8, 30, tzinfo=UTC)),
        (b"", datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
        (b"Received: by mx; Fri, 31 Dec 2099 08:30:00 +0000\n", datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
    ],
)
def test_a_mail_keeps_the_date_on_which_it_came(tmp_path: Path, head: bytes, at: datetime) -> None:
    [one] = read(archive(written(tmp_path / "a.eml", mail(1, head=head))))
    assert one.at == at


def test_without_any_date_of_its_own_the_mbox_line_says_when(tmp_path: Path) -> None:
    [one] = read(archive(written(tmp_path / "box", LINE + b"Subject: x\n\nHi\n")))
    assert one.at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


# ---- Maildirs and trees ----------------------------------------------------------------------------------------------


def test_a_maildir_is_read_with_its_subfolders_and_its_flags(tmp_path: Path) -> None:
    root = tmp_path / "Maildir"
    for folder in ("", ".Sent", ".Posta indesiderata", ".Bozze", ".Clienti.Rossi"):
        for part in ("cur", "new", "tmp"):
            (root / folder / part).mkdir(parents=True)
    written(root / "cur" / "1:2,S", mail(1))
    written(root / "cur" / "2:2,ST", mail(2))
    written(root / "cur" / "3:2,DS", mail(3))
    written(root / "new" / "4", mail(4))
    written(root / "tmp" / "5", mail(5))
    written(root / ".Sent" / "cur" / "6:2,S", mail(6))
    written(root / ".Posta indesiderata" / "cur" / "7:2,S", mail(7))
    written(root / ".Clienti.Rossi" / "cur" / "8:2,RS", mail(8))
    written(root / "dovecot.index", b"\0\1binary")
    found = archive(root)
    assert sorted(one.raw for one in read(found) if not one.left_out) == [mail(1), mail(4), mail(6), mail(8)]
    assert sorted(one.left_out for one in read(found) if one.left_out) == ["drafts", "trash"]
    assert {source.path.name for source in found.sources if source.role == "sent"} == {".Sent"}
    assert {(source.path.name, source.role) for source in found.left_out} == {
        (".Posta indesiderata", "junk"), (".Bozze", "drafts"),
    }  # fmt: skip
    assert bodies(root / ".Posta indesiderata") == [mail(7)], "named, it is taken"
    assert len(bodies(root, everything=True)) == 7


def test_a_tree_is_walked_once_however_its_links_lead_back(tmp_path: Path) -> None:
    written(tmp_path / "tree" / "2024" / "a.eml", mail(1))
    written(tmp_path / "tree" / "2024" / "note.txt", b"no mail")
    written(tmp_path / "tree" / "Inbox.mbox", LINE + mail(2))
    written(tmp_path / "tree" / "mh" / "17", mail(3))
    (tmp_path / "tree" / "2024" / "up").symlink_to(tmp_path / "tree")
    (tmp_path / "tree" / "itself").symlink_to(tmp_path / "tree" / "itself")
    (tmp_path / "tree" / "gone.eml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "tree" / "pipe.eml")
    found = archive(tmp_path / "tree")
    assert sorted(one.raw for one in read(found)) == [mail(1), mail(2), mail(3)]
    assert {file.path.name for file in found.unreadable} == {"itself", "gone.eml"}
    assert found.others == 1


def test_a_file_that_vanishes_or_cannot_be_opened_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    for name in ("cur", "new"):
        (tmp_path / name).mkdir()
    written(tmp_path / "cur" / "1:2,", mail(1))
    (tmp_path / "cur" / "2:2,").symlink_to(tmp_path / "nowhere")
    (tmp_path / "cur" / "3:2,").mkdir()
    found = archive(tmp_path)
    assert [one.raw for one in read(found)] == [mail(1)]
    assert {file.path.name for file in found.unreadable} == {"2:2,", "3:2,"}


def test_a_single_mail_is_an_archive_too(tmp_path: Path) -> None:
    assert bodies(written(tmp_path / "lettera", mail(1))) == [mail(1)]


def test_apple_mails_frame_is_taken_off(tmp_path: Path) -> None:
    framed = b"%d\n" % len(mail(1)) + mail(1) + b'<?xml version="1.0"?><plist/>'
    assert bodies(written(tmp_path / "1.emlx", framed)) == [mail(1)]


def test_the_same_content_has_the_same_number_wherever_it_lies(tmp_path: Path) -> None:
    [one] = read(archive(written(tmp_path / "a.eml", mail(1))))
    [other] = read(archive(written(tmp_path / "box", LINE + mail(1))))
    [third] = read(archive(written(tmp_path / "c.eml", mail(2))))
    assert content_number(one) == content_number(other) != content_number(third)
    assert 0 <= content_number(one) < 2**63


# ---- labels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("Inbox,Important,Opened,Category Updates", ()),
        ("Posta in arrivo,Da leggere,Categoria Aggiornamenti,Resi", ("resi",)),
        ("Archiviati,Importanti,Aperti,Clienti/Rossi", ("clienti/rossi",)),
        ("Posteingang,Ungelesen,Kategorie: Werbung,Rücksendungen", ("rücksendungen",)),
        ("Boîte de réception,Non lus,Catégorie : Promotions,À facturer", ("à-facturer",)),
        ("Recibidos,No leídos,Categoría: Social,Devoluciones", ("devoluciones",)),
        ('Inbox,"Rossi, Bianchi & co","say ""x"""', ("rossi-bianchi-&-co", "say", "x")),
        ("返品,Inbox", ("返品",)),
        ("a\x1b[31mb,#vip", ("a-[31mb", "vip")),
        ("VIP,vip", ("vip",)),
    ],
)
def test_labels_that_people_made_become_tags(value: str, tags: tuple[str, ...]) -> None:
    assert tags_of(gmail_labels([("X-GM-THRID", "1"), ("X-Gmail-Labels", value)])) == tags


def test_a_label_that_the_sender_wrote_is_none() -> None:
    own = [(f"X-{n}", "x") for n in range(10)]
    assert gmail_labels([*own, ("X-Gmail-Labels", "VIP")]) == ()


@pytest.mark.parametrize(
    ("labels", "left_out"),
    [(b"Spam,Unread", "junk"), (b"=?UTF-8?Q?Bozze?=", "drafts"), (b"Trash,Sent", "trash"), (b"Sent,Opened", "")],
)
def test_what_gmail_kept_apart_is_left_out(tmp_path: Path, labels: bytes, left_out: str) -> None:
    path = written(tmp_path / "all.mbox", LINE + mail(1, head=b"X-GM-THRID: 1\nX-Gmail-Labels: %s\n" % labels))
    [one] = read(archive(path))
    assert one.left_out == left_out
    [same] = read(archive(path, everything=True))
    assert not same.left_out


def test_what_thunderbird_deleted_and_did_not_compact_is_left_out(tmp_path: Path) -> None:
    [one] = read(archive(written(tmp_path / "Inbox", LINE + mail(1, head=b"X-Mozilla-Status: 0009\n"))))
    assert one.left_out == "trash"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Sent", "sent"), (".Sent Items", "sent"), ("INBOX.Sent", "sent"), ("Inviata.mbox", "sent"),
        ("[Gmail]/Posta inviata", "sent"), ("Gesendet", "sent"), ("送信済みメール", "sent"), ("Bozze", "drafts"),
        ("Posta in arrivo.mbox", "inbox"), ("Clienti", "other"), ("Spam", "junk"), ("Cestino", "trash"),
    ],
)  # fmt: skip
def test_folders_are_known_by_the_names_that_programs_give(name: str, role: str) -> None:
    assert folder_role(name) == role
