"""Talking to a login service: device code (RFC 8628), loopback with PKCE (RFC 8252, 7636), refresh (RFC 6749 6).

Only the conversation; where tokens are kept is in `mail.tokens`. No token and no code is ever part of an error.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from supportdesk.errors import ConfigError, ConnectionFailed, LoginRefused, SupportdeskError
from supportdesk.mail.model import Consent, DeviceCode, OAuthClient, Tokens
from supportdesk.mail.tls import is_loopback, network_reason

TIMEOUT_SECONDS = 15.0
ANSWER_BYTES = 256 * 1024
DEVICE_INTERVAL = 5.0  # RFC 8628 3.2: where the service names none, and what slow_down adds (3.5)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DISCOVERY = "/.well-known/openid-configuration"
REASON_LENGTH = 200
# RFC 6749 5.2, 4.1.2.1; RFC 8628 3.5; and what Microsoft adds.
ENDED = frozenset({"invalid_grant", "interaction_required", "consent_required", "login_required"})
DENIED = frozenset({"access_denied", "authorization_declined"})
UNKNOWN_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
AWAY = frozenset({"temporarily_unavailable", "server_error"})


def discover(issuer: str, client_id: str, client_secret: str, scope: str) -> OAuthClient:
    """The addresses of a service that describes itself (OpenID Connect Discovery 1.0, RFC 8414)."""
    url = issuer.rstrip("/")
    said = _ask(url if url.endswith(DISCOVERY) else url + DISCOVERY, None)
    token_url = str(said.get("token_endpoint", ""))
    device_url, authorization_url = (
        str(said.get(name, "")) for name in ("device_authorization_endpoint", "authorization_endpoint")
    )
    if not token_url or not (device_url or authorization_url):
        raise LoginRefused.because("no discovery", issuer=_host(issuer))
    return OAuthClient(client_id, token_url, scope, device_url, authorization_url, client_secret)


def ask_for_code(client: OAuthClient, now: datetime) -> DeviceCode:
    """The code that a person enters in a browser anywhere."""
    said = _ask(client.device_url, {"client_id": client.client_id, "scope": client.scope})
    try:
        return DeviceCode(
            user_code=str(said["user_code"]),
            verification_url=str(said.get("verification_uri") or said["verification_url"]),
            expires_at=now + timedelta(seconds=float(said["expires_in"])),
            interval=max(float(said.get("interval", DEVICE_INTERVAL)), 0.0),
            device_code=str(said["device_code"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise _refusal(client.device_url, said) from None


def wait_for_entry(
    client: OAuthClient, code: DeviceCode, now: Callable[[], datetime], sleep: Callable[[float], None]
) -> Tokens:
    """Ask until the code was entered; a network that is away meanwhile is waited for. Raises LoginRefused."""
    interval = code.interval
    while now() < code.expires_at:
        sleep(interval)
        try:
            form = {"grant_type": DEVICE_GRANT, "device_code": code.device_code, **_identity(client)}
            said = _ask(client.token_url, form)
            if said.get("error") == "slow_down":
                interval += DEVICE_INTERVAL
            elif said.get("error") != "authorization_pending":
                return _tokens(client, said, now())
        except LoginRefused:
            raise
        except ConnectionFailed:
            interval = min(max(interval, 1.0) * 2, 60.0)  # RFC 8628 3.5
    raise LoginRefused.because("code expired", issuer=_host(client.token_url))


def begin_consent(client: OAuthClient, redirect_url: str, login_hint: str) -> Consent:
    """The address to open in a browser; it ends at `redirect_url`, on this machine."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(64)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code", "client_id": client.client_id, "redirect_uri": redirect_url, "scope": client.scope,
        "state": state, "code_challenge": challenge, "code_challenge_method": "S256", "login_hint": login_hint,
        # Google gives a refresh token only when it is asked for like this.
        "access_type": "offline", "prompt": "consent",
    }  # fmt: skip
    _check(client.authorization_url)
    sign = "&" if urlsplit(client.authorization_url).query else "?"
    return Consent(f"{client.authorization_url}{sign}{urlencode(query)}", redirect_url, state, verifier)


def redeem(client: OAuthClient, consent: Consent, redirected: str, now: datetime) -> Tokens:
    """The tokens for the address that the browser was sent back to. Raises LoginRefused, ConnectionFailed."""
    given = parse_qs(urlsplit(redirected.strip()).query)
    state, code, error = (given.get(name, [""])[0] for name in ("state", "code", "error"))
    if not hmac.compare_digest(state.encode(), consent.state.encode()) or not (code or error):
        raise LoginRefused.because("wrong redirect")
    if error:
        said = {"error": error, "error_description": given.get("error_description", [""])[0]}
        raise _refusal(client.authorization_url, said)
    said = _ask(
        client.token_url,
        {
            "grant_type": "authorization_code", "code": code, "redirect_uri": consent.redirect_url,
            "code_verifier": consent.verifier, **_identity(client),
        },
    )  # fmt: skip
    return _tokens(client, said, now)


