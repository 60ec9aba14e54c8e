"""The program `flashsale`: finds the command that was typed and imports only that one."""

from __future__ import annotations

import shutil
from functools import wraps
from importlib import import_module
from itertools import groupby
from typing import Any

import click

from flashsale import __version__
from flashsale.cli.command_list import ENTRIES, HOW, SALE, CommandEntry, entry
from flashsale.cli.options.global_options import GLOBAL_OPTIONS, leading, shared
from flashsale.cli.output import set_verbosity

EXAMPLES = (
    ("flashsale up", "open the sale, whatever this machine has"),
    ("flashsale scale 5", "five pods instead of three"),
    ("flashsale kill-pod", "kill one, and see Kubernetes replace it"),
    ("flashsale up --context kind-dev", "on a cluster of your own"),
    ("flashsale down", "close it and leave nothing behind"),
)
MOST_WIDTH = 110  # columns: longer lines are hard to read
LEAST_TEXT = 20  # columns beside the names of options; else they stand below


class Command(click.Command):
    """A command whose help keeps the global options apart from its own, and ends with examples."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, as talkative as it was asked to be."""
        set_verbosity(ctx.obj)
        return super().invoke(ctx)

    def format_arguments(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments; the line of usage has those that may be missing in brackets."""
        arguments = [param for param in self.params if isinstance(param, click.Argument)]
        rows = [((param.metavar or "").strip("[]"), param.help) for param in arguments]
        write_list(formatter, "Arguments", rows)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write own options and global options, each under a heading of its own."""
        known = entry(self.name or "")
        assert known is not None
        own = [param for param in self.get_params(ctx) if param not in GLOBAL_OPTIONS]
        options = [param.get_help_record(ctx) for param in own if isinstance(param, click.Option)]
        write_list(formatter, "Options", [*filter(None, options)])
        write_list(formatter, "Global options", global_rows(ctx, known))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples as they stand: the formatter would fill them into one paragraph."""
        known = entry(self.name or "")
        write_list(formatter, "Examples", known.examples if known else ())


class Program(click.Group):
    """The commands of the list, each loaded when it is needed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take global options before the command's name as if they stood behind it."""
        count = leading(args)
        before, rest = args[:count], args[count:]
        if before and not rest:
            args = []
        elif before and not rest[0].startswith("-"):
            args = [rest[0], *before, *rest[1:]]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """Name all commands, in the order of the list."""
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

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands in sections, then the options."""
        for section, entries in groupby(ENTRIES, key=lambda known: known.section):
            write_list(formatter, section, [(known.name, known.help) for known in entries])
        rows = [row for param in self.get_params(ctx) if (row := param.get_help_record(ctx))]
        write_list(formatter, "Options", rows)
        write_list(formatter, "Global options", global_rows(ctx))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples as they stand."""
        write_list(formatter, "Examples", EXAMPLES)


def global_rows(ctx: Any, known: CommandEntry | None = None) -> list[tuple[str, str]]:
    """Describe the global options that do something in a command; all of them without one."""
    rows = []
    for param in GLOBAL_OPTIONS:
        if param.name in (known.shared if known else SALE) or param.name in HOW:
            name, text = param.get_help_record(ctx) or ("", "")
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


def import_command(known: CommandEntry) -> click.Command:
    """Import one command's module and make its function a command that takes global options."""
    function = getattr(import_module(f"flashsale.cli.commands.{known.function}"), known.function)

    @wraps(function)  # its options too
    def callback(**values: Any) -> None:
        function(shared(click.get_current_context()), **values)

    command = click.command(known.name, cls=Command, context_settings=settings())(callback)
    command.params.extend(GLOBAL_OPTIONS)
    return command


def settings() -> dict[str, Any]:
    """Let help use the width of the terminal; `-h` means `--help`."""
    columns = min(shutil.get_terminal_size().columns, MOST_WIDTH)
    width = max(1, columns - 1)
    return {"help_option_names": ["-h", "--help"], "terminal_width": width, "show_default": True}


def application() -> Program:
    """Make the program; its callback prints the help where no command is named."""

    @click.group(
        cls=Program,
        invoke_without_command=True,
        subcommand_metavar="COMMAND [ARGS]...",
        context_settings=settings(),
    )
    @click.version_option(
        __version__,
        prog_name="flashsale",
        message="%(prog)s %(version)s",
        help="Print the version and leave.",
    )
    @click.pass_context
    def root(ctx: click.Context) -> None:
        """Run a Kubernetes flash sale from end to end, and count every lost purchase."""
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help().rstrip())

    assert isinstance(root, Program)
    return root
