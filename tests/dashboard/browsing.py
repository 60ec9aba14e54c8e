"""The real command, and its page in a real browser."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.command import Flashsale

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True, slots=True)
class OnContext(Flashsale):
    """The program with the kubeconfig of whoever runs the tests."""

    kubeconfig: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment that it runs in."""
        return super(OnContext, self).environment | {"KUBECONFIG": self.kubeconfig}


@contextmanager
def dashboard(program: Flashsale, *options: str) -> Iterator[str]:
    """Run the command, and give the address that it prints."""
    with program.start("dashboard", "--no-open", *options) as serving:
        assert serving.stdout is not None
        yield serving.stdout.readline().strip()
        serving.send_signal(signal.SIGINT)
        assert serving.wait(30) == 130


def text(page: Page, selector: str, *, holds: str) -> str:
    """Wait until an element holds a text, and return all of it."""
    found = page.locator(selector).filter(has_text=re.compile(holds)).first
    found.wait_for(state="attached")
    return found.text_content() or ""
