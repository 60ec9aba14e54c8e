"""What was wrong with a command line, and the command line that was probably meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from flashsale.base.errors import BadInputError, Hint
from flashsale.cli.command_list import ENTRIES, entry
from flashsale.cli.global_options import leading

OTHERS_COMMANDS = MappingProxyType(  # what other programs call it: minikube, kubectl, docker, hey
    {
        **dict.fromkeys(("start", "run", "apply", "create", "deploy", "build", "serve"), "up"),
        **dict.fromkeys(("stop", "close", "destroy", "clean", "cleanup", "uninstall"), "down"),
        **dict.fromkeys(("get", "ps", "ls", "list", "pods", "describe", "info"), "status"),
        **dict.fromkeys(("kill", "restart", "terminate"), "kill-pod"),
        **dict.fromkeys(("top", "monitor", "live"), "watch"),
        **dict.fromkeys(("bench", "benchmark", "stress", "buy"), "load"),
        **dict.fromkeys(("test", "chaos"), "drill"),
        **dict.fromkeys(("service", "address"), "url"),
        **dict.fromkeys(("browse", "browser"), "open"),
        **dict.fromkeys(("check", "diagnose"), "doctor"),
        **dict.fromkeys(("log", "tail"), "logs"),
        **dict.fromkeys(("resize", "replicas"), "scale"),
        **dict.fromkeys(("yaml", "template"), "manifest"),
        "new": "init",
        "config": "kubeconfig",
    }
)
FOR_KILLS = {"--force": "--hard", "--now": "--hard", "--grace-period": "--grace", "-f": "--hard"}
FOR_LOAD = {
    **dict.fromkeys(("--rps", "--qps", "-q", "-r"), "--rate"),
    **dict.fromkeys(("--duration", "--time", "-d", "-t", "-z"), "--for"),
}
OTHERS_OPTIONS: Mapping[str, Mapping[str, str]] = {  # "" leaves the value alone
    "up": {"--build": "--rebuild", "-f": "--manifest", "--file": "--manifest", "--tag": "--image"},
    "scale": {"--replicas": "", "--count": ""},
    "kill-pod": {**FOR_KILLS, "--number": "--count", "--random": "", "--pod": ""},
    "load": FOR_LOAD,
    "drill": {**FOR_KILLS, **FOR_LOAD, "--replicas": "--scale", "--for": "--calm"},
    "watch": {"--duration": "--for", "--time": "--for"},
    "logs": {"--lines": "--tail", "-t": "--tail"},
    "down": {"--all": "--purge", "--force": "--purge", "--delete": "--purge"},
    "status": {"--all": "--all-namespaces", "-w": ""},
}
OF_ALL = {"--json": "-o json", "--ns": "-n", "--format": "-o", "--kube-context": "--context"}
PLAINLY = {  # Typer 0.29 shows what pydantic says
    "Input should be a valid integer, unable to parse string as an integer": "no whole number",
    "Input should be a valid number, unable to parse string as a number": "no number",
}
NUMBER = re.compile(r"-\d[\d.]*")


def unknown_command(arguments: Sequence[str]) -> BadInputError:
    """Say that there is no such command, and which command line may have been meant."""
    name, rest = arguments[0], list(arguments[1:])
    known = [one.name for one in ENTRIES]
    places = rest[: leading(rest)]
    others = [word for word in rest[len(places) :] if not word.startswith("-")]
    if name == "help":
        topic = [word for word in others if word in known][:1]
        return _no_command(name, "", ["flashsale", *topic, "--help"])
    if name in ("delete", "rm", "remove"):
        named = [word for word in others if word not in ("pod", "pods", "po")]
        meant = ["kill-pod", *named[:1]] if others else ["down"]
        return _no_command(name, meant[0], ["flashsale", *meant, *places])
    if name in ("kill", "log") and others:
        return _no_command(
            name, OTHERS_COMMANDS[name], ["flashsale", OTHERS_COMMANDS[name], others[0], *places]
        )
    if name in OTHERS_COMMANDS:
        meant = [OTHERS_COMMANDS[name], *({"resize": ["5"], "replicas": ["5"]}.get(name, []))]
        return _no_command(name, meant[0], ["flashsale", *meant, *places])
    close = get_close_matches(name, known, n=1)
    if close:
        return _no_command(name, close[0], ["flashsale", close[0], *rest])
    return _no_command(name, "", ["flashsale", "--help"])


def _no_command(name: str, meant: str, line: Sequence[str]) -> BadInputError:
    question = f" Did you mean '{meant}'?" if meant else ""
    return BadInputError(f"There is no command '{name}'.{question}", hint=shlex.join(line))


def explained(error: Any, arguments: Sequence[str]) -> BadInputError:
    """Word a mistake that Typer found as we word our own; the hint is what was meant."""
    if hasattr(error, "possibilities"):
        return _unknown_option(str(error.option_name), arguments)
    message = " ".join(error.format_message().split())
    for words, plain in PLAINLY.items():
        message = message.replace(words, plain)
    name = _command(arguments)
    return BadInputError(
        message if message.endswith((".", "?")) else f"{message}.",
        hint=" ".join(["flashsale", *([name] if name else []), "--help"]),
    )


def _command(arguments: Sequence[str]) -> str:
    """Name the command of a command line; empty if there is none."""
    after = list(arguments[leading(arguments) :])
    return after[0] if after and entry(after[0]) else ""


def _unknown_option(option: str, arguments: Sequence[str]) -> BadInputError:
    name = _command(arguments)
    typed = next((word for word in arguments if word.startswith(option)), option)
    if name == "scale" and NUMBER.fullmatch(typed):
        from flashsale.sale.replica_count import replica_count

        try:
            replica_count(typed)
        except BadInputError as error:
            return error
    meant = dict(_meant(name, arguments))
    if option not in meant and (close := get_close_matches(option, _options(name), n=1)):
        meant[option] = close[0]
    if option not in meant:
        help_line = " ".join(["flashsale", *([name] if name else []), "--help"])
        return BadInputError(f"No such option: {option}.", hint=help_line)
    question = f" Did you mean {meant[option]}?" if meant[option] else ""
    line = [word for typed in arguments for word in _mended(typed, meant)]
    return BadInputError(
        f"No such option: {option}.{question}", hint=Hint(shlex.join(["flashsale", *line]))
    )


def _meant(name: str, arguments: Sequence[str]) -> list[tuple[str, str]]:
    known = OF_ALL | dict(OTHERS_OPTIONS.get(name, {}))
    words = [word.partition("=")[0] for word in arguments]
    return [(word, known[word]) for word in words if word in known]


def _mended(word: str, meant: Mapping[str, str]) -> list[str]:
    option, equals, value = word.partition("=")
    if option not in meant:
        return [word]
    return [*meant[option].split(), *([value] if equals else [])]


def _options(name: str) -> list[str]:
    """List the long options of a command; of the program itself without one."""
    import typer

    from flashsale.cli.program import application, global_params

    program: Any = typer.main.get_command(application())
    command = program.get_command(None, name) if name else program
    params = [*command.params, *global_params()]
    return [option for param in params for option in param.opts if option.startswith("--")]
