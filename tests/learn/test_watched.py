"""What the course learns from watching, beyond what the objects and events say."""

from __future__ import annotations

from flashsale.learn.course_runner import Watched
from flashsale.sale.observe.healing import REMOVED, SCALED, Died, Happening, NotReplaced
from flashsale.sale.observe.observations import Synced
from flashsale.sale.observe.state import SaleState, Update
from tests.learn.facts import healing

POD = "flashsale-rs-aaaaa"


def surplus(*happenings: Happening, now: float) -> frozenset[str]:
    """The surplus pods after these happenings at 100 s."""
    watched = Watched()
    watched.see(Update(Synced(100.0), SaleState(), happenings))
    return watched.evidence(lambda: now).surplus


def test_a_pod_that_scaling_removed_is_known_without_its_event() -> None:
    """Kubernetes writes no more than some 25 events about one ReplicaSet."""
    one = healing(POD, "")
    assert surplus(NotReplaced(100.0, one, SCALED), now=103.0) == {POD}
    assert surplus(NotReplaced(100.0, one, SCALED), now=101.0) == frozenset()
    assert surplus(NotReplaced(100.0, one, REMOVED), now=103.0) == frozenset()
    assert surplus(NotReplaced(100.0, one, SCALED), Died(100.0, one), now=103.0) == frozenset()
