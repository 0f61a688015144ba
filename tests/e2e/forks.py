"""A fork server of real workers: it has imported everything, so a fresh worker is born in milliseconds.

`python -m tests.e2e.forks SETTINGS` reads one JSON line for each life ({"point": name, "nth": n}), forks a process in a
group of its own that runs `supportdesk.worker.run_worker` with the two parsing children already beside it, writes its
id, and writes its exit status when it has died. Whoever started it kills the group. The mails are read by the real
parser in the real child's loop; the only thing that is spared is the start of a Python.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

PARSERS = 2
COPY_AFTER_SECONDS = 0  # a provider's own copy in Sent is not waited for: the copies shall be stored while it is killed


class ForkServer:
    """The side that asks for workers. One at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = 0

    def start(
        self, point: str = "", nth: int = 1, *, end: signal.Signals = signal.SIGKILL, lease_seconds: float = 0,
        delivers: bool = True,
    ) -> int:  # fmt: skip
        """Fork a worker; its process id, which is its group's. `end` is what happens to it at the point."""
        assert self._process.stdin
        life = {"point": point, "nth": nth, "end": int(end), "lease_seconds": lease_seconds, "delivers": delivers}
        self._process.stdin.write(json.dumps(life) + "\n")
        self._process.stdin.flush()
        self.pid = int(self._line())
        return self.pid

    def is_dead(self, within: float) -> bool:
        """Whether the worker dies in this time, in seconds."""
        assert self._process.stdout
        return bool(select.select([self._process.stdout], [], [], within)[0])

    def kill(self) -> int:
        """Kill -9 of the worker and its children; its exit status, as os.waitpid has it."""
        with suppress(ProcessLookupError):  # it may have been quicker
            os.killpg(self.pid, signal.SIGKILL)
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the fork server has died")
        return line


@contextmanager
def running_fork_server(settings: Path, environment: dict[str, str], log: IO[bytes]) -> Iterator[ForkServer]:
    """A fork server for one desk; it and its last worker are gone at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.forks", str(settings)], env=environment, bufsize=0,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
    )  # fmt: skip
    server = ForkServer(process)
    with process:
        try:
            yield server
        finally:
            if server.pid:
                with suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)
            process.kill()


def main(settings: str) -> int:
    from supportdesk.config import load_config
    from tests.e2e.points import POINTS

    _import_everything()
    config = load_config(Path(settings))
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        life = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            _live(config, POINTS[life["point"]] if life["point"] else None, life)
        os.setpgid(child, child)  # on both sides: whoever reads the id may kill the group at once
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
    return 0


def _live(config: Any, point: Any, life: Mapping[str, Any]) -> None:
    """The forked worker; never returns."""
    code = 1
    try:
        random.seed()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        from supportdesk import worker
        from supportdesk.engine import open_engine
        from tests.e2e.points import arm

        parser = _parser_with_children()
        engine = open_engine(config)
        engine._parser = parser
        if point is not None:
            arm(point, life["nth"], signal.Signals(life["end"]))
        if life["lease_seconds"]:
            worker.DELIVERERS = (
                1  # the others would wait for the lock of the database, and one be stopped while it has it
            )
            worker.LEASE_SECONDS, worker.HEARTBEAT_SECONDS = life["lease_seconds"], life["lease_seconds"] / 4
        if not life["delivers"]:
            worker.DELIVERERS = 0
        worker.run_worker(engine)
        code = 0
    except BaseException:  # noqa: BLE001 — a forked process must not go back into its parent's loop
        traceback.print_exc()
    finally:
        os._exit(code)


def _parser_with_children() -> Any:
    """The real pool with its children forked, while this process has one thread; later ones are spawned as always."""
    from supportdesk.mail import child

    pool = child.MailParserPool(PARSERS)
    kept: list[IO[bytes]] = []
    for _unused in range(PARSERS):
        process = _ForkedParser(kept)
        kept += [pipe for pipe in (process.stdin, process.stdout) if pipe]
        made = child._Child(process)
        made.is_warm = True
        pool._idle.append(made)
    return pool


class _ForkedParser:
    """What `mail.child` uses of subprocess.Popen, on a forked process."""

    def __init__(self, others: list[IO[bytes]]) -> None:
        from supportdesk.l10n.detect import language_of
        from supportdesk.mail import child, parsing_process

        to_child, from_child = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(to_child[0], 0)
                os.dup2(from_child[1], 1)
                for descriptor in (*to_child, *from_child, *(other.fileno() for other in others)):
                    os.close(descriptor)
                os._exit(parsing_process.serve(os.dup(0), os.dup(1), child.RECYCLE_AFTER, language_of))
            finally:
                os._exit(0)
        os.close(to_child[0])
        os.close(from_child[1])
        self.stdin: IO[bytes] | None = os.fdopen(to_child[1], "wb", 0)
        self.stdout: IO[bytes] | None = os.fdopen(from_child[0], "rb", 0)
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]
        return self._status

    def kill(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)


def _import_everything() -> None:
    """What a worker needs, its lazy imports too, and the language model read once."""
    import supportdesk.desk
    import supportdesk.l10n
    import supportdesk.mail
    import supportdesk.store.read
    import supportdesk.store.write

    for package in (
        supportdesk.desk,
        supportdesk.mail,
        supportdesk.l10n,
        supportdesk.store.read,
        supportdesk.store.write,
    ):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    for name in ("worker", "bootstrap", "store.ledger", "store.blobs", "store.counts"):
        importlib.import_module(f"supportdesk.{name}")
    for name in ("zstandard", "psycopg"):
        importlib.import_module(name)
    from supportdesk.desk import sent_folder
    from supportdesk.l10n.detect import language_of
    from supportdesk.mail import acknowledge
    from supportdesk.mail.parse import parse
    from supportdesk.store.connect import sqlite_driver

    sqlite_driver()
    sent_folder.PROVIDER_SECONDS = COPY_AFTER_SECONDS
    # A thousand customers of one domain shall be acknowledged at once: the caps are proved elsewhere.
    acknowledge.FOR_A_DOMAIN_A_MINUTE = acknowledge.FOR_ALL_AN_HOUR = 1_000_000
    language_of("Buongiorno, il mio ordine non arriva. Potete dirmi qualcosa?")
    parse(b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Ciao</p>\r\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
