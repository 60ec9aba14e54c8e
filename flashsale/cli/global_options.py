"""The options that every command takes, before or after its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flashsale.base.errors import BadInputError

if TYPE_CHECKING:
    from flashsale.clusters.select import ClusterOptions

NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # a label as RFC 1123 has it
CLUSTERS = ("auto", "minikube", "embedded")


@dataclass(frozen=True, slots=True)
class Shared:
    """What was typed of the shared options; None where nothing was."""

    context: str | None = None
    cluster: str | None = None
    profile: str | None = None
    namespace: str | None = None
    output: str | None = None
    allow_remote: bool = False
    debug: bool = False

    @property
    def wanted(self) -> ClusterOptions:
        """What was typed about the cluster."""
        from flashsale.clusters.select import ClusterOptions

        return ClusterOptions(self.context, self.cluster, self.profile, self.allow_remote)

    @property
    def json(self) -> bool:
        """Whether the result goes to a machine."""
        return self.output == "json"


def remember(ctx: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """Keep an option that was typed; the last place on the command line wins."""
    if value not in (None, False) and param.name:
        ctx.find_root().ensure_object(dict)[param.name] = value
    return value


def option(*names: str, help: str, metavar: str | None = None) -> Any:
    """Declare a shared option: it is remembered, and no function gets it as a parameter."""
    return typer.Option(
        *names,
        help=help,
        metavar=metavar,
        callback=remember,
        expose_value=False,
        show_default=False,
    )


Context = Annotated[
    str | None, option("--context", metavar="NAME", help="Use this context of the kubeconfig.")
]
Cluster = Annotated[
    str | None,
    option(
        "--cluster",
        metavar="|".join(CLUSTERS),
        help="Where the sale runs; auto is the recorded cluster, else minikube, else embedded.",
    ),
]
Profile = Annotated[
    str | None, option("--profile", metavar="NAME", help="The minikube profile.  [minikube]")
]
Namespace = Annotated[
    str | None,
    option("--namespace", "-n", metavar="NAME", help="The namespace of the sale.  [default]"),
]
Output = Annotated[
    str | None,
    option("--output", "-o", metavar="json", help="Print JSON on stdout, for a machine."),
]
AllowRemote = Annotated[
    bool,
    option("--allow-remote", help="Insist on a context that is not a local cluster."),
]
Debug = Annotated[bool, option("--debug", help="Show the traceback of an error.")]


def shared(ctx: typer.Context, *, outputs: tuple[str, ...] = ("json",)) -> Shared:
    """Collect the shared options of one command line.

    Raises:
        BadInputError: two that contradict each other, or an output this command has not.
    """
    typed = Shared(**(ctx.find_root().ensure_object(dict)))
    if typed.cluster and typed.cluster not in CLUSTERS:
        raise BadInputError(
            f"There is no cluster called '{typed.cluster}'; choose {', '.join(CLUSTERS)}.",
            hint="flashsale up --cluster embedded",
        )
    if typed.context and typed.cluster:
        raise BadInputError(
            "--context and --cluster both say where the sale runs; give one of them.",
            hint=f"flashsale {ctx.info_name} --context {typed.context}",
        )
    if typed.namespace is not None and not NAMESPACE.fullmatch(typed.namespace):
        raise BadInputError(
            f"'{typed.namespace}' cannot name a namespace: it takes small letters, digits and -.",
            hint=f"flashsale {ctx.info_name} -n shop",
        )
    if typed.output and typed.output not in outputs:
        raise BadInputError(
            f"This command cannot print '{typed.output}'; it can print {' and '.join(outputs)}.",
            hint=f"flashsale {ctx.info_name} -o {outputs[0]}",
        )
    return typed
