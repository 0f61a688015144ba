"""The figures of `./desk corpus` hold, and its judgements are about differences that there are."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.corpus import judged, taking_in
from tests.corpus.__main__ import GROUPS, examine, main
from tests.corpus.findings import table
from tests.corpus.folder import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.corpus import Corpus


def test_every_limit_holds_and_every_difference_is_judged(corpus: Corpus) -> None:
    """One test, so that the corpus is read once however the tests are spread over processes."""
    wanted = [name for name in GROUPS if name != "intake"]
    found = list(examine(Folder(corpus.directory), wanted))
    assert [group.name for group in found] == wanted
    assert all(group.findings for group in found)
    findings = [one for group in found for one in group.findings]
    assert [one for one in findings if not (one.holds or one.is_timed)] == []
    assert [line for one in findings if one.measure.endswith("not judged") for line in one.details] == []


@pytest.mark.slow
def test_every_mail_ends_in_exactly_one_outcome(corpus: Corpus) -> None:
    """Each third mail, from all sources; `./desk corpus` takes them all in."""
    folder = Folder(corpus.directory)
    group = taking_in.measure(folder, folder.names()[::3])
    assert group.holds, table(group)


def test_every_judgement_names_a_side_and_a_reason() -> None:
    entries = tomllib.loads(judged.FILE.read_text("utf-8"))["judgement"]
    assert len(entries) > 20
    for entry in entries:
        assert entry["right"] in ("ours", "theirs", "both")
        assert len(entry["reason"]) > 20
        assert entry["of"]


def test_a_folder_without_expectations_is_read_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mails = tmp_path / "messages" / "mine"
    mails.mkdir(parents=True)
    (mails / "one.eml").write_bytes(b"From: a@b.example\nSubject: one\n\nhello\n")
    assert main([str(tmp_path), "--json"]) == 0
    groups = {group["name"]: group for group in json.loads(capsys.readouterr().out)}
    assert set(groups) == {"reading", "intake"}
    assert ("outcome: message", "1") in [(one["measure"], one["found"]) for one in groups["intake"]["findings"]]


def test_a_broken_limit_is_named_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "messages" / "zammad").mkdir(parents=True)
    (tmp_path / "messages" / "zammad" / "one.eml").write_bytes(b"From: a@b.example\nSubject: one\n\nhello\n")
    (tmp_path / "expected").mkdir()
    expectation = {"zammad/one.eml": {"from_email": "other@b.example", "subject": "one", "attachments": []}}
    (tmp_path / "expected" / "zammad.json").write_text(json.dumps(expectation), "utf-8")
    assert main([str(tmp_path), "--only", "zammad"]) == 1
    printed = capsys.readouterr()
    assert "broken: zammad: zammad: from" in printed.err
    assert "other@b.example" in printed.out
