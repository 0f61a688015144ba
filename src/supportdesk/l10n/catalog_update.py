"""Keeps the `.po` and `.mo` files in step with the sources: the developer's side of `l10n.catalog`.

The program itself never imports this module, nor babel's message tools.
"""

from __future__ import annotations

import argparse
import io
import string
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from supportdesk.l10n.catalog import DOMAIN, LOCALE_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).parent.parent
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}


def main(arguments: list[str]) -> int:
    """Run `--update` or `--check`; 0 when every catalogue is complete, 1 with one line for each thing that is not."""
    parser = argparse.ArgumentParser(prog="python -m supportdesk.l10n.catalog", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--update", action="store_true", help="collect the msgids into the .po files and compile them")
    choice.add_argument("--check", action="store_true", help="change nothing, exit 1 when something is missing")
    if parser.parse_args(arguments).update:
        update()
    complaints = list(check())
    for complaint in complaints:
        sys.stdout.write(complaint + "\n")
    return 1 if complaints else 0


def update() -> None:
    """Merge the sources' msgids into every `.po`, drop those that are gone, and compile the `.mo` beside it."""
    template = _extract()
    for path in _po_files():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parent.parent.name, domain=DOMAIN)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        buffer = io.BytesIO()
        write_po(buffer, catalogue, width=120, omit_header=True, include_lineno=False, sort_output=True)
        path.write_bytes(_header(catalogue) + buffer.getvalue())
        path.with_suffix(".mo").write_bytes(_compile(path))


def check() -> Iterator[str]:
    """One line for every msgid without a translation, every translation with other placeholders, every stale `.mo`."""
    template = _extract()
    for path in _po_files():
        language = path.parent.parent.name
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, domain=DOMAIN)
        for message in template:
            if not message.id:
                continue
            found = catalogue.get(message.id, message.context)
            where = f"{language}: {message.id!r} ({', '.join(sorted({name for name, _ in message.locations}))})"
            forms = _forms(found.string) if found is not None and not found.fuzzy else ()
            if not forms or not all(forms):
                yield f"{where}: not translated"
            elif _placeholders(forms[-1]) != _placeholders(_forms(message.id)[-1]):
                yield f"{where}: other placeholders in {forms[-1]!r}"
        compiled = path.with_suffix(".mo")
        if not compiled.exists() or _texts(compiled.read_bytes()) != _texts(_compile(path)):
            yield f"{language}: {compiled.name} is not what {path.name} compiles to: run --update"


def _po_files() -> list[Path]:
    return sorted(LOCALE_DIR.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def _extract() -> Catalog:
    template = Catalog(domain=DOMAIN, charset="utf-8")
    method_map = [("**.py", "python")]
    for file, line, message, comments, context in extract_from_dir(SOURCES, method_map, keywords=KEYWORDS):
        template.add(message, locations=[(file, line)], auto_comments=comments, context=context)
    return template


def _compile(path: Path) -> bytes:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.parent.name, domain=DOMAIN)
    for message in list(catalogue):
        if message.id and not all(_forms(message.string)):  # an empty plural form would be shown as nothing
            catalogue.delete(message.id, message.context)
    catalogue.creation_date = LONG_AGO  # else the file would differ with every minute
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def _texts(compiled: bytes) -> dict[tuple[str, str | None], object]:
    """What a compiled catalogue says; its header also names the version of Babel, which is no difference."""
    return {
        (repr(message.id), message.context): message.string for message in read_mo(io.BytesIO(compiled)) if message.id
    }


def _header(catalogue: Catalog) -> bytes:
    """A header without dates: the file changes only when a message does."""
    return (
        f'msgid ""\nmsgstr ""\n"Language: {catalogue.locale_identifier}\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    ).encode()


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
