"""A forced SSH command on a real sshd: the console and its verbs, and no way out of them (reliability.md R19, E05).

The forced command runs under strace: what it executes and which files it makes is read from the kernel's own record.
"""

from __future__ import annotations

import getpass
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from tests.support.processes import free_port, wait_until
from tests.tui.test_looks import post  # noqa: F401 — a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.terminal import Terminal
    from tests.tui.conftest import Shop

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MISSING = [name for name, found in (("sshd", SSHD), ("strace", shutil.which("strace"))) if not found]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
WITH_FILES = TicketId(5)
HOSTILE = {
    "EDITOR": "/bin/sh", "VISUAL": "/bin/sh", "PAGER": "/bin/sh", "LESSOPEN": "|/bin/sh %s", "BROWSER": "/bin/sh",
    "MAILCAPS": "/etc/passwd", "TEXTUAL_DRIVER": "os:system", "TEXTUAL_LOG": "/tmp/supportdesk-e05",
    "TEXTUAL_SCREENSHOT_LOCATION": "/tmp", "PYTHONPATH": "/tmp", "PYTHONSTARTUP": "/etc/passwd",
    "PYTHONINSPECT": "1", "TZ": ":/etc/passwd", "LC_ALL": "../../C.UTF-8", "SUPPORTDESK_TRANSLATOR": "/bin/sh",
    "XDG_RUNTIME_DIR": "/tmp/e05",
}  # fmt: skip


@dataclass
class Door:
    """A sshd that lets one key in, to one forced command under strace."""

    directory: Path
    port: int
    log: Path

    def command(self, *asked: str, tty: bool = False) -> list[str]:
        options = [
            "-F", "none", "-i", str(self.directory / "key"), "-p", str(self.port), "-o", "StrictHostKeyChecking=no",
            "-o", f"UserKnownHostsFile={self.directory / 'known'}", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
            "-o", f"SendEnv={' '.join(HOSTILE)}",
        ]  # fmt: skip
        return ["ssh", *options, *(["-tt"] if tty else []), f"{getpass.getuser()}@127.0.0.1", *asked]

    def run(self, *asked: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(*asked), input=given, capture_output=True, timeout=60, env={**os.environ, **HOSTILE}
        )

    def executed(self) -> list[list[str]]:
        """The arguments of every program that was executed inside the forced command."""
        found = re.findall(r'execve\("[^"]*", \[(.*?)\], .*\) = 0', self.log.read_text())
        return [re.findall(r'"([^"]*)"', arguments) for arguments in found]

    def made(self) -> set[Path]:
        """Every file that was opened to be made."""
        return {
            Path(name) for name, flags in re.findall(r'openat\([^,]+, "([^"]*)", ([A-Z_|]+)', self.log.read_text())
            if "O_CREAT" in flags
        }  # fmt: skip


@pytest.fixture
def door(post: Shop, tmp_path: Path) -> Iterator[Door]:  # noqa: F811 — the fixture
    directory, port = tmp_path / "ssh", free_port()
    directory.mkdir()
    for name in ("key", "host"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)]
        subprocess.run(key, check=True, timeout=30)
    added = subprocess.run(
        [sys.executable, "-m", "supportdesk", "--database", post.database, "--agent", "giulia", "agent", "set", "luca",
         "--ssh-key", str(directory / "key.pub")],
        capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)},
    )  # fmt: skip
    line = next(line for line in (added.stdout + added.stderr).splitlines() if line.startswith("command="))
    log = directory / "strace"
    traced = f"strace -f -qq -s 4096 -e trace=execve,execveat,openat -o {shlex.quote(str(log))} "
    (directory / "authorized_keys").write_text(line.replace('command="', f'command="{traced}', 1) + "\n")
    (directory / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host'}\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {directory / 'authorized_keys'}\nStrictModes no\nPermitRootLogin forced-commands-only\n"
        "PasswordAuthentication no\nAcceptEnv *\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    assert SSHD is not None
    with (directory / "sshd.log").open("wb") as said:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(directory / "config")], stdout=said, stderr=said)
    try:
        wait_until(lambda: b"listening" in (directory / "sshd.log").read_bytes(), seconds=20, what="sshd")
        yield Door(directory, port, log)
    finally:
        server.terminate()
        server.wait(20)


