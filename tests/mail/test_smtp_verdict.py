"""What a refusal or a silence means for the mail, code by code (OUT-5, OUT-7)."""

from __future__ import annotations

import pytest

from supportdesk.mail.smtp_verdict import (
    is_account_problem,
    is_rate_limit,
    is_worth_one_more_try,
    judge_reply,
    judge_silence,
)


@pytest.mark.parametrize(
    ("code", "text", "stage", "verdict"),
    [
        (421, "4.3.2 shutting down", "mail", "deferred"),
        (450, "mailbox busy", "rcpt", "deferred"),
        (451, "4.7.1 greylisted", "rcpt", "deferred"),
        (452, "4.2.2 mailbox full", "rcpt", "deferred"),
        (454, "4.7.0 TLS not available", "mail", "deferred"),
        (550, "5.1.1 no such user", "rcpt", "failed"),
        (552, "too many recipients", "rcpt", "deferred"),
        (552, "5.3.4 message too big", "dot_sent", "failed"),
        (554, "5.7.1 spam", "dot_sent", "failed"),
        (451, "4.3.0 disk full", "dot_sent", "deferred"),
        (550, "4.7.0 enhanced codes beat basic ones", "rcpt", "deferred"),
        (450, "5.1.1 and the other way round", "rcpt", "failed"),
        (535, "5.7.8 bad credentials", "mail", "deferred"),
        (530, "5.7.0 authentication required", "mail", "deferred"),
        (554, "5.2.0 SendAsDenied", "dot_sent", "deferred"),
        (554, "5.2.2 submission quota exceeded", "dot_sent", "deferred"),
        (554, "5.7.1 no service for you", "", "deferred"),
        (550, "5.1.1 before any mail was named", "", "deferred"),
        (-1, "what is this", "rcpt", "deferred"),
        (-1, "what is this", "dot_sent", "uncertain"),
    ],
)
def test_a_servers_words_have_one_verdict(code: int, text: str, stage: str, verdict: str) -> None:
    assert judge_reply(code, text, stage=stage) == verdict


@pytest.mark.parametrize("stage", ["", "connected", "mail", "rcpt", "data_started"])
def test_a_silence_before_the_final_dot_means_that_the_server_must_forget_the_mail(stage: str) -> None:
    assert judge_silence(stage) == "deferred"


def test_a_silence_after_the_final_dot_leaves_the_mail_in_doubt() -> None:
    assert judge_silence("dot_sent") == "uncertain"


def test_a_refused_login_is_the_accounts_problem_and_a_refused_mail_is_not() -> None:
    assert is_account_problem(535, "5.7.8 no", stage="mail")
    assert is_account_problem(554, "5.2.2 quota exceeded", stage="dot_sent")
    assert not is_account_problem(554, "5.7.1 spam", stage="dot_sent")
    assert not is_account_problem(550, "5.2.2 mailbox full", stage="rcpt")


def test_who_is_refused_before_any_mail_was_named_has_a_problem_with_the_account() -> None:
    assert is_account_problem(554, "5.7.1 your address is blocked", stage="")
    assert not is_account_problem(421, "4.3.2 come back later", stage="")


@pytest.mark.parametrize(
    ("code", "text", "again"),
    [
        (550, "5.7.1 Daily sending rate limit exceeded, try again later", True),
        (550, "5.7.0 Too many messages, please retry in an hour", True),
        (554, "5.7.0 Message temporarily blocked by policy", True),
        (550, "5.7.1 Message rejected due to SPF policy", False),
        (550, "5.1.1 no such user, try again later", False),
    ],
)
def test_out_7_only_a_policy_that_says_to_try_later_gets_another_try(code: int, text: str, again: bool) -> None:
    assert is_worth_one_more_try(f"{code} {text}") == again
    assert judge_reply(code, text, stage="rcpt") == ("deferred" if again else "failed")


@pytest.mark.parametrize(
    ("words", "fast"),
    [
        ("432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", True),
        ("451 4.3.2 Concurrent connections limit exceeded", True),
        ("554 5.2.0 SubmissionQuotaExceededException; submission rate exceeded", True),
        ("452 4.2.2 The mailbox is full", False),
        ("250 2.0.0 Ok: queued as 432", False),
    ],
)
def test_out_9_a_server_says_that_the_account_sends_too_fast(words: str, fast: bool) -> None:
    assert is_rate_limit(words) == fast
