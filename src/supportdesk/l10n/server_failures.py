"""What can go wrong between us and a mail server or a login service: a sentence and a way out for each code.

The adapters in `mail` speak no language; they raise `errors.ConnectionFailed.because(code, facts…)`, and the words are
found here, in the language of the process that tells somebody.
"""

from __future__ import annotations

from collections.abc import Mapping

from supportdesk.l10n.catalog import N_, _

# code → what happened, what to do about it ("" where waiting is all there is).
FAILURES: Mapping[str, tuple[str, str]] = {
    "broken": (N_("{server}: {doing}: {reason}"), ""),
    "unreadable": (N_("{server}: {doing}: the answer makes no sense ({reason})"), ""),
    "certificate": (
        N_("{server}: the certificate is not trusted: {reason}"),
        N_("check the server's name; the certificate of a private authority is named with --ca-file"),
    ),
    "certificate file": (N_("{file}: not a file of certificates: {reason}"), ""),
    "tls mode": (N_("{server}: TLS can be implicit, starttls or none, not {mode}"), ""),
    "plain text": (
        N_("{server}: mail without TLS is accepted for this machine's own addresses only"),
        N_("use /implicit (ports 993, 465) or /starttls (ports 143, 587)"),
    ),
    "no starttls": (N_("{server}: the server offers no STARTTLS"), N_("try /implicit, ports 993 and 465")),
    "preauth": (N_("{server}: the server logged us in unasked (PREAUTH); refused"), ""),
    "login disabled": (N_("{server}: the server does not accept a password here (LOGINDISABLED)"), ""),
    "login later": (N_("{server}: no login at the moment: {reason}"), ""),
    "login refused": (
        N_("{server}: login refused for {login}: {reason}"),
        N_("check the user name and the password; a new one: supportdesk mail login"),
    ),
    "token refused": (
        N_("{server}: login refused for {login}, with a fresh token too: {reason}"),
        N_("does the person who signed in have access to this mailbox, and is IMAP and SMTP allowed for it?"),
    ),
    "no token login": (
        N_("{server}: the server takes no tokens (neither OAUTHBEARER nor XOAUTH2)"),
        N_("log in with a password: supportdesk mail login --password"),
    ),
    "control character": (
        N_("{server}: the user name or the password of {login} contains a control character"),
        N_("a line end in the password file?"),
    ),
    "ascii only": (N_("{server}: the server takes only plain letters (ASCII) in user names and passwords"), ""),
    "no uidvalidity": (N_("{server}: {folder}: the server names no UIDVALIDITY"), ""),
    "issuer away": (N_("{issuer}: the login service cannot be reached: {reason}"), N_("try again in a while")),
    "issuer answer": (N_("{issuer}: the login service gave an answer that is none: {reason}"), N_("try again later")),
    "issuer refused": (N_("{issuer}: the login service refused: {reason}"), N_("log in anew: supportdesk mail login")),
    "client unknown": (
        N_("{issuer}: the login service does not accept this client id: {reason}"),
        N_("check the client id, its secret and the directory (tenant): supportdesk mail login"),
    ),
    "login ended": (
        N_("{issuer}: the login of this mailbox has ended or was withdrawn: {reason}"),
        N_("log in anew: supportdesk mail login"),
    ),
    "consent denied": (
        N_("{issuer}: the login was refused in the browser: {reason}"),
        N_("an administrator may have to allow this client first"),
    ),
    "code expired": (N_("{issuer}: the code was not entered in time"), N_("start again: supportdesk mail login")),
    "no tokens": (
        N_("{file}: the tokens of this login are missing or cannot be read"),
        N_("log in anew: supportdesk mail login"),
    ),
    "tokens busy": (
        N_("{file}: another process has been renewing this login for a minute"),
        N_("try again in a while"),
    ),
    "open file": (N_("{file}: holds secrets, and others can read it"), N_("take that right from them: chmod 600")),
    "unwritable": (N_("{file} cannot be written: {reason}"), N_("let this user write there")),
    "issuer plain": (N_("{issuer}: a login service is asked over https only"), ""),
    "wrong redirect": (
        N_("this is not the address that the browser showed at the end of this login"),
        N_("copy the whole line from the address bar; it begins with http://127.0.0.1"),
    ),
    "no discovery": (
        N_("{issuer}: the login service does not say where to log in"),
        N_("give its address as in its documentation: https://login.example.com/realms/shop"),
    ),
}

# What was being done when a connection broke.
STEPS: Mapping[str, str] = {
    "connect": N_("could not connect"),
    "start TLS": N_("could not start TLS"),
    "log in": N_("could not log in"),
    "introduce": N_("could not say who we are"),
    "list folders": N_("could not list the folders"),
    "open folder": N_("could not open the folder"),
    "list messages": N_("could not list the messages"),
    "sizes": N_("could not read the sizes"),
    "fetch": N_("could not fetch mail"),
    "fetch head": N_("could not fetch the beginning of a large mail"),
    "news": N_("could not wait for news"),
    "search": N_("could not search the folder"),
    "append": N_("could not store a copy"),
    "deliver": N_("the delivery broke off"),
    "mark": N_("could not mark processed mail"),
}

# Why: what the system calls by a number. Anything else is the other side's own words, shown as they are.
REASONS: Mapping[str, str] = {
    "refused": N_("nobody answers there (connection refused)"),
    "timeout": N_("no answer in time"),
    "no name": N_("there is no server of this name, or no network"),
    "no route": N_("there is no way there; is the network up?"),
    "broken off": N_("the other side broke the connection off"),
    "no tls": N_("what answers there speaks no TLS"),
}


def in_words(code: str, facts: Mapping[str, object]) -> tuple[str, str]:
    """The sentence and the hint for a code, in the language of this process."""
    sentence, hint = FAILURES[code]
    worded = {name: str(value) for name, value in facts.items()}
    worded["doing"] = _step(worded.get("doing", ""))
    worded["reason"] = _(REASONS.get(worded.get("reason", ""), "")) or worded.get("reason", "")
    return _(sentence).format(**worded), _(hint)


def _step(step: str) -> str:
    """`open folder: Ordini`: what is after the colon is a name."""
    name, colon, of_what = step.partition(": ")
    return f"{_(STEPS[name])}{colon}{of_what}" if name in STEPS else step
