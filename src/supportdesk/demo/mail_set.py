"""The mails of the demo: read from mails/*.toml, dated back from now, written as each customer's program would.

A file begins with its `language`; each [[mail]] is one mail from a customer, each [[sent]] an answer of ours:

    id          its name in these files
    from        the customer (client: gmail | outlook | apple | iphone | thunderbird | webmail)
    subject     left out where it `answers` another mail by its id, of ours or of the customer
    text        what is written; `signature`, `attach` (files of assets/), `cc`, `twice` (it arrives twice)
    raw         in place of all that an .eml of mails/raw/; `about` names the mail that it speaks of
    hours_ago   in opening hours, where 8 is always just as old as the promise of 24 h allows: more is overdue.
                Left out, the mail gets a place among the younger ones. `days_ago` is for history
    live        it arrives while you look
    canned, ask, enclose  the headless run answers it with this response, these values ("+3": the date in 3 days), files
    then        what the customer writes back
    owner, note, tags, snooze  what the shop did with it before you came
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from email.utils import format_datetime, parseaddr
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from supportdesk.demo.letters import Letter, Original, make_message_id, subject_of_answer, write_letter
from supportdesk.demo.shop import CALENDAR, SHOP, SIGNATURES
from supportdesk.desk.hours import elapsed, next_open_day_same_time
from supportdesk.errors import ConfigError
from supportdesk.mail.model import Address

MAILS = Path(__file__).parent / "mails"
ZONES = {"en": "Europe/London", "pt": "Europe/Lisbon", "ja": "Asia/Tokyo"}
PROMISE_HOURS = 8.0
YOUNGEST, OLDEST = 0.1, 6.9
OUR_PROGRAM = "thunderbird"  # what the shop wrote with before it had a desk


@dataclass(frozen=True, slots=True)
class Script:
    """One entry of the files, checked and nothing else."""

    id: str
    language: str
    from_: str = ""
    client: str = OUR_PROGRAM
    subject: str = ""
    text: str = ""
    signature: str = ""
    attach: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    twice: bool = False
    answers: str = ""
    raw: str = ""
    about: str = ""
    hours_ago: float | None = None
    days_ago: float | None = None
    live: bool = False
    canned: str = ""
    ask: Mapping[str, str] = field(default_factory=dict)
    enclose: tuple[str, ...] = ()
    then: str = ""
    owner: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    snooze: str = ""
    agent: str = ""  # of a mail of ours: who signed it

    @property
    def ours(self) -> bool:
        return bool(self.agent)


@dataclass(frozen=True, slots=True)
class DemoMail:
    """One mail with its bytes; `at` is when the server took it."""

    script: Script
    message_id: str
    sender: Address
    at: datetime
    raw: bytes = field(repr=False)
    original: Original | None = field(default=None, repr=False)


def read_scripts(folder: Path = MAILS) -> tuple[Script, ...]:
    """Every entry of the files, in order. Raises ConfigError naming the file and what is wrong."""
    found: list[Script] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: {error}") from None
        for kind in ("mail", "sent"):
            found += [_script(path, table.get("language", ""), entry) for entry in table.get(kind, ())]
    known = {script.id for script in found}
    if len(known) != len(found):
        raise ConfigError(f"{folder}: two mails have one id")
    for script in found:
        for name in (script.answers, script.about):
            if name and name not in known:
                raise ConfigError(f"{folder}: {script.id} names {name}, and there is no such mail")
    return tuple(found)


def write_mails(scripts: Iterable[Script], now: datetime) -> tuple[DemoMail, ...]:
    """The mails, oldest first; those that are `live` come last and are dated now."""
    scripts = tuple(scripts)
    times = arrival_times(scripts, now)
    written: dict[str, DemoMail] = {}
    for script in sorted(scripts, key=lambda one: (one.live, times[one.id])):
        written[script.id] = _write(script, times[script.id], written)
    return tuple(written.values())


def arrival_times(scripts: Iterable[Script], now: datetime) -> dict[str, datetime]:
    """When each mail arrived, by id."""
    scripts = tuple(scripts)
    promised = _latest(now, lambda at: (next_open_day_same_time(CALENDAR, at) or now) <= now)
    free = [one for one in scripts if one.hours_ago is None and one.days_ago is None and not one.live]
    free.sort(key=lambda one: hashlib.sha256(one.id.encode()).digest())
    step = (OLDEST - YOUNGEST) / max(1, len(free) - 1)
    spread = {one.id: YOUNGEST + step * place for place, one in enumerate(free)}
    times = {}
    for one in scripts:
        if one.live:
            times[one.id] = now
        elif one.days_ago is not None:
            times[one.id] = now - timedelta(days=one.days_ago)
        else:
            hours = one.hours_ago if one.hours_ago is not None else spread[one.id]
            times[one.id] = _opening_hours_before(now, hours, elapsed(CALENDAR, promised, now))
    return times


def answer_to(mail: DemoMail, reply: Original, text: str, at: datetime, seed: str) -> bytes:
    """What the customer of `mail` writes back to our reply, with the program that he always uses."""
    script = mail.script
    client = "gmail" if script.raw else script.client
    letter = Letter(
        message_id=make_message_id(client, seed, mail.sender.domain),
        from_=mail.sender,
        to=(reply.author,),
        subject=subject_of_answer(client, script.language, reply.subject),
        text=text,
        language=script.language or "it",
        client=client,
        date=at.astimezone(_zone(script.language)),
        signature=script.signature,
        answers=reply,
    )
    return write_letter(letter)


def _script(path: Path, language: str, entry: Mapping[str, Any]) -> Script:
    values = {"language": language, **entry}
    if "from" in values:
        values["from_"] = values.pop("from")
    known = {item.name for item in fields(Script)}
    for key in values:
        if key not in known:
            raise ConfigError(f"{path}: {values.get('id', '?')}: unknown key `{key}`")
    for key in ("attach", "cc", "enclose", "tags"):
        values[key] = tuple(values.get(key, ()))
    return Script(**values)


def _write(script: Script, at: datetime, written: Mapping[str, DemoMail]) -> DemoMail:
    local = (at - timedelta(seconds=4)).astimezone(_zone(script.language))
    if script.raw:
        return _write_raw(script, at, local, written)
    original = written[script.answers].original if script.answers else None
    sender = SHOP if script.ours else _address(script.from_)
    to = original.author if script.ours and original is not None else SHOP
    signature = f"{script.agent}\n{SIGNATURES[script.language]}" if script.ours else script.signature
    message_id = make_message_id(script.client, f"{script.id} {at.isoformat()}", sender.domain)
    subject = script.subject
    if original is not None:
        subject = subject or subject_of_answer(script.client, script.language, original.subject)
    letter = Letter(
        message_id=message_id,
        from_=sender,
        to=(to,),
        subject=subject,
        text=script.text,
        language=script.language,
        client=script.client,
        date=local,
        signature=signature,
        cc=tuple(_address(one) for one in script.cc),
        attach=script.attach,
        answers=original,
    )
    references = (*original.references, original.message_id) if original is not None else ()
    quotable = Original(message_id, references, sender, to, local, subject, script.text)
    return DemoMail(script, message_id, sender, at, write_letter(letter), quotable)


def _write_raw(script: Script, at: datetime, local: datetime, written: Mapping[str, DemoMail]) -> DemoMail:
    """The template's bytes as they are, in whatever charset, with the values of this run filled in."""
    template = (MAILS / "raw" / script.raw).read_bytes().decode("latin-1")
    message_id = make_message_id("webmail", f"{script.id} {at.isoformat()}", "posta.example")
    values = {"shop": SHOP.addr, "date": format_datetime(local), "message_id": message_id}
    if script.about:
        values["about"] = written[script.about].message_id
    text = Template(template).substitute(values)
    name, address = parseaddr(_field(text, "Reply-To") or _field(text, "From"))
    return DemoMail(script, message_id, Address(name, address), at, text.replace("\n", "\r\n").encode("latin-1"))


