"""The program `flashsale`: finds the command that was typed and imports only that one."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from flashsale import __version__
from flashsale.base.errors import FlashsaleError
from flashsale.cli import global_options
from flashsale.cli.command_list import ENTRIES, entry
from flashsale.cli.hints import repeated
from flashsale.cli.main import ctrl_c_interrupts
from flashsale.cli.output import ReaderLeftError
from flashsale.cli.program_arguments import numbers_last, suggesting

EXAMPLES = """\
Examples:
  flashsale up                     open the sale, whatever this machine has
  flashsale scale 5                five pods instead of three
  flashsale kill-pod               kill one, and see Kubernetes replace it
  flashsale up --context kind-dev  on a cluster of your own
  flashsale down                   close it and leave nothing behind
"""
SETTINGS = {"help_option_names": ["-h", "--help"]}


class Light:
    """Takes a word as it was typed; leaves everything else to Typer.

    Typer (0.29) reads every value through pydantic, words and missing ones too, and importing that
    takes as long as all the rest of a command line.
    """

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Read one value of one parameter."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if isinstance(value, str) and param.type_descriptor.annotation is str:
            return value
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)


def lightened(param: Any) -> Any:
    """Put :class:`Light` in front of a parameter's own reading, where this Typer has it."""
    if hasattr(param, "_runtime_param"):
        param._runtime_param = Light()
    return param


class Command(TyperCommand):
    """A command whose help keeps the shared options apart from its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words; where unknown options were to be ignored, only numbers are."""
        if ctx.ignore_unknown_options:
            ctx.ignore_unknown_options = False
            args = numbers_last(args, self.get_params(ctx))
        with suggesting(ctx):
            return super().parse_args(ctx, args)

    def get_help_option(self, ctx: Any) -> Any:
        """Give the option `--help`."""
        return lightened(super().get_help_option(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, own options and shared options, each under a heading of its own."""
        write_options(self, ctx, formatter)


class Program(TyperGroup):
    """The commands of the catalogue, each loaded when it is needed."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.params = [*map(lightened, self.params)]

    def get_help_option(self, ctx: Any) -> Any:
        """Give the option `--help`."""
        return lightened(super().get_help_option(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before the command."""
        with suggesting(ctx):
            return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Name all commands, in the catalogue's order."""
        return [one.name for one in ENTRIES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load a command; None if there is none of that name."""
        if cmd_name not in self.commands:
            if entry(cmd_name) is None:
                return None
            self.commands[cmd_name] = load(cmd_name, [p for p in self.params if is_shared(p)])
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Suggest among all commands, not among the loaded ones, when a name is unknown."""
        if args and entry(args[0]) is None and not ctx.resilient_parsing:
            ctx.fail(unknown_command(args[0]))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; its hint repeats where the sale was looked for.

        A reader of our output that left is no error, but Typer exits with 1.
        """
        ctrl_c_interrupts()
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderLeftError from error
        except FlashsaleError as error:
            error.hint = repeated(error.hint, ctx.obj or {})
            raise

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in sections, then the options."""
        for section, entries in groupby(ENTRIES, key=lambda one: one.section):
            with formatter.section(section):
                formatter.write_dl([(one.name, one.help) for one in entries])
        write_options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples as they stand: the formatter would fill them into one paragraph."""
        formatter.write(f"\n{EXAMPLES}")


def unknown_command(name: str) -> str:
    """Say that there is no such command, and which one may have been meant."""
    from difflib import get_close_matches

    close = get_close_matches(name, [one.name for one in ENTRIES], n=1)
    return f"There is no command '{name}'." + (f" Did you mean '{close[0]}'?" if close else "")


def is_shared(param: Any) -> bool:
    """Whether an option is one of those that every command takes."""
    return not param.expose_value and param.callback is not None and param.name != "version"


def write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Write a command's parameters under the headings Arguments, Options and Shared options."""
    headings: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], "Shared": []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record:
            argument = param.param_type_name == "argument"
            shared_one = not argument and is_shared(param)
            heading = "Arguments" if argument else "Shared" if shared_one else "Options"
            headings[heading].append(record)
    for heading, records in headings.items():
        if records:
            with formatter.section(heading if heading != "Shared" else "Options of all commands"):
                formatter.write_dl(records)


def load(name: str, shared_params: list[Any]) -> TyperCommand:
    """Import one command's module and make its function a command that takes the shared options."""
    found = entry(name)
    assert found is not None
    module = import_module(f"flashsale.cli.commands.{found.function}")
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = SETTINGS | getattr(module, "SETTINGS", {})
    holder.command(name, cls=Command, context_settings=settings)(getattr(module, found.function))
    command = typer.main.get_command(holder)
    command.params = [*map(lightened, command.params), *shared_params]
    assert isinstance(command, TyperCommand)
    return command


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"flashsale {__version__}")
        raise typer.Exit


def root(
    ctx: typer.Context,
    context: global_options.Context = None,
    cluster: global_options.Cluster = None,
    profile: global_options.Profile = None,
    namespace: global_options.Namespace = None,
    output: global_options.Output = None,
    allow_remote: global_options.AllowRemote = False,
    debug: global_options.Debug = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=show_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Run a Kubernetes flash sale from end to end, and count every lost purchase."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@cache
def application() -> typer.Typer:
    """Build the program.

    Typer registers its completion only together with two options of its own, which would stand in
    every help text. So they are there only while a shell asks for completions.
    """
    completing = any(name.endswith("FLASHSALE_COMPLETE") for name in os.environ)
    app = typer.Typer(
        cls=Program,
        add_completion=completing,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        context_settings=SETTINGS,
    )
    app.callback()(root)
    return app
