"""The options that every command takes, before or after its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flashsale.base.errors import BadInputError, Hint
from flashsale.cli.command_list import entry

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from flashsale.clusters.select import ClusterOptions
    from flashsale.sale.session import Sale

NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # a label as RFC 1123 has it
CLUSTERS = ("auto", "minikube", "embedded")
VALUED = ("--context", "--cluster", "--profile", "--namespace", "-n", "--output", "-o")
FLAG = re.compile(  # a global option in one word
    r"--(?:allow-remote|debug|quiet|verbose)|-v+|--(?:context|cluster|profile|namespace|output)=.*"
    r"|-[no].+"
)


@dataclass(slots=True)
class Shared:
    """What was typed of the global options; None where nothing was."""

    context: str | None = None
    cluster: str | None = None
    profile: str | None = None
    namespace: str | None = None
    output: str | None = None
    allow_remote: bool = False
    quiet: bool = False
    verbose: int = 0
    debug: bool = False

    @property
    def wanted(self) -> ClusterOptions:
        """What was typed about the cluster."""
        from flashsale.clusters.select import ClusterOptions

        return ClusterOptions(self.context, self.cluster, self.profile, self.allow_remote)

    def sale(self) -> AbstractAsyncContextManager[Sale]:
        """Connect to the sale that is meant, for as long as it is held."""
        from flashsale.sale.session import connect_to_sale

        return connect_to_sale(self.wanted, self.namespace)

    @property
    def json(self) -> bool:
        """Whether the result goes to a machine."""
        return self.output == "json"


def note_option(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """Keep an option that was typed; the last place on the command line wins."""
    if param.name and (value or value == ""):
        setattr(ctx.ensure_object(Shared), param.name, value)
    return value


def option(*names: str, help: str, metavar: str | None = None, count: bool = False) -> Any:
    """Declare a global option: it is remembered, and no function gets it as a parameter."""
    return typer.Option(
        *names,
        help=help,
        metavar=metavar,
        count=count,
        callback=note_option,
        expose_value=False,
        show_default=False,
    )


def declaration(
    context: Annotated[
        str | None, option("--context", metavar="NAME", help="Use this context of the kubeconfig.")
    ] = None,
    cluster: Annotated[
        str | None,
        option(
            "--cluster",
            metavar="|".join(CLUSTERS),
            help="Where the sale runs; auto takes the recorded cluster, else minikube,"
            " else embedded.  [default: auto]",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        option("--profile", metavar="NAME", help="The minikube profile.  [default: minikube]"),
    ] = None,
    namespace: Annotated[
        str | None,
        option(
            *("--namespace", "-n"),
            metavar="NAME",
            help="The namespace of the sale.  [default: default]",
        ),
    ] = None,
    output: Annotated[
        str | None, option("--output", "-o", metavar="FORMAT", help="Print JSON, for a machine.")
    ] = None,
    allow_remote: Annotated[
        bool, option("--allow-remote", help="Allow a context that is not a local cluster.")
    ] = False,
    quiet: Annotated[bool, option("--quiet", help="Print errors alone on stderr.")] = False,
    verbose: Annotated[
        int,
        option(
            "--verbose", "-v", count=True, help="Log on stderr what is done and why; -vv logs more."
        ),
    ] = 0,
    debug: Annotated[bool, option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Declare all global options once; every command gets these parameters."""


def leading(arguments: Sequence[str]) -> int:
    """Count the words at the beginning that are global options and their values."""
    count = 0
    while count < len(arguments):
        if arguments[count] in VALUED:
            count += 2
        elif FLAG.fullmatch(arguments[count]):
            count += 1
        else:
            break
    return min(count, len(arguments))


def shared(ctx: typer.Context) -> Shared:
    """Return the global options, checked; BadInputError for one that is wrong or contradicts."""
    typed, name = ctx.ensure_object(Shared), ctx.info_name or ""
    known = entry(name)
    outputs = known.outputs if known else ()
    if typed.cluster and typed.cluster not in CLUSTERS:
        raise BadInputError(
            f"There is no cluster called '{typed.cluster}'; choose {', '.join(CLUSTERS)}.",
            hint=f"flashsale {name} --cluster embedded",
        )
    if typed.context and typed.cluster:
        raise BadInputError(
            "Give only one of --context, --cluster.",
            hint=Hint(f"flashsale {name} --help", "both say where the sale runs"),
        )
    if typed.profile and typed.cluster == "embedded":
        raise BadInputError(
            "--profile names a minikube profile; the embedded cluster has none.",
            hint=Hint(f"flashsale {name} --help", "give only one of --profile, --cluster embedded"),
        )
    if typed.namespace is not None and not NAMESPACE.fullmatch(typed.namespace):
        raise BadInputError(
            f"'{typed.namespace}' cannot name a namespace: it takes small letters, digits and -.",
            hint=f"flashsale {name} --help",
        )
    if typed.output and typed.output not in outputs:
        raise BadInputError(
            f"This command cannot print '{typed.output}'; it can print {' and '.join(outputs)}.",
            hint=f"flashsale {name} -o {outputs[0]}",
        )
    return typed
