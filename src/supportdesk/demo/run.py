"""Running the demo: headless with a report, or with the console open and customers who go on writing."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.demo.children import check_installed
from supportdesk.demo.shop import SHOP, leave_the_users_settings_alone
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.demo.stage import Stage

UNDO_SECONDS = 15
FIRST_MAILS_SECONDS = 60.0


def run(*, headless: bool, seconds_between_mails: float, language: str, keep: bool, as_json: bool) -> int:
    check_installed()
    if not headless and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            _("the demo opens the console, and this is no terminal"), hint=_("supportdesk demo --headless needs none")
        )
    leave_the_users_settings_alone()
    with _directory(keep=keep) as directory:
        if headless:
            return _run_headless(directory, language, as_json=as_json)
        return _run_console(directory, language, seconds_between_mails)


def _run_headless(directory: Path, language: str, *, as_json: bool) -> int:
    from supportdesk.demo.headless import run_headless
    from supportdesk.demo.stage import Stage

    with Stage(directory, language=language, undo_seconds=0, progress=_say) as stage:
        report = run_headless(stage, _say)
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(report.lines()))
    return 0 if report.holds else 1


def _run_console(directory: Path, language: str, seconds_between_mails: float) -> int:
    from supportdesk.demo.stage import Stage
    from supportdesk.tui.app import run_console

    with Stage(directory, language=language, undo_seconds=UNDO_SECONDS, progress=_say) as stage:
        counts = stage.put_into_mailbox()
        _say(_("{count} mails wait in the shop's mailbox; the worker fetches them").format(count=counts["INBOX"]))
        stage.start_worker()
        wait_for_tickets(stage, sum(counts.values()))
        stage.play_earlier_days()
        stage.start(
            "customers",
            {
                "now": stage.now.isoformat(),
                "imap_port": stage.imap_port,
                "smtp_port": stage.smtp_port,
                "seconds_between_mails": seconds_between_mails,
            },
        )
        return run_console(stage.config, start_worker=False, ends_with_console=True)


def wait_for_tickets(stage: Stage, expected: int) -> None:
    """Until the first mails are in, so that the console opens on a queue; what is late comes while you look."""
    clock, read = stage.desk.clock, stage.desk.read
    deadline = clock.monotonic() + FIRST_MAILS_SECONDS
    while clock.monotonic() < deadline:
        rows = read.audit()
        if sum(row["rows"] for row in rows) >= expected and not any(row["unprocessed"] for row in rows):
            return
        read.wait_for_change(0.25)


@contextmanager
def _directory(*, keep: bool) -> Iterator[Path]:
    """A directory of the demo's own, removed at the end; SIGTERM and SIGHUP end the demo in order too."""
    directory = Path(tempfile.mkdtemp(prefix="supportdesk-demo-"))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        yield directory
    finally:
        if keep:
            _say(_("the desk of {shop} stays in {directory}").format(shop=SHOP.name, directory=directory))
            command = f"supportdesk --config {directory / 'config.toml'}"
            _say(_("open it again with: {command} (its mail servers are gone)").format(command=command))
        else:
            shutil.rmtree(directory, ignore_errors=True)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(f"demo: {text}", file=sys.stderr, flush=True)
