"""The live view in small, under the step of `up`, `scale` and `kill-pod`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from flashsale.sale.ready.conditions import Sight
from flashsale.ui.progress import LiveProgress
from flashsale.ui.watch.inline import InlineView, small
from tests.ui.watch.view_models import many, moment

SIZE = (80, 24)


@dataclass(slots=True)
class Waiting:
    """What `scale` sees while it waits."""

    sight: Sight = field(default_factory=Sight)
    versions: int = 0

    def pod(self, name: str, **status: Any) -> None:
        self.versions += 1
        owner = {"uid": "rs-uid", "controller": True, "kind": "ReplicaSet", "name": "rs"}
        meta = {"name": name, "uid": name, "resourceVersion": str(self.versions)}
        self.sight.pods[name] = {
            "metadata": {**meta, "ownerReferences": [owner]},
            "spec": {"containers": [{"name": "c"}]},
            "status": {"phase": "Pending", **status},
        }

    def replicaset(self, replicas: int) -> None:
        self.sight.replicaset = {
            "metadata": {"name": "rs", "uid": "rs-uid", "resourceVersion": "1"},
            "spec": {"replicas": replicas},
        }


def plain(lines: list[Text]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def test_a_progress_line_shows_it_below_its_step() -> None:
    """Whatever is told is drawn the next time."""
    progress, waiting = LiveProgress(), Waiting()
    view = InlineView(progress)
    assert progress.below == view.draw
    assert view.draw(SIZE) == []
    waiting.replicaset(2)
    waiting.pod("rs-aaaaa")
    view.sight(waiting.sight)
    waiting.pod("rs-bbbbb")
    view.sight(waiting.sight)
    shown = plain(view.draw(SIZE))
    assert shown[0].startswith(" rs  desired 2  current 2  ready 0  ╍")
    assert [line.split()[1] for line in shown[2:]] == ["rs-aaaaa", "rs-bbbbb"]


def test_a_pod_that_is_gone_is_told_from_two_sights() -> None:
    """A sight has only what is there."""
    waiting, view = Waiting(), InlineView(LiveProgress())
    waiting.replicaset(1)
    waiting.pod("rs-aaaaa")
    view.sight(waiting.sight)
    del waiting.sight.pods["rs-aaaaa"]
    view.sight(waiting.sight)
    assert "gone after" in "".join(plain(view.draw(SIZE)))


def test_it_is_small() -> None:
    """Two hundred pods take nine lines, and fewer on a low terminal."""
    board, now = moment("03-delete-pod", 2.0)
    assert len(small(board, SIZE, now)) == 8
    assert len(small(many(200), SIZE, now)) == 10
    assert len(small(many(200), (80, 10), now)) == 5
    assert plain(small(many(200), SIZE, now))[-1] == "   and 193 more, 193 of them ready"


def test_a_victim_is_told_before_the_pod_in_its_place() -> None:
    """Both may come in one sight, in the order of their names; one pod more is no scaling."""
    view, waiting = InlineView(LiveProgress()), Waiting()
    waiting.replicaset(2)
    for name in ("rs-bbbbb", "rs-ccccc"):
        waiting.pod(name)
    view.sight(waiting.sight)
    later = Waiting(versions=2)
    later.replicaset(2)
    for name in ("rs-aaaaa", "rs-bbbbb", "rs-ccccc"):
        later.pod(name)
    later.sight.pods["rs-bbbbb"]["metadata"]["deletionTimestamp"] = "2026-11-23T03:21:00Z"
    view.sight(later.sight)
    shown = plain(view.draw((110, 24)))
    assert shown[0].startswith(" rs  desired 2 ")
    assert any("rs-aaaaa" in line and "replaces rs-bbbbb" in line for line in shown)
