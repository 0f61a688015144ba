"""Agents: the line for authorized_keys, who is away, who is disabled."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcg giulia@laptop"


def test_an_agent_with_a_key_gets_the_line_of_a_forced_command(shop: House, supportdesk: Run) -> None:
    done = supportdesk("agent", "add", "rosa.verdi", "--name", "Rosa", "--ssh-key", ED25519, "--languages", "it,de")
    assert done.code == 0, done.err
    line = done.out.strip()
    assert line.startswith('command="') and "--restricted --as rosa.verdi" in line
    assert line.endswith(f'",restrict,pty {ED25519}') and line.count("\n") == 0
    assert f"--database {shop.url}" in line  # sshd knows nothing of this environment
    assert f"XDG_CONFIG_HOME={os.environ['XDG_CONFIG_HOME']}" in line
    assert shop.desk.agent_by_login("rosa.verdi").languages == ("it", "de")


def test_a_new_key_prints_the_new_line_and_nothing_else(shop: House, supportdesk: Run) -> None:
    told = supportdesk("agent", "set", "luca", "--ssh-key", ED25519)
    assert told.code == 0, told.err
    assert told.out.startswith('command="') and told.out.strip().endswith(f'",restrict,pty {ED25519}')
    assert supportdesk("agent", "set", "luca", "--ssh-key", ED25519, "--json").json()["authorized_keys"]


@pytest.mark.parametrize(
    "key",
    ['ssh-ed25519 AAAA" command="bash', "ssh-ed25519 AAAA\ncommand=x ssh-rsa BBBB", "no-touch ssh-rsa AAAA", "rubbish"],
)
def test_what_is_no_key_never_gets_into_authorized_keys(shop: House, supportdesk: Run, key: str) -> None:
    assert supportdesk("agent", "add", "mallory", "--ssh-key", key).code == 2
    assert "mallory" not in {agent.login for agent in shop.desk.agents()}


@pytest.mark.parametrize("login", ['x" ssh', "-rf", "a b", "x\ny"])
def test_a_login_that_could_change_the_line_is_refused(shop: House, supportdesk: Run, login: str) -> None:
    assert supportdesk("agent", "add", "--ssh-key", ED25519, "--", login).code == 2


def test_agents_go_away_and_come_back_by_themselves_and_admins_disable(shop: House, supportdesk: Run) -> None:
    assert supportdesk("agent", "away", "--until", "3d", "--as", "luca").code == 0
    luca = shop.desk.agent_by_login("luca")
    assert luca.state == "away" and luca.away_until is not None
    assert supportdesk("agent", "back", "luca").code == 0
    assert supportdesk("agent", "disable", "luca").code == 0
    assert supportdesk("ticket", "list", "--agent", "luca").code == 1
    assert supportdesk("agent", "set", "luca", "--enable", "--role", "lead").code == 0
    assert shop.desk.agent_by_login("luca").role == "lead"
    assert supportdesk("agent", "disable", "giulia").code == 5  # the only admin
