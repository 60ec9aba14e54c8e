"""Colour for text that is complete without it: few, and readable on light and dark."""

from __future__ import annotations

import re

BOLD, RED, GREEN, PURPLE, BLUE = "1", "31", "32", "35", "34"
RULES = (
    (re.compile(r"^(?:NAME|VICTIM|POD) .*$", re.M), BOLD),
    (re.compile(r"\bhttps?://\S+"), f"{BOLD};{BLUE}"),
    (re.compile(r"(?<=  )(?:Running|Completed)(?=  )"), GREEN),
    (re.compile(r"(?<=  )(?:Pending|ContainerCreating|Terminating|PodInitializing)(?=  )"), PURPLE),
    (
        re.compile(
            r"(?<=  )(?:CrashLoopBackOff|Error|Err\w+|ImagePullBackOff|OOMKilled|InvalidImageName"
            r"|Evicted|Failed|Unknown|CreateContainer\w*Error|Init:\S+)(?=  )"
        ),
        RED,
    ),
)
POD_COLOURS = ("36", "35", "34", "32", "33", "31")


def painted(text: str) -> str:
    """Add colour to a table or a sentence: headings, addresses and the STATUS words."""
    for pattern, colour in RULES:
        text = pattern.sub(paint(r"\g<0>", colour), text)
    return text


def paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m"
