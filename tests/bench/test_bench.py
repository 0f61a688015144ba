"""Each part of the benchmark runs at a tiny size and tells what it promises; how fast it was is not looked at."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.bench import __main__ as bench
from tests.bench import console
from tests.bench.desks import NOW, scratch_desk
from tests.bench.mails import MailMaker, MailPack
from tests.bench.report import UNKNOWN, Part, Row, page, table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.postgres import PostgresServer

PROMISED = {
    "mime": {"parse, in this process", "parse, in two contained children", "1,000 nested levels", "5,000 addresses"},
    "ingest": {"mailbox to tickets, one after the other", "growth, by CPU: the last tenth of the mails", "tickets"},
    "search": {
        "one frequent word",
        "one order number",
        "growth: one frequent word",
        "p95 of all of them",
        "by relevance: one frequent word, p95",
    },
    "queue": {"first page", "next page", "counts of all views", "spine of all", "growth: first page"},
    "cli": {"--version", "--help", "ticket list", "search", "search: modules loaded"},
    "console": {"start to a usable list", "bytes: start", "a colleague's action on the screen"},
    "crowd": {"the same: lost", "an agent's write, p99", "mail taken in beside the agents", "errors and lost writes"},
    "copy": {"SQLite → PostgreSQL, compared", "rows with equal hashes, both ways", "tables whose rows differ"},
    "clock": {"one deadline of 8 opening hours", "the promise of 24 h", "the first deadline of a calendar"},
    "send": {"transport, four reused connections", "outbox: claim, build, durable stages, verdict"},
}


def measured(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code = bench.main([*arguments, "--json", "--runs", "1"])
    output, errors = capsys.readouterr()
    assert code in (0, 6), errors
    return {part["name"]: part for part in json.loads(output)["parts"]}


@pytest.mark.parametrize(
    ("parts", "size"),
    [(("mime",), "8"), (("ingest",), "30"), (("search", "queue"), "2500"), (("cli",), "60"), (("send",), "6"),
     (("crowd",), "2"), (("clock",), "100"), (("console",), "1200")],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_part_tells_all_it_promises(capsys: pytest.CaptureFixture[str], parts: tuple[str, ...], size: str) -> None:
    found = measured(capsys, *parts, "--size", size, "--no-profile")
    assert set(found) == set(parts)
    for name in parts:
        rows = {row["measure"]: row for row in found[name]["rows"]}
        assert rows.keys() >= PROMISED[name]
        assert all(row["unit"] and row["ours"] is not None for row in rows.values())
        assert all(re.search(r"[≤≥] [\d.,]+", row["aim"]) for row in rows.values() if row["aim"]), "nobody can judge it"
        assert any(row["ratio"] for row in rows.values()), "nothing was compared with a peer"
        assert found[name]["input"]
        for written in sorted(bench.PAGE.parent.glob("performance*.md")):
            on_page = rows_on_page(written).get(name)
            assert on_page is None or on_page == without_numbers(rows), f"{written.name} is not of today: write it anew"


def rows_on_page(written: Path) -> dict[str, set[str]]:
    """What a page measures, by part."""
    parts = (part.split("\n") for part in written.read_text("utf-8").split("\n## ")[1:])
    tables = {name: [line[2:].partition(" | ")[0] for line in lines if line.startswith("| ")] for name, *lines in parts}
    return {name: without_numbers(measures[2:]) for name, measures in tables.items()}


def without_numbers(measures: Iterable[str]) -> set[str]:
    """What is measured, whatever the size: without what a small run of mail may not come to, too."""
    return {re.sub(r"\d[\d,.]*", "N", measure) for measure in measures if not measure.startswith("outcome: ")}


@pytest.mark.parametrize(
    ("parts", "size"),
    [(("search", "queue"), "2500"), (("ingest",), "20"), (("send",), "4"), (("crowd",), "1")],
)
def test_a_part_runs_on_postgres_and_leaves_nothing_there(
    capsys: pytest.CaptureFixture[str], postgres_server: PostgresServer, parts: tuple[str, ...], size: str
) -> None:
    import psycopg

    url = postgres_server.url("postgres")
    found = measured(capsys, *parts, "--size", size, "--database", url, "--no-profile")
    assert set(found) == set(parts)
    assert all("sqlite" not in part["input"].lower() for part in found.values())
    with psycopg.connect(url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'supportdesk_bench%'").fetchall()
    assert left == []


def test_mail_that_was_written_for_a_peer_is_the_mail_that_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, box = tmp_path / "mails", tmp_path / "shop.mbox"
    assert bench.main(["ingest", "--size", "12", "--mails-out", str(folder)]) == 0
    digest = capsys.readouterr().out.rpartition("sha256 ")[2].strip()
    files = sorted((folder / "cur").iterdir(), reverse=True)
    box.write_bytes(b"".join(b"From a@b.test Sun Jan  1 08:00:00 2023\n" + file.read_bytes() + b"\n" for file in files))
    eml = tmp_path / "eml"
    eml.mkdir()
    for number, file in enumerate(files):
        (eml / f"{number}.eml").write_bytes(file.read_bytes())
    for given, parts in ((folder, ("ingest", "send")), (eml, ("mime",))):
        found = measured(capsys, *parts, "--mails", str(given), "--no-profile")
        for part in found.values():
            assert part["input"].startswith(f"12 mails of {given}, ") and f"sha256 {digest}" in part["input"]
    boxed = measured(capsys, "mime", "--mails", str(box), "--size", "5", "--no-profile")["mime"]["input"]
    assert boxed.startswith(f"5 mails of {box}, "), "an mbox says when each mail came, and these came at once"
    assert f"sha256 {digest}" in measured(capsys, "mime", "--size", "12", "--no-profile")["mime"]["input"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mime", "--mails", "{here}/nowhere"), "No such file"),
        (("mime", "--mails", "{here}/empty"), "there is no mail"),
        (("mime", "--mails", "{here}/one.eml", "--size", "2"), "holds 1 mails, not 2"),
        (("search", "--mails", "{here}/one.eml"), "--mails is for mime, ingest, send"),
        (("--mails-out", "{here}"), "is there already"),
        (("--mails-out", "{here}/one.eml/below"), "Not a directory"),
    ],
)
def test_mail_that_nothing_can_be_measured_on_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.eml").write_bytes(b"From: a@b.test\n\nHello\n")
    with pytest.raises(SystemExit) as ended:
        bench.main([argument.format(here=tmp_path) for argument in arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_the_profile_names_rooms_and_functions(capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, "ingest", "mime", "--size", "20")
    taking_in, reading = found["ingest"]["remarks"], found["mime"]["remarks"]
    assert any("SQLite" in line for line in taking_in)
    assert any("intake.py" in line and "calls" in line for line in taking_in)
    assert any("supportdesk.mail.headers" in line for line in reading)


def test_mail_follows_from_its_number_alone(tmp_path: Path) -> None:
    everything = [MailMaker(1).mail(number) for number in (0, 7, 40)]
    one_maker = MailMaker(1)
    assert [one_maker.mail(number) for number in (40, 7, 0)] == everything[::-1]
    assert MailMaker(2).mail(7) != everything[1]
    pack = MailPack.make(tmp_path / "pack", 7, 1)
    assert [raw.replace(b"\r\n", b"\n") for raw in pack] == [everything[1]]


def test_a_filled_desk_is_sound_and_its_counters_agree_with_its_tickets() -> None:
    with scratch_desk() as made:
        made.grow_to(300)
        made.grow_to(700)
        read, agent = made.desk.read, made.agents[0].id
        counts = read.counts(agent_id=agent, now=NOW)
        for view in ("needs_reply", "mine", "unassigned", "all_open", "solved", "spam", "all", "snoozed"):
            assert counts[view] == len(read.queue_ids(view, agent_id=agent, now=NOW)), view
        assert counts["all"] == 700
        assert counts["needs_reply"] > 0
        with made.store.connection() as connection:
            assert connection.execute("PRAGMA foreign_key_check") == []
        file = made.store.address.file
        assert file.exists()
    assert not file.exists()


@pytest.mark.parametrize(("seconds", "code"), [([0.2, 0.3], 0), ([0.2, 0.31], 6)])
def test_an_action_that_a_colleague_sees_too_late_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seconds: list[float], code: int
) -> None:
    rows = (Row("bytes: start", 30_000, "bytes", limit=40_000), *console.seen_rows(seconds, "PostgreSQL"))
    monkeypatch.setattr(console, "run", lambda _options: Part("console", "two consoles", rows))
    assert bench.main(["console"]) == code
    output, errors = capsys.readouterr()
    assert "≤ 300" in output
    assert ("above its limit: console: a colleague's action, the slowest of 2" in errors) == (code == 6)


def test_what_could_not_be_measured_is_named_and_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["queue", "--size", "10", "--database", "sqlite:///x.db"]) == 1
    assert "postgresql://" in capsys.readouterr().err


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["speed"])
    assert "mime" in capsys.readouterr().err


def test_a_part_alone_does_not_replace_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["mime", "--write"])
    assert "all parts" in capsys.readouterr().err


def test_a_part_alone_is_written_to_a_page_of_its_own(tmp_path: Path) -> None:
    assert bench.main(["queue", "--size", "20", "--runs", "1", "--page", str(tmp_path / "queue.md")]) == 0
    written = (tmp_path / "queue.md").read_text("utf-8")
    assert "## queue" in written
    assert "20 tickets" in written


def test_the_page_and_the_table_show_ratio_and_aim() -> None:
    part = Part("queue", "ten tickets", (Row("first page", 0.5, "ms", "driver", 0.25, "≤ 3×"),), ("a remark",))
    for text in (table(part), page([part], "./desk bench")):
        assert all(piece in text for piece in ("ten tickets", "first page", "0.5 ms", "driver: 0.25 ms", "2×", "≤ 3×"))


@pytest.mark.parametrize(
    ("ours", "theirs", "aim", "missed"),
    [
        (3.1, 1.0, "≤ 3×", True),
        (3.0, 1.0, "≤ 3×", False),
        (9.0, 1.0, "≥ 10×, then 20,000/s", True),
        (3599, 9, "≥ 3,600/s (5× another)", True),
        (3600, 9000, "≥ 3,600/s (5× another)", False),
        (0.99, None, "p95 ≤ .99 ms", False),
        (1, None, "≤ 0", True),
        (5, None, "≤ 2×", False),
        (5, None, "", False),
    ],
)
def test_an_aim_is_judged_as_it_is_written(ours: float, theirs: float | None, aim: str, missed: bool) -> None:
    row = Row("first page", ours, "ms", "driver", theirs, aim)
    assert row.is_missed is missed
    assert row.cells()[-1] == aim + " (missed)" * missed


def test_only_what_misses_its_aim_is_told_with_why_and_what_comes_next() -> None:
    rows = (
        Row("first page", 4, "ms", aim="≤ 3 ms"),
        Row("next page", 4, "ms", aim="≤ 3 ms"),
        Row("counts", 1, "ms", aim="≤ 3 ms"),
        Row("deep page", 4, "ms", limit=3),
    )
    part = Part(
        "queue", "ten tickets", rows, why=dict.fromkeys(("first page", "next page", "counts"), "Ten statements.")
    )
    assert part.misses == (("first page; next page", "Ten statements."), ("deep page", UNKNOWN))
    written = page([part], "./desk bench", "15.6")
    assert "- *first page; next page*: Ten statements.\n- *deep page*: not looked into" in written
    assert "a row above its limit, of `queue` *deep page*." in written
    assert "PostgreSQL 15.6." in written
    assert "missed: first page; next page: Ten statements." in table(part)


def test_a_page_does_not_say_which_server_and_which_file_it_was(tmp_path: Path) -> None:
    target, desk = tmp_path / "page.md", tmp_path / "shop.db"
    for given in (["--desk", str(desk)], [f"--desk={desk}"]):
        assert bench.main(["queue", *given, "--size", "20", "--runs", "1", "--page", str(target)]) == 0
        assert "shop.db" not in target.read_text("utf-8")
        assert "DB --size 20" in target.read_text("utf-8")


def test_the_written_page_has_every_part() -> None:
    written = bench.PAGE.read_text("utf-8")
    assert all(f"\n## {name}\n" in written for name in bench.PARTS)
    assert rows_on_page(bench.PAGE)["copy"] >= PROMISED["copy"]
