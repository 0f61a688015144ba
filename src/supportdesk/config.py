"""The settings of this one process: where the database is, who acts, how the console looks, and on the worker's machine
how to log in to the mail servers.

What a team shares (mailboxes, signatures, calendars, policies) is in the database, not here. A setting comes from the
environment (`SUPPORTDESK_DATABASE`), else from `config.toml`, else from the default. Logins are in a file of their own,
`credentials.toml`, which must be readable by its owner only.
"""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from supportdesk.errors import ConfigError
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import OAuthClient

APP = "supportdesk"
PREFIX = "SUPPORTDESK_"
# Read elsewhere, before or beside the settings: which file, which SQLite library, where the test corpus is.
OTHER_VARIABLES = frozenset({"CONFIG", "SQLITE", "CORPUS", "FAILPOINT"})
THEMES = ("supportdesk-dark", "supportdesk-light", "ansi", "high-contrast", "colour-blind", "monochrome")
CHOICES = {"theme": THEMES, "after_action": ("stay", "next", "list"), "bell": ("off", "bell", "notify")}


@dataclass(frozen=True, slots=True)
class Credential:
    """How to log in to the servers of one mailbox. Exactly one way is set; the secret itself is never shown.

    With `oauth` the secret is in a file of its own, `Config.tokens_path`, which the worker renews.
    """

    password: str = field(default="", repr=False)
    password_file: str = ""
    password_command: str = ""
    oauth: OAuthClient | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force; `source` names the file they came from, None if there is none.

    `credentials` are logins to be tried before they are saved. Those of the file are read when they are needed: a
    mailbox that is added, or a password that is changed, while the worker runs is known to it at once.
    """

    source: Path | None
    database: str
    agent: str = ""
    language: str = ""
    theme: str = "supportdesk-dark"
    keymap: str = ""
    ascii: bool = False
    mouse: bool = True
    translator: str = ""  # the command that `|` pipes the shown text through
    after_action: str = "stay"  # when a ticket is dealt with: stay, next or list
    bell: str = "off"  # for what others do: off, bell, or notify (OSC 9); at most once a minute
    ssh_host: str = ""  # what the agents' own machines call this one, for the commands that they run there
    credentials: Mapping[str, Credential] = field(default_factory=dict, repr=False)

    @property
    def credentials_path(self) -> Path:
        return config_dir(self.source) / "credentials.toml"

    def tokens_path(self, address: str) -> Path:
        return config_dir(self.source) / "tokens" / f"{quote(address.casefold(), safe='@+')}.json"


SETTINGS = tuple(item.name for item in fields(Config) if item.name not in ("source", "credentials"))


def config_dir(source: Path | None = None) -> Path:
    """Where the files of this user are; beside `config.toml` when that was named."""
    if source is not None:
        return source.parent
    base = os.environ.get("XDG_CONFIG_HOME")
    return Path(base) / APP if base else Path.home() / ".config" / APP


def data_dir() -> Path:
    """Where the embedded database is unless a setting says otherwise."""
    base = os.environ.get("XDG_DATA_HOME")
    return Path(base) / APP if base else Path.home() / ".local" / "share" / APP


def load_config(path: Path | None = None, *, database: str = "", agent: str = "", language: str = "") -> Config:
    """Read the settings; the keyword arguments (from the command line) win over everything.

    Raises ConfigError naming the file and the key, with the nearest known key where one is close.
    """
    named = path or (Path(os.environ[PREFIX + "CONFIG"]) if os.environ.get(PREFIX + "CONFIG") else None)
    source = named or config_dir() / "config.toml"
    if named is not None and not _is_there(named):
        raise ConfigError(
            _("{file}: there is no such file").format(file=named),
            hint=_("name an existing file with --config, or leave it out"),
        )
    values = _read_toml(source) if _is_there(source) else {}
    _refuse_unknown(values, SETTINGS, str(source))
    for key in SETTINGS:
        if (given := os.environ.get(PREFIX + key.upper())) is not None:
            values[key] = _from_environment(key, given)
    _refuse_unknown_variables()
    for key, given in (("database", database), ("agent", agent), ("language", language)):
        if given:
            values[key] = given
    checked = {key: _checked(key, value, str(source)) for key, value in values.items()}
    checked.setdefault("database", str(data_dir() / "desk.db"))
    if os.environ.get("NO_COLOR") and "theme" not in values:
        checked["theme"] = "monochrome"
    found = source if _is_there(source) else named
    config = Config(source=found, **checked)
    _read_credentials(config.credentials_path)  # what is wrong there is said now, not at the first login
    return config


def with_looks(config: Config, looks: Mapping[str, Any]) -> Config:
    """The same settings with what the command line says about the console. Raises ConfigError for an unknown theme."""
    return replace(config, **{key: _checked(key, value, "--" + key) for key, value in looks.items()})


def save_credential(config: Config, address: str, credential: Credential) -> Path:
    """Write how to log in for one mailbox into `credentials.toml` (0600); returns the file."""
    import tomlkit

    path = config.credentials_path
    table = tomlkit.table()
    for item in fields(Credential):
        if value := getattr(credential, item.name):
            table[item.name] = value if isinstance(value, str) else _set_fields(value)
    with _alone(path):  # two who log in at once would each write the file without the other
        document = tomlkit.parse(_read(path)) if _is_there(path) else tomlkit.document()
        document[address.casefold()] = table
        _write_private(path, tomlkit.dumps(document))
    return path


def find_credential(config: Config, address: str) -> Credential:
    """How to log in for a mailbox: a systemd credential of its name, else what `credentials.toml` says.

    Raises ConfigError naming what is missing and what to do.
    """
    name = address.casefold()
    if directory := os.environ.get("CREDENTIALS_DIRECTORY"):
        provided = Path(directory) / name
        if _is_there(provided):
            return Credential(password=_read(provided).rstrip("\r\n"))
    credential = config.credentials.get(name) or _read_credentials(config.credentials_path).get(name)
    if credential is None:
        raise ConfigError(
            _("no login is stored on this machine for {address}").format(address=address),
            hint=_("run `supportdesk mail login {address}` or add it to {file}").format(
                address=address, file=config.credentials_path
            ),
        )
    return credential


def login_stamp(config: Config) -> tuple[object, ...]:
    """Something that differs when a login was saved or a file with a password was changed; tokens renew themselves."""
    found: list[object] = []
    paths = [config.credentials_path]
    with suppress(ConfigError):  # wrong or open to others: whoever logs in next says so
        credentials = _read_credentials(paths[0]).values()
        paths += [Path(one.password_file).expanduser() for one in credentials if one.password_file]
    for path in paths:
        with suppress(OSError):
            state = path.stat()
            found.append((str(path), state.st_ino, state.st_mtime_ns, state.st_size))
    return tuple(found)


def resolve_password(config: Config, address: str) -> str:
    """The password of a mailbox that has one. Raises ConfigError as `find_credential` does."""
    credential = find_credential(config, address)
    if credential.password_command:
        return _run_password_command(credential.password_command, address)
    if credential.password_file:
        return read_private(credential.password_file)
    return credential.password


def read_private(name: str) -> str:
    """What a file with a secret holds. Raises ConfigError where it is missing or others can read it."""
    path = Path(name).expanduser()
    _refuse_open_file(path)
    return _read(path).rstrip("\r\n")


def _run_password_command(command: str, address: str) -> str:
    import shlex
    import subprocess

    try:
        # Without the terminal, which is the console's: the worker that asks may be its companion.
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError(
            _("the password command of {address} could not run: {reason}").format(
                address=address, reason=type(error).__name__
            )
        ) from None
    if done.returncode or not done.stdout.strip():
        raise ConfigError(
            _("the password command of {address} ended with {code} and printed no password").format(
                address=address, code=done.returncode
            ),
            hint=_("run it by hand in a terminal; its first line of output must be the password"),
        )
    return done.stdout.splitlines()[0]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None


def _is_there(path: Path) -> bool:
    """Whether the file exists; a directory that may not be entered is an error, not an absence."""
    try:
        return path.exists()
    except OSError as error:
        raise _unreadable(path, error) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(_("{name} is not UTF-8").format(name=path)) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        _("{file} cannot be read: {reason}").format(file=path, reason=error.strerror or error),
        hint=_("let this user read it, or name another file: --config, SUPPORTDESK_CONFIG"),
    )


def _read_credentials(path: Path) -> dict[str, Credential]:
    if not _is_there(path):
        return {}
    _refuse_open_file(path)
    found = {}
    for address, table in _read_toml(path).items():
        if not isinstance(table, dict):
            raise ConfigError(
                _('{file}: {address}: expected a table, such as ["{address}"] with password_command = "…"').format(
                    file=path, address=address
                )
            )
        _refuse_unknown(table, tuple(item.name for item in fields(Credential)), f"{path}: {address}")
        way, value = next(iter(table.items()), ("", ""))
        if way == "oauth" and len(table) == 1:
            found[address.casefold()] = Credential(oauth=_read_oauth(value, f"{path}: {address}: oauth"))
            continue
        if len(table) != 1 or not (isinstance(value, str) and value):
            raise ConfigError(
                _(
                    "{file}: {address}: give exactly one of password, password_file, password_command as text, or oauth"
                ).format(file=path, address=address)
            )
        found[address.casefold()] = Credential(**table)
    return found


def _read_oauth(table: Any, where: str) -> OAuthClient:
    needed = ("client_id", "token_url", "scope")
    known = tuple(item.name for item in fields(OAuthClient))
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigError(_("{where}: expected a table of texts: {names}").format(where=where, names=", ".join(known)))
    _refuse_unknown(table, known, where)
    if missing := [name for name in needed if not table.get(name)]:
        raise ConfigError(_("{where}: {names} missing").format(where=where, names=", ".join(missing)))
    return OAuthClient(**table)


def _set_fields(value: OAuthClient) -> dict[str, str]:
    return {item.name: given for item in fields(value) if (given := getattr(value, item.name))}


def _refuse_open_file(path: Path) -> None:
    try:
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    if stat.S_IMODE(state.st_mode) & 0o077:
        raise ConfigError(
            _("{file}: holds passwords and others can read it").format(file=path), hint=f"chmod 600 {path}"
        )
    if state.st_uid not in (os.geteuid(), 0):
        raise ConfigError(_("{file}: holds passwords and belongs to another user").format(file=path))


def _refuse_unknown(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in values:
        if key not in known:
            raise ConfigError(_("{where}: unknown setting `{key}`").format(where=where, key=key) + _nearest(key, known))


def _refuse_unknown_variables() -> None:
    known = tuple(PREFIX + name for name in (*(key.upper() for key in SETTINGS), *sorted(OTHER_VARIABLES)))
    for variable in os.environ:
        if variable.startswith(PREFIX) and variable not in known:
            raise ConfigError(
                _("unknown environment variable {name}").format(name=variable) + _nearest(variable, known)
            )


def _nearest(key: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return _("; did you mean `{name}`?").format(name=close[0])
    return _("; known are {names}").format(names=", ".join(known))


def _from_environment(key: str, given: str) -> str | bool:
    if key not in ("ascii", "mouse"):
        return given
    if given.casefold() in ("1", "true", "yes", "on"):
        return True
    if given.casefold() in ("0", "false", "no", "off", ""):
        return False
    raise ConfigError(_("{setting}: expected true or false").format(setting=f"{PREFIX}{key.upper()}={given}"))


def _checked(key: str, value: Any, where: str) -> Any:
    expected = bool if key in ("ascii", "mouse") else str
    if not isinstance(value, expected):
        wanted = _("expected true or false, found {value}") if expected is bool else _("expected text, found {value}")
        raise ConfigError(f"{where}: {key}: {wanted.format(value=repr(value))}")
    if key in CHOICES and value not in CHOICES[key]:
        raise ConfigError(
            f"{where}: {key}: " + _("there is no `{value}`").format(value=value) + _nearest(str(value), CHOICES[key])
        )
    return value


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile."""
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    with os.fdopen(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        _("{file} cannot be written: {reason}").format(file=path, reason=error.strerror or error),
        hint=_("let this user write there, or name another file: --config, SUPPORTDESK_CONFIG"),
    )
