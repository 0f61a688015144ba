"""The settings of one process: where they come from, and how a wrong one is named."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from supportdesk.config import Credential, load_config, resolve_password, save_credential
from supportdesk.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import os

    for name in list(os.environ):
        if name.startswith("SUPPORTDESK_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "config" / "supportdesk").mkdir(parents=True)
    return tmp_path


def write(home: Path, text: str, name: str = "config.toml", mode: int = 0o600) -> Path:
    path = home / "config" / "supportdesk" / name
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_a_file_the_embedded_database_is_in_the_users_data_folder(home: Path) -> None:
    assert load_config().database == str(home / "data" / "supportdesk" / "desk.db")


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, 'database = "file.db"\nagent = "anna"\n')
    assert load_config().database == "file.db"
    monkeypatch.setenv("SUPPORTDESK_DATABASE", "environment.db")
    assert load_config().database == "environment.db"
    assert load_config(database="line.db").database == "line.db"
    assert load_config().agent == "anna"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("databse = 'x'", "did you mean `database`?"),
        ("database = 5", "database: expected text"),
        ("ascii = 'yes'", "expected true or false"),
        ("theme = 'supportdesk-drak'", "did you mean `supportdesk-dark`?"),
        ("database = ", "config.toml"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(home: Path, text: str, says: str) -> None:
    write(home, text)
    with pytest.raises(ConfigError) as raised:
        load_config()
    assert says in raised.value.message
    assert "config.toml" in raised.value.message


def test_an_unknown_variable_names_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPORTDESK_DATABSE", "x")
    with pytest.raises(ConfigError, match="SUPPORTDESK_DATABASE"):
        load_config()


def test_a_named_file_that_is_missing_is_an_error(home: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(home / "absent.toml")


def test_passwords_that_others_can_read_are_refused(home: Path) -> None:
    write(home, '["help@shop.example"]\npassword = "secret"\n', "credentials.toml", 0o644)
    with pytest.raises(ConfigError) as raised:
        load_config()
    assert "chmod 600" in raised.value.hint
    assert "secret" not in raised.value.message


def test_a_login_comes_from_a_command_a_file_or_a_systemd_credential(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config()
    save_credential(config, "Help@Shop.example", Credential(password_command="printf 'from-command\\n'"))
    assert resolve_password(load_config(), "help@shop.example") == "from-command"
    secret = home / "secret"
    secret.write_bytes(b"from-file\r\n")
    secret.chmod(0o600)
    save_credential(config, "help@shop.example", Credential(password_file=str(secret)))
    assert resolve_password(load_config(), "help@shop.example") == "from-file"
    provided = home / "credentials"
    provided.mkdir()
    (provided / "help@shop.example").write_text("from-systemd\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(provided))
    assert resolve_password(load_config(), "help@shop.example") == "from-systemd"


def test_a_login_that_is_saved_or_changed_later_is_known_without_a_new_start(home: Path) -> None:
    running = load_config()
    save_credential(running, "help@shop.example", Credential(password="first"))
    assert resolve_password(running, "help@shop.example") == "first"
    save_credential(running, "help@shop.example", Credential(password="rotated"))
    assert resolve_password(running, "help@shop.example") == "rotated"
    tried = replace(running, credentials={"help@shop.example": Credential(password="tried")})
    assert resolve_password(tried, "help@shop.example") == "tried"


def test_logins_that_are_saved_at_the_same_moment_are_all_kept(home: Path) -> None:
    def save(side: str) -> None:
        for number in range(20):
            save_credential(load_config(), f"{side}{number}@shop.example", Credential(password=side))

    threads = [threading.Thread(target=save, args=(side,)) for side in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wanted = {f"{side}{number}@shop.example": side for side in ("left", "right") for number in range(20)}
    assert {address: resolve_password(load_config(), address) for address in wanted} == wanted


def test_a_password_command_cannot_read_from_the_consoles_terminal(home: Path) -> None:
    config = load_config()
    save_credential(config, "help@shop.example", Credential(password_command="readlink /proc/self/fd/0"))
    assert resolve_password(config, "help@shop.example") == "/dev/null"


def test_a_missing_login_and_a_failing_command_say_what_to_do(home: Path) -> None:
    config = load_config()
    with pytest.raises(ConfigError, match="no login is stored"):
        resolve_password(config, "help@shop.example")
    save_credential(config, "help@shop.example", Credential(password_command="false"))
    with pytest.raises(ConfigError, match="ended with 1"):
        resolve_password(load_config(), "help@shop.example")


def test_a_password_is_never_part_of_what_is_shown(home: Path) -> None:
    save_credential(load_config(), "help@shop.example", Credential(password="hush"))
    assert "hush" not in repr(load_config())
