"""How a verb is declared: a function whose first argument is the Session, the others its options and arguments.

Every verb also takes the options of the program itself (`--json`, `--database`, `--agent`, `--as`, `--language`,
`--config`): people write them where they come to mind.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from supportdesk.cli.session import Session
from supportdesk.errors import NotAllowed
from supportdesk.l10n.catalog import N_, _

Verb = TypeVar("Verb", bound=Callable[..., int | None])

# Options of the program: name in Session → how it is written. Those that a forced SSH command fixes are in FIXED.
GLOBALS: dict[str, Any] = {
    "config_file": Annotated[
        str, typer.Option("--config", metavar="FILE", help=N_("Read the settings from this file"))
    ],
    "database": Annotated[
        str, typer.Option("--database", metavar="URL", help=N_("The desk: a file or a database URL"))
    ],
    "agent": Annotated[str, typer.Option("--agent", metavar="LOGIN", help=N_("Which agent you are on this machine"))],
    "acting_as": Annotated[str, typer.Option("--as", metavar="LOGIN", help=N_("Act as another agent (admins only)"))],
    "language": Annotated[
        str, typer.Option("--language", metavar="TAG", help=N_("The language of this program: en, it"))
    ],
    "json": Annotated[bool, typer.Option("--json", help=N_("Answer as JSON"))],
}
FIXED = ("config_file", "database", "agent", "acting_as")
PREFIX = "global_"


def group(*, alone: bool = False) -> typer.Typer:
    """A noun: the verbs of one file. `alone`: the noun without a verb does something too."""
    return typer.Typer(
        add_completion=False, no_args_is_help=not alone, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def verb(
    app: typer.Typer, name: str, help_text: str, *, restricted: bool = False, queried: bool = False
) -> Callable[[Verb], Verb]:
    """Declare a verb of `app`. `help_text` is a msgid; `restricted` verbs run under a forced SSH command too.

    `queried`: its words are a query, in which `-tag:spam` is no option.
    """

    def declare(function: Verb) -> Verb:
        settings = {"ignore_unknown_options": True} if queried else None
        app.command(name, help=help_text, context_settings=settings)(with_session(function, allowed=restricted))
        return function

    return declare


def with_session(function: Callable[..., int | None], *, allowed: bool) -> Callable[..., int | None]:
    """The function as Typer calls it: with the context instead of the Session, and with the program's options."""

    def call(ctx: typer.Context, **given: Any) -> int | None:
        session: Session = ctx.obj
        if session.restricted and not allowed:
            raise NotAllowed(_("{what} is not possible under a forced command").format(what=ctx.command_path))
        take_globals(session, {name: given.pop(PREFIX + name) for name in GLOBALS})
        try:
            return function(session, **given)
        finally:
            session.close()

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *global_parameters(),
    ]
    call.__name__ = function.__name__
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def global_parameters(*, hidden: bool = True) -> list[inspect.Parameter]:
    """The program's options as parameters; on a verb only --json is shown, the rest is told by `supportdesk --help`."""
    parameters = []
    for name, annotation in GLOBALS.items():
        kind, option = annotation.__origin__, annotation.__metadata__[0]
        if hidden and name != "json":
            option = typer.Option(*(option.default, *option.param_decls), metavar=option.metavar, hidden=True)
        parameters.append(
            inspect.Parameter(
                PREFIX + name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False if kind is bool else "",
                annotation=Annotated[kind, option],
            )
        )
    return parameters


def take_globals(session: Session, given: dict[str, Any]) -> None:
    """Note the options that were given. Under a forced command those that it fixes cannot be given again."""
    for name, value in given.items():
        if not value:
            continue
        if session.restricted and name in FIXED and getattr(session, name) != value:
            raise NotAllowed(_("the forced command has fixed who you are and which desk this is"))
        session.choose(name, value)