def _field(text: str, name: str) -> str:
    found = (line.partition(":")[2] for line in text.splitlines() if line.lower().startswith(f"{name.lower()}:"))
    return next(found, "").strip()


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(name, address)


def _zone(language: str) -> ZoneInfo:
    return ZoneInfo(ZONES.get(language, CALENDAR.zone))


def _opening_hours_before(now: datetime, hours: float, promised_seconds: int) -> datetime:
    """The latest time from which that many opening hours have passed; the first eight are as long as the promise."""
    younger = min(hours, PROMISE_HOURS) / PROMISE_HOURS * promised_seconds
    seconds = int(younger + max(0.0, hours - PROMISE_HOURS) * 3600)
    return _latest(now, lambda at: elapsed(CALENDAR, at, now) >= seconds)


def _latest(now: datetime, holds: Any) -> datetime:
    """The latest time, to the second, at which `holds` (true for everything long ago) is true."""
    early, late = 0, 90 * 24 * 3600  # seconds before now
    while early < late:
        middle = (early + late) // 2
        if holds(now - timedelta(seconds=middle)):
            late = middle
        else:
            early = middle + 1
    return now - timedelta(seconds=early)


def customers(mails: Iterable[DemoMail]) -> Iterator[DemoMail]:
    """The mails that people wrote: whoever sent one of these can answer a reply."""
    return (mail for mail in mails if not mail.script.ours and mail.sender.addr)
