"""The ticket verbs that are made from desk/actions.py: one verb an action, its options from the action's parameters.

An action that takes a text has one TICKET and the TEXT as arguments; the others take TICKETS. `-` reads ticket numbers
(or the text) from standard input.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from supportdesk.cli.foreseen import foreseen_lines, tell_undo
from supportdesk.cli.inputs import assignments, text_from, ticket_ids
from supportdesk.cli.session import Session
from supportdesk.cli.verb import with_session
from supportdesk.desk.actions import ACTIONS, ActionSpec, Param
from supportdesk.desk.model import ActionId, OutboxId, OutboxRow, TicketId
from supportdesk.desk.repeats import REPEATED
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.errors import AlreadySent, Conflict, MissingValue, ReplyStopped
from supportdesk.l10n.catalog import N_, _

# What is so already is no conflict for these: a script may say it again.
REPEATABLE = frozenset(("take", "unassign", "wake", "solve", "spam", "not_spam"))
UNDO = "undo"  # of any number of tickets, although it takes none
EXIT_CONFLICT = Conflict.exit_code
# Parameters that are not written as they are called: `--language` is the program's own.
WRITTEN = {"asked": "--ask", "language": "--to"}


def verb_name(action: str) -> str:
    """The verb of an action: `take_next` is `ticket take-next`."""
    return action.replace("_", "-")


def option_name(param: Param) -> str:
    """How a parameter is written: `different_customers` is `--different-customers`."""
    return WRITTEN.get(param.name) or f"--{param.name.replace('_', '-')}"


def add_action_verbs(app: typer.Typer) -> None:
    """Make the verb of every registered action."""
    for spec in ACTIONS:
        app.command(verb_name(spec.id), help=spec.help)(with_session(_performing(spec), allowed=True))


def perform(session: Session, spec: ActionSpec, tickets: tuple[TicketId, ...], params: dict[str, Any]) -> int:
    """Perform the action and tell what it did; 5 if a ticket was left alone because of a conflict."""

    def progress(done: int, of: int) -> None:
        if of > 100:
            session.out.say(_("{done} of {total}").format(done=done, total=of))

    try:
        done = session.desk.perform(spec.id, session.actor, tickets, params, progress=progress)
    except ReplyStopped as stopped:
        return tell_stopped(session, stopped, tickets[0], _draft_on(session, tickets))
    except MissingValue as missing:
        raise say_how_to_ask(missing) from None
    except AlreadySent as sent:
        raise AlreadySent(sent.message, what=sent.what, hint="--anyway") from None
    except Conflict as conflict:
        if spec.id not in REPEATABLE or conflict.what != guard_reason(session, spec, tickets):
            raise
        return tell_done(session, Done(ActionId(""), (), conflict.message, undoable=False))
    except AnswerNeeded as needed:
        raise AnswerNeeded(needed.message, param=needed.param, hint=_how_to_answer(spec, needed)) from None
    return tell_done(session, done)


def guard_reason(session: Session, spec: ActionSpec, tickets: tuple[TicketId, ...]) -> str | None:
    """Why the action has nothing to do on the one ticket, "" for a merged one, on which nothing can be done."""
    ticket = session.desk.read.ticket(tickets[0])
    return "" if ticket.merged_into is not None else spec.guard(ticket, session.actor)


def say_how_to_ask(missing: MissingValue) -> MissingValue:
    """The same error with the options that give the values."""
    asked = [name.removeprefix("ask.") for name in missing.names if name.startswith("ask.")]
    hint = " ".join(f"--ask {name}=…" for name in asked)
    return MissingValue(missing.message, names=missing.names, hint=hint or missing.hint)


def tell_done(session: Session, done: Done) -> int:
    notice = done.plain or done.notice
    conflicts = [
        {
            "ticket": ticket,
            "message": conflict.message,
            "who": conflict.who,
            "what": conflict.what,
            "when": conflict.when,
        }
        for ticket, conflict in done.conflicts.items()
    ]
    value = {
        "action_id": done.action_id, "tickets": done.tickets, "notice": notice, "conflicts": conflicts,
        "outbox_id": done.outbox_id, "undoable": done.undoable,
    }  # fmt: skip
    session.out.answer(value, [notice] if notice else [])
    if not session.json:
        for conflict in conflicts:
            session.out.say(str(conflict["message"]))
        if done.undoable:
            session.out.say(_("undo: supportdesk undo {action}").format(action=done.action_id))
            if done.outbox_id is not None and done.plain:
                session.out.say(_("or: supportdesk outbox cancel {number}").format(number=done.outbox_id))
    return EXIT_CONFLICT if conflicts else 0


def tell_stopped(session: Session, stopped: ReplyStopped, ticket_id: TicketId, draft: OutboxId | None) -> int:
    """What arrived after the agent had read the ticket, and how the draft is sent now that it has been read."""
    if session.json:
        session.out.document(
            {
                "stopped": True, "message": stopped.message, "seq": stopped.seq, "draft": draft,
                "newcomers": stopped.newcomers,
            }
        )  # fmt: skip
    ticket = session.desk.read.ticket(ticket_id)
    session.out.say(stopped.message)
    for item in stopped.newcomers:
        at = session.time(item.at, ticket.mailbox_id)
        session.out.say(f"  {at}  {item.author} ({item.kind}): {item.excerpt}")
    if draft is not None:
        send = f"supportdesk draft send {draft} --seen {stopped.seq}"
        session.out.say(_("to send it all the same: {command}").format(command=send))
    return stopped.exit_code


def tell_dry_run(session: Session, spec: ActionSpec, tickets: tuple[TicketId, ...], params: dict[str, Any]) -> int:
    """Which tickets the action would take, and why it would leave the others alone. Nothing is written."""
    would, reasons = session.desk.foresee(spec.id, session.actor, tickets, params)
    value = {"dry_run": True, "action": spec.id, "tickets": would, "left_alone": reasons}
    session.out.answer(value, foreseen_lines(would, reasons))
    return EXIT_CONFLICT if reasons else 0


def send_draft(session: Session, row: OutboxRow, *, seen: int, anyway: bool, after: str, **more: Any) -> int:
    """Send what a command has written; a warning stops it until it is said once more, and the draft is kept."""
    warnings = session.desk.review(session.actor, row.id).warnings
    if warnings and not anyway:
        told, hint = "; ".join(one.text for one in warnings), f"supportdesk draft send {row.id} --anyway"
        if any(one.code == REPEATED for one in warnings):
            raise AlreadySent(told, hint=hint)
        raise AnswerNeeded(told, param="anyway", hint=hint)
    seen_seq = row.seen_seq if seen < 0 else seen
    try:
        done = session.desk.send(
            session.actor, row.id, seen_seq=seen_seq, after=after, anyway=anyway, once=not anyway, **more
        )
    except ReplyStopped as stopped:
        return tell_stopped(session, stopped, row.ticket_id, row.id)
    except AlreadySent as sent:
        raise AlreadySent(sent.message, what=sent.what, hint=f"supportdesk draft send {row.id} --anyway") from None
    return tell_done(session, done)


def _draft_on(session: Session, tickets: tuple[TicketId, ...]) -> OutboxId | None:
    """The draft that a stopped reply has become; a merged ticket's stands on the survivor, which is not looked for."""
    drafts = session.desk.drafts(session.actor)
    return next((row.id for row in drafts if row.ticket_id in tickets and row.kind != "note"), None)


