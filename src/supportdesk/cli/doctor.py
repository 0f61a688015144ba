"""`supportdesk doctor`: what is wrong on this machine, or will be; exits 6 if something needs a person.

Without `--fix` it only looks. What it repairs is safe to repair at any time, and again.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.doctor_words import FAULTS, Verdict
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.gauges import MOST_WAL_BYTES
from supportdesk.errors import ConfigError, SupportdeskError, ThresholdBreached
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.bootstrap import DatabaseFacts

app = group()
OLDEST_PYTHON = (3, 11)
LEAST_FREE = 512 * 1024 * 1024
CERTIFICATE_DAYS = timedelta(days=14)
SAFE_SQLITE = (3, 51, 3)  # 3.7.0 to 3.51.2 can corrupt a WAL that several processes write


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: what was looked at, whether it is as it should be, what was found; `id` is for scripts."""

    id: str
    name: str
    verdict: Verdict
    text: str
    hint: str = ""
    fixed: bool = False


@verb(app, "doctor", N_("Look for what is wrong on this machine; exits 6 if anything is"))
def doctor(
    session: Session,
    fix: Annotated[bool, typer.Option("--fix", help=N_("Repair what is safe to repair"))] = False,
    deep: Annotated[bool, typer.Option("--deep", help=N_("Read every page and every index, however long"))] = False,
) -> int:
    findings = list(_look(session, fix=fix, deep=deep))
    signs, mended = {"ok": _("ok"), "note": _("note"), "wrong": _("WRONG")}, _("mended")
    lines = [
        f"{mended if one.fixed else signs[one.verdict]} · {one.name}: {one.text}"
        f"{f' → {one.hint}' if one.hint and not one.fixed else ''}"
        for one in findings
    ]
    session.out.answer(findings, lines)
    return ThresholdBreached.exit_code if any(one.verdict == "wrong" and not one.fixed for one in findings) else 0


def _look(session: Session, *, fix: bool, deep: bool) -> Iterator[Finding]:
    yield _python()
    try:
        config = session.config
    except ConfigError as error:
        yield Finding("config.broken", _("settings"), "wrong", error.message, error.hint or _("correct that file"))
        return
    yield Finding("config", _("settings"), "ok", str(config.source or _("none; everything is at its default")))
    yield _credentials(config.credentials_path, fix=fix)
    try:
        from supportdesk.bootstrap import database_facts, refuse_missing

        refuse_missing(config)
        facts = database_facts(config, deep=deep)
        if fix and (facts.miscounted_views or not facts.search_is_sound):
            session.desk.store.recount_views()
            session.desk.store.mend_search()
    except SupportdeskError as error:
        yield Finding("database.unusable", _("database"), "wrong", error.message, error.hint)
        return
    yield from _database(facts, fix=fix)
    if facts.revision != facts.known_revision:
        return
    yield from _inside(session, fix=fix, deep=deep)
    for look in (_worker, _mailboxes, _certificates, _spelling, _attention):
        try:
            yield from look(session)
        except SupportdeskError as error:
            yield Finding("desk.unreadable", _("desk"), "wrong", error.message, error.hint)
            return


def _python() -> Finding:
    text = f"{'.'.join(str(part) for part in sys.version_info[:3])}, {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python.old", "Python", "wrong", text, _("install a newer one"))
    return Finding("python", "Python", "ok", text)


