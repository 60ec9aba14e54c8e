"""What a failure of minikube means: by its id, else by its exit code, else in minikube's words.

Of the code the tens are the area, the units the kind. The id may be one that minikube matched on
the error's text (pkg/minikube/reason/exitcodes.go, match.go). Its message is shown and never read,
but for the parts of it that other programs wrote: they tell the cause, and so they come first.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.minikube.cli import INSTALL, NOT_PERMITTED, signal_name
from flashsale.clusters.minikube.home import foreign_files_error
from flashsale.clusters.minikube.profile.condition import up_command
from flashsale.clusters.minikube.start.events import Failure
from flashsale.clusters.minikube.start.start_plan import docker_down_error, locked_error

MISMATCH = 81  # of the profile's driver and the one that was asked for
INTERNET = range(40, 50)
INSIDE = range(80, 110)  # node, runtime, control plane: long messages of many programs
LOCK = "ACQUIRE_LOCK"  # part of the id where another minikube has the lock
SHOWN, LONG = 6, 220  # lines of details; characters of a sentence
SYSTEMS_WORDS = 26  # characters of "No such file or directory" and the like, which name nothing
KUBEADM = re.compile(r"\[ERROR ([^\]]+)\]: (.+)")
DRIVER = re.compile(r"PROVIDER_([A-Z0-9]+)_NOT_FOUND")
COMMAND = re.compile(r"'((?:sudo|docker|minikube|systemctl) [^']+)'")
BY_TEXT = re.compile(r"^(?P<driver>[\w-]+): [^:]+: (?:.*exit status \d+: )?(?P<words>.+)$", re.S)
USAGE = re.compile(r"^Run '\w+ .*--help' for more information$")  # of a program that minikube ran
TELLING = re.compile(r"error|fail|denied|refused|no such|not found|cannot", re.IGNORECASE)
ALL_PROFILES = re.compile(r"delete --all|--purge|[Ee]rase ")  # advice that may cost others
GROUP = "add your user to the group '{}', or have that done where others use this machine too"
JOINING = re.compile(r"usermod -aG (\w+)")  # in minikube's advice: whoever is in it is like root
LOSING = "minikube delete loses what is in it"

# Id or code: sentence, and hint with words behind `#`. {p} is the profile, {up} the `flashsale up`
# for it, {cause} what minikube's message comes down to.
KNOWN: dict[str | int, tuple[str, str]] = {
    2: ("minikube crashed.", f"# update minikube: {INSTALL}"),
    14: ("minikube refuses this: {cause}",
         "minikube config view # settings of yours count, too; see minikube start --help"),
    23: ("There is too little memory for minikube: {cause}", "{up} --memory 2g"),
    26: ("The disk is full: {cause}", "docker system prune"),
    29: ("There are too few CPUs for minikube, which needs two.", "{up} --cpus 2"),
    52: ("The node of '{p}' cannot be reached: {cause}", "{up} --driver docker # or leave a VPN"),
    72: ("The node of '{p}' cannot be reached: {cause}", "{up} --driver docker # or leave a VPN"),
    81: ("Profile '{p}' uses another driver.", "flashsale up --profile NAME"),
    106: ("minikube cannot run that version of Kubernetes in '{p}': {cause}",
          "minikube config unset kubernetes-version"),
    "HOST_CONFIG_LOAD": ("Profile '{p}' is damaged: {cause}", "{up} --recreate"),
    "DRV_AS_ROOT": (
        "minikube's docker driver does not run as root.",
        "# run flashsale as an ordinary user who may use Docker",
    ),
    "DRV_NEEDS_ROOT": ("minikube's driver needs root: {cause}", "{up} --driver docker"),
    "DRV_NOT_DETECTED": (
        "minikube found no driver here.",
        "# install Docker: https://docs.docker.com/engine/install/",
    ),
    "DRV_UNSUPPORTED_OS": ("minikube refuses the driver: {cause}", "{up} --driver docker"),
    "DRV_UNSUPPORTED_PROFILE": (
        "minikube's driver none takes no other profile than 'minikube'.",
        "flashsale up --profile minikube --driver none",
    ),
    "GUEST_MISSING_CONNTRACK": (
        "The driver none needs more programs on this machine: {cause}",
        "{up} --driver docker  # or install what it names",
    ),
    "PROVIDER_DOCKER_NEWGRP": (
        "This user may not use Docker.",
        f"# {GROUP.format('docker')}",
    ),
    "PR_KVM_USER_PERMISSION": (
        "This user may not use KVM.",
        f"# {GROUP.format('libvirt')}",
    ),
}  # fmt: skip
SAYS_NO_MORE = ("DRV_AS_ROOT", "DRV_UNSUPPORTED_PROFILE")  # minikube's message than our sentence
DOCKER_DOWN = (
    *("DRV_DOCKER_NOT_RUNNING", "PROVIDER_DOCKER_NOT_RUNNING"),
    *("PROVIDER_DOCKER_CANNOT_CONNECT", "PROVIDER_DOCKER_REFUSED"),
)


def failure_error(
    failed: Failure, profile: str, log: Path | None = None, *, action: str = "start"
) -> ClusterUnreachableError:
    """Say what a failed command means and what helps; ``log`` is a file with all that was said."""
    if failed.code == NOT_PERMITTED:
        return foreign_files_error(profile, failed.message or failed.log)
    if failed.code == 80 and LOCK in failed.id:
        return locked_error(profile, _details(failed, "", log))
    if failed.id in DOCKER_DOWN:
        return docker_down_error()
    failed = _with_message(failed)
    if failed.code < 0:
        sentence = f"minikube was ended by {signal_name(-failed.code)}."
        hint = Hint(up_command(profile))
    else:
        sentence, hint = _words(failed, profile, action)
    details = _details(failed, sentence, log)
    return ClusterUnreachableError(sentence, hint=hint, details=details)


def _with_message(failed: Failure) -> Failure:
    """Take the first sentence of the advice for a message that minikube left empty."""
    first, stop, rest = failed.advice.partition(". ")
    if failed.message.strip() or not stop:
        return failed
    return replace(failed, message=f"{first}.", advice=rest)


def _words(failed: Failure, profile: str, action: str) -> tuple[str, Hint]:
    """Choose sentence and hint: of this id, of this code, or minikube's own."""
    known = KNOWN.get(failed.id) or KNOWN.get(failed.code)
    cause = _stopped(causes(failed.message)[0]) if failed.message else "it gave no reason."
    if failed.id == "MK_USAGE" and "--ssh-ip-address" in cause:
        hint = f"minikube start -p {profile} --driver ssh --ssh-ip-address ADDRESS"
        return f"minikube refuses this: {cause}", Hint(hint)
    if match := DRIVER.fullmatch(failed.id):
        driver = match[1].lower()
        return f"minikube's driver {driver} is not installed here.", _advice(failed, profile, "")
    if failed.id == "DRV_NOT_HEALTHY":
        return _unhealthy(failed, profile)
    if known:
        names = {"p": profile, "up": up_command(profile), "cause": cause}
        return known[0].format(**names), _hint(known[1].format(**names))
    if failed.code in INTERNET:
        words = "where there is internet; or set HTTPS_PROXY"
        hint = Hint("minikube start --download-only", words)
        return f"minikube cannot get what it needs from the internet: {cause}", hint
    hint = _advice(failed, profile, f"minikube logs -p {profile}")
    reason = failed.id or f"exit code {failed.code}"
    if not failed.message.strip():
        return f"minikube could not {action} '{profile}' ({reason}).", hint
    if failed.code in INSIDE:
        return f"minikube could not {action} '{profile}': {cause}", hint
    return f"minikube could not {action} '{profile}' ({reason}): {cause}", hint


