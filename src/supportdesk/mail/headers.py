"""The header block: finding its end, mending its lines (PARSE-2, PARSE-3), ids and dates in it.

Values stay as the sender's octets (one Latin-1 character each) until `words.decode_unstructured` reads them: the
charset
of raw eight-bit fields is known only when Content-Type has been read.
"""

from __future__ import annotations

import re

from supportdesk.mail.limits import MAX_FIELD, MAX_HEADER_BLOCK, MAX_HEADER_LINES, MAX_REFERENCES, DefectLog

_BLANK_LINE = re.compile(rb"\n\r*\n")
_NEWLINES = re.compile("\r+\n?")
_FIELD = re.compile("([!-9;-~]+)[ \t]*:[ \t]*")
_WHOLE_FIELD = re.compile("(?:([!-9;-~]+)[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)|(.+))(?:\n|$)")
_FOLD = re.compile("[ \t]*\n[ \t]+")
_MBOX_LINE = re.compile(rb">?From [^\n]*\n")
_ID = re.compile(r"<([^<>]{1,998})>")


class Fields:
    """The fields of one header block, top to bottom; lookups take the lower-case name."""

    __slots__ = ("_values", "items")

    def __init__(self, items: list[tuple[str, str]]) -> None:
        self.items = items
        values: dict[str, list[str]] = {}
        for name, value in items:
            key = name.lower()
            if key in values:
                values[key].append(value)
            else:
                values[key] = [value]
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def first(self, name: str) -> str | None:
        values = self._values.get(name)
        return values[0] if values else None

    def get(self, name: str) -> str:
        values = self._values.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])


def skip_preamble(raw: bytes) -> int:
    """Where the header block begins: after a BOM, blank lines, an mbox line, or a banner that quotes a whole mail."""
    start = 3 if raw.startswith(b"\xef\xbb\xbf") else 0
    length = len(raw)
    while start < length and raw[start] in b"\r\n":
        start += 1
    while match := _MBOX_LINE.match(raw, start, start + 1000):
        start = match.end()
        while start < length and raw[start] in b"\r\n":
            start += 1
    if raw.startswith(b"---- Original email message", start):
        line_end = raw.find(b"\n", start)
        start = line_end + 1 if line_end >= 0 else start
        while start < length and raw[start] in b"\r\n":
            start += 1
    return start


def split_header(source: bytes, start: int, end: int, log: DefectLog) -> tuple[Fields, int]:
    """The fields of source[start:end] and where its body begins.

    Only an empty line ends the block; a line that is no field belongs to the one before. Where there is no empty
    line at
    all, the first such line begins the body instead.
    """
    if start < end and source[start] in b"\r\n":
        newline = source.find(b"\n", start, end)
        if newline >= 0 and not source[start:newline].strip(b"\r"):
            return Fields([]), newline + 1
    limit = min(end, start + MAX_HEADER_BLOCK)
    match = _BLANK_LINE.search(source, start, limit)
    if match:
        block_end, body = match.start(), match.end()
    else:
        block_end = body = limit
        if limit < end:
            log.add("header-too-long")
    text = source[start:block_end].decode("latin-1")
    if "\r" in text:
        text = text.removesuffix("\r").replace("\r\n", "\n")
        if "\r" in text:
            text = _NEWLINES.sub("\n", text)
    if match and len(text) <= MAX_FIELD:
        found = _WHOLE_FIELD.findall(text)
        if len(found) <= MAX_HEADER_LINES and not any(junk for _, _, junk in found):
            return Fields([(name, _FOLD.sub(" ", value) if "\n" in value else value) for name, value, _ in found]), body
    return _mend(text, source, start, limit, body if match else -1, log)


def message_ids(value: str) -> tuple[str, ...]:
    """The message ids of a field, in order: what stands in angle brackets, else bare words that look like ids."""
    if "<" in value:
        found = ["".join(match.split()) for match in _ID.findall(value)]
        ids = [f"<{one}>" for one in found if one]
    else:
        ids = [f"<{word.strip('>,;')}>" for word in value.split() if "@" in word]
    return tuple(ids[:MAX_REFERENCES])


def message_id(value: str) -> str:
    """The id of a Message-ID field in angle brackets; "" when it is missing or empty."""
    found = message_ids(value)
    if found:
        return found[0]
    bare = "".join(value.split()).strip("<>")
    return f"<{bare}>" if bare else ""


def _mend(text: str, source: bytes, start: int, end: int, body: int, log: DefectLog) -> tuple[Fields, int]:
    """The fields of a block that is not as it should be, line by line; `body` is -1 where no empty line ends it."""
    items: list[tuple[str, str]] = []
    name, pieces, size = "", [""], 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line:
            continue
        field = _FIELD.match(line) if line[:1] not in (" ", "\t", "") else None
        if not name and field is None and (indented := _FIELD.match(line.lstrip())):
            # A block that begins with a folded line: the fold is the mistake, not the field.
            line, field = line.lstrip(), indented
        if field:
            if len(items) >= MAX_HEADER_LINES:
                log.add("header-lines", str(MAX_HEADER_LINES))
                break
            if name:
                items.append((name, "".join(pieces)))
            name = field[1]
            first = line[field.end() :]
            size = len(first)
            pieces = [first if size <= MAX_FIELD else first[:MAX_FIELD]]
        elif name and not line.startswith(("From ", ">From ")):
            if body < 0 and line[:1] not in (" ", "\t", ""):
                return _headless(items, name, pieces, source, start, end, number, log)
            if size > MAX_FIELD:
                continue
            if line[:1] not in (" ", "\t"):
                log.add("header-line", line[:80])
            size += len(line)
            if size <= MAX_FIELD:
                pieces.append(" " + line.strip(" \t"))
        elif not name and line.strip() and not line.startswith(("From ", ">From ")):
            log.add("header-missing")
            return Fields([]), start
        if size > MAX_FIELD:
            log.add("field-too-long", name)
    if name:
        items.append((name, "".join(pieces)))
    return Fields(items), end if body < 0 else body


def _headless(
    items: list[tuple[str, str]],
    name: str,
    pieces: list[str],
    source: bytes,
    start: int,
    end: int,
    lines: int,
    log: DefectLog,
) -> tuple[Fields, int]:
    """The body begins at line number `lines` although no empty line says so."""
    log.add("header-unended")
    items.append((name, "".join(pieces)))
    at = start
    for _ in range(lines):
        newline = source.find(b"\n", at, end)
        if newline < 0:
            return Fields(items), end
        at = newline + 1
    return Fields(items), at
