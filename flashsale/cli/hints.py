"""Hints say the whole command: the options that say where the sale is are repeated in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

COMMAND = re.compile(
    r"flashsale (up|down|status|watch|url|open|logs|scale|kill-pod|load|drill|kubeconfig)\b"
)
PLACE = ("context", "cluster", "profile")  # a hint that names one of them names the place itself


def repeated(hint: str, typed: Mapping[str, Any]) -> str:
    """Write a hint with the shared options that were typed, unless it says where to go itself.

    Args:
        typed: the shared options, by the names of :class:`flashsale.cli.global_options.Shared`.
    """
    options = _options(hint, typed)
    return COMMAND.sub(lambda found: f"{found[0]} {options}", hint) if options else hint


def _options(hint: str, typed: Mapping[str, Any]) -> str:
    words = []
    if not any(f"--{name} " in hint for name in PLACE):
        words += [f"--{name} {shlex.quote(typed[name])}" for name in PLACE if typed.get(name)]
        words += ["--allow-remote"] * bool(typed.get("allow_remote"))
    if typed.get("namespace") and " -n " not in hint:
        words.append(f"-n {shlex.quote(typed['namespace'])}")
    return " ".join(words)