def _unhealthy(failed: Failure, profile: str) -> tuple[str, Hint]:
    """Read what was said about the drivers before the error, which itself only points there."""
    condition = _ailing(failed)
    if not condition:
        return "minikube found no driver that works.", Hint(f"minikube start -p {profile}")
    suggested = COMMAND.search(" ".join(failed.drivers[0]))
    if suggested and (group := JOINING.search(suggested[1])) and group[1] == "docker":
        sentence, hint = KNOWN["PROVIDER_DOCKER_NEWGRP"]
        return sentence, _hint(hint)
    hint = _suggestion(suggested[1]) if suggested else Hint(words=condition[-1])
    return f"minikube found no driver that works: {_stopped(_short(condition[0]))}", hint


def _ailing(failed: Failure) -> list[str]:
    """Write what ails each driver that is installed, and what was suggested."""
    installed = [BY_TEXT.match(line) for line in failed.drivers[0]] if failed.drivers else []
    return [f"{driver['driver']}: {driver['words']}" for driver in installed if driver]


def _advice(failed: Failure, profile: str, default: str) -> Hint:
    """Give minikube's own advice, unless it may cost more than what is broken."""
    advice = failed.advice
    if not advice or ALL_PROFILES.search(advice):
        return Hint(default or f"{up_command(profile)} --driver docker")
    losing = LOSING if "minikube delete" in advice else ""
    command = COMMAND.search(advice)
    if command and advice.startswith(("Run", "Add your user")):
        return _suggestion(command[1], losing)
    return Hint(words=f"{advice}; {losing}" if losing else advice)