def refresh(client: OAuthClient, tokens: Tokens, now: datetime) -> Tokens:
    """New tokens for old ones; a service that keeps the refresh token names none. Raises LoginRefused when it ended."""
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh, "scope": client.scope, **_identity(client)}
    return _tokens(client, _ask(client.token_url, form), now, kept=tokens.refresh)


def _identity(client: OAuthClient) -> dict[str, str]:
    secret = {"client_secret": client.client_secret} if client.client_secret else {}
    return {"client_id": client.client_id, **secret}


def _tokens(client: OAuthClient, said: Mapping[str, Any], now: datetime, kept: str = "") -> Tokens:
    access, again = said.get("access_token"), said.get("refresh_token") or kept
    if "error" in said or not isinstance(access, str) or not access or not isinstance(again, str):
        raise _refusal(client.token_url, said)
    if not again:  # without one the login would end within the hour
        raise LoginRefused.because("issuer answer", issuer=_host(client.token_url), reason="no refresh_token")
    try:
        expires_at = now + timedelta(seconds=float(said.get("expires_in", 3600)))
    except (TypeError, ValueError, OverflowError):
        expires_at = now
    return Tokens(access, again, expires_at.astimezone(UTC))


def _refusal(url: str, said: Mapping[str, Any]) -> SupportdeskError:
    """What the service's error means for us, with its own first line as the reason."""
    error = str(said.get("error", ""))
    lines = str(said.get("error_description", "")).splitlines()
    reason = ": ".join(part for part in (error, lines[0][:REASON_LENGTH] if lines else "") if part)
    issuer = _host(url)
    if error in AWAY:
        return ConnectionFailed.because("issuer away", issuer=issuer, reason=reason)
    if error in ENDED:
        return LoginRefused.because("login ended", issuer=issuer, reason=reason)
    if error in DENIED:
        return LoginRefused.because("consent denied", issuer=issuer, reason=reason)
    if error in UNKNOWN_CLIENT:
        return LoginRefused.because("client unknown", issuer=issuer, reason=reason)
    if error == "expired_token":
        return LoginRefused.because("code expired", issuer=issuer)
    if error:
        return LoginRefused.because("issuer refused", issuer=issuer, reason=reason)
    return ConnectionFailed.because("issuer answer", issuer=issuer, reason="not what RFC 6749 asks for")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A code or a token is never carried to another address than the one that is known."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def _ask(url: str, form: Mapping[str, str] | None) -> dict[str, Any]:
    """The JSON object that a service answers with, its errors included. Raises ConnectionFailed, LoginRefused."""
    _check(url)
    data = urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(url, data, {"Accept": "application/json"})  # noqa: S310 — checked above
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    if is_loopback(urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        try:
            answer = urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            if error.code >= 500 or error.code == 429:
                error.close()
                reason = f"HTTP {error.code}"
                raise ConnectionFailed.because("issuer away", issuer=_host(url), reason=reason) from None
            answer = error
        with answer:
            said = json.loads(_read(answer))
    except ssl.SSLCertVerificationError as error:
        raise LoginRefused.because("certificate", server=_host(url), reason=error.verify_message) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            reason = error.reason.verify_message
            raise LoginRefused.because("certificate", server=_host(url), reason=reason) from None
        reason = network_reason(error.reason) if isinstance(error.reason, BaseException) else str(error.reason)
        raise ConnectionFailed.because("issuer away", issuer=_host(url), reason=reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionFailed.because("issuer away", issuer=_host(url), reason=network_reason(error)) from None
    except ValueError:
        raise ConnectionFailed.because("issuer answer", issuer=_host(url), reason="no JSON") from None
    if not isinstance(said, dict):
        raise ConnectionFailed.because("issuer answer", issuer=_host(url), reason="no JSON object")
    return said


def _read(answer: Any) -> bytes:
    """The body, as far as it is of a sane size and comes within the time."""
    deadline, pieces, size = time.monotonic() + TIMEOUT_SECONDS, [], 0
    while piece := answer.read1(65_536):
        pieces.append(piece)
        size += len(piece)
        if size > ANSWER_BYTES:
            raise ValueError("an answer without end")
        if time.monotonic() > deadline:
            raise TimeoutError
    return b"".join(pieces)


def _check(url: str) -> None:
    """Refuse an address that would carry a secret in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ConfigError.because("issuer plain", issuer=url or "–")


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
