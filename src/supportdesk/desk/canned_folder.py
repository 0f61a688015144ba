"""Canned responses as a folder that can be kept in git, reviewed and translated; and the starter set of this package.

    KEY/response.toml     title by language, keywords, source, ask fields
    KEY/de@formal.md      +++ front matter in TOML (subject, source_hash) +++ and the text

Reading and writing are inverse: nothing is lost, and writing what was read changes no byte of a text.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supportdesk.desk.canned import KEY, build_response, build_variant, response_meta, variant_meta
from supportdesk.errors import ConfigError, NotFound
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from supportdesk.desk.canned import CannedResponse

STARTER_SET = Path(__file__).parent.parent / "canned"
_RESPONSE_FILE = "response.toml"
_FENCE = "+++"


def starter_set() -> tuple[CannedResponse, ...]:
    """The twenty responses that a new desk begins with, in Italian, English, German, French and Spanish."""
    return read_folder(STARTER_SET)


def read_folder(path: Path) -> tuple[CannedResponse, ...]:
    """Every response of a folder, by key. ConfigError names the file and the line; NotFound: no such folder."""
    if not path.is_dir():
        raise NotFound(_("There is no folder {path}").format(path=path))
    folders = sorted(item for item in path.iterdir() if item.is_dir() and KEY.fullmatch(item.name))
    return tuple(_read_response(folder) for folder in folders)


def write_folder(path: Path, responses: Iterable[CannedResponse]) -> tuple[Path, ...]:
    """Write the responses below `path` and return the files; variants that a response no longer has are removed."""
    written = []
    for response in responses:
        folder = path / response.key
        folder.mkdir(parents=True, exist_ok=True)
        texts = {_RESPONSE_FILE: _toml(response_meta(response))}
        for variant in response.variants:
            meta = _toml(variant_meta(variant))
            texts[f"{variant.tag}.md"] = f"{_FENCE}\n{meta}{_FENCE}\n{variant.body}" if meta else variant.body
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
            written.append(folder / name)
        for stale in folder.glob("*.md"):
            if stale.name not in texts:
                stale.unlink()
    return tuple(written)


def _read_response(folder: Path) -> CannedResponse:
    head = folder / _RESPONSE_FILE
    if not head.is_file():
        raise ConfigError(_("{file} is missing").format(file=head))
    meta = _read_toml(head, _read(head), 1)
    variants = [_read_variant(file) for file in sorted(folder.glob("*.md"))]
    try:
        return build_response(folder.name, meta, variants)
    except ValueError as error:
        raise _at(head, _line_of(_read(head), str(error)), str(error)) from error


def _read_variant(file: Path) -> tuple[str, dict[str, Any], str]:
    text = _read(file)
    meta: dict[str, Any] = {}
    if text.startswith(f"{_FENCE}\n"):
        head, fence, body = text.removeprefix(f"{_FENCE}\n").partition(f"{_FENCE}\n")
        if not fence or (head and not head.endswith("\n")):
            raise _at(file, 1, _("the front matter does not end with +++"))
        meta = _read_toml(file, head, 2)
    else:
        head, body = "", text
    try:
        build_variant(file.stem, meta, body)
    except ValueError as error:
        raise _at(file, _line_of(text, str(error)), str(error)) from error
    return file.stem, meta, body


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise _at(file, 1, _("the file is not UTF-8")) from error


def _read_toml(file: Path, text: str, first_line: int) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) - 1 + first_line if found else first_line
        raise _at(file, line, re.sub(r" \(at .*\)$", "", str(error))) from error


def _line_of(text: str, message: str) -> int:
    """The line that defines the key which a message names in quotation marks; the first one when it is not found."""
    named = re.search(r"“([^”]+)”", message)
    for number, line in enumerate(text.split("\n"), start=1):
        if named and re.match(rf"\s*\[?[\w.]*\"?{re.escape(named[1])}\b|.*[\"']{re.escape(named[1])}[\"']", line):
            return number
    return 1


def _at(file: Path, line: int, message: str) -> ConfigError:
    return ConfigError(f"{file}:{line}: {message}")


def _toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """TOML of nested tables of texts and lists of texts: all that the front matter knows."""
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in table.items() if not isinstance(value, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            name = f"{prefix}{_key(key)}"
            below = _toml(value, f"{name}.")
            only_tables = value and all(isinstance(item, dict) for item in value.values())
            lines.append(below if only_tables else f"\n[{name}]\n{below}")
    return "".join(lines)


def _value(value: str | list[str]) -> str:
    return f"[{', '.join(_quoted(item) for item in value)}]" if isinstance(value, list) else _quoted(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04X}", escaped) + '"'
