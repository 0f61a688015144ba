"""Taking mail over: what is entered in the ledger, in which order, and what a broken server leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from supportdesk.desk.fetch import Fetcher, Progress, watched_folders
from supportdesk.desk.model import Mailbox, MailboxId
from supportdesk.desk.ports import Identity, LedgerItem
from supportdesk.errors import CommandRefused, ConnectionFailed
from supportdesk.mail.model import FetchedMail, FolderInfo, FolderState

OLD = datetime(2026, 1, 1, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)
NEW = datetime(2026, 11, 1, tzinfo=UTC)


def mailbox(**changes: Any) -> Mailbox:
    given: dict[str, Any] = {
        "id": MailboxId(1), "address": "help@shop.example", "name": "", "shop_name": "", "aliases": (), "imap": None,
        "smtp": None, "state": "active",
    }  # fmt: skip
    return Mailbox(**{**given, **changes})


class ScriptedSource:
    """A server with folders of {uid: (bytes, date)}; `fails` maps a UID to what happens when it is fetched."""

    def __init__(self, folders: dict[str, dict[int, tuple[bytes, datetime]]]) -> None:
        self.content = folders
        self.uidvalidity = 7
        self.fails: dict[int, str] = {}
        self.closed: set[str] = set()
        self.asked_from: list[int] = []
        self.selected = ""

    def folders(self) -> list[FolderInfo]:
        roles = {"INBOX": "inbox", "Sent": "sent", "Junk": "junk"}
        return [FolderInfo(name, roles.get(name, "other")) for name in self.content]

    def select(self, folder: str) -> FolderState:
        if folder in self.closed:
            raise CommandRefused(f"{folder}: permission denied")
        self.selected = folder
        mails = self.content[folder]
        return FolderState(self.uidvalidity, max(mails, default=0) + 1, len(mails))

    def uids_from(self, uid: int) -> list[int]:
        self.asked_from.append(uid)
        return sorted(known for known in self.content[self.selected] if known >= uid)

    def identities(self, uids: Sequence[int]) -> dict[int, tuple[str, int, datetime | None]]:
        mails = {uid: self.content[self.selected][uid] for uid in uids}
        return {uid: (f"<{raw.decode()}@x>" if raw else "", len(raw), at) for uid, (raw, at) in mails.items()}

    def dates(self, uids: Sequence[int]) -> dict[int, datetime]:
        return {uid: self.content[self.selected][uid][1] for uid in uids}

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        for uid in uids:
            match self.fails.get(uid):
                case "break":
                    raise ConnectionFailed("the connection broke")
                case "vanish":
                    self.content[self.selected].pop(uid, None)
                    continue
                case "skip":
                    continue
                case "short":
                    yield FetchedMail(uid, b"half", 10_000, self.content[self.selected][uid][1], short=True)
                    continue
            raw, at = self.content[self.selected][uid]
            body = None if self.fails.get(uid) == "empty" else raw
            yield FetchedMail(uid, body, len(raw), at)

    def idle(self, seconds: float, stop: Callable[[], bool]) -> bool:
        return False

    def find_message_id(self, folder: str, message_id: str) -> list[int]:
        return []

    def append(self, folder: str, data: bytes, at: datetime) -> None: ...
    def mark(self, uids: Sequence[int], policy: str, target: str = "") -> None: ...
    def close(self) -> None: ...


class MemoryLedger:
    """The ledger's behaviour without a database; `entered` is the order in which UIDs became durable."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.entered: list[tuple[int, bool]] = []
        self.items: dict[tuple[int, int, int], LedgerItem | None] = {}
        self.missing: int | None = None
        self.errors: dict[str, str] = {}

    def folder(self, mailbox_id: MailboxId, name: str, role: str) -> dict[str, Any]:
        return self.rows.setdefault(name, {"id": len(self.rows) + 1, "role": role, "uidvalidity": None, "last_uid": 0})

    def by_id(self, folder_id: int) -> dict[str, Any]:
        return next(row for row in self.rows.values() if row["id"] == folder_id)

    def new_epoch(self, folder_id: int, uidvalidity: int) -> None:
        self.by_id(folder_id).update(uidvalidity=uidvalidity, last_uid=0)

    def known_uids(self, folder_id: int, uidvalidity: int, first: int, last: int) -> set[int]:
        return {
            uid
            for folder, epoch, uid in self.items
            if (folder, epoch) == (folder_id, uidvalidity) and first <= uid <= last
        }

    def record_fetched(self, folder_id: int, uidvalidity: int, items: Sequence[LedgerItem], *, advance_to: int) -> None:
        for item in items:
            self.items[folder_id, uidvalidity, item.uid] = item
            self.entered.append((item.uid, item.historic))
        self._advance(folder_id, advance_to)

    def record_gone(self, folder_id: int, uidvalidity: int, uids: Sequence[int], *, advance_to: int) -> None:
        for uid in uids:
            self.items[folder_id, uidvalidity, uid] = None
        self._advance(folder_id, advance_to)

    def _advance(self, folder_id: int, advance_to: int) -> None:
        row = self.by_id(folder_id)
        row["last_uid"] = max(row["last_uid"], advance_to)

    def finish_pass(self, folder_id: int, *, missing: int, error: str = "") -> None:
        self.missing = missing
        self.errors[next(name for name, row in self.rows.items() if row["id"] == folder_id)] = error

    def identities(self, folder_id: int) -> Iterator[tuple[str, int, datetime | None]]:
        for (folder, _epoch, _uid), item in self.items.items():
            if folder == folder_id and item is not None and item.raw is not None:
                yield f"<{item.raw.decode()}@x>", item.size, item.internal_date

    def link_known(self, folder_id: int, uidvalidity: int, listed: Mapping[int, Identity]) -> int:
        return 0  # nothing has its outcome yet

    def unprocessed(
        self, limit: int, *, mailbox_id: MailboxId | None = None, imported: bool = False
    ) -> list[Mapping[str, Any]]:
        return []

    def note_failure(self, delivery_id: int, error: str) -> int:
        raise AssertionError("fetching processes nothing")


