"""`supportdesk doctor`: what is wrong on this machine, or will be. Looks only; exits 6 if something needs a person."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.errors import ConfigError, SupportdeskError, ThresholdBreached
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.bootstrap import DatabaseFacts

app = group()
Verdict = Literal["ok", "note", "wrong"]
LEAST_FREE = 512 * 1024 * 1024
SAFE_SQLITE = (3, 51, 3)  # 3.7.0 to 3.51.2 can corrupt a WAL that several processes write


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: what was looked at, whether it is as it should be, and what was found."""

    name: str
    verdict: Verdict
    text: str
    hint: str = ""


@verb(app, "doctor", N_("Look for what is wrong on this machine; exits 6 if anything is"))
def doctor(session: Session) -> int:
    findings = list(_look(session))
    signs = {"ok": _("ok"), "note": _("note"), "wrong": _("WRONG")}
    lines = [f"{signs[one.verdict]} · {one.name}: {one.text}{f' → {one.hint}' if one.hint else ''}" for one in findings]
    session.out.answer(findings, lines)
    return ThresholdBreached.exit_code if any(one.verdict == "wrong" for one in findings) else 0


def _look(session: Session) -> Iterator[Finding]:
    yield _python()
    try:
        config = session.config
    except ConfigError as error:
        yield Finding(_("settings"), "wrong", error.message, error.hint)
        return
    yield Finding(_("settings"), "ok", str(config.source or _("none; everything is at its default")))
    yield _credentials(config.credentials_path)
    try:
        from supportdesk.bootstrap import database_facts, refuse_missing

        refuse_missing(config)
        facts = database_facts(config)
    except SupportdeskError as error:
        yield Finding(_("database"), "wrong", error.message, error.hint)
        return
    yield from _database(facts)
    for look in (_worker, _mailboxes, _spelling, _clock, _attention):
        try:
            yield from look(session)
        except SupportdeskError as error:
            yield Finding(_("desk"), "wrong", error.message, error.hint)
            return


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", "ok" if sys.version_info >= (3, 11) else "wrong", f"{version}, {sys.executable}")


def _credentials(path: Path) -> Finding:
    """Read by config already, which refuses an open file: here its mode is told."""
    name = _("logins")
    if not path.exists():
        return Finding(name, "note", _("no {file}: this machine cannot fetch or deliver").format(file=path))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding(name, "wrong", f"{path} ({mode:o})", f"chmod 600 {path}")
    return Finding(name, "ok", f"{path} ({mode:o})")


def _database(facts: DatabaseFacts) -> Iterator[Finding]:
    name = _("database")
    yield Finding(name, "ok", f"{facts.kind} {facts.version} ({facts.driver}), {facts.shown}")
    if facts.kind == "sqlite" and tuple(int(part) for part in facts.version.split(".")[:3]) < SAFE_SQLITE:
        text = _("SQLite {version} can corrupt a database that several programs write").format(version=facts.version)
        yield Finding("SQLite", "note", text, _("where there is a wheel: pip install pysqlite3"))
    if facts.revision == facts.known_revision:
        yield Finding(_("schema"), "ok", facts.revision)
    else:
        hint = "supportdesk db upgrade" if facts.revision < facts.known_revision else _("upgrade this program")
        text = _("{found}, this program knows {known}").format(found=facts.revision or "—", known=facts.known_revision)
        yield Finding(_("schema"), "wrong", text, hint)
    for problem in facts.problems:
        yield Finding(_("integrity"), "wrong", problem, _("restore the newest backup: supportdesk restore FILE"))
    if not facts.problems and facts.kind == "sqlite":
        yield Finding(_("integrity"), "ok", _("the pages of the database are sound"))
    if not facts.search_is_sound:
        yield Finding(_("search"), "wrong", _("the search index differs from the texts"), "supportdesk reindex")
    if facts.miscounted_views:
        text = _("the counters are wrong: {views}").format(views=", ".join(facts.miscounted_views))
        yield Finding(_("views"), "wrong", text, _("the worker counts anew when it starts"))
    if facts.file is not None:
        yield from _file(facts.file)