def _performing(spec: ActionSpec) -> Callable[..., int]:
    body = next((param for param in spec.params if param.kind == "body"), None)

    def run(session: Session, **given: Any) -> int:
        dry_run = given.pop("dry_run", False)
        words, text, file = given.pop("ticket_words", ()), given.pop("body_text", ""), given.pop("body_file", "")
        tickets = ticket_ids([words] if isinstance(words, str) else words) if spec.scope != "none" else ()
        params = {
            name: value
            for name, value in given.items()
            if value is not None and value is not False and value not in ("", [])
        }
        if "asked" in params:
            params["asked"] = assignments(params["asked"])
        if dry_run and spec.id == UNDO:
            return tell_undo(session, str(params.get("action", "")))
        if dry_run and body is None:
            return tell_dry_run(session, spec, tickets, params)
        if body is not None:
            # A canned response is a text already: then nothing waits for a pipe that may never close.
            if text or file or "canned" not in params:
                text = text_from(session, text, file)
            if text.strip():
                params[body.name] = text
        if dry_run:
            return tell_dry_run(session, spec, tickets, params)
        return perform(session, spec, tickets, params)

    run.__name__ = spec.id
    run.__signature__ = inspect.Signature(_parameters(spec, body))  # type: ignore[attr-defined]
    return run


def _parameters(spec: ActionSpec, body: Param | None) -> list[inspect.Parameter]:
    found = [inspect.Parameter("session", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Session)]
    if body is not None or spec.scope == "one":
        many = N_("Its number; several with commas; - reads them from standard input")
        help_text = N_("Its number") if spec.scope == "one" else many
        found.append(_parameter("ticket_words", str, typer.Argument(metavar="TICKET", help=help_text)))
    elif spec.scope == "many":
        help_text = N_("Their numbers; - reads them from standard input")
        found.append(_parameter("ticket_words", list[str], typer.Argument(metavar="TICKETS", help=help_text)))
    if body is not None:
        found.append(
            _parameter("body_text", str, typer.Argument(metavar="TEXT", help=body.help, show_default=False), "")
        )
        file = typer.Option("--file", metavar="FILE", help=N_("Read the text from a file; - is standard input"))
        found.append(_parameter("body_file", str, file, ""))
    found += [_option(param, spec) for param in spec.params if param is not body]
    if spec.scope == "many" or spec.id == UNDO:
        dry_run = typer.Option("--dry-run", help=N_("Only say what would be changed"))
        found.append(_parameter("dry_run", bool, dry_run, False))
    return found


def _option(param: Param, spec: ActionSpec) -> inspect.Parameter:
    name, metavar = option_name(param), _metavar(param)
    if param.kind == "flag":
        return _parameter(param.name, bool, typer.Option(name, help=param.help), False)
    if param.name == "asked":
        help_text = N_("A value that the canned response asks for; as often as needed")
        return _parameter(param.name, list[str], typer.Option(name, metavar="NAME=VALUE", help=help_text), [])
    if spec.scope == "none":
        return _parameter(param.name, str, typer.Argument(metavar=metavar, help=param.help, show_default=False), "")
    kind: Any = int | None if param.kind in ("number", "message", "identity") else str
    option = typer.Option(name, metavar=metavar, help=param.help, show_default=False)
    if param.required:
        return _parameter(param.name, kind, option)
    return _parameter(param.name, kind, option, None if kind is not str else "")


def _parameter(name: str, kind: Any, declared: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declared]
    )


def _metavar(param: Param) -> str:
    if param.choices:
        return "|".join(param.choices)
    return {"agent": "LOGIN", "tags": "WORDS", "when": "WHEN", "ticket": "TICKET", "canned": "KEY"}.get(
        param.kind, param.kind.upper()
    )


def _how_to_answer(spec: ActionSpec, needed: AnswerNeeded) -> str:
    param = next((param for param in spec.params if param.name == needed.param), None)
    if param is None:
        return needed.hint
    option = option_name(param)
    answer = f"{option} {'|'.join(param.choices)}" if param.choices else option
    return f"{needed.hint} {answer}".strip()
