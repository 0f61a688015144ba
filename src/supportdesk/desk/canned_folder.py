"""Canned responses as a folder that can be kept in git, reviewed and translated; and the starter set of this package.

    KEY/response.toml     title by language, keywords, source, ask fields, what sending it does
    KEY/de@formal.md      +++ front matter in TOML (subject, source_hash, attachments) +++ and the text
    KEY/attachments/      the files that response.toml or a text names

Reading and writing are inverse: nothing is lost, and writing what was read changes no byte of a text.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.canned import KEY, CannedFile
from supportdesk.desk.canned_meta import build_response, build_variant, check_file_name, response_meta, variant_meta
from supportdesk.errors import ConfigError, NotFound
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from supportdesk.desk.canned import CannedResponse

STARTER_SET: Final = Path(__file__).parent.parent / "canned"
LARGEST_FILE: Final = 10 * 2**20  # octets
_RESPONSE_FILE = "response.toml"
_ATTACHMENTS = "attachments"
_FENCE = "+++"
_OTHER_FENCE = "---"  # of YAML, which we do not read


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import changes of one entry: `kind` new | changed | gone, and a unified diff of its files."""

    kind: str
    key: str
    diff: str


def starter_set() -> tuple[CannedResponse, ...]:
    """What a new desk begins with, in Italian, English, German, French and Spanish: responses and their fragments."""
    return read_folder(STARTER_SET)


def read_folder(path: Path) -> tuple[CannedResponse, ...]:
    """Every response of a folder, by key. ConfigError names the file and the line; NotFound: no such folder."""
    if not path.is_dir():
        raise NotFound(_("There is no folder {path}").format(path=path))
    for item in path.iterdir():
        if item.is_dir() and (item / _RESPONSE_FILE).exists() and not KEY.fullmatch(item.name):
            message = _("“{key}” is not a key: lower-case words joined by hyphens").format(key=item.name)
            raise _at(item / _RESPONSE_FILE, 1, message)
    return tuple(_read_response(folder) for folder in _folders(path))


def read_attachment(path: Path, key: str, file: CannedFile) -> bytes:
    """The bytes of a file that `read_folder` found."""
    return (path / key / _ATTACHMENTS / file.name).read_bytes()


@dataclass(frozen=True, slots=True)
class FolderChange:
    """What an export makes of one file: `kind` new | changed | same | gone; `gone`: its entry has it no longer."""

    kind: str
    path: Path


def write_folder(
    path: Path,
    responses: Iterable[CannedResponse],
    load: Callable[[CannedFile], bytes] | None = None,
    *,
    dry_run: bool = False,
) -> tuple[FolderChange, ...]:
    """Write the responses below `path` and return the files; variants and files that one no longer has are removed.

    A file that has these bytes already is left alone. `load` fetches the bytes of an attachment. With `dry_run` nothing
    is written or removed.
    """
    changes = []
    for response in responses:
        folder = path / response.key
        wanted = {folder / name: text.encode() for name, text in file_texts(response).items()}
        if load is not None:
            wanted |= {folder / _ATTACHMENTS / file.name: load(file) for file in _files_of(response)}
        for target, data in wanted.items():
            kind = "new" if not target.is_file() else "same" if target.read_bytes() == data else "changed"
            changes.append(FolderChange(kind, target))
            if kind != "same" and not dry_run:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        for stale in sorted([*folder.glob("*.md"), *(folder / _ATTACHMENTS).glob("*")]):
            if stale.is_file() and stale not in wanted and (load is not None or stale.parent == folder):
                changes.append(FolderChange("gone", stale))
                if not dry_run:
                    stale.unlink()
    return tuple(changes)


def stale_folders(path: Path, responses: Iterable[CannedResponse]) -> tuple[Path, ...]:
    """The folders of entries that are not among the responses: what an export leaves behind unless they go."""
    keys = {response.key for response in responses}
    return tuple(folder for folder in _folders(path) if folder.name not in keys) if path.is_dir() else ()


def files_in(folder: Path) -> tuple[Path, ...]:
    """What an export wrote there: all that `remove_folder` removes."""
    return tuple(sorted(file for file in [folder / _RESPONSE_FILE, *folder.glob("*.md"),
                                          *(folder / _ATTACHMENTS).glob("*")] if file.is_file()))  # fmt: skip


def remove_folder(folder: Path) -> None:
    """Remove what an export wrote there; whatever else is in it stays, and so does the folder then."""
    for file in files_in(folder):
        file.unlink(missing_ok=True)
    for below in (folder / _ATTACHMENTS, folder):
        if below.is_dir() and not any(below.iterdir()):
            below.rmdir()


