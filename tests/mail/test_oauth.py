"""A login service that answers well, badly, late and not at all."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from supportdesk.errors import ConfigError, ConnectionFailed, LoginRefused
from supportdesk.mail.model import DeviceCode, OAuthClient, Tokens
from supportdesk.mail.oauth import ask_for_code, begin_consent, discover, redeem, refresh, wait_for_entry
from supportdesk.mail.sasl import bearer_dialogue
from supportdesk.mail.tokens import TokenFile
from tests.support.issuer import Issuer, refusal, running_issuer
from tests.support.processes import free_port

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SCOPE = "mail offline_access"
BACK = "http://127.0.0.1:5555/"


class Timer:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at, self.slept = NOW, list[float]()

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds or 0.5)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def client(issuer: Issuer) -> OAuthClient:
    return discover(issuer.base, "desk-client", "", SCOPE)


def code_of(client: OAuthClient, **changed: float) -> DeviceCode:
    code = ask_for_code(client, NOW)
    return DeviceCode(
        code.user_code, code.verification_url, code.expires_at, changed.get("interval", code.interval), code.device_code
    )


# ---- device code


def test_a_device_code_is_asked_for_until_it_was_entered_and_slow_down_is_obeyed(
    issuer: Issuer, client: OAuthClient
) -> None:
    timer = Timer()
    issuer.answers = [refusal("authorization_pending"), refusal("slow_down"), refusal("authorization_pending")]
    tokens = wait_for_entry(client, code_of(client, interval=5.0), timer.now, timer.sleep)
    assert timer.slept == [5.0, 5.0, 10.0, 10.0]
    assert tokens.expires_at == timer.at + timedelta(hours=1)
    assert issuer.forms("device_code")[-1]["client_id"] == "desk-client"


def test_a_code_that_nobody_enters_ends(issuer: Issuer, client: OAuthClient) -> None:
    timer = Timer()
    issuer.entered = False
    with pytest.raises(LoginRefused, match="not entered in time") as ended:
        wait_for_entry(client, code_of(client, interval=300.0), timer.now, timer.sleep)
    assert (ended.value.exit_code, ended.value.code) == (2, "code expired")
    assert len(timer.slept) == 3


def test_a_service_that_is_away_for_a_moment_is_asked_again_later(issuer: Issuer, client: OAuthClient) -> None:
    timer = Timer()
    issuer.answers = [(503, b"gone fishing"), refusal("temporarily_unavailable")]
    wait_for_entry(client, code_of(client, interval=5.0), timer.now, timer.sleep)
    assert timer.slept == [5.0, 10.0, 20.0]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refusal("access_denied", "no"), "consent denied"),
        (refusal("authorization_declined"), "consent denied"),
        (refusal("expired_token"), "code expired"),
        (refusal("invalid_client", "AADSTS7000218: a secret is wanted\r\nTrace ID: 1"), "client unknown"),
        (refusal("invalid_scope"), "issuer refused"),
    ],
)
def test_a_refused_login_says_what_a_person_can_do(
    issuer: Issuer, client: OAuthClient, answer: tuple[int, bytes], code: str
) -> None:
    timer = Timer()
    issuer.answers = [answer]
    with pytest.raises(LoginRefused) as refused:
        wait_for_entry(client, code_of(client), timer.now, timer.sleep)
    assert (refused.value.code, refused.value.exit_code) == (code, 2)
    assert "127.0.0.1" in refused.value.message and refused.value.hint
    assert "Trace ID" not in refused.value.message
    assert "device-secret" not in refused.value.message


# ---- loopback with PKCE


def test_a_login_in_a_browser_is_redeemed_with_its_verifier(issuer: Issuer, client: OAuthClient) -> None:
    consent = begin_consent(client, BACK, "shop@example.test")
    tokens = redeem(client, consent, issuer.consent(consent.url), NOW)
    assert tokens.access and tokens.refresh in issuer.refresh_tokens
    _path, asked = issuer.asked[-2]
    assert (asked["code_challenge_method"], asked["access_type"], asked["login_hint"]) == (
        "S256", "offline", "shop@example.test",
    )  # fmt: skip
    assert consent.verifier not in consent.url


@pytest.mark.parametrize(
    "pasted", ["", "nonsense", "http://127.0.0.1:5555/?code=x", "http://127.0.0.1:5555/?code=x&state=another"]
)
def test_another_logins_redirect_is_not_taken(issuer: Issuer, client: OAuthClient, pasted: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        redeem(client, begin_consent(client, BACK, ""), pasted, NOW)
    assert refused.value.code == "wrong redirect"
    assert issuer.forms("authorization_code") == []


def test_a_login_that_was_refused_in_the_browser_is_told(client: OAuthClient) -> None:
    consent = begin_consent(client, BACK, "")
    with pytest.raises(LoginRefused) as refused:
        redeem(client, consent, f"{BACK}?error=access_denied&state={consent.state}", NOW)
    assert refused.value.code == "consent denied"


# ---- answers that are none


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b"x" * 300_000), (400, b"{}")])
def test_an_answer_that_is_none_is_tried_again_later(
    issuer: Issuer, client: OAuthClient, answer: tuple[int, bytes]
) -> None:
    issuer.answers = [answer]
    with pytest.raises(ConnectionFailed) as failed:
        refresh(client, Tokens("a", "r", NOW), NOW)
    assert (failed.value.code, failed.value.exit_code) == ("issuer answer", 3)


def test_nothing_is_carried_to_where_a_service_redirects(issuer: Issuer, client: OAuthClient) -> None:
    issuer.answers = [(302, f"{issuer.base}/device".encode())]
    before = len(issuer.asked)
    with pytest.raises(ConnectionFailed):
        refresh(client, Tokens("a", "r", NOW), NOW)
    assert [path for path, _form in issuer.asked[before:]] == ["/token"]


def test_a_service_that_nobody_answers_for_can_be_tried_again() -> None:
    away = OAuthClient("x", f"http://127.0.0.1:{free_port()}/token", SCOPE)
    with pytest.raises(ConnectionFailed) as failed:
        refresh(away, Tokens("a", "r", NOW), NOW)
    assert (failed.value.exit_code, failed.value.facts["reason"]) == (3, "refused")


def test_no_secret_goes_over_the_network_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="https"):
        refresh(OAuthClient("x", "http://login.example.com/token", SCOPE), Tokens("a", "r", NOW), NOW)
    with pytest.raises(ConfigError, match="https"):
        discover("ftp://login.example.com", "x", "", SCOPE)


# ---- tokens in a file


@pytest.fixture
def file(tmp_path: Path, issuer: Issuer, client: OAuthClient) -> TokenFile:
    file = TokenFile(tmp_path / "tokens" / "shop.json", client, lambda: NOW)
    file.write(Tokens("first", issuer.refresh_token(), NOW + timedelta(hours=1)))
    return file


def test_tokens_are_their_owners_alone_and_in_no_repr(file: TokenFile) -> None:
    assert {path.name: path.stat().st_mode & 0o077 for path in file.path.parent.iterdir()} == {
        "shop.json": 0, "shop.json.lock": 0,
    }  # fmt: skip
    assert file.path.parent.stat().st_mode & 0o077 == 0
    assert "first" not in repr(file.read())
    file.path.chmod(0o644)
    with pytest.raises(ConfigError, match="others can read"):
        file.current()


@pytest.mark.parametrize(("left", "renewed"), [(timedelta(minutes=6), False), (timedelta(minutes=4), True)])
def test_a_token_is_renewed_five_minutes_before_it_ends(
    issuer: Issuer, file: TokenFile, left: timedelta, renewed: bool
) -> None:
    file.write(Tokens("first", issuer.refresh_token(), NOW + left))
    assert (file.current() != "first") is renewed
    assert len(issuer.forms("refresh_token")) == renewed


@pytest.mark.parametrize("rotates", [True, False])
def test_a_rotated_refresh_token_is_kept_and_one_that_stays_too(issuer: Issuer, file: TokenFile, rotates: bool) -> None:
    issuer.rotates = rotates
    before = file.read().refresh
    second = file.renewed("first")
    third = file.renewed(second)
    assert len({"first", second, third}) == 3
    assert (file.read().refresh == before) is not rotates
    assert json.loads(file.path.read_text())["access"] == third


def test_a_rotated_token_and_its_name_are_durable_before_it_is_used(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power loss the old name would bring back a refresh token that is used up."""
    kept: list[tuple[str, str]] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        fsync(handle)
        kept.append((str(Path(f"/proc/self/fd/{handle}").readlink()), json.loads(file.path.read_text())["access"]))

    monkeypatch.setattr(os, "fsync", note)
    new = file.renewed("first")
    assert kept == [(f"{file.path}.new", "first"), (str(file.path.parent), new)]


