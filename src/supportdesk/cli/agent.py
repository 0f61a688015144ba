"""`supportdesk agent`: who works here, who is away, and the line that lets somebody in over SSH."""

from __future__ import annotations

import re
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from supportdesk.cli.inputs import STDIN, read_text_file
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.desk.model import ROLES, Agent
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _, current_language

app = group()
NAME = typer.Option("--name", help=N_("The name that customers see"))
ROLE = typer.Option("--role", metavar="|".join(ROLES), help=N_("What the agent may do"))
LANGUAGES = typer.Option("--languages", metavar="TAGS", help=N_("Languages that the agent reads: it,en"))
SSH_KEY = typer.Option("--ssh-key", metavar="KEY", help=N_("A public key, a file with one, or -"))
EMAIL = typer.Option("--email", metavar="ADDRESS", help=N_("What the agent forwards mail from"))

KEY = re.compile(
    r"(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)"
    r" [A-Za-z0-9+/]+={0,3}(?: [^\r\n\"\\]*)?"
)


@verb(app, "list", N_("List the agents"), restricted=True)
def list_agents(session: Session) -> None:
    agents = session.desk.agents()
    headings = (_("login"), _("name"), _("role"), _("languages"), _("state"), _("until"))
    session.out.table(
        agents,
        headings,
        (
            (
                one.login,
                one.name,
                labels.word(labels.ROLE, one.role),
                one.languages,
                labels.word(labels.AGENT, one.state),
                session.time(one.away_until),
            )
            for one in agents
        ),
    )


@verb(app, "add", N_("Add an agent; with a key, print the line for authorized_keys"))
def add(
    session: Session,
    login: Annotated[
        str, typer.Argument(metavar="LOGIN", help=N_("The user name on this machine, or any name over SSH"))
    ],
    name: Annotated[str, NAME] = "",
    role: Annotated[str, ROLE] = "agent",
    languages: Annotated[str, LANGUAGES] = "",
    ssh_key: Annotated[str, SSH_KEY] = "",
    email: Annotated[str, EMAIL] = "",
) -> None:
    values: dict[str, Any] = {"role": role}
    if name:
        values["name"] = name
    if languages:
        values["languages"] = _tags(languages)
    if email:
        values["email"] = email
    key = _read_key(ssh_key) if ssh_key else ""
    if key:
        values["ssh_key"] = key
        _check_login(login)
    elif not re.fullmatch(r"[^\s\x00-\x1f\x7f]{1,64}", login):
        raise UsageError(_("{login} cannot be a login").format(login=repr(login)), hint="giulia, giulia.rossi")
    agent = session.desk.add_agent(session.actor, login, **values)
    line = authorized_keys_line(session, agent) if key else ""
    session.out.answer({"agent": agent, "authorized_keys": line}, [line] if line else [])
    role_name = labels.word(labels.ROLE, agent.role)
    session.out.say(_("{name} is an agent now ({role})").format(name=agent.name, role=role_name))
    if line:
        session.out.say(_("append the line above to ~/.ssh/authorized_keys of the account that keeps this desk"))


@verb(app, "set", N_("Change an agent"))
def set_agent(
    session: Session,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help=N_("Which agent"))],
    name: Annotated[str, NAME] = "",
    role: Annotated[str, ROLE] = "",
    languages: Annotated[str, LANGUAGES] = "",
    ssh_key: Annotated[str, SSH_KEY] = "",
    email: Annotated[str, EMAIL] = "",
    enable: Annotated[bool, typer.Option("--enable", help=N_("Let a disabled agent in again"))] = False,
) -> None:
    changes: dict[str, Any] = {key: value for key, value in (("name", name), ("role", role), ("email", email)) if value}
    if languages:
        changes["languages"] = _tags(languages)
    if ssh_key:
        changes["ssh_key"] = _read_key(ssh_key)
        _check_login(login)
    if enable:
        changes["state"] = "available"
    if not changes:
        raise UsageError(_("say what to change"), hint="--name --role --languages --ssh-key --email --enable")
    if not ssh_key:
        _changed(session, login, **changes)
        return
    agent = session.desk.set_agent(session.actor, session.desk.agent_by_login(login).id, **changes)
    line = authorized_keys_line(session, agent)
    session.out.answer({"agent": agent, "authorized_keys": line}, [line])
    session.out.say(_("replace the agent's line in ~/.ssh/authorized_keys by the one above"))


@verb(app, "away", N_("Be away: tickets go back to Unassigned when their customers write"), restricted=True)
def away(
    session: Session,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help=N_("Which agent; without it, you"))] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="WHEN", help=N_("Back by itself: mon 9:00, 2026-12-27"))
    ] = "",
) -> None:
    when = _read_when(session, until) if until else None
    _changed(session, login, state="away", away_until=when)


@verb(app, "back", N_("Be back"), restricted=True)
def back(
    session: Session,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help=N_("Which agent; without it, you"))] = "",
) -> None:
    _changed(session, login, state="available")


@verb(app, "disable", N_("Let an agent in no more; what he wrote stays"))
def disable(
    session: Session,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help=N_("Which agent"))],
) -> None:
    _changed(session, login, state="disabled")


def authorized_keys_line(session: Session, agent: Agent) -> str:
    """The forced command: whoever holds the key is this agent, and can run nothing but supportdesk (R19)."""
    from supportdesk.cli.worker import named_places, own_places

    words = [*own_places(), *_program(), "--restricted", "--as", agent.login, *named_places(session.config)]
    command = shlex.join(words).replace("\\", "\\\\").replace('"', '\\"')
    return f'command="{command}",restrict,pty {agent.ssh_key}'


def _changed(session: Session, login: str, **changes: Any) -> None:
    agent = session.desk.agent_by_login(login) if login else session.acting_agent
    changed = session.desk.set_agent(session.actor, agent.id, **changes)
    until = f" {_('until')} {session.time(changed.away_until)}" if changed.away_until else ""
    role, state = labels.word(labels.ROLE, changed.role), labels.word(labels.AGENT, changed.state)
    session.out.answer(changed, [f"{changed.login}: {changed.name}, {role}, {state}{until}"])


def _program() -> list[str]:
    """This program by its absolute path; `-I`: no variable and no directory of the caller's adds code to it."""
    return [sys.executable, "-I", "-m", "supportdesk"]


def _read_key(given: str) -> str:
    text = sys.stdin.readline() if given == STDIN else given
    is_path = given != STDIN and (given.startswith(("/", ".", "~")) or given.endswith(".pub") or Path(given).is_file())
    if is_path and not KEY.fullmatch(text.strip()):
        text = read_text_file(str(Path(given).expanduser()))
    if not KEY.fullmatch(text.strip()):
        raise UsageError(_("that is no public SSH key"), hint="ssh-ed25519 AAAA… giulia@laptop")
    return text.strip()


def _check_login(login: str) -> None:
    """The login goes into the line of a forced command."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}", login):
        raise UsageError(_("{login} cannot be a login over SSH").format(login=login), hint="giulia, giulia.rossi")


def _tags(text: str) -> tuple[str, ...]:
    from supportdesk.desk.arguments import clean_language

    return tuple(clean_language(tag) for tag in re.split(r"[,\s]+", text.strip()) if tag)


def _read_when(session: Session, text: str) -> datetime:
    from supportdesk.desk.settings import find_hours
    from supportdesk.desk.time_phrases import read_snooze

    first = next(iter(session.desk.mailboxes()), None)
    calendar = find_hours(session.desk.read, first.id if first is not None else None)
    return read_snooze(text, calendar, session.desk.clock.now(), current_language()).until
