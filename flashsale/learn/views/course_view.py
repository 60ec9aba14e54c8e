"""What the course shows, for a terminal of any size. State in, lines out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from rich.text import Text

from flashsale.base.text import counted, printable
from flashsale.learn.course_state import HINTS, Tour, begin, figures
from flashsale.learn.step import filled_in
from flashsale.ui.console import BOUND, TOGETHER

Size = tuple[int, int]
MARKS = {"done": "●", "skipped": "–", "open": "○"}
GUESS_KEYS = "1 2 3 guess   "
KEYS = {
    "ask": f"{GUESS_KEYS}s skip   b back   q quit, go on later",
    "do": "h hint   a show me   s skip   b back   q quit, go on later",
    "reveal": "Enter next   b back   q quit, go on later",
    "end": "Enter or q leave   b back",
}
GOES_ON = " \\"  # at the end of a line that a shell goes on with
GOES_ON_LATER = "The course goes on when it is back."
FOOT = 3  # lines below the body


def course_lines(tour: Tour, size: Size, at_place: Callable[[str], str] = str) -> list[Text]:
    """Draw all of it: a heading, the body as far as there is room, the sale, and the keys."""
    width, height = size
    head = [_heading(tour, width), Text("─" * width, style="dim")]
    room = max(1, height - len(head) - FOOT)
    body = _body(tour, width, room, at_place)
    shown = body[_first(tour, body, room) :][:room]
    if len(body) > _first(tour, body, room) + room and room > 1:
        shown[-1] = Text("  ... more: arrow key down", style="dim")
    shown += [Text("")] * (room - len(shown))
    keys = KEYS[tour.part].removeprefix(GUESS_KEYS if tour.lacks else "")
    foot = [_message(tour, width), _sale(tour, at_place), Text(keys, style="bold")]
    return [*head, *shown, *foot]


def _first(tour: Tour, body: Sequence[Text], room: int) -> int:
    return min(tour.offset, max(0, len(body) - room))


def _heading(tour: Tour, width: int) -> Text:
    states = [tour.progress.of(step.name).state for step in tour.steps]
    marks = [MARKS[state] for state in states]
    if tour.part == "end":
        title = "The course is over"
    else:
        marks[tour.index] = "◉"
        title = f"Step {tour.index + 1} of {len(tour.steps)}: {tour.step.title}"
    right = " ".join(marks) if len(title) + 2 * len(marks) < width else ""
    gap = " " * max(1, width - len(title) - len(right))
    return Text.assemble((title, "bold"), gap, right)


def _body(tour: Tour, width: int, room: int, at_place: Callable[[str], str]) -> list[Text]:
    match tour.part:
        case "ask":
            return _question(tour, width)
        case "do":
            return _task(tour, width, room, at_place)
        case "reveal":
            return _reveal(tour, width)
    return _end(tour, width)


def _question(tour: Tour, width: int) -> list[Text]:
    prediction = tour.step.prediction
    counts = "{" in "".join((prediction.text, *prediction.choices))
    if tour.lacks or (counts and not tour.known):  # the question may be about its pods
        return _goal(tour, width)
    lines = [
        *_goal(tour, width),
        Text(""),
        *_filled(tour, f"Guess first. {prediction.text}", width),
    ]
    for number, choice in enumerate(prediction.choices, 1):
        lines += _filled(tour, f"  {number}. {choice}", width)
    return lines


def _task(tour: Tour, width: int, room: int, at_place: Callable[[str], str]) -> list[Text]:
    checks = [Text(""), *_checks(tour, width)]
    if tour.running or tour.output:
        return [*checks[1:], Text(""), *_output(tour, width, room - len(checks))]
    lines = [*_goal(tour, width), Text(""), *_guess(tour, width, with_answer=False), Text("")]
    hint = _hint(tour, width, at_place) if tour.hint else []
    if tour.hint == HINTS:  # the commands themselves need no other task
        return _in_sight(hint, [*lines, *hint, *checks], room)
    for line in tour.step.task:
        lines += _command_or_text(tour, line, width, at_place)
    lines += checks
    return _in_sight(hint, [*lines, Text(""), *hint], room) if hint else lines


def _in_sight(hint: list[Text], lines: list[Text], room: int) -> list[Text]:
    """Put a hint first where it would be below the screen: a key was pressed to see it."""
    if len(lines) <= room:
        return lines
    return [*hint, Text(""), *(line for line in lines if line not in hint)]


def _reveal(tour: Tour, width: int) -> list[Text]:
    lines = [*_guess(tour, width, with_answer=True), Text("")]
    lines += [Text("What happened here:", style="bold")]
    for line in tour.record.reveal:
        style = "cyan" if "says so:" in line else ""
        lines += [Text(part, style=style) for part in _wrapped(printable(line), width)]
    return [*lines, Text(""), *_checks(tour, width)]


def _end(tour: Tour, width: int) -> list[Text]:
    done, right, seconds = figures(tour.steps, tour.progress)
    total = len(tour.steps)
    lines = [
        f"You did {done} of {counted(total, 'step')} and guessed right in {right} of them."
        f" It took {max(1, round(seconds / 60))} min.",
        "",
        "A certificate with your own pods and your own seconds, as a page:",
        "$ flashsale learn --report course.html",
        "",
        "A step again:      flashsale learn STEP",
        "All of it again:   flashsale learn --reset",
    ]
    missing = [step.name for step in tour.steps if tour.progress.of(step.name).state != "done"]
    if missing:
        lines += ["", f"Not done yet: {', '.join(missing)}."]
    return [part for line in lines for part in _command_or_text(tour, line, width, str)]


def _goal(tour: Tour, width: int) -> list[Text]:
    return _filled(tour, " ".join(tour.step.goal.split()), width)


def _guess(tour: Tour, width: int, *, with_answer: bool) -> list[Text]:
    prediction, answer = tour.step.prediction, tour.record.answer
    if not answer:
        return []
    right = answer == prediction.right
    if not with_answer:
        return _filled(tour, f"Your guess: {prediction.choices[answer - 1]}.", width, "dim")
    if right:
        return _filled(
            tour, f"Your guess was right: {prediction.choices[answer - 1]}.", width, "green"
        )
    guess, answered = prediction.choices[answer - 1], prediction.choices[prediction.right - 1]
    text = f"Your guess was: {guess}. Right is: {answered}."
    return _filled(tour, text, width, "magenta")


def _checks(tour: Tour, width: int) -> list[Text]:
    looks = tour.step.look(tour.since)
    proven = tour.record.seen or ("",) * len(looks)
    lines = []
    for check, look, old in zip(tour.step.checks, looks, proven, strict=True):
        mark, style = ("[x]", "green") if old else ("[ ]", "red")
        seen = old or (look.text if tour.known else "looking ...")
        parts = _wrapped(f"{mark} {check.fact}: {printable(seen)}", width, indent="    ")
        lines += [Text(part, style=style) for part in parts]
    return lines


def _hint(tour: Tour, width: int, at_place: Callable[[str], str]) -> list[Text]:
    if tour.hint < HINTS:
        return _filled(
            tour, f"Hint {tour.hint} of {HINTS}: {tour.step.hints[tour.hint - 1]}", width
        )
    lines = _filled(tour, f"Hint {HINTS} of {HINTS}: type this (a types it for you)", width)
    for command in tour.step.commands:
        lines += _command_or_text(tour, f"$ {command}", width, at_place)
    return lines


def _output(tour: Tour, width: int, room: int) -> list[Text]:
    lines = []
    for line in tour.output:
        style = "bold cyan" if line.startswith("$ ") else ""
        parts = textwrap.wrap(printable(line), max(10, width), drop_whitespace=False) or [""]
        lines += [Text(part, style=style) for part in parts]
    if not tour.running:
        lines.append(Text("The command has ended. Enter shows the task again.", style="dim"))
    return lines[-max(2, room) :]


def _command_or_text(
    tour: Tour, line: str, width: int, at_place: Callable[[str], str]
) -> list[Text]:
    if not line.startswith("$ "):
        return _filled(tour, line, width)
    command = at_place(filled_in(line.removeprefix("$ "), tour.words))
    parts = _continued(_wrapped(f"  $ {command}", width - len(GOES_ON), indent="      "))
    return [Text(part, style="bold cyan") for part in parts]


def _continued(parts: Sequence[str]) -> list[str]:
    """Let a shell read broken lines as one when they are pasted; in quotes it does so anyway."""
    quoted, lines = False, []
    for part in parts:
        quoted ^= part.replace('"\'"', "").count("'") % 2 == 1  # as shlex writes an apostrophe
        lines.append(part if quoted or part is parts[-1] else part + GOES_ON)
    return lines


def _filled(tour: Tour, line: str, width: int, style: str = "") -> list[Text]:
    return [Text(part, style=style) for part in _wrapped(filled_in(line, tour.words), width)]


def _wrapped(line: str, width: int, indent: str | None = None) -> list[str]:
    """Break a line at blanks, but not within a figure or the name of a command."""
    if len(line) <= width:
        return [line]
    margin = indent if indent is not None else " " * (len(line) - len(line.lstrip()))
    parts = textwrap.wrap(
        TOGETHER.sub(BOUND, line),
        max(10, width),
        subsequent_indent=margin,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    return [part.replace(BOUND, " ") for part in parts]


def _message(tour: Tour, width: int) -> Text:
    if tour.message:
        return Text(tour.message, style="magenta")
    if tour.lacks:
        return Text(tour.lacks, style="magenta")
    if tour.facts.state == "silent":
        return Text(tour.facts.why, style="red")
    return Text(f"$ {tour.running} ..."[:width] if tour.running else "", style="dim")


def _sale(tour: Tour, at_place: Callable[[str], str]) -> Text:
    facts = tour.facts
    if facts.state == "silent":
        command = at_place(facts.command)
        return Text(f"Type in another terminal: {command}" if command else GOES_ON_LATER)
    if not tour.known:
        return Text("Looking for the sale ...", style="dim")
    counts = facts.numbers
    if counts is None:
        return Text("No sale is open." if facts.state == "closed" else "", style="dim")
    numbers = f"DESIRED {counts.desired}  CURRENT {counts.current}  READY {counts.ready}"
    pods = " ".join(f"{pod.name.rpartition('-')[2]}{'' if pod.ready else '…'}" for pod in facts.own)
    return Text.assemble((numbers, "bold"), f"   {pods}")


def closing_lines(tour: Tour) -> list[str]:
    """What stays on the terminal afterwards."""
    done, _, _ = figures(tour.steps, tour.progress)
    again = begin(tour.steps, tour.progress, None, 0.0)  # as the next start does
    if "end" in (tour.part, again.part):
        return [
            f"{done} of {counted(len(tour.steps), 'step')} done.",
            "A certificate: flashsale learn --report course.html",
        ]
    return [
        f"You stopped at step {again.index + 1} of {len(tour.steps)}: {again.step.title}",
        "Go on with: flashsale learn",
    ]
