"""A calendar part (RFC 5545, RFC 5546) as one line of the text: what it asks for, of what, when, and why."""

from __future__ import annotations

import re

_FOLD = re.compile(r"\n[ \t]")
_ESCAPED = re.compile(r"\\([nN,;\\])")
_WANTED = ("METHOD", "SUMMARY", "DTSTART", "DTEND", "LOCATION", "DESCRIPTION")
_LONGEST_DESCRIPTION = 5_000
_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})\d{2}(Z?))?")


def calendar_card(text: str, *, described: bool = False) -> str:
    """`[calendar REQUEST: Summary, 2026-11-20 09:00 – 2026-11-20 10:00 Europe/Berlin, Room]`; "" without an event.

    `described` adds the event's description below: where no other text says it.
    """
    found: dict[str, str] = {}
    zone = ""
    inside = ""
    for line in _FOLD.sub("", text[:500_000]).split("\n"):
        name, colon, value = line.partition(":")
        key, _, parameters = name.partition(";")
        key = key.strip().upper()
        if key == "BEGIN":
            inside = value.strip().upper()
        elif key == "END" and value.strip().upper() in ("VEVENT", "VTODO", "VFREEBUSY"):
            break
        elif (
            colon
            and key in _WANTED
            and key not in found
            and (inside in ("VEVENT", "VTODO", "VFREEBUSY") or key == "METHOD")
        ):
            newline = "\n" if key == "DESCRIPTION" else " "
            found[key] = _unescaped(value, newline)
            if key == "DTSTART" and "TZID=" in parameters.upper():
                zone = parameters[parameters.upper().index("TZID=") + 5 :].partition(";")[0].strip('"')
    if "DTSTART" not in found and "SUMMARY" not in found:
        return ""
    when = " – ".join(_moment(found[key]) for key in ("DTSTART", "DTEND") if key in found)
    details = [found.get("SUMMARY", ""), f"{when} {zone}".strip(), found.get("LOCATION", "")]
    head = f"calendar {found['METHOD']}" if found.get("METHOD") else "calendar"
    card = f"[{head}: {', '.join(detail for detail in details if detail)}]"
    description = found.get("DESCRIPTION", "")[:_LONGEST_DESCRIPTION] if described else ""
    return f"{card}\n\n{description}" if description else card


def _unescaped(value: str, newline: str) -> str:
    return _ESCAPED.sub(lambda match: newline if match[1] in "nN" else match[1], value).strip()


def _moment(value: str) -> str:
    match = _MOMENT.match(value)
    if match is None:
        return value
    year, month, day, hour, minute, utc = match.groups()
    date = f"{year}-{month}-{day}"
    return f"{date} {hour}:{minute}{' UTC' if utc else ''}" if hour else date
