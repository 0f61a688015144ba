"""No string from data becomes markup: the source of the console is read, and what would allow it is refused.

Refused: Markdown widgets, `from_markup`, `markup=True`; and in every call that Textual reads as markup, anything but a
literal or something that visibly is not a plain string (Text, Content, safe(), a catalogue message).
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import supportdesk.tui

SOURCES = sorted(Path(supportdesk.tui.__file__).parent.rglob("*.py"))
MARKUP_CONSTRUCTORS = frozenset(
    {"Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "Collapsible", "Link"}
)
MARKUP_METHODS = frozenset({"add_option", "add_options", "add_row", "add_column"})
MARKUP_ATTRIBUTES = frozenset({"border_title", "border_subtitle", "tooltip", "placeholder"})
TRUSTED_CALLS = frozenset({"Text", "Content", "safe", "SafeText", "_", "ngettext", "pgettext", "from_text", "assemble"})
FORBIDDEN_NAMES = frozenset({"Markdown", "MarkdownViewer", "LoadingIndicator", "from_markup", "DataTable"})


def called_name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_trusted(node: ast.expr) -> bool:
    """A literal, or a call that makes text that is not markup."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.IfExp):
        return is_trusted(node.body) and is_trusted(node.orelse)
    return isinstance(node, ast.Call) and called_name(node.func) in TRUSTED_CALLS


def findings(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name | ast.Attribute) and called_name(node) in FORBIDDEN_NAMES:
            found.append(f"{node.lineno}: {called_name(node)}")
        if isinstance(node, ast.Call):
            found += call_findings(node)
        if isinstance(node, ast.Assign):
            found += [
                f"{node.lineno}: .{target.attr} = plain string"
                for target in node.targets
                if isinstance(target, ast.Attribute) and target.attr in MARKUP_ATTRIBUTES and not is_trusted(node.value)
            ]
    return found


def call_findings(node: ast.Call) -> list[str]:
    found: list[str] = []
    name = called_name(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    markup = keywords.get("markup")
    if isinstance(markup, ast.Constant) and markup.value is True:
        found.append(f"{node.lineno}: markup=True")
    markup_off = isinstance(markup, ast.Constant) and markup.value is False
    if name in MARKUP_CONSTRUCTORS | MARKUP_METHODS and not markup_off:
        found += [f"{node.lineno}: {name}(plain string)" for argument in node.args if not is_trusted(argument)]
    if name == "update" and node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
        found.append(f"{node.lineno}: update(built string)")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_string_of_the_console_is_markup(path: Path) -> None:
    assert findings(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "Markdown(body)",
        "Text.from_markup(subject)",
        "self.notify(x, markup=True)",
        "Static(subject)",
        "Static(f'{subject}')",
        "Label('a' + subject)",
        "widget.border_title = subject",
        "label.update(f'{subject}')",
        "table.add_row(subject)",
        "textual.widgets.LoadingIndicator()",
    ],
)
def test_what_would_let_markup_in_is_found(wrong: str) -> None:
    assert findings(wrong)


@pytest.mark.parametrize(
    "right", ["Static('Title')", "Static(Text(subject))", "Label(_('Help'))", "Static(subject, markup=False)"]
)
def test_what_is_harmless_is_let_through(right: str) -> None:
    assert findings(right) == []
