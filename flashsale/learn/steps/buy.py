"""Buy: a Service picks a pod per connection, and a browser keeps one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from flashsale.base.text import counted, joined
from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step

ENOUGH = 6  # purchases: that one of three pods makes them all is one chance in 243


def bought(facts: Facts) -> Seen:
    """Enough purchases were made."""
    count = len(facts.evidence.purchases)
    return Seen(count >= ENOUGH, f"{counted(count, 'purchase')} so far")


def several_sold(facts: Facts) -> Seen:
    pods = {purchase.pod for purchase in facts.evidence.purchases}
    return Seen(len(pods) > 1, f"{counted(len(pods), 'pod')} sold something")


def reveal(facts: Facts) -> Sequence[str]:
    shares = Counter(purchase.pod for purchase in facts.evidence.purchases)
    sold = [f"{count} by {pod}" for pod, count in sorted(shares.items())]
    last = max(facts.evidence.purchases, key=lambda purchase: purchase.at, default=None)
    lines = [f"Your purchases: {joined(sold)}."] if sold else []
    lines += [
        "The Service picks a pod at random for each new connection, not for each request.",
        "A browser that keeps its connection stays with its pod. This shop's page closes it after"
        " each answer, so a refresh may show another pod.",
    ]
    if last:
        lines.append(f"kubectl says so: logs {last.pod}: sold {last.item}")
    return lines


STEP = Step(
    name="buy",
    title="Buy something",
    goal=(
        "Buyers know one address, the Service's. They do not know the pods, and need not:\n"
        "pods come and go. Each answer of the shop says which pod gave it. Buy a few times\n"
        "and look at `served_by_pod`. A page in the browser does as well: flashsale open"
    ),
    prediction=Prediction(
        "You buy 8 times, each time with a new connection. Which pods sell?",
        ("one pod, always the same", "all pods, strictly by turns", "several pods, at random"),
        3,
    ),
    task=(
        "Buy at least six times; each curl is a new connection:",
        "$ curl -s $(flashsale url)/buy",
        "Or use the Buy button of the page: flashsale open",
    ),
    checks=(
        Check("Six purchases or more", bought),
        Check("More than one pod sold something", several_sold),
    ),
    hints=(
        "The address is what `flashsale url` prints; /buy behind it buys something.",
        "A loop in the shell buys many times. An app.py of your own must print what it sells.",
    ),
    commands=("U=$(flashsale url); for n in 1 2 3 4 5 6 7 8; do curl -s $U/buy; done",),
    reveal=reveal,
    extras=frozenset({"purchases"}),
)
