"""Logging in with an access token instead of a password: the bytes of OAUTHBEARER (RFC 7628) and XOAUTH2.

Pure values. What a server wants to hear after it has refused differs: XOAUTH2 an empty line, OAUTHBEARER one ^A.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

BEARER_MECHANISMS = ("OAUTHBEARER", "XOAUTH2")  # in the order of preference


class AccessTokens(Protocol):
    """Where the tokens of one mailbox come from. Both methods raise ConnectionFailed, LoginRefused when they end."""

    def current(self) -> str:
        """A token that is good for some minutes more."""

    def renewed(self, refused: str) -> str:
        """Another one than this, which a server has just refused."""


Secret = str | AccessTokens  # a password, or where access tokens come from


@dataclass(frozen=True, slots=True)
class BearerDialogue:
    """One login: the first thing to say, and what answers the server's complaint. Everything in base64."""

    mechanism: str
    opening: bytes = field(repr=False)
    closing: bytes

    def answer(self, challenge: bytes) -> bytes:
        """The line that answers `challenge` (base64, without the `+`): an empty one asks us to begin."""
        return self.closing if challenge.strip() else self.opening

    def close(self, _challenge: bytes) -> bytes:
        """The same where the opening went with the command (SASL-IR): whatever comes is a complaint."""
        return self.closing


def bearer_dialogue(
    offered: Callable[[str], bool], login: str, host: str, port: int, token: str
) -> BearerDialogue | None:
    """What to say to a server that offers one of the mechanisms; None where it offers neither."""
    for mechanism in BEARER_MECHANISMS:
        if not offered(mechanism):
            continue
        if mechanism == "XOAUTH2":
            words = f"user={login}\1auth=Bearer {token}\1\1"
            return BearerDialogue(mechanism, base64.b64encode(words.encode()), b"")
        name = login.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
        words = f"n,a={name},\1host={host}\1port={port}\1auth=Bearer {token}\1\1"
        return BearerDialogue(mechanism, base64.b64encode(words.encode()), base64.b64encode(b"\1"))
    return None