def file_texts(response: CannedResponse) -> dict[str, str]:
    """The files of a response, by name below its folder, without the attachments."""
    texts = {_RESPONSE_FILE: _toml(response_meta(response))}
    for variant in response.variants:
        meta = _toml(variant_meta(variant))
        fenced = bool(meta) or variant.body.startswith((f"{_FENCE}\n", f"{_OTHER_FENCE}\n"))
        texts[f"{variant.tag}.md"] = f"{_FENCE}\n{meta}{_FENCE}\n{variant.body}" if fenced else variant.body
    return texts


def differences(stored: Mapping[str, CannedResponse], wanted: Mapping[str, CannedResponse]) -> tuple[Difference, ...]:
    """What turns the one set into the other, by key."""
    found = []
    for key in sorted({*stored, *wanted}):
        before, after = stored.get(key), wanted.get(key)
        if before != after:
            kind = "new" if before is None else "gone" if after is None else "changed"
            found.append(Difference(kind, key, _diff(key, before, after)))
    return tuple(found)


def _diff(key: str, before: CannedResponse | None, after: CannedResponse | None) -> str:
    old, new = (_texts_and_files(one) if one is not None else {} for one in (before, after))
    lines: list[str] = []
    for name in sorted({*old, *new}):
        left, right = (side.get(name, "").splitlines(keepends=True) for side in (old, new))
        names = [f"{side}/{key}/{name}" if name in there else "/dev/null" for side, there in (("a", old), ("b", new))]
        found = unified_diff(left, right, fromfile=names[0], tofile=names[1])
        lines += (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in found)
    return "".join(lines)


def _texts_and_files(response: CannedResponse) -> dict[str, str]:
    """As `file_texts`; an attachment is told by its hash and size."""
    files = {f"{_ATTACHMENTS}/{file.name}": f"sha256 {file.sha}, {file.size}\n" for file in _files_of(response)}
    return {**file_texts(response), **files}


def _files_of(response: CannedResponse) -> list[CannedFile]:
    whole = [*response.files, *(file for variant in response.variants for file in variant.files)]
    return list(dict.fromkeys(whole))


def _folders(path: Path) -> list[Path]:
    return sorted(item for item in path.iterdir() if item.is_dir() and KEY.fullmatch(item.name))


def _read_response(folder: Path) -> CannedResponse:
    head = folder / _RESPONSE_FILE
    if not head.is_file():
        raise ConfigError(_("{file} is missing").format(file=head))
    meta, files = _read_toml(head, _read(head), 1), _read_files(folder)
    variants = [_read_variant(file, files) for file in sorted(folder.glob("*.md"))]
    try:
        response = build_response(folder.name, meta, variants, files)
    except ValueError as error:
        raise _at(head, _line_of(_read(head), str(error)), str(error)) from error
    if unnamed := sorted(set(files) - {file.name for file in _files_of(response)}):
        message = _("no text names this file under “{key}”").format(key="attachments")
        raise _at(folder / _ATTACHMENTS / unnamed[0], 1, message)
    return response


def _read_files(folder: Path) -> dict[str, CannedFile]:
    found = {}
    for file in sorted((folder / _ATTACHMENTS).glob("*")):
        if file.name.startswith(".") or not file.is_file():
            continue
        try:
            check_file_name(file.name)
        except ValueError as error:
            raise _at(file, 1, str(error)) from error
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise _at(file, 1, _("the file is larger than {size} MB").format(size=LARGEST_FILE // 2**20))
        found[file.name] = CannedFile(file.name, hashlib.sha256(file.read_bytes()).hexdigest(), size)
    return found


def _read_variant(file: Path, files: Mapping[str, CannedFile]) -> tuple[str, dict[str, Any], str]:
    text = _read(file)
    meta: dict[str, Any] = {}
    if text.startswith(f"{_FENCE}\n"):
        found = re.match(r"\+\+\+\n(?P<head>(?:.*\n)*?)\+\+\+\n", text)
        if found is None:
            raise _at(file, 1, _("the front matter does not end with +++"))
        meta, body = _read_toml(file, found["head"], 2), text[found.end() :]
    elif re.match(rf"{_OTHER_FENCE}\n(?:.*\n)*?{_OTHER_FENCE}\n", text):
        raise _at(file, 1, _("front matter stands between lines of +++, in TOML: --- would be sent"))
    else:
        body = text
    try:
        build_variant(file.stem, meta, body, files)
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
    named = re.search(r"[“«„]([^”»“]+)[”»“]", message)
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


def _value(value: str | int | list[str]) -> str:
    if isinstance(value, int):
        return str(value)
    return f"[{', '.join(_quoted(item) for item in value)}]" if isinstance(value, list) else _quoted(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04X}", escaped) + '"'
