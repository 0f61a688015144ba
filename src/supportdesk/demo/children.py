"""The demo's child processes: how they are started, and how they end with the demo whatever ends it.

A child gets its settings as one line of JSON on its standard input, answers with one line of JSON when it is ready, and
ends when its standard input does: a demo that was killed with -9 has closed it too.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from supportdesk.errors import ConfigError, SupportdeskError

READY_SECONDS = 30.0
END_SECONDS = 10.0


class Child:
    """One running child process; `ready` is what it said when it was."""

    def __init__(self, name: str, settings: Mapping[str, Any], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as errors:
            # Its own process group: ctrl+c in the terminal ends the demo, and the demo ends its children in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supportdesk.demo", name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(settings).encode() + b"\n")
        self._process.stdin.flush()
        self.ready = self._wait_until_ready()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """Close its standard input, and wait until it has ended."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_ready(self) -> dict[str, Any]:
        output = self._process.stdout
        assert output is not None
        line, deadline = b"", time.monotonic() + READY_SECONDS
        while not line.endswith(b"\n") and time.monotonic() < deadline:
            readable, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                break
            chunk = os.read(output.fileno(), 4096)
            if not chunk:
                break
            line += chunk
        if not line.endswith(b"\n"):
            self.stop()
            raise SupportdeskError(f"the demo's {self.name} process did not start", hint=_last_lines(self._log))
        answer: dict[str, Any] = json.loads(line)
        return answer


def check_installed() -> None:
    """Raises ConfigError when the mail servers of the demo are not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("pymap", "aiosmtpd") if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the demo needs mail servers of its own: {', '.join(missing)} is not installed",
            hint="pip install 'supportdesk[demo]', or run ./desk demo in a checkout",
        )


def run_child() -> None:
    """Be the child that the command line names, until the standard input ends."""
    settings: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    children: dict[str, Callable[[dict[str, Any]], None]] = {
        "imap": _be_imap_server,
        "smtp": _be_smtp_server,
        "worker": _be_worker,
        "customers": _be_customers,
    }
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    children[sys.argv[1]](settings)


def say_ready(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def _be_imap_server(settings: dict[str, Any]) -> None:
    from supportdesk.demo.imap_server import serve_imap

    serve_imap(settings["accounts"])


def _be_smtp_server(settings: dict[str, Any]) -> None:
    from supportdesk.demo.smtp_server import serve_smtp

    serve_smtp(settings)


def _be_worker(settings: dict[str, Any]) -> None:
    from supportdesk.cli import logs
    from supportdesk.config import load_config
    from supportdesk.engine import open_engine
    from supportdesk.worker import run_worker

    logs.set_up(verbose=False, as_json=False)
    engine = open_engine(load_config(Path(settings["config"])))
    say_ready()
    run_worker(engine)


def _be_customers(settings: dict[str, Any]) -> None:
    from supportdesk.demo.customers import live

    live(settings)


def _end_with_parent() -> None:
    """SIGTERM is the clean end; a child that does not come to it is ended all the same."""
    while os.read(sys.stdin.fileno(), 4096):  # a thread inside sys.stdin's own lock would break the interpreter's end
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS / 2)
    os._exit(1)


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
