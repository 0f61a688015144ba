"""The command line as a whole: its nouns and verbs by name, each loaded when it is called, and how one call runs.

What a noun does is in the file of its name. Typer builds the parsers; errors are told by `cli.failures`.
"""

from __future__ import annotations

import inspect
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin

import typer
from typer.core import TyperGroup
from typer.main import get_group

from supportdesk import __version__
from supportdesk.cli.failures import complain
from supportdesk.cli.placeholders import in_our_words
from supportdesk.cli.session import Programs, Session
from supportdesk.cli.verb import GLOBALS, PREFIX, global_parameters, take_globals
from supportdesk.errors import EXIT_INTERRUPTED, UsageError
from supportdesk.l10n.catalog import N_, _

__all__ = ["COMMANDS", "Programs", "command_named", "root", "run"]

# name → (module of this package, help). A module that is not called like the command holds several top-level verbs.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init", N_("Set up a desk: mailbox, servers, hours, first agent, first mail")),
    "ticket": ("ticket", N_("Tickets: list, read, answer, and every action")),
    "draft": ("draft", N_("Replies that are being written")),
    "outbox": ("outbox", N_("Replies on their way out, and those in doubt")),
    "customer": ("customer", N_("Customers: who has which addresses, and making one of two")),
    "search": ("look", N_("Find tickets by their words and by what they are")),
    "view": ("view", N_("Saved views: queries with a name, yours and everybody's")),
    "unanswered": ("look", N_("Customers who wait; exits 6 if there are any")),
    "due": ("look", N_("Deadlines that are over or near; exits 6 if there are any")),
    "why": ("look", N_("Why a ticket is as it is")),
    "trace": ("trace", N_("The whole life of a mail: UID, ticket, reply, the server's answer")),
    "follow": ("look", N_("Print what happens as it happens")),
    "notices": ("look", N_("What you are told and have not looked at")),
    "undo": ("look", N_("Take back your last action, or the one that you name")),
    "canned": ("canned", N_("Canned responses")),
    "mailbox": ("mailbox", N_("Mailboxes and their servers")),
    "mail": ("mail", N_("Fetch, audit and parked mail")),
    "worker": ("worker", N_("The background process that fetches and delivers")),
    "agent": ("agent", N_("Who works here")),
    "hours": ("hours", N_("Opening hours and what they make of a deadline")),
    "market": ("market", N_("Markets: language, manners, money and time of countries")),
    "settings": ("settings", N_("What the whole team shares: undo window, targets, words to avoid")),
    "status": ("look", N_("How the desk is doing")),
    "doctor": ("doctor", N_("Look for what is wrong on this machine")),
    "backup": ("backups", N_("Write a verified copy of the desk")),
    "restore": ("backups", N_("Make the desk from a backup")),
    "db": ("db", N_("The database: its schema, and the way into another one")),
    "reindex": ("reindex", N_("Make what follows from the raw mail anew; decides nothing")),
    "demo": ("demo", N_("A throwaway desk with its own mail servers; nothing leaves the machine")),
}


def run(arguments: list[str], programs: Programs) -> int:
    """Run one command line; returns its exit code. Raises SupportdeskError."""
    session = Session(programs, language=_language_among(arguments))
    session.speak()
    forced = os.environ.get("SSH_ORIGINAL_COMMAND", "") if "--restricted" in arguments else ""
    if forced:
        arguments = [*arguments, *_asked_over_ssh(forced)]
    try:
        return int(root().main(args=arguments, prog_name="supportdesk", standalone_mode=False, obj=session) or 0)
    except typer.Abort:
        return EXIT_INTERRUPTED
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a noun without a verb: its help is the answer
            sys.stderr.write(f"{error.format_message()}\n")
            return UsageError.exit_code
        context: Any = getattr(error, "ctx", None)
        hint = _("{command} --help tells how").format(command=context.command_path) if context is not None else ""
        complain(_in_our_words(error.format_message()), hint)
        return UsageError.exit_code
    finally:
        session.close()


