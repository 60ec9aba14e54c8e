"""`apt-get install` and `apk add`: nothing is installed, but some programs have a stand-in."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence

from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import Shell
from flashsale.embedded.kubelet.images.image_files import ImageFile

# Small programs that containers begin with and few other machines have. A user is of no account
# here, so what changes to another one only goes on.
_INIT = """#!/bin/sh
# Stands in for an init: runs a command, hands signals on to it, ends as it does.
while :; do
    case $1 in
        --) shift; break ;;
        -p | -e | -r | --rewrite) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
"$@" <&0 &
child=$!
for name in TERM HUP QUIT USR1 USR2 INT; do trap "kill -$name $child 2>/dev/null" $name; done
while :; do
    wait $child
    code=$?
    kill -0 $child 2>/dev/null || exit $code
done
"""
_AS_USER = """#!/bin/sh
# Stands in for a program that runs a command as another user; there is one user alone here.
shift
exec "$@"
"""
_OWNER = """#!/bin/sh
# Stands in for one that gives files away: all belong to the one user there is.
exit 0
"""
_OWNERS = ("chown", "chgrp")
STAND_INS = {"tini": _INIT, "dumb-init": _INIT, "gosu": _AS_USER, "su-exec": _AS_USER,
             "chown": _OWNER, "chgrp": _OWNER}  # fmt: skip


def add_system_packages(shell: Shell, words: Sequence[str]) -> None:
    """`apt-get install`, `apk add`: nothing is installed, but some programs have a stand-in.

    Raises:
        ValueError: something else is wanted that this machine does not have.
    """
    command, *wanted = [word for word in words if not word.startswith("-")]
    names = [re.split("[=<>~/:]", name)[0] for name in wanted]
    if command not in ("install", "add"):
        raise ValueError(command)
    known = {*names} & {*STAND_INS}
    for name in known and known.union(_OWNERS):
        if not shutil.which(name) or name in _OWNERS:
            place = f"usr/bin/{name}"
            shell.recipe.files.put(place, ImageFile(STAND_INS[name].encode(), 0o755))
    if missing := [
        package for package in names if package not in STAND_INS and not shutil.which(package)
    ]:
        raise ValueError(missing[0])
