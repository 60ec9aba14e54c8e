"""What the view remembers: places, flashes, ghosts, and when it has to look again."""

from __future__ import annotations

from flashsale.objects.models import ReplicaSet
from flashsale.sale.observe.observations import EventSeen, ReplicaSetSeen, StreamSeen
from flashsale.ui.watch.layout import screen_lines
from flashsale.ui.watch.view_model import (
    FLASH,
    GHOST,
    TICK,
    Board,
    Now,
    next_change,
    shown_events,
    shown_rows,
)
from tests.ui.watch.view_models import fold, many, moment, sight


def names(board: Board, at: float) -> list[str]:
    return [row.seen.pod.name[-1] for row in shown_rows(board, Now(at, at))]


def flashing(board: Board, at: float) -> list[str]:
    """The texts that stand out at a moment."""
    return [
        line.plain[span.start : span.end].strip()
        for line in screen_lines(board, (80, 24), Now(at, at))
        for span in line.spans
        if "reverse" in str(span.style)
    ]


def test_rows_keep_their_places() -> None:
    """Whatever changes, and whoever is told first, nobody moves."""
    board = fold(
        many(5), [sight(1.0, "changed", 3, restarts=1), sight(2.0, "changed", 0, ready=False)]
    )
    assert names(board, 2.0) == ["0", "1", "2", "3", "4"]


def test_a_replacement_comes_below_its_victim_and_stays_there() -> None:
    """So the eye finds it, and nothing jumps when the victim's row goes."""
    dying = sight(1.0, "changed", 2, terminating=True, status="Terminating")
    board = fold(many(5), [dying, sight(1.1, "added", 7, ready=False)])
    assert names(board, 1.2) == ["0", "1", "2", "7", "3", "4"]
    board = fold(board, [sight(2.0, "gone", 2, terminating=True)])
    assert names(board, 2.0 + GHOST - 0.1) == ["0", "1", "2", "7", "3", "4"]
    assert names(board, 2.0 + GHOST) == ["0", "1", "7", "3", "4"]


def test_what_changed_flashes_once() -> None:
    """Status, ready and restarts, each by itself, for less than a second."""
    board = fold(
        many(3), [sight(5.0, "changed", 1, ready=False, containers_ready=0, status="Error")]
    )
    assert flashing(board, 5.1) == ["0/1", "Error"]
    assert flashing(board, 5.01 + FLASH) == []


def test_an_age_and_an_address_never_flash() -> None:
    """Only what matters."""
    board = fold(many(3), [sight(5.0, "changed", 1, ip="10.244.0.99", node="other")])
    assert flashing(board, 5.1) == []
    assert flashing(many(3), 60.0) == []


def test_a_pod_that_is_told_again_unchanged_does_not_flash_again() -> None:
    """News without a difference is no change."""
    error = {"ready": False, "containers_ready": 0, "status": "Error"}
    board = fold(many(3), [sight(5.0, "changed", 1, **error), sight(7.0, "changed", 1, **error)])
    assert flashing(board, 7.1) == []


def test_events_of_one_second_are_listed_as_they_were_written() -> None:
    """The scheduler writes microseconds and the kubelet whole seconds: the clock misleads."""

    def event(reason: str, when: float, version: int) -> EventSeen:
        return EventSeen(0.0, "Pod", "a", "Normal", reason, "", 1, True, when, version)

    listed = [event("Started", 7.0, 12), event("Scheduled", 7.5, 11), event("Killing", 6.9, 10)]
    board = fold(many(1), listed)
    assert [one.reason for one in board.events] == ["Killing", "Scheduled", "Started"]


def test_events_of_a_closed_sale_are_not_of_this_one() -> None:
    """Of the same names, within the same second; those of pods that are there count always."""
    opened = 100.0  # unix seconds, whole

    def event(reason: str, uid: str, when: float, kind: str = "Pod") -> EventSeen:
        return EventSeen(0.0, kind, "x", "Normal", reason, "", 1, True, when, 1, uid)

    wanted = ReplicaSet("flashsale-rs", "rs", 3, 3, 3, opened)
    earlier = [
        event("Adopted", sight(0.0, "listed", 1).pod.uid, 90.0),
        event("Killing", "closed-pod", 99.0),
        event("SuccessfulDelete", "closed-rs", 100.2, "ReplicaSet"),
        event("Stopped", "closed-pod", 100.3),
        event("SuccessfulCreate", "rs", 100.0, "ReplicaSet"),
        event("Late", "closed-rs", 101.0, "ReplicaSet"),
        event("Gone", "killed-since", 105.0),
    ]
    board = fold(many(3), [*earlier, ReplicaSetSeen(1.0, wanted, 2)])
    assert [shown_event.reason for shown_event in shown_events(board)] == [
        "Adopted",
        "SuccessfulCreate",
        "Gone",
    ]


def test_an_event_that_is_counted_up_moves_to_the_end_and_stays_one() -> None:
    """Not a line for each time."""

    def event(at: float, reason: str, count: int = 1) -> EventSeen:
        return EventSeen(at, "Pod", "a", "Warning", reason, "text", count)

    board = fold(many(1), [event(1.0, "BackOff"), event(2.0, "Pulled"), event(3.0, "BackOff", 2)])
    assert [(one.reason, one.count) for one in board.events] == [("Pulled", 1), ("BackOff", 2)]


def test_calm_old_pods_leave_the_screen_alone() -> None:
    """Ages of hours change once a minute, of days once an hour; nothing else moves."""
    board = many(5)
    assert next_change(board, Now(10.0, 3600.0 * 2 + 0.5)) == 59.5
    assert next_change(board, Now(10.0, 86400.0 * 20)) > 600.0


def test_young_pods_tick_once_a_second() -> None:
    """As their AGE does, and at the moment when it does."""
    assert next_change(many(5), Now(10.0, 30.25)) == 0.75


def test_a_healing_pods_clock_runs() -> None:
    """Four times a second, while it heals."""
    board, now = moment("03-delete-pod", 5.0)
    assert next_change(board, now) == TICK


def test_a_stale_picture_counts_the_seconds() -> None:
    """Even of pods that are days old."""
    board = fold(many(5), [StreamSeen(5.0, "pods", "reconnecting", 1, heard=1.0)])
    assert next_change(board, Now(10.0, 86400.0 * 20)) == 1.0


def test_the_end_of_a_flash_and_of_a_ghost_are_drawn_in_time() -> None:
    """Not at the next tick of an age."""
    board = fold(many(5), [sight(10.0, "changed", 1, restarts=1)])
    assert abs(next_change(board, Now(10.1, 86400.0 * 20)) - (FLASH - 0.1)) < 1e-6
    board = fold(many(5), [sight(10.0, "gone", 1, terminating=True)])
    assert next_change(board, Now(11.0, 86400.0 * 20)) <= GHOST - 1.0
