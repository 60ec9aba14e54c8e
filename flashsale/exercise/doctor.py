"""What this machine has, and what `up` would choose; each finding with what mends it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from flashsale.clusters import choose, findings
from flashsale.clusters import record as records
from flashsale.clusters.choose import Wanted
from flashsale.clusters.findings import Finding
from flashsale.errors import FlashsaleError
from flashsale.kube import contexts

LEAST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30  # bytes; a flashsale image and minikube's node need more, the embedded less


async def examine(wanted: Wanted, home: Path) -> list[Finding]:
    """Look at everything; nothing is started or changed."""
    return [
        python(sys.version_info[:3]),
        state(home),
        disk(home),
        *await findings.all_of_them(wanted.profile or choose.MINIKUBE),
        kubeconfig(),
        embedded(),
        sale(home),
        await choice(wanted, home),
    ]


def python(version: tuple[int, ...]) -> Finding:
    """Judge the interpreter."""
    text = f"Python {'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < LEAST_PYTHON:
        return Finding("python", "problem", f"{text} is too old", "install Python 3.11 or newer")
    return Finding("python", "ok", text)


def state(home: Path) -> Finding:
    """Judge the folder that everything is kept in: can it be written?"""
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Finding("state", "ok", f"kept in {home}")
    return Finding("state", "problem", f"{nearest} cannot be written", "export FLASHSALE_HOME=DIR")


def disk(home: Path) -> Finding:
    """Judge the room on the disk of the state folder."""
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(nearest).free
    text = f"{free / (1 << 30):.1f} GiB free at {nearest}"
    return Finding("disk", "ok" if free > LEAST_FREE else "problem", text, f"df -h {nearest}")


def kubeconfig() -> Finding:
    """List the contexts that `--context` could name."""
    names = sorted(contexts.read())
    if not names:
        return Finding("contexts", "absent", "no kubeconfig with a context")
    return Finding("contexts", "ok", ", ".join(names), f"flashsale up --context {names[0]}")


def embedded() -> Finding:
    """Judge whether the embedded cluster can run here."""
    if sys.platform == "win32":
        return Finding("embedded", "problem", "needs Linux or macOS", "flashsale up --context NAME")
    ports = "" if sys.platform == "linux" else "; pods share one address here, each with its port"
    return Finding("embedded", "ok", f"needs nothing but this Python{ports}")


def sale(home: Path) -> Finding:
    """Tell what is recorded."""
    try:
        recorded = records.read(home)
    except records.UnusableRecordError as error:
        return Finding("sale", "problem", str(error).rstrip("."), error.hint)
    if recorded is None:
        return Finding("sale", "absent", "none is open", "flashsale up")
    return Finding("sale", "ok", f"recorded on {choose.told(recorded)}", "flashsale status")


async def choice(wanted: Wanted, home: Path) -> Finding:
    """Say what `up` would choose, and why."""
    try:
        chosen = await choose.for_opening(wanted, home=home)
    except FlashsaleError as error:
        return Finding("up", "problem", str(error).rstrip("."), error.hint)
    return Finding("up", "ok", f"would use {choose.told(chosen.record)}: {chosen.why}")