def test_attachments_go_both_ways_and_nothing_else_is_let_in(door: Door, post: Shop) -> None:  # noqa: F811
    fetched = door.run("supportdesk", "ticket", "attachment", str(WITH_FILES), "2")
    assert (fetched.returncode, fetched.stdout) == (0, b"\0\1\2\3"), fetched.stderr
    sent = door.run("supportdesk", "draft", "attach", str(WITH_FILES), "../../label.pdf", given=b"%PDF-1.4")
    assert sent.returncode == 0, sent.stderr
    luca = post.house.desk.agent_by_login("luca").actor()
    [draft] = post.house.desk.drafts(luca)
    assert [(one.name, one.size) for one in draft.attachments] == [("label.pdf", 8)]
    for asked in (
        ["sh", "-c", "id"],
        ["supportdesk", "worker"],
        ["supportdesk", "--as", "giulia", "status"],
        ["supportdesk", "ticket", "list", "--as", "giulia"],
        ["supportdesk", "ticket", "list;", "id"],
        ["supportdesk", "ticket", "note", "1", "--file", "/etc/passwd"],
    ):
        refused = door.run(*asked)
        assert refused.returncode not in (0, 255), asked
        assert b"uid=" not in refused.stdout
    copied = subprocess.run(["sftp", *door.command()[1:-1], door.command()[-1]], input=b"ls\n", capture_output=True,
                            timeout=60, env={**os.environ, **HOSTILE})  # fmt: skip
    assert b"sftp> ls\n" not in copied.stdout or copied.returncode != 0
    programs = {arguments[0] for arguments in door.executed()}
    assert programs <= allowed(door), programs


@pytest.mark.tmux
def test_no_key_of_the_restricted_console_leads_out_of_it(door: Door, terminal: Terminal, tmp_path: Path) -> None:
    terminal.start(door.command(tty=True), columns=120, lines=40, environment=HOSTILE | {"LC_ALL": "C.UTF-8"})
    terminal.wait_for("Hans Meier", seconds=60)
    terminal.press(":", "s", "h", "Enter")
    terminal.wait_for("no action sh")
    leave(terminal, ": sh")
    terminal.press("C-z", "C-\\", "|")
    terminal.wait_for("No command is set")
    terminal.press("C-p", *"screenshot")
    terminal.wait_for("What do you want to do")
    leave(terminal, "What do you want to do")
    terminal.press("r")
    terminal.wait_for("Subject")
    terminal.press("C-g")
    terminal.wait_for("No editor can be started here")
    terminal.press("C-t")
    terminal.wait_for("supportdesk draft attach 2 FILE < FILE")
    assert "a file of this machine" not in terminal.screen()
    leave(terminal, "draft attach")
    leave(terminal, "Subject")
    terminal.press(*":open", "Space", str(WITH_FILES), "Enter")
    terminal.wait_for("misure.txt")
    terminal.press("@")
    terminal.wait_for("Which attachment")
    terminal.press(*"misure", "Enter")
    terminal.wait_for(f"supportdesk ticket attachment {WITH_FILES} 1 > misure.txt")
    assert "save" not in terminal.screen().splitlines()[-1]
    leave(terminal, "ticket attachment")
    terminal.press("l")
    terminal.wait_for("Copy which link")
    terminal.press("Enter")
    terminal.wait_for("Copied the link")
    terminal.press("C-q")
    terminal.wait_until_gone("Pia Neri")
    programs = [arguments for arguments in door.executed() if arguments[0] not in allowed(door)]
    assert programs == []
    assert len(door.executed()) <= 2, door.executed()
    made = {path for path in door.made() if "__pycache__" not in path.parts and path.parts[1] != "dev"}
    outside = [path for path in made if not path.is_relative_to(tmp_path)]
    assert outside == []


def leave(terminal: Terminal, gone: str) -> None:
    """Escape alone: what comes in one packet with it would be another key."""
    terminal.press("Escape")
    terminal.wait_until_gone(gone)


def allowed(door: Door) -> set[str]:
    """The forced command itself, and the contained parser that cuts an attachment out of a mail."""
    forced = (door.directory / "authorized_keys").read_text()
    words = shlex.split(forced.partition('command="')[2].partition('",restrict')[0])
    return {"/usr/bin/env", sys.executable, *(word for word in words if word.endswith(("python", "supportdesk")))}
