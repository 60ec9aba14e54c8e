"""Shares of pods that come and go: judged in stable seconds, against what chance allows."""

from __future__ import annotations

from collections import Counter
from random import Random

from flashsale.drill.analysis.fairness import (
    MembersFrom,
    judge_stable_seconds,
    stable_pods,
    stretches,
)

ABC, BC, BCX = frozenset("abc"), frozenset("bc"), frozenset("bcx")
CHANGES: list[MembersFrom] = [(-1.0, ABC), (10.2, BC), (15.0, BCX)]


def sold(rng: Random, weights: dict[str, int] | None = None) -> dict[int, dict[str, int]]:
    """Thirty seconds of picks among the pods that CHANGES says are there."""
    answers = {}
    for at in range(30):
        pods = sorted(ABC if at < 10 else BC if at < 15 else BCX)
        picks = rng.choices(pods, [(weights or {}).get(pod, 1) for pod in pods], k=100)
        answers[at] = dict(Counter(picks))
    return answers


def test_a_second_is_stable_if_nobody_comes_or_goes_around_it() -> None:
    """Half a second to both sides."""
    assert stable_pods(CHANGES, 8) == ABC
    assert stable_pods(CHANGES, 9) is None  # 10.2 is too near
    assert stable_pods(CHANGES, 10) is None
    assert stable_pods(CHANGES, 11) == BC
    assert stable_pods([], 3) is None


def test_stable_seconds_are_grouped_by_who_was_there() -> None:
    """Each stretch has one set of pods; a whole second at the end counts, half of one does not."""
    assert [(pods, seconds[0], seconds[-1]) for pods, seconds in stretches(CHANGES, 30.7)] == [
        (ABC, 0, 8),
        (BC, 11, 13),
        (BCX, 16, 29),
    ]


def test_a_time_without_pods_is_no_stretch() -> None:
    """There is nothing to share."""
    assert list(stretches([(-1.0, frozenset())], 5.0)) == []


def test_random_picks_are_even() -> None:
    """Although every pod has another total."""
    judgement = judge_stable_seconds(sold(Random(1)), CHANGES, 30.0)
    assert judgement.shares.verdict == "even"
    assert judgement.seconds == 9 + 3 + 14
    assert sum(judgement.got.values()) == 100 * judgement.seconds
    assert sum(judgement.fair.values()) == 100 * judgement.seconds
    assert judgement.fair["x"] * 3 == 1400


def test_a_pod_that_is_preferred_is_noticed() -> None:
    """A tenth more is enough, given some thousand purchases."""
    judgement = judge_stable_seconds(sold(Random(1), {"b": 2}), CHANGES, 30.0)
    assert judgement.shares.verdict == "uneven"


def test_picks_by_chance_are_called_uneven_as_rarely_as_promised() -> None:
    """Once in a thousand runs: not in a hundred of them."""
    verdicts = [
        judge_stable_seconds(sold(Random(n)), CHANGES, 30.0).shares.verdict for n in range(100)
    ]
    assert verdicts.count("uneven") <= 2


def test_nothing_can_be_judged_without_stable_seconds_or_a_choice() -> None:
    """And nothing is claimed then."""
    assert judge_stable_seconds(sold(Random(1)), [], 30.0).shares.verdict == "few"
    assert (
        judge_stable_seconds({0: {"a": 9}}, [(-1.0, frozenset("a"))], 2.0).shares.verdict == "one"
    )


def test_one_pod_is_said_only_where_there_was_one_to_choose() -> None:
    """Whoever sold first: three could be chosen, and one second was too short to judge them."""
    judgement = judge_stable_seconds({0: {"a": 9}}, [(-0.1, ABC)], 1.3).shares
    assert (judgement.verdict, judgement.text) == (
        "few",
        "Too few purchases were confirmed to judge the pods' shares.",
    )
    restless = [(at / 2, BC if at % 2 else ABC) for at in range(60)]
    assert judge_stable_seconds(sold(Random(1)), restless, 30.0).shares.text == (
        "Pods came and went too often to judge their shares."
    )


def test_nobody_has_a_share_of_nothing() -> None:
    """A sale that sells nothing has pods all the same."""
    judgement = judge_stable_seconds({}, [(-1.0, ABC)], 30.0).shares
    assert judgement.text == "No purchase was confirmed, so no pod has a share."