def _suggestion(command: str, words: str = "") -> Hint:
    """Hand on a command of minikube's; membership in a group is for people to decide."""
    if group := JOINING.search(command):
        return Hint(words=GROUP.format(group[1]))
    return Hint(command, words)


def _hint(text: str) -> Hint:
    """Part a command from the words behind `#`."""
    command, _, words = text.partition("#")
    return Hint(command.strip(), words.strip())


def causes(message: str) -> list[str]:
    """Give the lines of a message that tell the cause, the most telling first.

    Those are kubeadm's errors, else what the failing program wrote to stderr, else the innermost
    parts of the chain of Go errors.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if matches := KUBEADM.findall(message):
        return [f"{check}: {words}" for check, words in dict.fromkeys(matches)]
    if "stderr:" in lines:
        after = lines[len(lines) - lines[::-1].index("stderr:") :]
        telling_lines = [line for line in after if TELLING.search(line)] or after
        if telling_lines:
            others = [line for line in after if line != telling_lines[-1]]
            return [_short(innermost(telling_lines[-1])), *others]
    return [_short(innermost(lines[0])), *lines[1:]] if lines else ["it gave no reason"]


def innermost(chain: str) -> str:
    """Keep the last part of `outer: inner: innermost`, or two where one says too little.

    A chain of one or two parts is a sentence.
    """
    parts = chain.split(": ")
    if len(parts) <= 2:
        return chain
    return parts[-1] if len(parts[-1]) > SYSTEMS_WORDS else ": ".join(parts[-2:])


def _details(failed: Failure, sentence: str, log: Path | None) -> str:
    """Give what the sentence leaves out of minikube's message."""
    first, *lines = causes(failed.message) if failed.message else [""]
    lines = [line for line in lines if not USAGE.match(line)]
    if sentence and first not in sentence and failed.id not in SAYS_NO_MORE:
        lines = [failed.message.strip().splitlines()[0], *lines]
    if failed.id == "DRV_NOT_DETECTED":
        lines = [line for group in failed.drivers for line in group]
    elif failed.id == "DRV_NOT_HEALTHY":
        ailing = (line for line in _ailing(failed) if not JOINING.search(line))
        lines = [line for line in ailing if _short(line) not in sentence]
    elif not failed.message.strip() and failed.advice:
        lines = []  # that says it
    elif not failed.message.strip():
        lines = failed.log.splitlines()[-SHOWN:]
    shown = [_short(line) for line in lines[:SHOWN]]
    if log and (lines or failed.code in INSIDE):  # else the sentence was all
        shown.append(f"Everything that minikube said: {log}")
    return "\n".join(shown)


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[: LONG - 3]}..."
