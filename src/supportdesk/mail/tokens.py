"""The tokens of one mailbox in a file of their owner's (0600): read, renewed before they end, written in one step.

Several processes and threads log in at once, and a service may take a refresh token once only: whoever renews holds
a lock meanwhile, and the others use what it wrote.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from supportdesk.errors import ConfigError, ConnectionFailed, LoginRefused
from supportdesk.mail.model import OAuthClient, Tokens
from supportdesk.mail.oauth import refresh

RENEW_BEFORE = timedelta(minutes=5)
LOCK_SECONDS = 60.0  # longer than a renewal can take


@dataclass(frozen=True, slots=True)
class HeldTokens:
    """Tokens that were got a moment ago and are not saved yet."""

    tokens: Tokens

    def current(self) -> str:
        return self.tokens.access

    def renewed(self, refused: str) -> str:
        return refused  # as new as it can be: the server's refusal stands


@dataclass(frozen=True, slots=True)
class TokenFile:
    """The tokens of a mailbox that is set up. Every method raises LoginRefused when a person must log in anew."""

    path: Path
    client: OAuthClient
    now: Callable[[], datetime]

    def current(self) -> str:
        """An access token that is good for five minutes more; an older one only while no service can be reached."""
        tokens = self.read()
        if self.now() < tokens.expires_at - RENEW_BEFORE:
            return tokens.access
        try:
            return self.renewed(tokens.access)
        except LoginRefused:
            raise
        except ConnectionFailed:
            if self.now() < tokens.expires_at:
                return tokens.access
            raise

    def renewed(self, refused: str) -> str:
        """Another access token than this one: what somebody else has got meanwhile, else what the service gives."""
        with self._locked():
            tokens = self.read()
            if tokens.access != refused:
                return tokens.access
            fresh = refresh(self.client, tokens, self.now())
            self._replace(fresh)
            return fresh.access

    def write(self, tokens: Tokens) -> None:
        """Keep these from now on. Raises ConfigError where the file cannot be written."""
        with self._locked():
            self._replace(tokens)

    def read(self) -> Tokens:
        try:
            if stat.S_IMODE(self.path.stat().st_mode) & 0o077:
                raise ConfigError.because("open file", file=self.path)
            said = json.loads(self.path.read_text(encoding="utf-8"))
            return Tokens(str(said["access"]), str(said["refresh"]), datetime.fromisoformat(said["expires_at"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise LoginRefused.because("no tokens", file=self.path) from None

    def _replace(self, tokens: Tokens) -> None:
        text = json.dumps(
            {"access": tokens.access, "refresh": tokens.refresh, "expires_at": tokens.expires_at.isoformat()}
        )
        temporary = self.path.with_name(self.path.name + ".new")
        try:
            with os.fdopen(_open_private(temporary, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            _keep_names(self.path.parent)
        except OSError as error:
            raise ConfigError.because("unwritable", file=self.path, reason=error.strerror or error) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self.path.with_name(self.path.name + ".lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = _open_private(lock, os.O_RDWR)
        except OSError as error:
            raise ConfigError.because("unwritable", file=lock, reason=error.strerror or error) from None
        with os.fdopen(handle) as file:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise ConnectionFailed.because("tokens busy", file=self.path) from None
                    time.sleep(0.05)
            yield


def _keep_names(directory: Path) -> None:
    """Make the new name durable: after a power loss the old file would hold a refresh token that is used up."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open_private(path: Path, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