def command_named(name: str) -> Any:
    """The noun or top-level verb of that name, its help in the language that is spoken; None if there is none."""
    if name not in COMMANDS:
        return None
    module, help_text = COMMANDS[name]
    built: Any = get_group(import_module(f"supportdesk.cli.{module}").app)
    if module != name or (name in built.commands and len(built.commands) == 1):
        built = built.commands[name]
    built.name, built.help = name, help_text
    _finish(built)
    return built


class _Commands(TyperGroup):
    """The root: it loads the file of a command when the command is called, and none to show its help."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return command_named(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _(help_text)) for name, (_module, help_text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        names: Any = dict.fromkeys(COMMANDS)  # to suggest the nearest one from
        self.commands = names
        return super().resolve_command(ctx, args)


def root() -> Any:
    """The whole command line, its help in the language that is spoken."""
    app = typer.Typer(
        cls=_Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
        invoke_without_command=True, help=N_("The support desk in a terminal. Without a command: the console."),
    )  # fmt: skip
    app.callback()(_with_globals(_start))
    built = get_group(app)
    _finish(built)
    return built


def _start(
    ctx: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help=N_("Print the version"))] = False,
    restricted: Annotated[
        bool, typer.Option("--restricted", help=N_("For SSH forced commands: no files, no programs"))
    ] = False,
    plain: Annotated[bool, typer.Option("--ascii", help=N_("The console in ASCII characters only"))] = False,
    theme: Annotated[str, typer.Option("--theme", metavar="NAME", help=N_("The console's colours"))] = "",
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help=N_("Leave the mouse to the terminal"))] = False,
    **given: Any,
) -> int:
    session: Session = ctx.obj
    take_globals(session, {name: given[PREFIX + name] for name in GLOBALS})
    session.restricted = restricted
    session.looks = {
        **({"ascii": True} if plain else {}),
        **({"theme": theme} if theme else {}),
        **({"mouse": False} if no_mouse else {}),
    }
    if version:
        sys.stdout.write(f"supportdesk {__version__}\n")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        raise typer.Exit(_console(session))
    return 0


def _console(session: Session) -> int:
    from dataclasses import replace

    from supportdesk.config import with_looks

    config = with_looks(session.config, session.looks)
    if session.acting_as:
        config = replace(config, agent=session.acting_agent.login)
    session.close()
    return session.programs.console(config, session.restricted)


def _with_globals(function: Callable[..., int]) -> Callable[..., int]:
    own = [item for item in inspect.signature(function, eval_str=True).parameters.values() if item.name != "given"]
    parameters = [*own, *global_parameters(hidden=False)]

    def call(*args: Any, **given: Any) -> int:
        return function(*args, **given)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _finish(command: Any) -> None:
    """Translate the help of a command and of all below it, and let its parameters be read without pydantic.

    The msgids stand in the tables and the declarations. Typer builds a pydantic adapter for each parameter, and
    importing pydantic takes longer than everything else that `ticket list` does; texts and whole numbers are all that
    we take. Should Typer name the attribute differently one day, its own adapters do the same, more slowly.
    """
    for item in (command, *command.params):
        if getattr(item, "help", None):
            item.help = _(item.help)
    command.short_help = command.help  # whole: Typer would cut it
    for param in command.params:
        _speak_plainly(param)
        descriptor = getattr(param, "type_descriptor", None)
        kind = getattr(descriptor, "annotation", None)
        many = get_origin(kind) is list
        kind = get_args(kind)[0] if many else kind
        if kind in (str, int, bool):
            param._runtime_param = _Plain(kind, many)
    make_help_option = command.get_help_option

    def help_option(ctx: Any) -> Any:
        option = make_help_option(ctx)
        if option is not None:
            option.help, option._runtime_param = _("Show this and end"), _Plain(bool, many=False)
        return option

    command.get_help_option = help_option
    write_help = command.get_help
    command.get_help = lambda ctx: _help_in_our_words(write_help(ctx))
    for below in getattr(command, "commands", {}).values():
        _finish(below)


def _speak_plainly(param: Any) -> None:
    """No Python types and no defaults that mean "none was given" in the help."""
    if param.param_type_name == "argument":
        param.display_type = lambda _ctx: ""
    if not getattr(param, "is_flag", False):
        param.metavar = in_our_words(param.metavar or param.name.upper())
    if param.default in (-1, 0, ""):
        param.show_default = False


def _help_in_our_words(text: str) -> str:
    """Typer's headings and marks in the language that is spoken."""
    marks = {
        "Usage: ": _("Usage: "), "Arguments:": _("Arguments:"), "Options:": _("Options:"), "Commands:": _("Commands:"),
    }  # fmt: skip
    for mark, words in marks.items():
        text = re.sub(f"^{mark}", words, text, flags=re.MULTILINE)
    text = text.replace("COMMAND [ARGS]...", _("COMMAND [ARGS]...")).replace("[OPTIONS]", _("[OPTIONS]"))
    text = re.sub(r"\{([^{}\n]*[^{}\d\n][^{}\n]*)\}", r"\1", text)
    text = re.sub(r"\[default:(?=\s)", _("[default: ").rstrip(), text)  # a line may end behind it
    return text.replace("[required]", _("[required]"))