def inbox(*uids: int, at: datetime = NEW) -> dict[str, dict[int, tuple[bytes, datetime]]]:
    return {"INBOX": {uid: (b"mail %d" % uid, at) for uid in uids}}


def test_every_message_gets_one_row_and_a_second_pass_adds_nothing() -> None:
    source, ledger = ScriptedSource(inbox(1, 2, 5, 9)), MemoryLedger()
    assert Fetcher(ledger, mailbox()).run_pass(source).fetched == 4
    assert ledger.rows["INBOX"]["last_uid"] == 9
    assert Fetcher(ledger, mailbox()).run_pass(source).fetched == 0
    assert len(ledger.entered) == 4
    assert ledger.missing == 0


def test_a_broken_connection_keeps_what_was_taken_and_the_next_pass_takes_the_rest() -> None:
    """INGEST-1: what was fetched is durable; the cursor covers a contiguous prefix only."""
    source, ledger = ScriptedSource(inbox(*range(1, 121))), MemoryLedger()
    source.fails[110] = "break"
    with pytest.raises(ConnectionFailed):
        Fetcher(ledger, mailbox()).run_pass(source)
    assert ledger.rows["INBOX"]["last_uid"] == 109
    source.fails.clear()
    assert Fetcher(ledger, mailbox()).run_pass(source).fetched == 11
    assert sorted(uid for uid, _ in ledger.entered) == list(range(1, 121))


def test_new_mail_comes_before_history_and_last_uid_waits_for_the_gap_to_close() -> None:
    """SYNC-6: history is taken over as history, after what is new."""
    folders = {"INBOX": {uid: (b"x", OLD if uid <= 60 else NEW) for uid in range(1, 101)}}
    source, ledger = ScriptedSource(folders), MemoryLedger()
    source.fails[30] = "break"
    with pytest.raises(ConnectionFailed):
        Fetcher(ledger, mailbox(start_at=START)).run_pass(source)
    assert ledger.entered == [(uid, False) for uid in range(61, 101)] + [(uid, True) for uid in range(1, 30)]
    assert ledger.rows["INBOX"]["last_uid"] == 29
    source.fails.clear()
    Fetcher(ledger, mailbox(start_at=START)).run_pass(source)
    assert {uid for uid, historic in ledger.entered if historic} == set(range(1, 61))
    assert ledger.rows["INBOX"]["last_uid"] == 100


