"""The attachments of a mail (PARSE-12) and cutting one of them from the raw bytes by its part path.

Part paths: `2.1` is a MIME part, `1.uu.2` the second uuencoded file in the text of part 1, `3.tnef.1` the first
file in a winmail.dat, `2.eml.3` part 3 of the mail that is part 2, `1.p7m.2` part 2 of what the signature in part 1
encloses.
"""

from __future__ import annotations

import mimetypes
from dataclasses import replace

from supportdesk.mail import tnef
from supportdesk.mail.body import Body, choose_body
from supportdesk.mail.contained import MAX_LEVELS, NESTED_MAIL, inside
from supportdesk.mail.limits import MAX_CONTAINED_FILES, DefectLog
from supportdesk.mail.mime import Part
from supportdesk.mail.model import Attachment
from supportdesk.mail.params import is_disguised, safe_file_name
from supportdesk.mail.transfer import uuencoded_blocks
from supportdesk.mail.words import one_line

_EXTENSIONS = {
    "message/rfc822": ".eml", "message/delivery-status": ".txt", "message/disposition-notification": ".txt",
    "text/rfc822-headers": ".txt", "message/feedback-report": ".txt",
    "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "image/jpeg": ".jpg", "image/jpg": ".jpg",
    "text/plain": ".txt", "text/html": ".html",
    "application/octet-stream": ".bin", "application/pgp-signature": ".asc", "application/pgp-encrypted": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m", "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s", "application/ms-tnef": ".dat",
}  # fmt: skip
_MARKERS = ("tnef", "uu", "eml", "p7m")


def list_attachments(root: Part, body: Body, log: DefectLog) -> tuple[Attachment, ...]:
    """Every leaf that is not the body, each followed by the files inside it, then the files inside the text; names
    kept distinct.
    """
    return tuple(_attachments(root, body, log, {}, 1))


def _attachments(root: Part, body: Body, log: DefectLog, taken: dict[str, int], level: int) -> list[Attachment]:
    found: list[Attachment] = []
    uu_owner = ""
    for part in root.walk():
        if part.children or id(part) in body.parts:
            if not uu_owner and not part.children:
                uu_owner = part.path
            continue
        if part.is_multipart or (
            part.start >= part.end and not part.file_name and part.content_type in ("text/plain", "text/html")
        ):
            continue
        name = attachment_name(part)
        if is_disguised(part.file_name):
            log.add("file-disguised", name)
        size = len(part.nested_mail()) if part.content_type in NESTED_MAIL else part.size
        content_id = one_line(part.content_id)
        shown = bool(content_id) and content_id in body.referenced
        inline = shown and part.content_type.startswith("image/")
        found.append(
            Attachment(part.path or "1", _distinct(name, taken), one_line(part.content_type), size, inline, content_id)
        )
        if tnef.is_tnef(part.content_type, name, part.head):
            for number, file in enumerate(tnef.read_tnef(part.content(), log).files, 1):
                inner_name = safe_file_name(file.name) or f"part-{number}.bin"
                found.append(
                    Attachment(
                        f"{part.path}.tnef.{number}",
                        _distinct(inner_name, taken),
                        _type_by_name(inner_name),
                        len(file.data),
                    )
                )
        if level < MAX_LEVELS and len(found) < MAX_CONTAINED_FILES and (held := inside(part, log)) is not None:
            marker, tree = held
            quiet = DefectLog()
            files = _attachments(tree, choose_body(tree, quiet), quiet, taken, level + 1)
            for defect in quiet.result():
                if defect.code == "file-disguised":
                    log.add(defect.code, defect.detail)
            found += [replace(file, part=f"{part.path or '1'}.{marker}.{file.part}") for file in files]
    for number, (uu_name, data) in enumerate(body.uuencoded, 1):
        name = safe_file_name(one_line(uu_name)) or f"part-{number}.bin"
        found.append(
            Attachment(f"{uu_owner or '1'}.uu.{number}", _distinct(name, taken), _type_by_name(name), len(data))
        )
    return found


def cut_attachment(root: Part, path: str, log: DefectLog) -> bytes | None:
    """The content of one attachment, or None when the mail has no such part."""
    outer, marker, inner = _split_path(path)
    part = next((one for one in root.walk() if not one.children and (one.path or "1") == outer), None)
    if part is None:
        return None
    match marker:
        case "":
            return part.nested_mail() if part.content_type in NESTED_MAIL else part.content()
        case "tnef":
            return _numbered([file.data for file in tnef.read_tnef(part.content(), log).files], inner)
        case "uu":
            return _numbered([block[3] for block in uuencoded_blocks(part.content())], inner)
    held = inside(part, log)
    return cut_attachment(held[1], inner, log) if held is not None and held[0] == marker else None


def _split_path(path: str) -> tuple[str, str, str]:
    """`2.1.eml.3.tnef.1` → `2.1`, `eml`, `3.tnef.1`; at most as many levels as are listed."""
    words = path.split(".")
    at = next((at for at, word in enumerate(words) if word in _MARKERS), -1)
    if at < 0 or sum(word in _MARKERS for word in words) > MAX_LEVELS + 1:
        return path, "", ""
    return ".".join(words[:at]), words[at], ".".join(words[at + 1 :])


def _numbered(contents: list[bytes], number: str) -> bytes | None:
    index = int(number) - 1 if number.isascii() and number.isdigit() else -1
    return contents[index] if 0 <= index < len(contents) else None


def attachment_name(part: Part) -> str:
    """The name to show and save under: filename, name, description, else `part-N.ext` by the content type."""
    name = safe_file_name(one_line(part.file_name))
    if name:
        return name
    if part.content_type in NESTED_MAIL:
        from supportdesk.mail.headers import split_header
        from supportdesk.mail.words import decode_unstructured

        nested = part.nested_mail()
        fields, _ = split_header(nested, 0, len(nested), DefectLog())
        name = safe_file_name(decode_unstructured(fields.get("subject"))[:100]) or safe_file_name(
            part.description[:120]
        )
        return f"{name}.eml" if name else f"part-{part.path or '1'}.eml"
    name = safe_file_name(part.description[:120])
    extension = _EXTENSIONS.get(part.content_type) or mimetypes.guess_extension(part.content_type) or ".bin"
    if name:
        return name if "." in name[-6:] else name + extension
    return f"part-{part.path or '1'}{extension}"


def _type_by_name(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _distinct(name: str, taken: dict[str, int]) -> str:
    key = name.casefold()
    count = taken[key] = taken.get(key, 0) + 1
    if count == 1:
        return name
    stem, dot, extension = name.rpartition(".")
    return _distinct(f"{stem} ({count}).{extension}" if dot and stem else f"{name} ({count})", taken)
