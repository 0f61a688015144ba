"""A login service on this machine: device code, consent with PKCE, refresh, discovery; its tokens are real JWTs.

The tokens are signed with the key that tests/e2e/servers/mail-up gives to Dovecot, so that a real server takes them.
What the service shall answer next can be put into `answers`; everything that it was asked is in `asked`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

DOVECOT_KEY = b"secret-key-for-tests"
DOVECOT_ISSUER = "https://idp.test"


@dataclass
class Issuer:
    """The service; `base` is its address. Access tokens are for `user` and live `lifetime` seconds."""

    base: str
    user: str = "shop"
    lifetime: float = 3600
    entered: bool = True  # whether the person has entered the device code
    rotates: bool = True  # whether a refresh token is good for one time only
    answers: list[tuple[int, bytes]] = field(default_factory=list)  # given first, one a request to the token endpoint
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refresh_tokens: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # authorization code → what it was asked with
    issued: int = 0

    def forms(self, grant: str) -> list[dict[str, str]]:
        """What was asked of the token endpoint with this grant type."""
        return [form for path, form in self.asked if path == "/token" and form.get("grant_type", "").endswith(grant)]

    def token(self, *, seconds: float | None = None, user: str = "") -> str:
        """An access token that Dovecot takes for so long; a negative number makes an expired one."""
        now = time.time()
        life = self.lifetime if seconds is None else seconds
        self.issued += 1
        claims = {
            "sub": user or self.user, "iss": DOVECOT_ISSUER, "iat": int(now) - 120, "exp": int(now + life),
            "jti": str(self.issued),
        }  # fmt: skip
        head = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        signed = head + b"." + _base64url(json.dumps(claims).encode())
        mac = hmac.new(DOVECOT_KEY, signed, hashlib.sha256).digest()
        return (signed + b"." + _base64url(mac)).decode()

    def refresh_token(self) -> str:
        token = f"refresh-{len(self.refresh_tokens)}-{time.monotonic_ns()}"
        self.refresh_tokens.add(token)
        return token

    def consent(self, url: str) -> str:
        """What a browser does with the address of a login: the address that it is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked.append(("/authorize", query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    # ---- the endpoints

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        self.asked.append((path, form))
        if path == "/.well-known/openid-configuration":
            return _json(200, {
                "issuer": self.base, "token_endpoint": f"{self.base}/token",
                "device_authorization_endpoint": f"{self.base}/device",
                "authorization_endpoint": f"{self.base}/authorize",
            })  # fmt: skip
        if path == "/device":
            return _json(200, {
                "device_code": "device-secret", "user_code": "WDJB-MJHT", "verification_uri": f"{self.base}/enter",
                "expires_in": 900, "interval": 0,
            })  # fmt: skip
        if path != "/token":
            return _json(404, {"error": "not_found"})
        if self.answers:
            return self.answers.pop(0)
        return self._grant(form)

    def _grant(self, form: dict[str, str]) -> tuple[int, bytes]:
        kind = form.get("grant_type", "")
        if kind.endswith("device_code"):
            if form.get("device_code") != "device-secret":
                return refusal("invalid_grant")
            return self._tokens() if self.entered else refusal("authorization_pending")
        if kind == "authorization_code":
            begun = self.codes.pop(form.get("code", ""), None)
            challenge = _base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
            if begun is None or begun["code_challenge"] != challenge or begun["redirect_uri"] != form["redirect_uri"]:
                return refusal("invalid_grant", "the code or its verifier is wrong")
            return self._tokens()
        if kind == "refresh_token":
            if form.get("refresh_token") not in self.refresh_tokens:
                return refusal("invalid_grant", "Token has been expired or revoked.")
            if self.rotates:
                self.refresh_tokens.discard(form["refresh_token"])
                return self._tokens()
            return _json(200, {"access_token": self.token(), "expires_in": self.lifetime})
        return refusal("unsupported_grant_type")

    def _tokens(self) -> tuple[int, bytes]:
        said = {"access_token": self.token(), "refresh_token": self.refresh_token(), "expires_in": self.lifetime}
        return _json(200, {**said, "token_type": "Bearer"})


def refusal(error: str, description: str = "", status: int = 400) -> tuple[int, bytes]:
    """An error as RFC 6749 section 5.2 writes it."""
    return _json(status, {"error": error, "error_description": description})


@contextmanager
def running_issuer(**given: Any) -> Iterator[Issuer]:
    """The service on a free port of this machine until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            status, body = issuer.answer(urlsplit(self.path).path, form)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_unused: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}", **given)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _json(status: int, value: dict[str, Any]) -> tuple[int, bytes]:
    return status, json.dumps(value).encode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
