"""What can stand where the cursor is: commands, options, their values, pods of the cluster."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from flashsale.base.errors import FlashsaleError
from flashsale.base.text import quoted
from flashsale.cli.command_list import ENTRIES, HOW, entry
from flashsale.cli.options import global_options

PATIENCE = 0.3  # seconds for a cluster to answer
FILES, FOLDERS = [":files"], [":dirs"]
BREAKS = ":="  # bash completes only what follows one of them
PATHS = {"--manifest": FILES, "--report": FILES, "--compare": FILES}
FIXED = {
    "--cluster": global_options.CLUSTERS,
    "--arrivals": ("even", "poisson"),
    "--driver": ("docker", "podman", "kvm2", "qemu2", "hyperkit", "vfkit", "virtualbox", "none"),
}


def print_answers(environ: Mapping[str, str]) -> None:
    """Print the candidates that a shell asks for, and leave at once: threads may be waiting."""
    shell = environ.get("_FLASHSALE_COMPLETE", "").removeprefix("complete_")
    words, incomplete = typed_words(environ)
    answers = completions(words, incomplete)
    if shell == "bash":
        cut = 1 + max(incomplete.rfind(mark) for mark in BREAKS)
        answers = [quoted(line.partition("\t")[0][cut:]) for line in answers]
    sys.stdout.write("".join(f"{line}\n" for line in answers))
    sys.stdout.flush()


def typed_words(environ: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the words after the program's name, and the one at the cursor, which may be empty."""
    if "COMP_LINE" not in environ:
        lines = environ.get("COMP_WORDS", "")
        if environ.get("_FLASHSALE_COMPLETE") == "fish":
            lines = lines.removesuffix("\n")  # it ends each word with a line feed
        _, *words = lines.split("\n")
        return (words[:-1], words[-1]) if words else ([], "")
    line = environ["COMP_LINE"]
    words = _split(line)
    if not words or (line[-1:].isspace() and not line.endswith("\\ ")):
        words.append("")
    return words[1:-1], words[-1] if len(words) > 1 else ""


def _split(line: str) -> list[str]:
    """Split a command line as a shell does, one that ends inside of a quoted word too."""
    for end in ("", '"', "'"):
        try:
            return shlex.split(line + end)
        except ValueError:
            continue
    return line.split()


def completions(words: list[str], incomplete: str) -> list[str]:
    """List what can stand at the cursor: a value and, after a tab, what it means."""
    count = global_options.leading(words)
    before, rest = words[:count], words[count:]
    if not rest:
        return _before_the_command(before, incomplete)
    command = _command(rest[0])
    if command is None:
        return []
    typed = [*before, *rest[1:]]
    option, equals, value = incomplete.partition("=")
    if equals and option.startswith("--"):
        return [f"{option}={line}" for line in _starting(value, _values(option, rest[0], typed))]
    if typed and (taking := _taking_value(command, typed)):
        return _starting(incomplete, _values(taking, rest[0], typed))
    if incomplete.startswith("-"):
        return _starting(incomplete, _options(command, rest[0], typed))
    return _starting(incomplete, _arguments(command, rest[0], typed))


def _starting(incomplete: str, words: list[str]) -> list[str]:
    return [line for line in words if line.startswith((incomplete, ":"))]


def _before_the_command(before: list[str], incomplete: str) -> list[str]:
    if before and before[-1] in global_options.VALUED and len(before) % 2:
        return _starting(incomplete, _values(before[-1], "", before))
    if not incomplete.startswith("-"):
        return _starting(incomplete, [f"{known.name}\t{known.help}" for known in ENTRIES])
    from flashsale.cli.program import global_params

    own = ["--version\tPrint the version and leave.", "--help\tShow this message and exit."]
    return _starting(incomplete, [*(_described(param) for param in global_params()), *own])


def _command(name: str) -> Any:
    from flashsale.cli.program import import_command

    known = entry(name)
    return import_command(known) if known else None


def _described(param: Any) -> str:
    long = next((name for name in param.opts if name.startswith("--")), param.opts[0])
    return f"{long}\t{(param.help or '').partition('  [')[0]}"


def _is_option(param: Any) -> bool:
    return bool(param.param_type_name == "option")


def _taking_value(command: Any, typed: list[str]) -> str:
    """Name the option whose value is at the cursor; empty if there is none."""
    for param in filter(_is_option, command.params):
        wanted = 0 if param.is_flag or param.count else param.nargs
        names = [at for at, word in enumerate(typed) if word in param.opts]
        if names and 0 < len(typed) - names[-1] <= wanted:
            return str(max(param.opts, key=len))
    return ""


def _options(command: Any, name: str, typed: list[str]) -> list[str]:
    """List the options that do something in this command and are not typed yet."""
    from flashsale.cli.program import is_global

    known = entry(name)
    useful = (*known.shared, *HOW) if known else HOW
    shown = [
        param
        for param in filter(_is_option, command.params)
        if (not is_global(param) or param.name in useful)
        and (param.multiple or not {*param.opts} & {*typed})
    ]
    return [*map(_described, shown), "--help\tShow this message and exit."]


def _arguments(command: Any, name: str, typed: list[str]) -> list[str]:
    """List what the command's argument can be; nothing if it is there already."""
    valued = {
        option
        for param in filter(_is_option, command.params)
        if not (param.is_flag or param.count)
        for option in param.opts
    }
    given = [
        word
        for at, word in enumerate(typed)
        if not word.startswith("-") and not (at and typed[at - 1] in valued)
    ]
    if given:
        return []
    if name in ("up", "init"):
        return FOLDERS
    if name == "completion":
        from flashsale.cli.completion.scripts import SCRIPTS

        return list(SCRIPTS)
    if name == "learn":
        from flashsale.learn.course import OWN

        return [f"{step.name}\t{step.title}" for step in OWN]
    return _asked(_pod_names, typed) if name in ("kill-pod", "logs", "label") else []


def _values(option: str, name: str, typed: list[str]) -> list[str]:
    known = entry(name)
    if option in ("-o", "--output"):
        return list(known.outputs if known else ("json",))
    if option == "--context":
        from flashsale.kube import kubeconfig

        return sorted(kubeconfig.read())
    if option in ("-n", "--namespace"):
        return _asked(_namespaces, typed)
    return PATHS.get(option) or list(FIXED.get(option, ()))


def _asked(ask: Callable[[Any], Awaitable[list[str]]], typed: list[str]) -> list[str]:
    """Ask the sale's cluster, in a thread that nobody waits for longer than a moment."""
    import asyncio
    import threading

    options = _typed_options(typed)
    answers: list[str] = []

    def work() -> None:

        async def answer() -> None:
            async with options.sale() as sale:
                answers.extend(await ask(sale))

        try:
            asyncio.run(answer())
        except (FlashsaleError, OSError):
            return  # there is nothing to complete where nobody answers

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return sorted(answers)


def _typed_options(typed: list[str]) -> global_options.Shared:
    """Read the words that say which cluster and namespace is meant."""
    options = global_options.Shared(allow_remote="--allow-remote" in typed)
    names = {"-n": "namespace", **{f"--{name}": name for name in ("context", "cluster", "profile")}}
    names["--namespace"] = "namespace"
    for at, word in enumerate(typed[:-1]):
        if word in names:
            setattr(options, names[word], typed[at + 1])
    return options


async def _pod_names(sale: Any) -> list[str]:
    return [f"{pod.name}\t{pod.status}" for pod in await sale.own_pods()]


async def _namespaces(sale: Any) -> list[str]:
    return [each["metadata"]["name"] for each in await sale.api.list("/api/v1/namespaces")]