def _credentials(path: Path, *, fix: bool) -> Finding:
    """Read by config already, which refuses an open file: here its mode is told."""
    name = _("logins")
    if not path.exists():
        return Finding(
            "credentials.missing", name, "note", _("no {file}: this machine cannot fetch or deliver").format(file=path)
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        if fix:
            path.chmod(0o600)
        return Finding("credentials.mode", name, "wrong", f"{path} ({mode:o})", f"chmod 600 {path}", fixed=fix)
    return Finding("credentials", name, "ok", f"{path} ({mode:o})")


def _database(facts: DatabaseFacts, *, fix: bool) -> Iterator[Finding]:
    name = _("database")
    yield Finding("database", name, "ok", f"{facts.kind} {facts.version} ({facts.driver}), {facts.shown}")
    if facts.kind == "sqlite" and tuple(int(part) for part in facts.version.split(".")[:3]) < SAFE_SQLITE:
        text = _("SQLite {version} can corrupt a database that several programs write").format(version=facts.version)
        yield Finding("sqlite.old", "SQLite", "note", text, _("where there is a wheel: pip install pysqlite3"))
    if facts.revision == facts.known_revision:
        yield Finding("schema", _("schema"), "ok", facts.revision)
    else:
        hint = "supportdesk db upgrade" if facts.revision < facts.known_revision else _("upgrade this program")
        text = _("{found}, this program knows {known}").format(found=facts.revision or "—", known=facts.known_revision)
        yield Finding("schema.other", _("schema"), "wrong", text, hint)
    for problem in facts.problems:
        yield Finding(
            "database.damaged",
            _("integrity"),
            "wrong",
            problem,
            _("restore the newest backup: supportdesk restore FILE"),
        )
    if not facts.problems and facts.kind == "sqlite":
        sound = _("the pages of the database are sound")
        unread = _("a file of this size is read from end to end with `supportdesk doctor --deep` only")
        yield Finding("integrity", _("integrity"), "ok", sound if facts.read_whole else unread)
    if not facts.search_is_sound:
        text = _("the search index differs from the texts")
        yield Finding("search.drift", _("search"), "wrong", text, "supportdesk doctor --fix", fixed=fix)
    if facts.miscounted_views:
        text = _("the counters are wrong: {views}").format(views=", ".join(facts.miscounted_views))
        yield Finding("views.miscounted", _("views"), "wrong", text, "supportdesk doctor --fix", fixed=fix)
    if facts.is_on_network:
        text = _("{file} is on a network file system ({kind})").format(file=facts.file, kind=facts.file_system)
        yield Finding("file.on_network", _("database"), "wrong", text, _("use a local disk, or Postgres"))
    if facts.file is not None:
        yield from _file(facts.file, fix=fix)


def _file(file: Path, *, fix: bool) -> Iterator[Finding]:
    name = _("file modes")
    open_to_all = [one for one in _files_of(file) if one.stat().st_mode & 0o007]
    for one in open_to_all:
        mode = stat.S_IMODE(one.stat().st_mode)
        text = _("{file} ({mode}): anybody can read the mail").format(file=one, mode=f"{mode:o}")
        if fix:
            one.chmod(mode & ~0o007)
        yield Finding("file.open", name, "wrong", text, f"chmod o= {one}", fixed=fix)
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o020 and not open_to_all:
        text = _("{file} ({mode}): the group can write, so roles are only advice").format(file=file, mode=f"{mode:o}")
        yield Finding("file.shared", name, "note", text)
    elif not open_to_all:
        yield Finding("file", name, "ok", f"{file} ({mode:o})")
    directory = file.parent
    if not os.access(directory, os.W_OK):
        text = _("{directory} cannot be written").format(directory=directory)
        yield Finding("directory.unwritable", name, "wrong", text, f"chmod u+rwx {directory}")
    if directory.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
        text = _("anybody can replace files in {directory}").format(directory=directory)
        if fix:
            directory.chmod(stat.S_IMODE(directory.stat().st_mode) & ~stat.S_IWOTH)
        yield Finding("directory.open", name, "wrong", text, f"chmod o-w {directory}", fixed=fix)
    log = _files_of(file, "-wal")
    if log and (size := log[0].stat().st_size) > MOST_WAL_BYTES:
        text = _("the write-ahead log holds {size} MB").format(size=size >> 20)
        yield Finding("wal.large", _("database"), "wrong", text, _("some program reads without end: end it"))
    free = shutil.disk_usage(file.parent).free
    needed = max(LEAST_FREE, 2 * file.stat().st_size)  # a backup and a migration need room for a copy
    text = _("{free} MB free, {needed} MB needed for a backup").format(free=free // 2**20, needed=needed // 2**20)
    hint = "" if free >= needed else _("make room: what cannot be stored is not fetched")
    yield Finding("disk.low", _("disk space"), "wrong" if hint else "ok", text, hint)


def _files_of(file: Path, *endings: str) -> list[Path]:
    """The files of a desk on SQLite that are there."""
    named = [file.with_name(file.name + ending) for ending in endings or ("", "-wal", "-shm", "-gate", "-lock")]
    return [one for one in named if one.exists()]


def _worker(session: Session) -> Iterator[Finding]:
    status = session.desk.status()
    if status.delivering:
        info = f"{status.worker.get('host', '')} {status.worker.get('pid', '')}".strip()
        yield Finding("worker", _("worker"), "ok", f"{info}, {session.time(status.worker_seen_at)}")
    else:
        yield Finding(
            "worker.absent",
            _("worker"),
            "wrong",
            _("no process is fetching and delivering mail"),
            "supportdesk worker install",
        )


def _mailboxes(session: Session) -> Iterator[Finding]:
    from supportdesk.bootstrap import open_secret

    boxes = session.desk.mailboxes()
    troubled = {one.id: one for one in session.desk.status().mailboxes if one.error}
    if not boxes:
        yield Finding("mailbox.none", _("mailboxes"), "note", _("there is none"), "supportdesk mailbox add")
    for box in boxes:
        if box.settings.get("unconfirmed") is True:
            yield Finding(
                "mailbox.unconfirmed",
                box.address,
                "wrong",
                _("its first mail waits for your word"),
                "supportdesk mailbox confirm",
            )
        try:
            open_secret(session.config, box.address)
        except SupportdeskError as error:
            yield Finding("mailbox.no_login", box.address, "note", error.message, error.hint)
            continue
        if (trouble := troubled.get(box.id)) is None:
            yield Finding("mailbox", box.address, "ok", box.state)
            continue
        text = _("{error} (since {time})").format(error=trouble.error, time=session.time(trouble.error_since, box.id))
        yield Finding("mailbox.error", box.address, "wrong", text, f"supportdesk mailbox test {box.address}")


def _certificates(session: Session) -> Iterator[Finding]:
    """Those of the mail servers that will end soon."""
    from supportdesk.cli.certificates import certificate_ends

    soon = session.desk.clock.now() + CERTIFICATE_DAYS
    for server, end in sorted(certificate_ends(session.desk.mailboxes()).items()):
        if end < soon:
            text = _("the certificate of {server} ends on {time}").format(server=server, time=session.time(end))
            yield Finding("certificate.ends", server, "wrong", text, _("have it renewed"))


def _spelling(session: Session) -> Iterator[Finding]:
    """Replies are read for spelling in the languages that the mailboxes serve, where there are dictionaries."""
    from supportdesk.l10n.spelling import available, debian_package, find_dictionary

    if not available():
        text = _("replies are not read for spelling mistakes: chunspell is not installed")
        yield Finding("spelling.missing", _("spelling"), "note", text, "pip install 'supportdesk[spelling]'")
        return
    boxes = session.desk.mailboxes()
    served = sorted({tag for box in boxes for tag in (box.language, *box.languages) if tag})
    for tag in served:
        if find_dictionary(tag) is None:
            text = _("there is no hunspell dictionary for {language}").format(language=tag)
            yield Finding("spelling.dictionary", _("spelling"), "note", text, f"apt install {debian_package(tag)}")
        else:
            yield Finding("spelling", _("spelling"), "ok", str(find_dictionary(tag)))


def _inside(session: Session, *, fix: bool, deep: bool) -> Iterator[Finding]:
    """What the database's own questions found."""
    from supportdesk.bootstrap import find_faults, mend_fault

    found = find_faults(session.config, deep=deep)
    for fault in found:
        verdict, text, hint = FAULTS[fault.id]
        mended = fix and fault.mendable
        if mended:
            mend_fault(session.config, fault.id)
        told = _(text).format(count=fault.count, detail=fault.detail)
        hint = "supportdesk doctor --fix" if fault.mendable else _(hint)
        yield Finding(fault.id, _("desk"), verdict, told, hint, fixed=mended)
    if not found:
        yield Finding("inside", _("desk"), "ok", _("nothing is wrong inside the database"))


def _attention(session: Session) -> Iterator[Finding]:
    for sentence in session.desk.status().attention:
        yield Finding("desk.attention", _("desk"), "note", sentence)
