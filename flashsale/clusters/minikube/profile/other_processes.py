"""Whether another minikube is at work on a profile: one of the user's, in another terminal.

minikube keeps a lock for the first half of a start only (pkg/minikube/machine/start.go). After that
`status` shows a node that runs without its Kubernetes, as it does for a broken one; and a second
`start` would restart the Docker inside it while the first one waits for pods. The list of processes
tells the two apart.
"""

from __future__ import annotations

import os
import re

from flashsale.clusters.subprocesses import run

CALL = re.compile(  # no option's value, as in `kubectl --context minikube delete`; what follows
    r"(?:^|(?<=[\s/]))(?<!context )(?<!cluster )(?<!profile )minikube\s(?=(.*))"
)
PROFILE = re.compile(r"(?:^|\s)(?:-p|--profile)[\s=](\S+)")
CHANGING = ("start", "stop", "delete")
DEFAULT = "minikube"  # the profile of a call that names none
TIMEOUT, PATIENCE = 5, 1  # seconds for `ps`; between SIGINT and SIGKILL


async def is_at_work(profile: str) -> bool:
    """Whether a process of this user changes the profile; False where nobody lists them.

    Other users of the machine have profiles of their own, of the same name.
    """
    if not hasattr(os, "getuid"):
        return False
    mine = ("ps", "-U", str(os.getuid()), "-ww", "-o", "args=")
    try:
        listed = await run.run_program(*mine, timeout=TIMEOUT, patience=PATIENCE)
    except (OSError, TimeoutError):
        return False
    return any(changes_profile(profile, line) for line in listed.stdout.splitlines())


def changes_profile(profile: str, line: str) -> bool:
    """Whether a process's words are those of a minikube that changes the profile.

    A shell or an interpreter may stand before them, with words of its own.
    """
    return any(_changes(profile, arguments) for arguments in CALL.findall(line))


def _changes(profile: str, arguments: str) -> bool:
    named = PROFILE.search(arguments)
    words = [word for word in PROFILE.sub(" ", arguments).split() if not word.startswith("-")]
    meant = profile == (named[1] if named else DEFAULT) or "--all" in arguments.split()
    return meant and words[:1] in ([command] for command in CHANGING)
