"""`supportdesk worker`: run the background process, or have the machine run it."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli import logs
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, take_globals, verb
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _, current_language

if TYPE_CHECKING:
    from supportdesk.config import Config

app = group(alone=True)
UNIT = "supportdesk-worker.service"
LINE = "# supportdesk worker"


@app.callback(invoke_without_command=True)
def run(
    ctx: typer.Context,
    companion: Annotated[
        int, typer.Option("--companion", metavar="PID", help=N_("End when this console is gone and nothing is due"))
    ] = 0,
    verbose: Annotated[bool, typer.Option("--verbose", help=N_("Say more in the log"))] = False,
    log_json: Annotated[bool, typer.Option("--log-json", "--json", help=N_("Log one JSON object a line"))] = False,
    database: Annotated[str, typer.Option("--database", hidden=True)] = "",
    config_file: Annotated[str, typer.Option("--config", hidden=True)] = "",
) -> None:
    session: Session = ctx.obj
    if ctx.invoked_subcommand is not None:
        session.json = session.json or log_json
        return
    session.refuse_if_restricted(ctx.command_path)
    take_globals(session, {"database": database, "config_file": config_file})
    config = session.config
    from supportdesk import bootstrap

    bootstrap.refuse_missing(config)
    logs.set_up(verbose=verbose, as_json=log_json or session.json)
    raise typer.Exit(session.programs.worker(config, companion))


@verb(app, "install", N_("Have systemd run the worker for this user, or cron where there is no systemd"))
def install(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only say what would be changed"))] = False,
    cron: Annotated[bool, typer.Option("--cron", help=N_("A cron line, although there is systemd"))] = False,
) -> int:
    from supportdesk import bootstrap

    bootstrap.refuse_missing(session.config)
    if has_systemd() and not cron:
        return _install_unit(session, dry_run=dry_run)
    return _install_cron(session, dry_run=dry_run)


@verb(app, "uninstall", N_("Undo `worker install`"))
def uninstall(session: Session) -> int:
    path = unit_path()
    done = []
    if path.exists():
        if has_systemd():
            _run(session, ["systemctl", "--user", "disable", "--now", UNIT])
        path.unlink()
        done.append(str(path))
    if shutil.which("crontab"):
        lines = _crontab()
        kept = [line for line in lines if not line.endswith(LINE)]
        if kept != lines:
            _write_crontab(kept)
            done.append("crontab")
    session.out.answer({"removed": done}, done or [_("nothing was installed")])
    return 0


def unit_text(config: Config) -> str:
    """The systemd user unit: restarted when it ends, hardened as far as a mail program can be."""
    command = " ".join(_systemd_quoted(word) for word in worker_command(config))
    return f"""[Unit]
Description=supportdesk: fetch and deliver mail
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={command}
Restart=always
RestartSec=5
TimeoutStopSec=30
UMask=0077
NoNewPrivileges=true
PrivateTmp=true

[Install]
WantedBy=default.target
"""


def worker_command(config: Config) -> list[str]:
    """What starts the worker on this desk, by absolute paths; what it stores for agents is in the language of now."""
    spoken = ["--language", current_language()]
    return [*own_places(), sys.executable, "-m", "supportdesk", *spoken, *named_places(config), "worker"]


def own_places() -> list[str]:
    """What sets the directories of this user's own, for a program that is started without this environment."""
    names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME")
    given = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    return ["/usr/bin/env", *given] if given else []


def named_places(config: Config) -> list[str]:
    """The options that name this desk, by absolute paths."""
    source = ["--config", str(config.source.absolute())] if config.source is not None else []
    return [*source, "--database", _absolute(config.database)]


def cron_line(config: Config) -> str:
    """Started each minute unless it runs: waiting workers would pile up, hence flock."""
    from supportdesk.config import data_dir

    command = shlex.join(worker_command(config)).replace("%", r"\%")  # cron reads % as a line end
    lock = shlex.quote(str(data_dir() / "worker.cron-lock"))
    log = shlex.quote(str(data_dir() / "worker.log"))
    return f"* * * * * flock -n {lock} {command} >>{log} 2>&1 {LINE}"


def unit_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "systemd" / "user" / UNIT


def has_systemd() -> bool:
    """Whether this machine was booted with systemd (sd_booted(3)) and its tool is there."""
    return Path("/run/systemd/system").is_dir() and shutil.which("systemctl") is not None


def _install_unit(session: Session, *, dry_run: bool) -> int:
    path, text = unit_path(), unit_text(session.config)
    user = getpass.getuser()
    commands = [
        ["systemctl", "--user", "daemon-reload"],
        ["systemctl", "--user", "enable", "--now", UNIT],
        ["loginctl", "enable-linger", user],
    ]
    if dry_run:
        lines = [_("would write {file}:").format(file=path), *text.splitlines()]
        lines += [_("would run: {command}").format(command=shlex.join(command)) for command in commands]
        session.out.answer({"dry_run": True, "unit": str(path), "text": text, "commands": commands}, lines)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    failed = [command for command in commands if not _run(session, command)]
    lines = [_("{file} is written").format(file=path)]
    lines += [_("run it yourself: {command}").format(command=shlex.join(command)) for command in failed]
    session.out.answer({"unit": str(path), "failed": failed}, lines)
    return 1 if commands[1] in failed else 0


def _install_cron(session: Session, *, dry_run: bool) -> int:
    line = cron_line(session.config)
    if dry_run or shutil.which("crontab") is None:
        session.out.answer({"dry_run": dry_run, "cron": line}, [line])
        if not dry_run:
            raise UsageError(_("there is neither systemd nor cron here"), hint=_("have something run the line above"))
        return 0
    kept = [item for item in _crontab() if not item.endswith(LINE)]
    _write_crontab([*kept, line])
    session.out.answer({"cron": line}, [line])
    session.out.say(_("the line above is in your crontab"))
    return 0


def _run(session: Session, command: list[str]) -> bool:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        session.out.say(f"{shlex.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.returncode == 0


def _crontab() -> list[str]:
    done = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False, timeout=30)
    return done.stdout.splitlines() if done.returncode == 0 else []


def _write_crontab(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    subprocess.run(["crontab", "-"], input=text, text=True, check=True, timeout=30)


def _systemd_quoted(word: str) -> str:
    """systemd.syntax(7): C escapes in double quotes, % and $ doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word


def _absolute(database: str) -> str:
    from supportdesk.bootstrap import is_file

    if not is_file(database) or "://" in database:
        return database
    return str(Path(database).expanduser().absolute())
