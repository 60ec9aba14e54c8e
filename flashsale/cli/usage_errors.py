"""What was wrong with a command line, and the command line that was probably meant."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from flashsale.base.errors import BadInputError, Hint
from flashsale.cli.command_list import ENTRIES, entry
from flashsale.cli.options.global_options import leading
from flashsale.cli.other_programs import parted, scaled, translated, with_argument, written

FOR_KILLS = {"--force": "--hard", "--now": "--hard", "--grace-period": "--grace", "-f": "--hard"}
FOR_LOAD = {
    **dict.fromkeys(("--rps", "--qps", "-q", "-r"), "--rate"),
    **dict.fromkeys(("--duration", "--seconds", "--time", "-d", "-t", "-z"), "--for"),
}
OTHERS_OPTIONS: Mapping[str, Mapping[str, str]] = {  # "" leaves the value alone
    "up": {
        **dict.fromkeys(("--build", "--no-cache", "--force-recreate"), "--rebuild"),
        **dict.fromkeys(("-f", "--file", "--filename"), "--manifest"),
        **dict.fromkeys(("--scale", "--count", "--pods"), "--replicas"),
        **dict.fromkeys(("-d", "--detach"), "--no-wait"),
        **dict.fromkeys(("-t", "--tag"), "--image"),
    },
    "scale": dict.fromkeys(("--replicas", "--count", "--to", "--pods", "-r"), ""),
    "kill-pod": {
        **FOR_KILLS,
        **dict.fromkeys(("--number", "--pods"), "--count"),
        **dict.fromkeys(("--random", "--pod", "--name"), ""),
        **dict.fromkeys(("-9", "--signal=SIGKILL", "--signal=9"), "--process"),
    },
    "load": FOR_LOAD,
    "drill": {**FOR_KILLS, **FOR_LOAD, "--replicas": "--scale", "--for": "--calm"},
    "watch": {"--duration": "--for", "--time": "--for"},
    "logs": {"--lines": "--tail", "-t": "--tail", "--pod": "", "-p": ""},
    "down": {  # only what says that more is to go may lead to --purge
        **dict.fromkeys(("--delete", "--volumes", "--rmi"), "--purge"),
        **dict.fromkeys(("--all", "--force"), ""),
    },
    "status": {"--all": "--all-namespaces"},
}
OF_ALL = {"--json": "-o json", "--ns": "-n", "--format": "-o", "--kube-context": "--context",
          "-p": "--profile"}  # fmt: skip
ELSEWHERE: Mapping[tuple[str, str], Hint] = {  # what another command does
    **dict.fromkeys(
        [("status", flag) for flag in ("-w", "--watch", "-f", "--follow")], Hint("flashsale watch")
    ),
    **dict.fromkeys(
        [("up", flag) for flag in ("-p", "--port", "--node-port")],
        Hint("flashsale init", "writes a manifest, whose nodePort is yours to choose"),
    ),
    **dict.fromkeys([("", word) for word in ("-V", "-version")], Hint("flashsale version")),
}
PLAINLY = {  # Typer 0.29 shows what pydantic says
    "Input should be a valid integer, unable to parse string as an integer": "no whole number",
    "Input should be a valid number, unable to parse string as a number": "no number",
}
CLOSE = 0.7  # how alike two words are: `donw` and `down`; not `cordon` and `down`
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_ODD_DASH = re.compile(rf"[{DASHES}]|-(?=\w\w)(?!\d)")
NUMBER = re.compile(r"-\d[\d.]*")


def unknown_command(arguments: Sequence[str]) -> BadInputError:
    name, rest = arguments[0], list(arguments[1:])
    known = [entry.name for entry in ENTRIES]
    if name == "help":
        topic = [word for word in rest if word in known][:1]
        return _no_command(name, "", ["flashsale", *topic, "--help"])
    meant, line = translated(arguments)
    if line:
        return _no_command(name, meant, line)
    close = get_close_matches(name.lower(), known, n=1, cutoff=CLOSE)
    if close:
        return _no_command(name, close[0], ["flashsale", *with_argument([close[0], *rest])])
    return _no_command(name, "", ["flashsale", "--help"])


def _no_command(name: str, meant: str, line: Sequence[str]) -> BadInputError:
    question = f" Did you mean '{meant}'?" if meant else ""
    return BadInputError(f"There is no command '{name}'.{question}", hint=written(line))


def usage_error(error: Any, arguments: Sequence[str]) -> BadInputError:
    """Word a mistake that Typer found as we word our own; the hint is what was meant."""
    if hasattr(error, "possibilities"):
        return _unknown_option(str(error.option_name), arguments)
    message = " ".join(error.format_message().split())
    for words, plain in PLAINLY.items():
        message = message.replace(words, plain)
    message = message if message.endswith((".", "?")) else f"{message}."
    extra = _command(arguments) == "scale" and "extra argument" in message
    hint = _scale_line(arguments) if extra else _help_line(_command(arguments))
    return BadInputError(message, hint=hint)


def _scale_line(line: Sequence[str]) -> str:
    """Write the line that scales, without the name of a ReplicaSet, which kubectl has there."""
    line, limit = list(line), []
    if "--timeout" in line:
        at = line.index("--timeout")
        limit = line[at : at + 2]
        del line[at : at + 2]
    places, words = parted(line)
    return shlex.join(["flashsale", *scaled(words), *places, *limit])


def odd_dash(arguments: Sequence[str]) -> BadInputError | None:
    """Find an option that begins with a word processor's dash, or with one `-` too few."""
    options = [*_options(_command(arguments)), *_options("")]
    meant = {word: "--" + word.lstrip(DASHES + "-") for word in arguments if _ODD_DASH.match(word)}
    meant = {word: new for word, new in meant.items() if new.partition("=")[0] in options}
    if not meant:
        return None
    line = shlex.join(["flashsale", *(meant.get(word, word) for word in arguments)])
    word = next(iter(meant))
    return BadInputError(f"{word} is no option: those begin with two hyphens.", hint=line)


def _help_line(name: str) -> str:
    return " ".join(filter(None, ("flashsale", name, "--help")))


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
    elsewhere = ELSEWHERE.get((name, typed.partition("=")[0]))
    if elsewhere and not (typed == "-p" and _names_profile(arguments)):
        return BadInputError(f"No such option: {option}.", hint=elsewhere)
    meant = dict(_meant(name, arguments))
    if option not in meant and (close := get_close_matches(option, _options(name), n=1)):
        meant[option] = close[0]
    if option not in meant:
        return BadInputError(f"No such option: {option}.", hint=_help_line(name))
    question = f" Did you mean {meant[option]}?" if meant[option] else ""
    line = [word for typed in arguments for word in _mended(typed, meant)]
    to_scale = name == "scale" and not meant[option]
    hint = _scale_line(line) if to_scale else shlex.join(["flashsale", *line])
    return BadInputError(f"No such option: {option}.{question}", hint=hint)


def _names_profile(arguments: Sequence[str]) -> bool:
    """Whether what follows `-p` is minikube's profile, and not a port as Docker has it."""
    value = next(iter(arguments[list(arguments).index("-p") + 1 :]), "")
    return value[:1].isalpha()


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
