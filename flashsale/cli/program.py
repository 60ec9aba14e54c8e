"""The program `flashsale`: finds the command that was typed and imports only that one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib import import_module
from itertools import groupby
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from flashsale import __version__
from flashsale.cli.command_list import ENTRIES, HOW, SALE, CommandEntry, entry
from flashsale.cli.options import global_options
from flashsale.cli.output import ReaderLeftError, set_verbosity

EXAMPLES = (
    ("flashsale up", "open the sale, whatever this machine has"),
    ("flashsale scale 5", "five pods instead of three"),
    ("flashsale kill-pod", "kill one, and see Kubernetes replace it"),
    ("flashsale up --context kind-dev", "on a cluster of your own"),
    ("flashsale down", "close it and leave nothing behind"),
)
MOST_WIDTH = 110  # columns: longer lines are hard to read
LEAST_TEXT = 20  # columns beside the names of options; else they stand below


class Command(TyperCommand):
    """A command whose help keeps the global options apart from its own, and ends with examples."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; only a number or a path that was typed has to be converted."""
        convert_what_differs(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, as talkative as it was asked to be."""
        set_verbosity(ctx.obj)
        return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, own options and global options, each under a heading of its own."""
        known = entry(self.name or "")
        assert known is not None
        own: list[Any] = [param for param in self.get_params(ctx) if not is_global(param)]
        arguments = [param for param in own if param.param_type_name == "argument"]
        options = (param.get_help_record(ctx) for param in own if param not in arguments)
        write_list(formatter, "Arguments", [(param.metavar, param.help) for param in arguments])
        write_list(formatter, "Options", [*filter(None, options)])
        write_list(formatter, "Global options", global_rows(ctx, known))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        known = entry(self.name or "")
        write_list(formatter, "Examples", known.examples if known else ())


class Program(TyperGroup):
    """The commands of the list, each loaded when it is needed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take global options before the command's name as if they stood behind it."""
        count = global_options.leading(args)
        before, rest = args[:count], args[count:]
        if before and not rest:
            args = []
        elif before and not rest[0].startswith("-"):
            args = [rest[0], *before, *rest[1:]]
        convert_what_differs(self.get_params(ctx))
        try:
            return super().parse_args(ctx, args)
        except BrokenPipeError as error:  # of the help
            raise ReaderLeftError from error

    def list_commands(self, ctx: Any) -> list[str]:
        return [known.name for known in ENTRIES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None if there is none of that name."""
        known = entry(cmd_name)
        if known and cmd_name not in self.commands:
            self.commands[cmd_name] = import_command(known)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Suggest among all commands, and the words that others use, when a name is unknown."""
        if args and entry(args[0]) is None:
            from flashsale.cli.usage_errors import unknown_command

            raise unknown_command(args)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. A reader of our output that left is no error, but Typer exits with 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderLeftError from error

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for section, entries in groupby(ENTRIES, key=lambda known: known.section):
            write_list(formatter, section, [(known.name, known.help) for known in entries])
        rows = [row for param in self.get_params(ctx) if (row := param.get_help_record(ctx))]
        write_list(formatter, "Options", rows)
        write_list(formatter, "Global options", global_rows(ctx))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        write_list(formatter, "Examples", EXAMPLES)


def is_global(param: Any) -> bool:
    """Whether an option is one that every command takes."""
    return any(param is known for known in global_params())


def global_rows(ctx: Any, known: CommandEntry | None = None) -> list[tuple[str, str]]:
    """Describe the global options that do something in a command; all of them without one."""
    rows = []
    for param in global_params():
        if param.name in (known.shared if known else SALE) or param.name in HOW:
            name, text = param.get_help_record(ctx)
            outputs = "|".join(known.outputs if known else ("json",))
            rows.append((name.replace("FORMAT", outputs), text))
    return rows


def write_list(formatter: Any, heading: str, rows: Any) -> None:
    """Write names and what they mean in two columns; in a narrow terminal one below the other."""
    if not rows:
        return
    longest = max(len(name) for name, _ in rows)
    room = formatter.width - LEAST_TEXT if heading != "Examples" else formatter.width
    with formatter.section(heading):
        formatter.write_dl(rows, col_max=max(8, min(longest, 36, room)))


@cache
def global_params() -> list[Any]:
    holder = typer.Typer(add_completion=False)
    holder.command()(global_options.declaration)
    return list(typer.main.get_command(holder).params)


def import_command(known: CommandEntry) -> TyperCommand:
    """Import one command's module and make its function a command that takes global options."""
    module = import_module(f"flashsale.cli.commands.{known.function}")
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.command(known.name, cls=Command, context_settings=settings())(
        getattr(module, known.function)
    )
    command = typer.main.get_command(holder)
    assert isinstance(command, TyperCommand)
    command.params = [*command.params, *global_params()]
    return command


def settings() -> dict[str, Any]:
    """Let help use the width of the terminal; `-h` means `--help`."""
    columns = min(shutil.get_terminal_size().columns, MOST_WIDTH)
    return {"help_option_names": ["-h", "--help"], "terminal_width": max(1, columns - 1)}


def convert_what_differs(params: Iterable[Any]) -> None:
    """Have Typer convert no value that has its type already, or that was not typed.

    It converts each by pydantic, which takes longer to import than most commands to run.
    """
    for param in params:
        param.process_value = partial(process_value, param, type(param).process_value)


def process_value(param: Any, convert: Callable[..., Any], ctx: Any, value: Any) -> Any:
    """Process a value as Typer's ``convert`` does."""
    absent = value is None and not param.required
    if not absent and type(value) is not param.type_descriptor.annotation:
        return convert(param, ctx, value)
    if absent and (param.multiple or param.nargs == -1):
        value = ()
    return param.callback(ctx, param, value) if param.callback else value


def show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flashsale {__version__}")
        raise typer.Exit


def root(
    ctx: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=show_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Run a Kubernetes flash sale from end to end, and count every lost purchase."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help().rstrip())


def application() -> typer.Typer:
    app = typer.Typer(
        cls=Program,
        add_completion=False,  # ours knows the values of options, and pods
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        context_settings=settings(),
    )
    app.callback()(root)
    return app
