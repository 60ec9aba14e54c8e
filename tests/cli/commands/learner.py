"""Somebody who takes the course in one terminal, and types its commands in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flashsale.learn.course import OWN
from tests.command import Flashsale, fetched, kubectl, make_lean
from tests.terminal import Person, at_terminal

NAMES = [step.name for step in OWN]
DELAY = "initialDelaySeconds: {}\n"
OFTEN = ("periodSeconds: 5", "periodSeconds: 1")
SHORT = ("seconds: 5 #", "seconds: 1 #")  # nobody waits for preStop here
DRILL = ("drill", "--rate", "20", "--kills", "1", "--scale", "3", "--calm", "300ms")


def states(flashsale: Flashsale) -> dict[str, str]:
    """What became of each step, as a script sees it."""
    return {
        entry["name"]: entry["state"] for entry in flashsale("learn", "--list", "-o", "json").json
    }


def changed(file: Path, *pairs: tuple[str, str]) -> None:
    """Write what is new in the place of what was there."""
    text = file.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


class Learner:
    """Somebody with two terminals: the course in one, commands in the other."""

    def __init__(self, flashsale: Flashsale, person: Person, folder: Path) -> None:
        self.flashsale, self.person, self.folder = flashsale, person, folder
        self.manifest = folder / "flashsale-replicaset.yaml"

    def types(self, *words: str) -> None:
        """Type one command in the other terminal."""
        done = self.flashsale(*words)
        assert done.code == 0, (words, done.err)

    def step(self, name: str, answer: int, deed: Callable[[], None]) -> None:
        """Guess, see red, do it, see green and what happened, and go on."""
        step = OWN[NAMES.index(name)]
        self.person.types(str(answer))
        self.person.sees("[ ]")
        checked = self.flashsale("learn", "--check", name, "-o", "json")
        assert checked.code == 1
        assert [row["holds"] for row in checked.json] == [False] * len(step.checks)
        deed()
        right = answer == step.prediction.right
        self.person.sees("What happened here", "guess was right" if right else "Right is:", "[x]")
        assert states(self.flashsale)[name] == "done"

    def skips(self, name: str) -> None:
        """Press s."""
        self.person.types("s")
        self.person.sees(f"Step {NAMES.index(name) + 2} of 11")
        assert states(self.flashsale)[name] == "skipped"

    def goes_on(self, title: str) -> None:
        """Press Enter."""
        self.person.types("\r")
        self.person.sees(title)

    def opens(self) -> None:
        self.types("init", str(self.folder))
        make_lean(self.folder)
        changed(self.manifest, (DELAY.format(3), DELAY.format(2)), OFTEN, SHORT)
        self.types("up", str(self.folder))

    def buys(self) -> None:
        address = self.flashsale("url").out.strip()
        for _ in range(12):
            fetched(f"{address}/buy")

    def a_pod(self) -> str:
        """Name one that stays: those that a scaling made surplus take a while to go."""
        pods = self.flashsale("status", "-o", "json").json["pods"]
        return next(str(pod["name"]) for pod in pods if pod["status"] == "Running")

    def kills_with_kubectl(self) -> None:
        assert "deleted" in kubectl(self.flashsale, "delete", "pod", self.a_pod())

    def mends_the_probe(self) -> None:
        changed(self.manifest, (DELAY.format(2), DELAY.format(0)))
        self.types("up", str(self.folder))
        self.types("kill-pod")

    def scales(self) -> None:
        self.types("scale", "6")
        self.types("scale", "3")

    def quarantines(self) -> None:
        pod = self.a_pod()
        self.types("label", pod, "app-")
        self.person.sees("[x] A pod runs without the label")
        self.types("label", pod, "app=flashsale")

    def drills(self) -> None:
        taught = self.folder.parent / "taught.yaml"
        taught.write_text(self.flashsale("manifest", "--as-taught").out)
        changed(taught, (DELAY.format(3), DELAY.format(0)), OFTEN)
        for words in (["--manifest", str(taught)], []):
            self.types("up", str(self.folder), *words)
            assert self.flashsale(*DRILL).code in (0, 7)

    def mends_the_folder(self) -> None:
        folder = self.folder.parent / "broken-sale"
        make_lean(folder)
        changed(folder / self.manifest.name, SHORT)
        assert self.flashsale("up", str(folder)).code != 0
        changed(folder / self.manifest.name, ("5001", "5000"))
        self.types("up", str(folder))

    def closes(self) -> None:
        self.types("kill-pod", "--all")
        self.person.sees("3 of 3 pods")
        self.types("down")


@contextmanager
def learner(flashsale: Flashsale, *words: str) -> Iterator[Learner]:
    """The course is open, on a terminal of 80 by 24."""
    with at_terminal(flashsale, "learn", *words) as person:
        yield Learner(flashsale, person, flashsale.home.parent / "my-sale")