def _file(file: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(file.stat().st_mode)
    name = _("file modes")
    if mode & 0o007:
        text = _("{file} ({mode}): anybody can read the mail").format(file=file, mode=f"{mode:o}")
        yield Finding(name, "wrong", text, f"chmod o= {file}")
    elif mode & 0o020:
        yield Finding(name, "note", _("{file} ({mode}): the group can write, so roles are only advice").format(
            file=file, mode=f"{mode:o}"))  # fmt: skip
    else:
        yield Finding(name, "ok", f"{file} ({mode:o})")
    if not os.access(file.parent, os.W_OK):
        yield Finding(name, "wrong", _("{directory} cannot be written").format(directory=file.parent))
    free = shutil.disk_usage(file.parent).free
    needed = max(LEAST_FREE, 2 * file.stat().st_size)  # a backup and a migration need room for a copy
    text = _("{free} MB free, {needed} MB needed for a backup").format(free=free // 2**20, needed=needed // 2**20)
    yield Finding(_("disk space"), "ok" if free >= needed else "wrong", text)


def _worker(session: Session) -> Iterator[Finding]:
    status = session.desk.status()
    if status.delivering:
        info = f"{status.worker.get('host', '')} {status.worker.get('pid', '')}".strip()
        yield Finding(_("worker"), "ok", f"{info}, {session.time(status.worker_seen_at)}")
    else:
        yield Finding(
            _("worker"), "wrong", _("no process is fetching and delivering mail"), "supportdesk worker install"
        )


def _mailboxes(session: Session) -> Iterator[Finding]:
    from supportdesk.bootstrap import open_secret

    boxes = session.desk.mailboxes()
    troubled = {one.id: one for one in session.desk.status().mailboxes if one.error}
    if not boxes:
        yield Finding(_("mailboxes"), "note", _("there is none"), "supportdesk mailbox add")
    for box in boxes:
        if box.settings.get("unconfirmed"):
            yield Finding(box.address, "wrong", _("its first mail waits for your word"), "supportdesk mailbox confirm")
        try:
            open_secret(session.config, box.address)
        except SupportdeskError as error:
            yield Finding(box.address, "note", error.message, error.hint)
            continue
        if (trouble := troubled.get(box.id)) is None:
            yield Finding(box.address, "ok", box.state)
            continue
        text = _("{error} (since {time})").format(error=trouble.error, time=session.time(trouble.error_since, box.id))
        yield Finding(box.address, "wrong", text, f"supportdesk mailbox test {box.address}")


def _spelling(session: Session) -> Iterator[Finding]:
    """Replies are read for spelling in the languages that the mailboxes serve, where there are dictionaries."""
    from supportdesk.l10n.spelling import available, find_dictionary

    if not available():
        text = _("replies are not read for spelling mistakes: chunspell is not installed")
        yield Finding(_("spelling"), "note", text, "pip install 'supportdesk[spelling]'")
        return
    boxes = session.desk.mailboxes()
    served = sorted({tag for box in boxes for tag in (box.language, *box.languages) if tag})
    for tag in served:
        if find_dictionary(tag) is None:
            text = _("there is no hunspell dictionary for {language}").format(language=tag)
            yield Finding(_("spelling"), "note", text, f"apt install hunspell-{tag.partition('-')[0]}")
        else:
            yield Finding(_("spelling"), "ok", str(find_dictionary(tag)))


def _clock(session: Session) -> Iterator[Finding]:
    """An event from the future means that some machine's clock is wrong: deadlines and order would be too."""
    rows = session.desk.read.rows("event", order="-seq", limit=1)
    now = session.desk.clock.now()
    if rows and rows[0]["at"] > now + timedelta(minutes=2):
        text = _("the newest event is from {time}, later than now").format(time=session.time(rows[0]["at"]))
        yield Finding(_("clock"), "wrong", text, _("set the clock of this machine, or of the one that wrote it"))
    else:
        yield Finding(_("clock"), "ok", session.time(now))


def _attention(session: Session) -> Iterator[Finding]:
    for sentence in session.desk.status().attention:
        yield Finding(_("desk"), "note", sentence)