def with_junk(*uids: int) -> ScriptedSource:
    source = ScriptedSource(inbox(1))
    source.content["Junk"] = {uid: (b"junk %d" % uid, NEW) for uid in uids}
    return source


def test_the_junk_folder_is_counted_on_each_pass_and_not_fetched() -> None:
    """domain.md section 5: what the server took for junk is not dropped."""
    source, ledger = with_junk(4, 5), MemoryLedger()
    fetcher = Fetcher(ledger, mailbox())
    assert fetcher.run_pass(source).fetched == 1
    assert (ledger.rows["Junk"]["role"], ledger.missing) == ("junk", 2)
    source.content["Junk"][6] = (b"junk 6", NEW)
    fetcher.run_pass(source)
    assert ledger.missing == 3
    assert [uid for uid, _ in ledger.entered] == [1]


def test_a_junk_folder_that_has_not_changed_is_not_listed_again() -> None:
    source, ledger = with_junk(4), MemoryLedger()
    fetcher = Fetcher(ledger, mailbox())
    fetcher.run_pass(source)
    asked = len(source.asked_from)
    fetcher.run_pass(source)
    assert len(source.asked_from) == asked + 1  # the inbox alone


def test_junk_is_taken_over_when_somebody_asks_and_counted_as_none() -> None:
    source, ledger = with_junk(4, 5), MemoryLedger()
    fetcher = Fetcher(ledger, mailbox(), take_junk=True)
    assert fetcher.run_pass(source).fetched == 3
    assert fetcher.took_junk
    assert ledger.missing == 0
    Fetcher(ledger, mailbox()).run_pass(source)
    assert (ledger.missing, len(ledger.entered)) == (0, 3)


def test_a_junk_folder_that_does_not_open_troubles_nobody_and_stays_wanted() -> None:
    source, ledger = with_junk(4), MemoryLedger()
    source.closed.add("Junk")
    fetcher = Fetcher(ledger, mailbox(), take_junk=True)
    assert fetcher.run_pass(source).complete
    assert not fetcher.took_junk
    assert "permission denied" in ledger.errors["Junk"]


def test_a_junk_folder_that_the_settings_name_is_fetched_like_the_others() -> None:
    source, ledger = with_junk(4), MemoryLedger()
    assert Fetcher(ledger, mailbox(settings={"folders": ["Junk"]})).run_pass(source).fetched == 2
    assert ledger.rows["Junk"]["role"] == "inbox"


def test_a_message_that_another_client_removed_is_entered_as_gone() -> None:
    """SYNC-4: an expunge by somebody else in the middle of a batch."""
    source, ledger = ScriptedSource(inbox(1, 2, 3)), MemoryLedger()
    source.fails[2] = "vanish"
    assert Fetcher(ledger, mailbox()).run_pass(source).gone == 1
    assert ledger.items[1, 7, 2] is None
    assert ledger.rows["INBOX"]["last_uid"] == 3


def test_a_message_that_the_server_merely_left_out_is_not_called_gone() -> None:
    source, ledger = ScriptedSource(inbox(1, 2, 3)), MemoryLedger()
    source.fails[2] = "skip"
    assert Fetcher(ledger, mailbox()).run_pass(source).gone == 0
    assert ledger.missing == 1
    assert ledger.rows["INBOX"]["last_uid"] == 1
    source.fails.clear()
    Fetcher(ledger, mailbox()).run_pass(source)
    assert ledger.rows["INBOX"]["last_uid"] == 3


def test_a_body_that_never_comes_is_entered_without_one_on_the_third_pass() -> None:
    """SYNC-4, INGEST-3: every UID ends in an outcome."""
    source, ledger = ScriptedSource(inbox(1, 2)), MemoryLedger()
    source.fails[1] = "empty"
    fetcher = Fetcher(ledger, mailbox())
    assert not fetcher.run_pass(source).complete
    assert not fetcher.run_pass(source).complete
    assert (1, 7, 1) not in ledger.items
    fetcher.run_pass(source)
    entered = ledger.items[1, 7, 1]
    assert entered is not None
    assert entered.raw is None


