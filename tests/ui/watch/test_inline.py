"""The live view in small, under the step of `up`, `scale` and `kill-pod`."""

from __future__ import annotations

from rich.text import Text

from flashsale.objects.models import ReplicaSet
from flashsale.sale.observe.observations import ReplicaSetSeen, Synced
from flashsale.ui.progress import LiveProgress
from flashsale.ui.watch.inline import InlineView, small
from tests.sale.observe.replay import updates
from tests.ui.watch.view_models import many, moment, sight

SIZE = (80, 24)


def plain(lines: list[Text]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def test_a_progress_line_shows_it_below_its_step() -> None:
    """Whatever is told is drawn the next time."""
    progress = LiveProgress()
    view = InlineView(progress)
    assert progress.below == view.draw
    assert view.draw(SIZE) == []
    wanted = ReplicaSet("rs", "rs", 2, 0, 0, 0.0)
    listed = [sight(0.0, "listed", 1, ready=False), sight(0.0, "listed", 2, ready=False)]
    for update in updates([ReplicaSetSeen(0.0, wanted, 1), *listed, Synced(0.0)]):
        view.see(update)
    shown = plain(view.draw(SIZE))
    assert shown[0].startswith(" rs  desired 2  current 2  ready 0  ╍")
    assert [line.split()[1] for line in shown[2:]] == ["flashsale-rs-00001", "flashsale-rs-00002"]


def test_it_is_small() -> None:
    """Two hundred pods take nine lines, and fewer on a low terminal."""
    board, now = moment("03-delete-pod", 2.0)
    assert len(small(board, SIZE, now)) == 8
    assert len(small(many(200), SIZE, now)) == 10
    assert len(small(many(200), (80, 10), now)) == 5
    assert plain(small(many(200), SIZE, now))[-1] == "   and 193 more, 193 of them ready"
