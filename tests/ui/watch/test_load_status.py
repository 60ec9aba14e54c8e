"""A load in one window is seen in the live view of another."""

from __future__ import annotations

from pathlib import Path

from flashsale.load.results import Figures, LoadProgress
from flashsale.load.status_file import NAME, STALE, StatusFile
from flashsale.ui.watch.load_status import Buyers
from flashsale.ui.watch.view_model import Purchases


def progress(**pods: int) -> LoadProgress:
    """How far a load is."""
    confirmed = sum(pods.values())
    figures = Figures(sent=confirmed + 1, confirmed=confirmed, pods=pods, errors={"refused": 1})
    return LoadProgress(1.0, 30.0, 50.0, figures)


def test_what_is_announced_is_seen_with_each_pods_share(tmp_path: Path) -> None:
    """Of the last second: a pod that came late is not behind for ever."""
    now = 100.0
    announcer = StatusFile(tmp_path, lambda _: None, clock=lambda: now)
    buyers = Buyers(tmp_path, lambda: now)
    announcer(progress(a=30, b=10))
    assert buyers.look({"a", "b"}) == Purchases(50.0, 40, 1, {"a": 0.75, "b": 0.25})
    now = 101.0
    announcer(progress(a=40, b=20, c=20))
    seen = buyers.look({"a", "b"})
    assert seen is not None
    assert seen.shares == {"a": 0.25, "b": 0.25, "c": 0.5}
    assert buyers.look({"a", "b"}) == seen


def test_it_is_written_once_a_second_and_every_observer_is_told(tmp_path: Path) -> None:
    """The crowd tells four times a second."""
    now, progresses = 100.0, list[LoadProgress]()
    announcer = StatusFile(tmp_path, progresses.append, clock=lambda: now)
    announcer(progress(a=1))
    first = (tmp_path / NAME).read_text()
    now = 100.5
    announcer(progress(a=2))
    assert (tmp_path / NAME).read_text() == first
    assert len(progresses) == 2


def test_a_load_that_ended_is_not_shown(tmp_path: Path) -> None:
    """Whether it said goodbye or was killed."""
    now = 100.0
    buyers = Buyers(tmp_path, lambda: now)
    with StatusFile(tmp_path, lambda _: None, clock=lambda: now) as announcer:
        announcer(progress(a=1))
        assert buyers.look({"a"}) is not None
    assert buyers.look({"a"}) is None
    announcer(progress(a=1))
    now += STALE
    assert buyers.look({"a"}) is None


def test_nowhere_to_write_takes_nothing_from_the_load(tmp_path: Path) -> None:
    """On a full disk, say, the load goes on; only nobody else hears of it."""
    progresses = list[LoadProgress]()
    (tmp_path / NAME / "in the way").mkdir(parents=True)
    with StatusFile(tmp_path, progresses.append) as announcer:
        announcer(progress(a=1))
    assert len(progresses) == 1
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_a_load_on_another_sale_is_not_shown(tmp_path: Path) -> None:
    """Its pods have other names."""
    StatusFile(tmp_path, lambda _: None, clock=lambda: 100.0)(progress(x=5))
    assert Buyers(tmp_path, lambda: 100.0).look({"a"}) is None


def test_without_a_state_folder_nobody_is_told(tmp_path: Path) -> None:
    """`load --url` needs none, and makes none."""
    announcer = StatusFile(tmp_path / "none", lambda _: None)
    announcer(progress(a=1))
    assert not (tmp_path / "none").exists()


def test_half_a_file_is_no_file(tmp_path: Path) -> None:
    """Whatever lies there."""
    for text in ("", "{", '{"at": 1}', "[]"):
        (tmp_path / NAME).write_text(text)
        assert Buyers(tmp_path, lambda: 1.0).look({"a"}) is None
