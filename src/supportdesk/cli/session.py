"""One run of one command: its settings, its desk, who acts, where it prints. Opened when first asked for."""

from __future__ import annotations

import locale
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supportdesk import config as settings
from supportdesk.cli.output import Output, time_in
from supportdesk.errors import ConfigError, NotAllowed, UsageError
from supportdesk.l10n.catalog import _, available_languages, use_language

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from supportdesk.config import Config
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor, Agent, MailboxId


@dataclass(frozen=True, slots=True)
class Programs:
    """What the command line starts and may not import: the console and the worker."""

    console: Callable[[Config, bool], int]
    worker: Callable[[Config, int], int]


@dataclass
class Session:
    """The options that every command takes, and what follows from them."""

    programs: Programs
    config_file: str = ""
    database: str = ""
    agent: str = ""
    acting_as: str = ""
    language: str = ""
    json: bool = False
    restricted: bool = False  # under a forced SSH command
    looks: dict[str, Any] = field(default_factory=dict)  # what the command line says about the console's looks
    closing: list[Callable[[], None]] = field(default_factory=list)
    zones: dict[MailboxId | None, ZoneInfo] = field(default_factory=dict)  # those that were asked for

    @cached_property
    def config(self) -> Config:
        path = Path(self.config_file) if self.config_file else None
        return settings.load_config(path, database=self.database, agent=self.agent, language=self.language)

    @cached_property
    def desk(self) -> Desk:
        from supportdesk.bootstrap import open_desk

        desk = open_desk(self.config)
        self.closing.append(desk.store.close)
        return desk

    @cached_property
    def acting_agent(self) -> Agent:
        """Who acts: `agent` of the settings or this user; with --as somebody else (admins and forced commands)."""
        from supportdesk.bootstrap import acting_agent

        if not self.acting_as:
            return acting_agent(self.desk, self.config)
        if not self.restricted and acting_agent(self.desk, self.config).role != "admin":
            raise NotAllowed(_("only an admin may act as somebody else"))
        return acting_agent(self.desk, replace(self.config, agent=self.acting_as))

    def time(self, at: datetime | None, mailbox_id: MailboxId | None = None) -> str:
        """A time for a person: in the zone of the mailbox, else of the first one; never in that of this machine."""
        if at is None:
            return ""
        if mailbox_id not in self.zones:
            self.zones[mailbox_id] = self.desk.zone_of(mailbox_id)
        return time_in(at, self.zones[mailbox_id])

    def choose(self, option: str, value: Any) -> None:
        """Note an option of the program; what was read with another value of it is read again."""
        setattr(self, option, value)
        self.reread()

    def reread(self) -> None:
        """Read the settings again: something that they hold has changed."""
        self.__dict__.pop("config", None)

    def adopt(self, desk: Desk) -> None:
        """Go on with a desk that was opened elsewhere; it is closed with this session."""
        self.__dict__["desk"] = desk
        self.closing.append(desk.store.close)

    @property
    def actor(self) -> Actor:
        return self.acting_agent.actor()

    @property
    def out(self) -> Output:
        return Output(self.json)

    def refuse_if_restricted(self, what: str) -> None:
        """Raises NotAllowed under a forced SSH command: there a file of this machine is out of reach."""
        if self.restricted:
            raise NotAllowed(_("{what} is not possible under a forced command").format(what=what))

    def close(self) -> None:
        while self.closing:
            self.closing.pop()()

    def speak(self) -> None:
        """Speak the language of --language, of the settings or of the terminal."""
        if self.language and not self.language.casefold().startswith(use_language(self.language)):
            raise UsageError(
                _("there is no language {language} here").format(language=self.language),
                hint=", ".join(available_languages()),
            )
        try:
            chosen = self.language or self.config.language
        except ConfigError:
            chosen = ""  # the command itself will say what is wrong with the settings
        use_language(chosen or _terminal_language())


def _terminal_language() -> str:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return value
    return locale.getlocale()[0] or ""
