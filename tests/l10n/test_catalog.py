"""The console speaks the agent's language, and English costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from supportdesk.l10n import catalog, catalog_update


@pytest.fixture
def italian(tmp_path, monkeypatch):
    """A small Italian catalogue in place of the real one; English again afterwards."""
    messages = Catalog(locale="it")
    messages.add("Queue", "Coda")
    messages.add(("{count} new", "{count} new ones"), ("{count} nuovo", "{count} nuovi"))
    messages.add("open", "aperto", context="status")
    folder = tmp_path / "it" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "supportdesk.mo").open("wb") as file:
        write_mo(file, messages)
    monkeypatch.setattr(catalog, "LOCALE_DIR", tmp_path)
    yield catalog
    catalog.use_language("en")


def test_english_is_its_own_catalogue():
    assert catalog.use_language("en") == "en"
    assert catalog._("Queue") == "Queue"
    assert catalog.ngettext("one", "many", 1) == "one"
    assert catalog.ngettext("one", "many", 0) == "many"
    assert catalog.pgettext("status", "open") == "open"


def test_italian_is_spoken_after_it_is_chosen(italian):
    assert italian.use_language("it_IT.UTF-8") == "it"
    assert italian.current_language() == "it"
    assert italian._("Queue") == "Coda"
    assert italian.ngettext("{count} new", "{count} new ones", 3).format(count=3) == "3 nuovi"
    assert italian.pgettext("status", "open") == "aperto"
    assert italian._("not translated") == "not translated"
    assert italian._("") == ""


@pytest.mark.parametrize("tag", ["sv", "C", "POSIX", "", "../../etc", "it/../../x", "i"])
def test_a_language_without_a_catalogue_is_english(italian, tag):
    italian.use_language("it")
    assert italian.use_language(tag) == "en"
    assert italian._("Queue") == "Queue"


def test_the_shipped_languages_are_there():
    assert set(catalog.available_languages()) >= {"en", "it"}


def test_no_language_of_the_console_imports_babel():
    program = (
        "import sys; from supportdesk.l10n.catalog import _, use_language;"
        "_('Queue'); assert 'gettext' not in sys.modules; use_language('it'); print('babel' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A package with one message, and an empty Italian catalogue for it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "queue.py").write_text(
        '_("Hello {name}")\nngettext("{count} mail", "{count} mails", 2)\nN_("Later")\n'
    )
    po = tmp_path / "it" / "LC_MESSAGES" / "supportdesk.po"
    po.parent.mkdir(parents=True)
    with po.open("wb") as file:
        write_po(file, Catalog(locale="it"))
    monkeypatch.setattr(catalog_update, "SOURCES", tmp_path / "src")
    monkeypatch.setattr(catalog_update, "LOCALE_DIR", tmp_path)
    return po


def translate(po: Path, **translations: str | tuple[str, ...]) -> None:
    with po.open("rb") as file:
        messages = read_po(file, locale="it")
    for message in messages:
        name = message.id if isinstance(message.id, str) else message.id[0]
        if name in translations:
            message.string = translations[name]
    with po.open("wb") as file:
        write_po(file, messages)


def test_a_message_without_a_translation_fails_the_check(sources, capsys):
    assert catalog_update.main(["--update"]) == 1
    assert capsys.readouterr().out.count("not translated") == 3


def test_a_translation_with_other_placeholders_fails_the_check(sources, capsys):
    catalog_update.main(["--update"])
    capsys.readouterr()
    wrong: dict[str, str | tuple[str, ...]] = {
        "Hello {name}": "Ciao {nome}", "{count} mail": ("{count} mail", "{count} mail"), "Later": "Più tardi",
    }  # fmt: skip
    translate(sources, **wrong)
    assert catalog_update.main(["--update"]) == 1
    assert "other placeholders" in capsys.readouterr().out


def test_a_complete_catalogue_passes_until_its_po_changes(sources, capsys):
    catalog_update.main(["--update"])
    complete: dict[str, str | tuple[str, ...]] = {
        "Hello {name}": "Ciao {name}",
        "{count} mail": ("{count} mail", "{count} mail"),
        "Later": "Più tardi",
    }
    translate(sources, **complete)
    assert catalog_update.main(["--update"]) == 0
    before = sources.read_bytes()
    assert catalog_update.main(["--update"]) == 0
    assert sources.read_bytes() == before
    translate(sources, **{**complete, "Later": "Dopo"})
    capsys.readouterr()
    assert catalog_update.main(["--check"]) == 1
    assert "run --update" in capsys.readouterr().out


def test_a_catalogue_does_not_grow_stale_with_the_clock(sources, capsys, monkeypatch):
    catalog_update.main(["--update"])
    complete: dict[str, str | tuple[str, ...]] = {
        "Hello {name}": "Ciao {name}", "{count} mail": ("{count} mail", "{count} mail"), "Later": "Più tardi",
    }  # fmt: skip
    translate(sources, **complete)
    assert catalog_update.main(["--update"]) == 0
    compiled = sources.with_suffix(".mo").read_bytes()
    monkeypatch.setattr(catalog_update, "LONG_AGO", catalog_update.LONG_AGO.replace(year=2031))
    assert catalog_update.main(["--check"]) == 0
    monkeypatch.undo()
    assert catalog_update.main(["--update"]) == 0
    assert sources.with_suffix(".mo").read_bytes() == compiled


def test_every_message_is_collected_wherever_it_stands():
    """The extractor does not look into f-strings (before Python 3.12): a message in one would never be translated."""
    ids = [message.id for message in catalog_update._extract() if message.id]
    collected = {found if isinstance(found, str) else found[0] for found in ids}
    called = {
        (argument.value, path.name)
        for path in catalog_update.SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_", "ngettext")
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and argument.value
    }
    assert len(called) > 1000
    assert {(text, where) for text, where in called if text not in collected} == set()
