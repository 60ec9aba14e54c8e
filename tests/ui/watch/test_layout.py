"""The live view: what is on the screen at moments of real recordings, at any size."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, Group

from flashsale.objects.models import ReplicaSet
from flashsale.sale.observe.observations import EventSeen, Mark, ReplicaSetSeen, StreamSeen
from flashsale.ui.watch.layout import lasting_lines, screen_lines, whole_page
from flashsale.ui.watch.view_model import Board, Now, Purchases, with_message
from tests.ui.watch.view_models import PLACE, fold, live, many, moment, sight, text

STYLES = {"bold", "dim", "green", "magenta", "red", "reverse"}


def test_a_victim_its_replacement_and_the_figures_at_80_by_24() -> None:
    """One glance: who died, who takes the place, and how far that is."""
    shown = text(*moment("03-delete-pod", 1.2))
    assert shown[0].startswith(" flashsale-rs  desired 5  current 5  ready 4  ━")
    assert shown[1].startswith(" minikube · default · http://192.168.49.2:30080")
    assert shown[1].endswith("● live")
    assert shown[3:6] == [
        "   NAME                READY  STATUS             RESTARTS  AGE    IP",
        " ✕ flashsale-rs-gxj9j  1/1    Terminating               0  24s    10.244.0.9",
        " ↳ flashsale-rs-2bk89  0/1    ContainerCreating         0  0s     for gxj9j 0.7s",
    ]
    assert shown[11:13] == [
        "   VICTIM  REPLACED BY  CAUSE     CREATED  STARTED    READY     GONE",
        "   gxj9j   2bk89        deleted    0.02 s        ·        ·        ·",
    ]
    assert shown[-1] == " q quit   ? help   ↑↓ choose   k kill a pod   + - scale"


def test_a_victim_stays_a_few_seconds_as_gone() -> None:
    """With the time it took; then its row folds away, and its replacement keeps its place."""
    gone = text(*moment("03-delete-pod", 2.0))
    after = text(*moment("03-delete-pod", 9.2))
    assert gone[4] == " ○ flashsale-rs-gxj9j  0/1    gone after 1.3 s          0  25s"
    assert "gxj9j" not in "".join(after[3:10]).replace("for gxj9j", "")
    assert after[4].startswith(" ● flashsale-rs-2bk89  1/1    Running")
    assert "   gxj9j   2bk89        deleted    0.02 s   1.42 s   8.43 s   1.27 s" in after


def test_a_pod_that_was_leaving_before_anybody_looked_is_just_gone() -> None:
    """How long it took cannot be known then."""
    leaving = [sight(0.0, "listed", 3, terminating=True), sight(2.0, "gone", 3, terminating=True)]
    shown = text(fold(many(3), leaving), Now(2.5, 2.5))
    assert any(re.match(r" ○ flashsale-rs-00003  1/1    gone   ", line) for line in shown)


def test_the_healings_stay_when_the_view_closes() -> None:
    """With the numbers above them; where nothing died, the numbers alone."""
    board, now = moment("03-delete-pod", 9.2)
    shown = [line.plain for line in lasting_lines(board, now)]
    assert shown[0] == " flashsale-rs  desired 5  current 5  ready 5"
    assert shown[-1] == "   gxj9j   2bk89        deleted    0.02 s   1.42 s   8.43 s   1.27 s"
    assert len(lasting_lines(many(3), Now(1.0, 1.0))) == 1


def test_the_moments_that_matter_stay_on_a_narrow_screen() -> None:
    """Causes give way first, then the earliest moments; nothing is cut off."""
    board, now = moment("03-delete-pod", 9.2)
    whole, last = text(board, now, (60, 24)), "   gxj9j   2bk89           8.43 s   1.27 s"
    assert "   gxj9j   2bk89           0.02 s   1.42 s   8.43 s   1.27 s" in whole
    assert last in text(board, now, (45, 24))
    assert lasting_lines(board, now, 45)[-1].plain == last


def test_wide_terminals_say_it_in_a_sentence() -> None:
    """And show nodes."""
    board, now = moment("03-delete-pod", 1.2)
    shown = text(board, now, (110, 24))
    assert shown[5].endswith("replaces flashsale-rs-gxj9j, 0.7 s")
    assert shown[6].endswith("10.244.0.11      minikube")


def test_a_narrow_terminal_has_the_ready_count_first() -> None:
    """What does not fit is what matters less."""
    board, now = moment("03-delete-pod", 1.2)
    assert text(board, now, (40, 10))[0].startswith(" ready 4  desired 5  current 5  ━")
    assert text(board, now, (20, 6))[0].startswith(" ready 4  desired 5")
    assert text(board, now, (45, 10))[0] == " flashsale-rs  desired 5  current 5  ready 4"


def test_a_page_is_as_wide_and_as_long_as_it_has_to_be() -> None:
    """Nothing of a pod, of the address or of an event is cut off."""
    message = "a very long message " * 20 + "with an end"
    event = EventSeen(0.0, "Pod", "flashsale-rs-p2ptd", "Warning", "BackOff", message)
    board, now = moment("03-delete-pod", 9.2)
    board = replace(board, place=replace(board.place, url="http://shop.example.org/" + "x" * 90))
    shown = [line.plain for line in whole_page(fold(board, [event]), now)]
    assert any(line.endswith("x ● live ") for line in shown)
    assert any("  IP               NODE" in line for line in shown)
    assert sum(line.endswith("  minikube") for line in shown) == 4
    assert any(line.endswith("with an end") for line in shown)


def test_a_crash_is_told_in_kubectls_words() -> None:
    """The same pod comes back; what it waits for is the STATUS."""
    shown = text(*moment("06-container-crash", 12.6))
    line = next(line for line in shown if "CrashLoopBackOff" in line)
    assert line == " ↳ flashsale-rs-dxwrx  0/1    CrashLoopBackOff          1  14s    restart 1.1s"
    assert "   dxwrx   itself       crashed         ·        ·        ·        ·" in shown


def test_two_hundred_pods_are_counted_where_they_do_not_fit() -> None:
    """Those where something happens are among the rows."""
    board = fold(many(200), [sight(1.0, "changed", 150, ready=False, status="Error")])
    shown = text(board, Now(9.0, 9.0))
    assert len(shown) == 24
    assert any("flashsale-rs-00150" in line for line in shown)
    rows = [line for line in shown if "flashsale-rs-00" in line]
    assert f"   and {200 - len(rows)} more, {200 - len(rows)} of them ready" in shown


@given(st.integers(1, 200), st.integers(1, 60), st.sampled_from([1.2, 2.0, 9.2]))
def test_no_size_is_overrun(width: int, height: int, at: float) -> None:
    """Never more lines or columns than there are, however small the terminal."""
    board, now = moment("03-delete-pod", at)
    shown = screen_lines(board, (width, height), now)
    assert len(shown) <= height
    assert all(line.cell_len <= width for line in shown)


@pytest.mark.parametrize("width", range(58, 130, 6))
def test_the_age_is_never_left_out(width: int) -> None:
    """Other columns go first, from the right."""
    board, now = moment("03-delete-pod", 9.2)
    shown = text(board, now, (width, 24))
    assert "  AGE" in shown[3]
    assert all("  32s" in line for line in shown if "p2ptd" in line or "nszqc" in line)


def test_few_colours_and_none_that_vanishes_on_a_light_background() -> None:
    """Only green, magenta and red, beside bold, dim and reverse: no white, no yellow, no fill."""
    board, now = moment("03-delete-pod", 1.2)
    used = {
        str(span.style).strip()
        for line in screen_lines(board, (80, 24), now)
        for span in line.spans
    }
    whole = {str(line.style) for line in screen_lines(board, (80, 24), now)}
    assert {word for style in used | whole for word in style.split()} <= set(
        " ".join(STYLES).split()
    )


def test_without_colour_every_state_has_a_mark_or_a_word() -> None:
    """What a monochrome terminal gets says the same."""
    console = Console(width=80, no_color=True, force_terminal=True)
    board, now = moment("03-delete-pod", 1.2)
    with console.capture() as captured:
        console.print(Group(*screen_lines(board, (80, 24), now)))
    looks = set(re.findall(r"\x1b\[([\d;]*)m", captured.get()))
    shown = re.sub(r"\x1b\[[\d;]*m", "", captured.get())
    assert looks <= {"0", "1", "2", "7"}  # bold, dim and reverse
    for mark in ("● live", "✕ flashsale-rs-gxj9j", "↳ flashsale-rs-2bk89", "● flashsale-rs-p2ptd"):
        assert mark in shown


def test_a_stream_that_is_down_says_for_how_long_the_picture_is_stale() -> None:
    """And which try it is at; the longest silence counts."""
    board = fold(
        many(3),
        [
            StreamSeen(20.0, "pods", "reconnecting", 2, heard=8.0),
            StreamSeen(20.0, "events", "reconnecting", 1, heard=15.0),
        ],
    )
    assert text(board, Now(20.5, 20.5))[1].endswith(
        f"○ as of {time.strftime('%H:%M:%S', time.localtime(8.0))}, 12 s ago; reconnecting (2)"
    )


def test_what_is_stale_is_grey_and_does_not_age() -> None:
    """Numbers, bar and rows: nothing green says that all is well."""
    fresh = fold(many(3), [])
    stale = fold(many(3), [StreamSeen(20.0, "pods", "reconnecting", 2, heard=8.0)])
    now = Now(20.5, 20.5)

    def looks(board: Board) -> set[str]:
        shown = screen_lines(board, (100, 24), now)
        spans = [str(span.style) for line in [shown[0], *shown[4:7]] for span in line.spans]
        return {word for style in spans for word in style.split()}

    assert "green" in looks(fresh)
    assert "green" not in looks(stale)
    assert "dim" in looks(stale)
    assert "8s" in text(stale, now)[4]
    assert "20s" in text(fresh, now)[4]


def test_a_sale_that_was_closed_says_so() -> None:
    """And since when; one that is opened again is one like any other."""
    closed = fold(many(3), [ReplicaSetSeen(5.0, None)])
    at = time.strftime("%H:%M:%S", time.localtime(5.0))
    assert text(closed, Now(9.0, 9.0))[0] == f" The sale was closed at {at}: no ReplicaSet"
    again = fold(closed, [ReplicaSetSeen(8.0, ReplicaSet("flashsale-rs", "n", 1, 0, 0, 0.0), 9)])
    assert text(again, Now(9.0, 9.0))[0].startswith(" flashsale-rs  desired 1")


def test_pods_come_before_events_where_room_is_short() -> None:
    """On a low terminal the events are left out first."""
    event = EventSeen(1.0, "Pod", "flashsale-rs-00001", "Normal", "Started", "words", when=1.0)
    board = fold(many(12), [event])
    low = text(board, Now(9.0, 9.0), (80, 20))
    assert sum("flashsale-rs-000" in line for line in low) == 12
    assert not any("EVENT" in line for line in low)
    assert any("EVENT" in line for line in text(board, Now(9.0, 9.0), (80, 24)))
    hidden = replace(board, events_hidden=True)
    assert not any("EVENT" in line for line in text(hidden, Now(9.0, 9.0), (80, 24)))


def test_events_stand_in_their_order_of_time_however_they_come() -> None:
    """An event that is heard late was not later."""
    events = [
        EventSeen(5.0, "Pod", "flashsale-rs-00001", "Normal", reason, reason, when=when)
        for reason, when in (("Second", 20.0), ("First", 10.0), ("Third", 30.0))
    ]
    shown = "".join(text(fold(many(1), [*events]), Now(9.0, 9.0)))
    assert shown.index("First") < shown.index("Second") < shown.index("Third")


def test_a_replaced_pod_keeps_its_share() -> None:
    """What it replaced stands beside what it sells."""
    board, now = moment("03-delete-pod", 9.2)
    name = "flashsale-rs-2bk89"
    board = replace(board, purchases=Purchases(98.4, 2931, 2, {name: 0.253}))
    row = next(line for line in text(board, now, (120, 24)) if name in line)
    assert "25.3%" in row
    assert "replaced flashsale-rs-gxj9j" in row


def test_why_a_pod_took_its_time_stands_above_the_keys() -> None:
    """For a while, in as many lines as it takes."""
    board, now = moment("03-delete-pod", 9.2)
    shown = " ".join(" ".join(text(board, now)[-4:]).split())
    assert "The ReplicaSet wanted 5, counted 4, created flashsale-rs-2bk89;" in shown
    assert "ready after 8.4 s" in shown
    assert shown.endswith("+ - scale")


def test_a_gap_that_was_caught_up_stays_in_sight() -> None:
    """Live again, and how often that was needed."""
    back = [StreamSeen(5.0, source, "resynced", heard=5.0) for source in ("pods", "events")]
    board = fold(many(3), [*back])
    assert text(board, Now(6.0, 6.0))[1].endswith("● live, re-synced 1x")


def test_before_anything_is_known_it_says_so() -> None:
    """No empty screen."""
    assert text(Board(PLACE), Now(0.0, 0.0))[0] == " connecting"
    first = text(live(Board(PLACE)), Now(0.0, 0.0))
    assert first[0] == " connecting"
    assert not any("no pods" in line for line in first)
    nothing = text(fold(live(Board(PLACE)), [ReplicaSetSeen(0.0, None)]), Now(0.0, 0.0))
    assert nothing[0] == " no ReplicaSet"
    assert any("no pods" in line for line in nothing)


def test_a_pod_that_was_scaled_down_never_stands_among_the_victims() -> None:
    """News of its death may come before the news of the scaling; a real victim has an heir."""
    dying = sight(1.0, "changed", 1, terminating=True, status="Terminating")
    board = fold(many(3), [dying])
    assert not any("VICTIM" in line for line in text(board, Now(1.1, 1.1)))
    fewer = ReplicaSet("flashsale-rs", "rs", 2, 3, 3, 0.0)
    scaled = fold(board, [ReplicaSetSeen(1.2, fewer, 99)])
    assert not any("VICTIM" in line for line in text(scaled, Now(9.0, 9.0)))
    assert any("VICTIM" in line for line in text(board, Now(2.1, 2.1)))
    replaced = fold(board, [sight(1.1, "added", 7, ready=False)])
    assert any("VICTIM" in line for line in text(replaced, Now(1.1, 1.1)))
    struck = fold(many(3), [Mark(0.9, "flashsale-rs-00001"), dying])
    assert any("VICTIM" in line for line in text(struck, Now(1.0, 1.0)))


def test_a_load_shows_purchases_and_each_pods_share() -> None:
    """While one runs; otherwise none of it takes any room."""
    name = "flashsale-rs-00000"
    load = Purchases(98.4, 2931, 2, {name: 0.253})
    shown = text(replace(many(3), purchases=load), Now(9.0, 9.0), (110, 24))
    assert shown[2] == " 98 purchases/s   2,931 confirmed   2 lost"
    assert next(line for line in shown if name in line).split()[6] == "25.3%"
    assert not any("purchases" in line for line in text(many(3), Now(9.0, 9.0)))


def test_an_answer_to_a_key_stands_where_the_keys_are() -> None:
    """For a few seconds."""
    board = with_message(many(3), "flashsale-rs-00001 killed", 5.0)
    assert text(board, Now(6.0, 6.0))[-1] == " flashsale-rs-00001 killed"
    assert text(board, Now(10.0, 10.0))[-1].startswith(" q quit")