@dataclass(frozen=True, slots=True)
class _Plain:
    """Reads a parameter as text or as a whole number: what Typer's own coercion does for these types."""

    kind: type
    many: bool

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if self.many else None
        return tuple(self._read(item, param, ctx) for item in value) if self.many else self._read(value, param, ctx)

    def _read(self, value: Any, param: Any, ctx: Any) -> Any:
        if self.kind is not int or isinstance(value, int):
            return value
        try:
            return int(value)
        except ValueError:
            raise typer.BadParameter(
                _("{value} is no whole number").format(value=value), ctx=ctx, param=param
            ) from None


def _language_among(arguments: list[str]) -> str:
    """What --language says, before anything is parsed: the help is in that language already."""
    for at, argument in enumerate(arguments):
        if argument == "--language" and at + 1 < len(arguments):
            return arguments[at + 1]
        if argument.startswith("--language="):
            return argument.partition("=")[2]
    return ""


# What Typer says about a wrong call, and how we say it; the msgid takes the groups of the pattern.
_TYPERS_WORDS = (
    (r"Missing option '([^']+)'.*", N_("{0} is missing")),
    (r"Missing argument '([^']+)'.*", N_("{0} is missing")),
    (r"Missing command\.?", N_("say what to do")),
    (r"No such option:? '?(\S+?)'?\.? ?Did you mean (.+?)\?", N_("there is no option {0}; did you mean {1}?")),
    (r"No such option:? '?(\S+?)'?\.?( \(Possible options:.*\))?", N_("there is no option {0}")),
    (r"No such command '([^']+)'\. Did you mean (.+?)\?", N_("there is no command {0}; did you mean {1}?")),
    (r"No such command '([^']+)'\.?", N_("there is no command {0}")),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)", N_("nothing is known of {0} here")),
    (r"Option '([^']+)' requires an argument\.?", N_("{0} needs a value")),
    (r"Option '([^']+)' does not take a value\.?", N_("{0} takes no value")),
    (r"Invalid value for (.+?): (.+)", "{0}: {1}"),
)


def _in_our_words(message: str) -> str:
    """Typer's message in the language that is spoken; one that is not known stays as it is."""
    for pattern, words in _TYPERS_WORDS:
        if found := re.fullmatch(pattern, " ".join(message.split())):
            return _(words).format(*found.groups())
    return message


def _asked_over_ssh(command: str) -> list[str]:
    """What `ssh desk supportdesk ticket attachment 7 1` asks for, as arguments; never a shell's business."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(_("that command cannot be read: {error}").format(error=error)) from None
    if not words or os.path.basename(words[0]) != "supportdesk":  # noqa: PTH119 — a word, not a path of ours
        raise UsageError(_("only supportdesk itself can be run here"))
    if words[1:] and words[1] not in COMMANDS:  # an option here could undo what the forced command has fixed
        raise UsageError(_("under a forced command the verb comes first"), hint="supportdesk ticket list --json")
    return words[1:]
