"""`flashsale learn` as a learner, a teacher and a script use it, on an embedded cluster."""

from __future__ import annotations

import json

import pytest

from flashsale.ui.watch.screen import ENTER, LEAVE
from tests.cli.commands.learner import NAMES, learner
from tests.command import Flashsale, kubectl, make_lean
from tests.terminal import SGR, at_terminal

HELD = '{"metadata": {"finalizers": ["example.com/held"]}}'
LET_GO = '{"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/held"]}}'


def test_the_course_types_the_commands_for_whoever_asks(flashsale: Flashsale) -> None:
    """Real ones, and shows what they print; a dead cluster is said, and does not end it."""
    with learner(flashsale, "--cluster", "embedded") as session:
        assert flashsale("init", str(session.folder)).code == 0
        make_lean(session.folder)
        flashsale.quick_manifest(**{"replicas: 3": "replicas: 1"}).replace(session.manifest)
        session.person.sees("Guess first")
        session.person.types("2")
        session.person.sees("$ flashsale up --cluster embedded my-sale")
        session.person.types("a")
        session.person.sees("init overwrites nothing", "Starting the embedded cluster", "READY 1")
        flashsale.stop_cluster()
        session.person.sees("Type in another terminal: flashsale up")
        session.types("up")
        session.person.sees("READY 1")
        session.person.types("q")
        assert session.person.leaves() == 0
        assert "Go on with: flashsale learn" in session.person.seen


def test_ctrl_c_gives_the_terminal_back(flashsale: Flashsale) -> None:
    """And the exit code says what it was."""
    with learner(flashsale) as session:
        session.person.sees("Guess first")
        session.person.program.send_signal(2)
        assert session.person.leaves() == 130
        assert ENTER in session.person.seen
        assert "\x1b" not in SGR.sub("", session.person.seen.rpartition(LEAVE)[2])


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
        manifest = str(flashsale.lean_manifest())
        assert flashsale("up", "--manifest", manifest, "--replicas", "2").code == 0
        person.sees("There are 2 pods", "2. 2 pods")
        person.types("q")
        assert person.leaves() == 0


def test_a_terminal_that_cannot_draw_is_told_why(flashsale: Flashsale) -> None:
    """It is a terminal, so nobody says that one is needed."""
    with at_terminal(flashsale, "learn", TERM="dumb") as person:
        person.sees("TERM says that this terminal", "TERM=xterm-256color flashsale learn")
        assert person.leaves() == 2


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
    manifest = str(flashsale.lean_manifest())
    assert flashsale("up", "--manifest", manifest, "--replicas", "1").code == 0
    assert flashsale("learn", "--check", "open").code == 0
    before = flashsale("learn", "--check", "kill", "-o", "json")
    assert (before.code, [row["holds"] for row in before.json]) == (1, [False, False])
    victim = flashsale("kill-pod", "-o", "json").json[0]
    after = flashsale("learn", "--check", "--step", "kill", "-o", "json")
    assert (after.code, [row["holds"] for row in after.json]) == (0, [True, True])
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
    assert open_sale("scale", "3").code == 0  # waits for the pod in its place