def test_who_comes_second_takes_what_the_first_one_got(issuer: Issuer, file: TokenFile) -> None:
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(file.renewed("first"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 8 and len(set(got)) == 1
    assert len(issuer.forms("refresh_token")) == 1


def test_a_service_that_is_away_costs_nothing_while_the_token_is_good(issuer: Issuer, file: TokenFile) -> None:
    file.write(Tokens("first", issuer.refresh_token(), NOW + timedelta(minutes=2)))
    issuer.answers = [(503, b"")]
    assert file.current() == "first"
    file.write(Tokens("first", issuer.refresh_token(), NOW - timedelta(minutes=2)))
    issuer.answers = [(503, b"")]
    with pytest.raises(ConnectionFailed) as failed:
        file.current()
    assert failed.value.exit_code == 3


def test_a_login_that_was_withdrawn_is_for_a_person(issuer: Issuer, file: TokenFile) -> None:
    issuer.refresh_tokens.clear()
    with pytest.raises(LoginRefused) as ended:
        file.renewed("first")
    assert (ended.value.code, ended.value.exit_code) == ("login ended", 2)
    assert "mail login" in ended.value.hint
    assert file.read().refresh not in ended.value.message


def test_a_missing_file_says_how_to_log_in(file: TokenFile) -> None:
    file.path.unlink()
    with pytest.raises(LoginRefused, match=r"shop\.json") as missing:
        file.current()
    assert "mail login" in missing.value.hint


# ---- what is said to the mail server


def test_the_mechanisms_are_spoken_as_their_pages_say() -> None:
    one = bearer_dialogue({"XOAUTH2"}.__contains__, "shop@x.example", "imap.x", 993, "T0KEN")
    assert one is not None and one.mechanism == "XOAUTH2"
    assert one.opening == b"dXNlcj1zaG9wQHguZXhhbXBsZQFhdXRoPUJlYXJlciBUMEtFTgEB"
    assert (one.answer(b""), one.answer(b"eyJzdGF0dXMiOiI0MDAifQ=="), one.close(b"x")) == (one.opening, b"", b"")
    two = bearer_dialogue({"XOAUTH2", "OAUTHBEARER"}.__contains__, "a=b,c@x.example", "imap.x", 993, "T0KEN")
    assert two is not None and (two.mechanism, two.closing) == ("OAUTHBEARER", b"AQ==")
    assert "T0KEN" not in repr(two) and two.opening.decode() not in repr(two)
    assert bearer_dialogue(lambda _name: False, "shop", "imap.x", 993, "T0KEN") is None