def test_a_message_that_breaks_every_connection_does_not_hold_up_the_others() -> None:
    source, ledger = ScriptedSource({**inbox(*range(1, 201)), "Sent": {1: (b"sent", NEW)}}), MemoryLedger()
    source.fails[2] = "break"
    fetcher = Fetcher(ledger, mailbox())
    broken = 0
    for _ in range(10):
        try:
            complete = fetcher.run_pass(source).complete
        except ConnectionFailed:
            broken += 1
            if broken == 3:
                assert {uid for folder, _, uid in ledger.items if folder == 1} == {1, *range(3, 201)}
        else:
            assert complete
            break
    assert broken == 4  # once among others, then three times by itself
    entered = ledger.items[1, 7, 2]
    assert entered is not None
    assert entered.raw is None
    assert ledger.rows["INBOX"]["last_uid"] == 200
    assert (2, 7, 1) in ledger.items
    assert len(ledger.entered) == 201


def test_a_message_that_comes_after_all_is_taken_whole() -> None:
    source, ledger = ScriptedSource(inbox(1, 2, 3)), MemoryLedger()
    source.fails[2] = "break"
    fetcher = Fetcher(ledger, mailbox())
    for _ in range(3):
        with pytest.raises(ConnectionFailed):
            fetcher.run_pass(source)
    source.fails.clear()
    assert fetcher.run_pass(source).complete
    entered = ledger.items[1, 7, 2]
    assert entered is not None
    assert entered.raw == b"mail 2"


def test_another_uidvalidity_starts_a_new_epoch_and_keeps_the_old_rows() -> None:
    """SYNC-5: nothing is ever deleted."""
    source, ledger = ScriptedSource(inbox(1, 2)), MemoryLedger()
    fetcher = Fetcher(ledger, mailbox())
    fetcher.run_pass(source)
    source.uidvalidity = 3  # it may also go down
    assert fetcher.run_pass(source).fetched == 2
    assert set(ledger.items) == {(1, 7, 1), (1, 7, 2), (1, 3, 1), (1, 3, 2)}


def test_stopping_between_groups_leaves_a_clean_prefix() -> None:
    source, ledger = ScriptedSource(inbox(*range(1, 201))), MemoryLedger()
    stopped = Fetcher(ledger, mailbox(), stop=lambda: len(ledger.entered) >= 50).run_pass(source)
    assert not stopped.complete
    assert ledger.rows["INBOX"]["last_uid"] == len(ledger.entered)
    assert ledger.missing is None, "what was broken off is no finished pass"


def test_progress_counts_up_to_the_number_of_new_messages() -> None:
    seen: list[Progress] = []
    Fetcher(MemoryLedger(), mailbox(), progress=seen.append).run_pass(ScriptedSource(inbox(*range(1, 131))))
    assert [step.done for step in seen] == [50, 100, 130]
    assert {step.total for step in seen} == {130}


def test_sent_is_watched_after_the_inbox_and_junk_is_not() -> None:
    found = [
        FolderInfo("Sent", "sent"),
        FolderInfo("Junk", "junk"),
        FolderInfo("INBOX", "inbox"),
        FolderInfo("Orders", "other"),
    ]
    assert [info.name for info in watched_folders(found, mailbox())] == ["INBOX", "Sent"]
    chosen = watched_folders(found, mailbox(settings={"folders": ["Orders"], "watch_sent": False}))
    assert {(info.name, info.role) for info in chosen} == {("INBOX", "inbox"), ("Orders", "inbox")}


# ---- folders, epochs, the comparison of the whole --------------------------------------------------------------------


def test_sync_12_a_folder_that_does_not_open_says_so_and_does_not_stop_the_others() -> None:
    source, ledger = ScriptedSource({"INBOX": {}, "Ordini": {1: (b"x", NEW)}, "Resi": {1: (b"y", NEW)}}), MemoryLedger()
    source.closed.add("Ordini")
    done = Fetcher(ledger, mailbox(settings={"folders": ["Ordini", "Resi"]})).run_pass(source)
    assert (done.fetched, done.complete, done.bodiless) == (1, False, 0)
    assert ledger.errors == {"INBOX": "", "Ordini": "Ordini: permission denied", "Resi": ""}


