"""`flashsale learn` as a learner, a teacher and a script use it, on an embedded cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flashsale.learn.course import OWN
from flashsale.ui.watch.screen import ENTER, LEAVE
from tests.command import Flashsale, fetched, kubectl
from tests.terminal import SGR, Person, at_terminal

NAMES = [step.name for step in OWN]
HELD = '{"metadata": {"finalizers": ["example.com/held"]}}'
LET_GO = '{"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/held"]}}'
DELAY = "initialDelaySeconds: {}\n"
OFTEN = ("periodSeconds: 5", "periodSeconds: 1")
SHORT = ("seconds: 5 #", "seconds: 1 #")  # nobody waits for preStop here
DRILL = ("drill", "--rate", "20", "--kills", "1", "--scale", "3", "--calm", "300ms")


def states(flashsale: Flashsale) -> dict[str, str]:
    """What became of each step, as a script sees it."""
    return {one["name"]: one["state"] for one in flashsale("learn", "--list", "-o", "json").json}


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
        assert [one["holds"] for one in checked.json] == [False] * len(step.checks)
        deed()
        right = answer == step.prediction.right
        self.person.sees("What happened here", "guess was right" if right else "Right is:", "[x]")
        assert states(self.flashsale)[name] == "done"

    def goes_on(self, title: str) -> None:
        """Press Enter."""
        self.person.types("\r")
        self.person.sees(title)

    def opens(self) -> None:
        self.types("init", str(self.folder))
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
        self.person.sees("in its place")
        self.types("label", pod, "app=flashsale")

    def drills(self) -> None:
        taught = self.folder.parent / "taught.yaml"
        taught.write_text(self.flashsale("manifest", "--as-taught").out)
        changed(taught, (DELAY.format(3), DELAY.format(0)), OFTEN)
        for words in (["--manifest", str(taught)], [str(self.folder)]):
            self.types("up", *words)
            assert self.flashsale(*DRILL).code in (0, 7)

    def mends_the_folder(self) -> None:
        folder = self.folder.parent / "broken-sale"
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


@pytest.mark.timeout(400)
def test_a_whole_course(flashsale: Flashsale, tmp_path: Path) -> None:
    """Right and wrong guesses, quitting and going on, every check red before its deed."""
    with learner(flashsale) as one:
        one.person.sees("Step 1 of 11", "Guess first")
        one.step("open", 1, one.opens)
        one.goes_on("Step 2 of 11")
        one.step("numbers", 3, lambda: one.types("scale", "4", "--no-wait"))
        one.goes_on("Step 3 of 11")
        one.step("buy", 3, one.buys)
        one.goes_on("Step 4 of 11")
        one.person.types("1q")
        assert one.person.leaves() == 0
        assert "You stopped at step 4 of 11" in one.person.seen
    with learner(flashsale) as one:
        one.person.sees("Step 4 of 11", "Your guess: 3 pods")
        one.step("kill", 1, one.kills_with_kubectl)
        one.goes_on("Step 5 of 11")
        one.step("probe", 3, one.mends_the_probe)
        one.goes_on("Step 6 of 11")
        one.step("scale", 2, one.scales)
        one.goes_on("Step 7 of 11")
        one.step("labels", 1, one.quarantines)
        one.goes_on("Step 8 of 11")
        one.step("crash", 2, lambda: one.types("kill-pod", "--process"))
        one.goes_on("Step 9 of 11")
        one.step("lose", 2, one.drills)
        one.goes_on("Step 10 of 11")
        one.step("mend", 2, one.mends_the_folder)
        one.goes_on("Step 11 of 11")
        one.step("close", 3, one.closes)
        one.goes_on("You did 11 of 11 steps; 8 of your guesses were right")
        one.person.types("\r")
        assert one.person.leaves() == 0
    assert set(states(flashsale).values()) == {"done"}
    assert flashsale("learn", "--check").code == 0
    page = tmp_path / "course.html"
    assert flashsale("learn", "--report", str(page)).code == 0
    assert "11 of 11 steps" in page.read_text()
    assert flashsale("learn", "--reset").code == 0
    assert set(states(flashsale).values()) == {"open"}


def test_the_course_types_the_commands_for_whoever_asks(flashsale: Flashsale) -> None:
    """Real ones, and shows what they print; a dead cluster is said, and does not end it."""
    with learner(flashsale, "--cluster", "embedded") as one:
        one.person.sees("Guess first")
        one.person.types("2")
        one.person.sees("$ flashsale up --cluster embedded my-sale")
        one.person.types("a")
        one.person.sees("Starting the embedded cluster", "READY 3")
        flashsale.stop_cluster()
        one.person.sees("The course goes on when it is back")
        one.types("up")
        one.person.sees("READY 3")
        one.person.types("q")
        assert one.person.leaves() == 0
        assert "Go on with: flashsale learn" in one.person.seen


def test_ctrl_c_gives_the_terminal_back(flashsale: Flashsale) -> None:
    """And the exit code says what it was."""
    with learner(flashsale) as one:
        one.person.sees("Guess first")
        one.person.program.send_signal(2)
        assert one.person.leaves() == 130
        assert ENTER in one.person.seen
        assert "\x1b" not in SGR.sub("", one.person.seen.rpartition(LEAVE)[2])


def test_without_colours_everything_is_said_in_words(flashsale: Flashsale) -> None:
    """NO_COLOR, on a narrow terminal too."""
    with at_terminal(flashsale, "learn", size=(40, 16), NO_COLOR="1") as person:
        person.sees("Step 1 of 11", "more: arrow key down")
        person.types("2")
        person.sees("Your guess")
        person.types("\x1b[6~")
        person.sees("[ ]")
        person.types("q")
        assert person.leaves() == 0
        assert not SGR.search(person.seen)


def test_a_step_alone_waits_for_a_sale(flashsale: Flashsale) -> None:
    """It asks nothing about pods that are not there, and says what to type."""
    with at_terminal(flashsale, "learn", "--step", "kill") as person:
        person.sees("Step 4 of 11", "needs an open sale", "flashsale up")
        opened = flashsale("up", "--manifest", str(flashsale.lean_manifest()))
        assert opened.code == 0
        person.sees("There are 3 pods", "2. 3 pods")
        person.types("q")
        assert person.leaves() == 0


def test_without_a_terminal_it_says_what_a_script_can_do(flashsale: Flashsale) -> None:
    """One sentence, and a command that works."""
    done = flashsale("learn")
    assert (done.code, done.out) == (2, "")
    assert "needs a terminal" in done.err
    assert "flashsale learn --list" in done.err


@pytest.mark.parametrize("name", NAMES)
def test_before_there_is_a_sale_no_step_is_proven(flashsale: Flashsale, name: str) -> None:
    """Exit code 1 and a line a fact, not an error."""
    done = flashsale("learn", "--check", name)
    assert done.code == 1
    assert len(done.out.splitlines()) == 2


def test_what_a_script_did_is_proven_without_the_course(flashsale: Flashsale) -> None:
    """For a pipeline: the facts are there, or they are not."""
    assert flashsale("up", "--manifest", str(flashsale.lean_manifest())).code == 0
    assert flashsale("learn", "--check", "open").code == 0
    before = flashsale("learn", "--check", "kill", "-o", "json")
    assert (before.code, [one["holds"] for one in before.json]) == (1, [False, False])
    victim = flashsale("kill-pod", "-o", "json").json[0]
    after = flashsale("learn", "--check", "--step", "kill", "-o", "json")
    assert (after.code, [one["holds"] for one in after.json]) == (0, [True, True])
    assert after.json[1]["seen"] == f"{victim['replacement']} replaced {victim['victim']}"
    assert flashsale("learn", "--check").code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kil", "--check"], "no step 'kil'"),
        (["--list", "--check"], "Give only one of --list, --check"),
        (["--report", "course.pdf"], "writes .html"),
        (["--report", "/no/such/folder/x.html"], "cannot be written"),
        (["--list", "--steps", "/no/such/folder"], "no folder"),
    ],
)
def test_mistakes_are_one_sentence(flashsale: Flashsale, words: list[str], said: str) -> None:
    """Exit code 2, with a hint."""
    done = flashsale("learn", *words)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 2


def test_labels_are_set_and_removed_as_kubectl_does(open_sale: Flashsale) -> None:
    """A pod by the end of its name; what it is not allowed to be is said."""
    pod = open_sale("status", "-o", "json").json["pods"][0]["name"]
    done = open_sale("label", pod[-5:], "tier=gold", "-o", "json")
    assert (done.json["pod"], done.json["labels"]["tier"]) == (pod, "gold")
    gone = open_sale("label", pod, "tier-", "-o", "json")
    assert "tier" not in gone.json["labels"]
    assert json.dumps(gone.json["labels"])
    assert open_sale("label", pod, "tier").code == 2
    assert open_sale("label", "nobody", "tier=gold").code == 2
    kubectl(open_sale, "patch", "pod", pod, "-p", HELD)
    kubectl(open_sale, "delete", "pod", pod, "--wait=false")
    assert "is being deleted" in open_sale("label", pod, "app-").err
    kubectl(open_sale, "patch", "pod", pod, "-p", LET_GO)
