"""What an error says is in the catalogs: whoever reads it reads his own language."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(errors.__file__).parent
# Mail adapters speak in codes that `l10n.server_failures` has the words for; the demo speaks English.
OTHERS = ("mail", "demo", "l10n")
KINDS = {
    name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.SupportdeskError)
}
# Mistakes of a caller inside this program, which no call of a user leads to.
INTERNAL = frozenset({
    "there is no delivery", "there is no folder", "has no column", "there is no table", "there is no blob",
    "a plan refers to", "an error inside the transaction was swallowed", "the store is closed", "SQLite did not take",
    "the migration", "cannot be mended by itself", "piece", "blob", "by now, not", "stopped",
})  # fmt: skip


def files() -> list[Path]:
    return [path for path in sorted(SOURCES.rglob("*.py")) if path.relative_to(SOURCES).parts[0] not in OTHERS]


def own_words(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each error that is raised or returned with words that no catalog has."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Raise | ast.Return):
            continue
        made = node.exc if isinstance(node, ast.Raise) else node.value
        if not (isinstance(made, ast.Call) and isinstance(made.func, ast.Name) and made.func.id in KINDS and made.args):
            continue
        first = made.args[0]
        pieces = first.values if isinstance(first, ast.JoinedStr) else [first]
        text = "".join(str(one.value) for one in pieces if isinstance(one, ast.Constant))
        if re.search(r"[a-z]{2}", text):
            yield node.lineno, text.strip()


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCES)))
def test_no_error_has_words_of_its_own(path: Path) -> None:
    found = [f"{line}: {text}" for line, text in own_words(path.read_text(encoding="utf-8"))]
    assert [one for one in found if not any(words in one for words in INTERNAL)] == []


def test_words_outside_the_catalogs_are_found() -> None:
    source = 'def f(x):\n    raise NotFound(f"there is no thing {x}")\n'
    assert list(own_words(source)) == [(2, "there is no thing")]
    assert list(own_words('raise NotFound(_("there is no thing {x}").format(x=1))')) == []
