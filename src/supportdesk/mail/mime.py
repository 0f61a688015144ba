"""The MIME tree of a mail (RFC 2045, RFC 2046) and its repair (PARSE-9): built with a stack, never by recursion.

Parts are ranges of the source; nothing is copied or decoded before it is asked for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from supportdesk.mail.headers import Fields, skip_preamble, split_header
from supportdesk.mail.limits import MAX_BOUNDARY_HITS, MAX_DEPTH, MAX_PARTS, DefectLog
from supportdesk.mail.params import parse_parameters
from supportdesk.mail.transfer import decode_base64, decode_transfer, encoding_of, transfer_pieces
from supportdesk.mail.words import decode_unstructured

_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_GUESSED_BOUNDARY = re.compile(rb"(?:^|\n)--([^\s-][^\r\n]{0,200}?)[ \t]*\r?\n(?=[!-9;-~]+:)")
_KEPT = 1 << 20  # a content up to this size is decoded once
_COMPOSITE_ENCODINGS = ("base64", "quoted-printable")


class Part:
    """One node of the tree. `path` is its IMAP-like section number (`1.2`), "" for the root of a multipart."""

    __slots__ = (
        "_content",
        "_head",
        "_size",
        "children",
        "content_type",
        "depth",
        "disposition",
        "end",
        "fields",
        "file_name",
        "params",
        "parent",
        "path",
        "source",
        "start",
    )

    def __init__(
        self,
        source: bytes,
        fields: Fields,
        start: int,
        end: int,
        path: str,
        parent: Part | None,
        default_type: str,
        log: DefectLog,
    ) -> None:
        self.source, self.fields, self.start, self.end, self.path, self.parent = (
            source,
            fields,
            start,
            end,
            path,
            parent,
        )
        self.depth: int = parent.depth + 1 if parent else 0
        self.children: list[Part] = []
        self._content: bytes | None = None
        self._size, self._head = -1, b""
        self.params: dict[str, str] = {}
        declared = fields.first("content-type")
        if declared is None:
            self.content_type = default_type
        else:
            main, self.params = parse_parameters(declared, log)
            self.content_type = _canonical_type(main, default_type)
        disposition = fields.first("content-disposition")
        if disposition is None:
            self.disposition = self.file_name = ""
            names: dict[str, str] = {}
        else:
            self.disposition, names = parse_parameters(disposition, log)
        self.file_name = (
            names.get("filename") or self.params.get("name") or names.get("name") or self.params.get("filename") or ""
        )

    @property
    def is_multipart(self) -> bool:
        return self.content_type.startswith("multipart/")

    @property
    def boundary(self) -> bytes:
        return self.params.get("boundary", "").encode("latin-1", "replace").rstrip()

    @property
    def charset(self) -> str:
        return self.params.get("charset", "")

    @property
    def content_id(self) -> str:
        return self.fields.get("content-id").strip().strip("<>").strip()

    @property
    def description(self) -> str:
        return decode_unstructured(self.fields.get("content-description"))

    @property
    def octets(self) -> bytes:
        """The part's body as it stands in the mail."""
        return self.source[self.start : self.end]

    def content(self) -> bytes:
        """The body after its transfer encoding; large contents are not kept."""
        if self._content is not None:
            return self._content
        encoding = self._encoding
        if encoding == "base64":
            data = decode_base64(memoryview(self.source)[self.start : self.end])
        else:
            data = decode_transfer(self.octets, encoding)
        self._size, self._head = len(data), data[:16]
        if len(data) <= _KEPT:
            self._content = data
        return data

    def pieces(self) -> Iterator[bytes]:
        """`content()` bit by bit: what is big is never held a second time."""
        encoding = self._encoding
        if self._content is not None or self.end - self.start <= _KEPT or encoding == "x-uuencode":
            yield self.content()
            return
        size, head = 0, b""
        for piece in transfer_pieces(memoryview(self.source)[self.start : self.end], encoding):
            head = head or piece[:16]
            size += len(piece)
            yield piece
        self._size, self._head = size, head

    def beginning(self, most: int) -> bytes:
        """The first `most` octets of the content; what follows them is not decoded."""
        found, size = [], 0
        for piece in self.pieces():
            found.append(piece)
            size += len(piece)
            if size >= most:
                break
        return b"".join(found)[:most]

    @property
    def _encoding(self) -> str:
        return encoding_of(self.fields.get("content-transfer-encoding"))

    @property
    def size(self) -> int:
        """The length of the content; what was decoded once is not decoded again for it."""
        if self._size < 0:
            deque(self.pieces(), maxlen=0)
        return self._size

    @property
    def head(self) -> bytes:
        """The first octets of the content, to tell what it is."""
        return self._head if self._size >= 0 else self.beginning(16)

    def nested_mail(self) -> bytes:
        """The bytes of a message/rfc822 part: exact, or decoded where the sender encoded them against RFC 2046
        5.2.1.
        """
        encoding, octets = self._encoding, self.octets
        if encoding == "base64" and b":" not in octets[:200].split(b"\n", 1)[0]:
            return decode_transfer(octets, encoding)
        if encoding == "quoted-printable" and b"=3D" in octets:
            return decode_transfer(octets, encoding)
        return octets

    def walk(self) -> Iterator[Part]:
        """This part and everything below it, in the order of the mail."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


def read_tree(raw: bytes, log: DefectLog) -> Part:
    """The tree of a whole mail."""
    if _ends_lines_with_cr(raw):
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    fields, body = split_header(raw, skip_preamble(raw), len(raw), log)
    root = Part(raw, fields, body, len(raw), "", None, "text/plain", log)
    if not root.is_multipart:
        root.path = "1"
    stack, count = [root], 1
    while stack:
        part = stack.pop()
        if not part.is_multipart:
            continue
        if part.depth >= MAX_DEPTH:
            log.add("depth", str(MAX_DEPTH))
            part.content_type = "application/octet-stream"
            continue
        encoding = encoding_of(part.fields.get("content-transfer-encoding"))
        ranges = _split(part, log)
        if not ranges and encoding in _COMPOSITE_ENCODINGS:
            # An encoded multipart is forbidden (RFC 2045 6.4) and happens: decode, then split.
            log.add("encoded-multipart", encoding)
            part.source = decode_transfer(part.octets, encoding)
            part.start, part.end = 0, len(part.source)
            ranges = _split(part, log)
        if not ranges:
            if count < MAX_PARTS:
                # Parts were announced and never begun: what is there is the text.
                log.add("multipart-empty", part.content_type)
                count += 1
                path = f"{part.path}.1" if part.path else "1"
                part.children.append(Part(part.source, Fields([]), part.start, part.end, path, part, "text/plain", log))
            continue
        default_type = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        holder = part
        for start, end, closed in ranges:
            if count >= MAX_PARTS:
                log.add("parts", str(MAX_PARTS))
                break
            count += 1
            fields, body = split_header(part.source, start, end, log)
            number = len(holder.children) + 1
            path = f"{holder.path}.{number}" if holder.path else str(number)
            child = Part(part.source, fields, body, end, path, holder, default_type, log)
            holder.children.append(child)
            if child.is_multipart and child.boundary == part.boundary and child.depth < MAX_DEPTH:
                # It has its parent's boundary: the parts that follow are its own until it is closed.
                holder = child
            elif closed and holder is not part and holder.parent is not None:
                holder = holder.parent
        stack.extend(one for one in part.walk() if one is not part and not one.children)
    return root


def _ends_lines_with_cr(raw: bytes) -> bool:
    """Whether lone CRs end the lines (old Macs, tools that lost the LF); one LF at the very end changes nothing."""
    first = raw.find(b"\n")
    head = raw[: first if 0 <= first < 4_000 else 4_000]
    return head.rstrip(b"\r").count(b"\r") >= 2 and b":" in head


def _canonical_type(main: str, default_type: str) -> str:
    if match := _TYPE.match(main):
        return match[0]
    word = main.strip(" /\t")
    if word in ("text", "plain", "text/plain", ""):
        return "text/plain" if word or not main else default_type
    if word == "html":
        return "text/html"
    if word == "multipart":
        return "multipart/mixed"
    return "application/octet-stream" if word in ("application", "image", "audio", "video") else default_type


def _split(part: Part, log: DefectLog) -> list[tuple[int, int, bool]]:
    """The ranges of the parts of a multipart, and which of them the closing line ends; [] where no boundary line is
    found.
    """
    boundary = part.boundary
    ranges = _ranges(part.source, part.start, part.end, boundary, log) if boundary else []
    if ranges:
        return ranges
    match = _GUESSED_BOUNDARY.search(part.source, part.start, min(part.end, part.start + 200_000))
    if match and match[1].rstrip() != boundary:
        log.add("boundary-guessed", boundary.decode("latin-1")[:70])
        return _ranges(part.source, part.start, part.end, match[1].rstrip(), log)
    return []


def _ranges(source: bytes, start: int, end: int, boundary: bytes, log: DefectLog) -> list[tuple[int, int, bool]]:
    delimiter = b"--" + boundary
    ranges: list[tuple[int, int, bool]] = []
    opened = -1
    at = start
    misses = 0
    while (found := source.find(delimiter, at, end)) >= 0:
        after = found + len(delimiter)
        at = after
        if found > start and source[found - 1] not in b"\r\n":
            misses += 1
            if misses > MAX_BOUNDARY_HITS:
                log.add("boundary-noise")
                break
            continue
        window = min(end, after + 1_000)
        line_end = source.find(b"\n", after, window)
        line_end = window if line_end < 0 else line_end
        rest = source[after:line_end].strip()
        closing = rest.startswith(b"--") and (not rest[2:].strip(b"-") or rest[2:3].isspace())
        if rest and not closing:
            misses += 1
            if misses > MAX_BOUNDARY_HITS:
                log.add("boundary-noise")
                break
            continue
        if opened >= 0:
            stop = found - 1 if source[found - 1 : found] == b"\n" else found
            if stop > opened and source[stop - 1 : stop] == b"\r":
                stop -= 1
            ranges.append((opened, max(stop, opened), closing))
            opened = -1
        if closing:
            # What follows is an epilogue, unless another part begins there: some gateways close too early.
            if source.find(b"\n" + delimiter, line_end, end) < 0:
                return ranges
            at = line_end
            continue
        opened = min(line_end + 1, end)
        at = opened
        if len(ranges) >= MAX_PARTS:
            log.add("parts", str(MAX_PARTS))
            return ranges
    if opened >= 0:
        log.add("boundary-unclosed", boundary.decode("latin-1")[:70])
        ranges.append((opened, end, False))
    return ranges
