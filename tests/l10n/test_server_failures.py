"""Whatever `mail` raises by code has words, and the words get the facts that they name."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from supportdesk.errors import ConnectionFailed, LoginRefused
from supportdesk.l10n.catalog import use_language
from supportdesk.l10n.server_failures import FAILURES, REASONS, STEPS, in_words

MAIL = Path(__file__).resolve().parents[2] / "src" / "supportdesk" / "mail"


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Every call of a method of that name in `mail`, with the file that it is in."""
    found: list[tuple[str, ast.Call]] = []
    for path in sorted(MAIL.glob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        made = (node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
        found += [(path.name, node) for node in made if getattr(node.func, "attr", "") == name]
    return found


def test_every_code_that_is_raised_has_words_for_its_facts() -> None:
    raised = [(file, call) for file, call in calls("because") if isinstance(call.args[0], ast.Constant)]
    assert len(raised) > 30
    for file, call in raised:
        assert isinstance(call.args[0], ast.Constant)
        code = str(call.args[0].value)
        sentence, _hint = FAILURES[code]
        named = {field for _text, field, _format, _conversion in string.Formatter().parse(sentence) if field}
        assert named <= {keyword.arg for keyword in call.keywords}, f"{file}: {code}"


def test_every_step_that_can_fail_has_words() -> None:
    steps = {
        text.value.partition(":")[0]
        for _file, call in calls("_failures")
        for text in ast.walk(call.args[0])
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value.strip(": ")
    }
    assert len(steps) > 10
    assert steps <= STEPS.keys()


@pytest.mark.parametrize("step", [*STEPS, "open folder: Ordini {strani}"])
def test_an_agent_reads_in_his_language_what_broke_and_why(step: str) -> None:
    try:
        use_language("it")
        for reason in REASONS:
            message, _hint = in_words("broken", {"server": "IMAP imap.x:993", "doing": step, "reason": reason})
            assert message.startswith("IMAP imap.x:993: ")
            assert REASONS[reason] not in message and STEPS[step.partition(":")[0]] not in message
        assert in_words("broken", {"server": "x", "doing": step, "reason": "[ALERT] chiuso"})[0].endswith(
            "[ALERT] chiuso"
        )
        if ":" in step:
            assert "Ordini {strani}" in message
    finally:
        use_language("en")


def test_an_error_keeps_its_code_its_facts_and_its_exit_code() -> None:
    error = LoginRefused.because("login refused", server="imap.x", login="shop", reason="no")
    assert (error.code, error.facts["login"], error.exit_code) == ("login refused", "shop", 2)
    assert ConnectionFailed.because("issuer away", issuer="x", reason="timeout").exit_code == 3
    assert ConnectionFailed("by hand").code == ""
