"""A folder of Markdown files holds canned responses without losing a byte."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.desk.canned import AskField, CannedFile, Choice, Then
from supportdesk.desk.canned_folder import (
    STARTER_SET,
    differences,
    file_texts,
    read_attachment,
    read_folder,
    remove_folder,
    stale_folders,
    starter_set,
    write_folder,
)
from supportdesk.errors import ConfigError, NotFound
from supportdesk.l10n.catalog import use_language
from tests.desk.canned_samples import response, variant

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=100, deadline=None)
@given(body=words, subject=words, label=words, keyword=words)
def test_what_is_written_is_read_again_without_loss(tmp_path_factory, body, subject, label, keyword):
    folder = tmp_path_factory.mktemp("canned")
    sample = response(
        variant(f"+++\n{body}", "de-AT@formal", subject, "abc"),
        variant(f"---\n{body}\n---\n", "it"),
        ask=(AskField("a", "money", {"it": label, "zh-Hant": label}), AskField("b", "text", {}, "order.number")),
        source="it",
    )
    whole = [type(sample)(sample.key, {"it": label}, (keyword,), "it", sample.ask, sample.variants)]
    write_folder(folder, whole)
    assert list(read_folder(folder)) == whole


WHOLE = replace(
    response(
        replace(variant("{{ ask.how }}", "it"), files=(CannedFile("modulo.pdf", sha256(b"%PDF").hexdigest(), 4),)),
        ask=(AskField("how", "choice", {"it": "Come?"}, "", "b", (Choice("b", {"it": "b"}), Choice("a"))),),
    ),
    group={"it": "Resi"},
    shortcut="rs",
    sets=("outlet", "boutique"),
    files=(CannedFile("Größe.txt", sha256(b"").hexdigest(), 0),),
    then=Then("solved", ("resi",), 2, "giulia"),
)
BYTES = {"modulo.pdf": b"%PDF", "Größe.txt": b""}


def test_everything_that_goes_with_a_response_survives_the_folder(tmp_path):
    write_folder(tmp_path, [WHOLE], lambda file: BYTES[file.name])
    assert read_folder(tmp_path) == (WHOLE,)
    assert read_attachment(tmp_path, "sample", WHOLE.files[0]) == b""
    assert file_texts(WHOLE)["it.md"] == '+++\nattachments = ["modulo.pdf"]\n+++\n{{ ask.how }}'


def test_a_file_that_nothing_names_and_one_that_is_missing_are_faults(tmp_path):
    write_folder(tmp_path, [WHOLE], lambda file: BYTES[file.name])
    stray = tmp_path / "sample" / "attachments" / "stray.txt"
    stray.write_text("x")
    with pytest.raises(ConfigError, match=r"stray\.txt:1"):
        read_folder(tmp_path)
    stray.unlink()
    (tmp_path / "sample" / "attachments" / "modulo.pdf").unlink()
    with pytest.raises(ConfigError, match=r"it\.md:2: .*modulo\.pdf"):
        read_folder(tmp_path)


def test_a_difference_reads_like_that_of_git():
    before, after = response(variant("Ciao\n", "it")), response(variant("Ciao!\n", "it"))
    found = differences({"sample": before, "gone": WHOLE}, {"sample": after, "added": WHOLE})
    assert [(one.kind, one.key) for one in found] == [("new", "added"), ("gone", "gone"), ("changed", "sample")]
    assert found[2].diff == "--- a/sample/it.md\n+++ b/sample/it.md\n@@ -1 +1 @@\n-Ciao\n+Ciao!\n"
    assert "--- a/gone/attachments/modulo.pdf\n+++ /dev/null\n" in found[1].diff


def test_folders_of_what_is_gone_are_named_and_only_what_was_exported_is_removed(tmp_path):
    write_folder(tmp_path, [WHOLE, replace(WHOLE, key="other")], lambda file: BYTES[file.name])
    (tmp_path / "other" / "notes.txt").write_text("mine")
    assert [one.name for one in stale_folders(tmp_path, [])] == ["other", "sample"]
    for one in stale_folders(tmp_path, []):
        remove_folder(one)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["notes.txt"]


def test_the_starter_set_is_written_as_it_was_read(tmp_path):
    write_folder(tmp_path, starter_set())
    original = {path.relative_to(STARTER_SET): path.read_bytes() for path in STARTER_SET.rglob("*.*")}
    assert {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")} == original
    assert len(original) == 21 * 10


def test_a_variant_that_is_gone_leaves_no_file(tmp_path):
    write_folder(tmp_path, [response(variant("x", "it"), variant("y", "de"))])
    write_folder(tmp_path, [response(variant("x", "it"))])
    assert [path.name for path in tmp_path.rglob("*.md")] == ["it.md"]


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("response.toml", "keywords = [\n", "response.toml:"),
        ("response.toml", 'source = "it"\n\n[title]\nit = "x"\n\n[ask.n]\ntype = "secret"\n', "response.toml:7"),
        ("response.toml", 'source = "it"\nkeyword = ["x"]\n', "response.toml:2"),
        ("it.md", '+++\nsubject = "x"\nno closing fence\n', "it.md:1"),
        ("it.md", '+++\nsubject = "x"\nsubject = "y"\n+++\nCiao\n', "it.md:3"),
        ("it.md", '+++\nsubjet = "x"\n+++\nCiao\n', "it.md:2"),
        ("it.md", "---\nsubject: x\n---\nCiao\n", "it.md:1"),
        ("italiano.md", "Ciao\n", "italiano.md:1"),
    ],
)
@pytest.mark.parametrize("language", ["en", "it"])
def test_a_fault_is_named_with_file_and_line(tmp_path, name, text, where, language):
    write_folder(tmp_path, [response(variant("x", "it"))])
    (tmp_path / "sample" / name).write_text(text)
    use_language(language)
    try:
        with pytest.raises(ConfigError) as refused:
            read_folder(tmp_path)
    finally:
        use_language("en")
    assert where in refused.value.message


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    write_folder(tmp_path, [response(variant("x", "it"))])
    (tmp_path / "sample" / "it.md").write_bytes("Perché".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"it\.md:1.*UTF-8"):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        read_folder(tmp_path / "nope")


def test_a_response_without_its_head_is_named(tmp_path):
    (tmp_path / "sample").mkdir()
    with pytest.raises(ConfigError, match=r"response\.toml"):
        read_folder(tmp_path)