def test_sync_12_a_folder_that_vanished_is_named_and_its_rows_stay() -> None:
    source, ledger = ScriptedSource({"INBOX": {}, "Ordini": {1: (b"x", NEW)}}), MemoryLedger()
    fetcher = Fetcher(ledger, mailbox(settings={"folders": ["Ordini"]}))
    assert fetcher.run_pass(source).complete
    del source.content["Ordini"]
    assert not fetcher.run_pass(source).complete
    assert "Ordini" in ledger.errors["Ordini"]
    assert len(ledger.items) == 1
    source.content["Ordini"] = {1: (b"x", NEW), 2: (b"z", NEW)}
    assert fetcher.run_pass(source).fetched == 1
    assert ledger.errors["Ordini"] == ""


def test_sync_4_a_short_body_is_asked_for_three_times_and_then_entered_as_cut() -> None:
    source, ledger = ScriptedSource(inbox(1, 2)), MemoryLedger()
    source.fails[1] = "short"
    fetcher = Fetcher(ledger, mailbox())
    assert [fetcher.run_pass(source).bodiless for _ in range(4)] == [1, 1, 0, 0]
    item = ledger.items[1, 7, 1]
    assert item is not None
    assert (item.raw, item.partial) == (b"half", True)
    assert ledger.entered[0] == (2, False), "it holds up nobody"


def test_ingest_3_the_whole_folder_is_compared_at_the_start_and_hourly() -> None:
    source, ledger, now = ScriptedSource(inbox(1, 2, 3)), MemoryLedger(), [0.0]
    fetcher = Fetcher(ledger, mailbox(), monotonic=lambda: now[0])
    fetcher.run_pass(source)
    del ledger.items[1, 7, 2]  # whatever lost it
    fetcher.run_pass(source)
    assert (1, 7, 2) not in ledger.items, "below the cursor nobody looks"
    now[0] = 3600.0
    assert fetcher.run_pass(source).fetched == 1
    assert ledger.missing == 0
    assert source.asked_from == [1, 4, 1]


def renumbered(known: int, strange: int) -> tuple[ScriptedSource, MemoryLedger, Fetcher]:
    """A folder of `known` messages that comes back with another UIDVALIDITY and so many strange ones."""
    content = {"INBOX": {uid: (b"mail %d" % uid, NEW) for uid in range(1, known + 1)}}
    source, ledger = ScriptedSource(content), MemoryLedger()
    fetcher = Fetcher(ledger, mailbox())
    fetcher.run_pass(source)
    source.uidvalidity = 3  # it may well be a lower one
    others = {1000 + n: (b"other %d" % n, OLD) for n in range(strange)}
    source.content["INBOX"] = {uid + 100: mail for uid, mail in content["INBOX"].items()} | others
    return source, ledger, fetcher


@pytest.mark.parametrize(
    ("known", "strange", "asks"), [(100, 0, False), (100, 20, False), (60, 30, True), (100, 100, True), (10, 35, False)]
)
def test_sync_5_a_person_is_asked_when_most_of_a_renumbered_folder_is_strange(
    known: int, strange: int, asks: bool
) -> None:
    source, ledger, fetcher = renumbered(known, strange)
    done = fetcher.run_pass(source)
    assert done.fetched == (0 if asks else known + strange)
    assert bool(ledger.errors["INBOX"]) == asks
    assert sum(epoch == 7 for _folder, epoch, _uid in ledger.items) == known, "nothing is ever deleted"
    if asks:
        assert str(strange) in ledger.errors["INBOX"]
        assert not fetcher.run_pass(source).complete, "it goes on asking"
        accepting = Fetcher(ledger, mailbox(), accept_renumbered=True)
        assert accepting.run_pass(source).fetched == known + strange
        assert ledger.errors["INBOX"] == ""


def test_sync_5_a_message_without_an_id_is_known_by_its_date_and_size() -> None:
    source, _ledger, fetcher = renumbered(60, 0)
    source.identities = lambda uids: {  # type: ignore[method-assign]
        uid: ("", len(source.content["INBOX"][uid][0]), NEW) for uid in uids
    }
    assert fetcher.run_pass(source).fetched == 60
