"""Whether the sale sells at all: known from the first calm, before anything is done to it.

Killing pods of a sale that confirms no purchase shows nothing, and every loss would look like a
kill's. So the drill ends there, and gives the reason as far as it can be found out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flashsale.base.errors import FlashsaleError, NotReadyError, PurchasesLostError
from flashsale.base.text import continue_sentence
from flashsale.clusters.base import SilentProgress
from flashsale.load.results import Figures, failure_counts
from flashsale.load.tracking import RunLoad
from flashsale.load.worker.orders import LoadTarget
from flashsale.objects.models import Pod
from flashsale.sale.ready.conditions import Deadline
from flashsale.sale.ready.endpoint_check import ANSWER, wait_until_sale_answers
from flashsale.sale.session import Sale

FEWEST = 3  # purchases that must have failed before a sale counts as selling nothing
WAITING = "Waiting for a first confirmed purchase"


@dataclass(frozen=True, slots=True)
class WayToSale:
    """By which way purchases reach the sale, and what sends them."""

    url: str  # the sale's address, for people
    target: LoadTarget
    run_load: RunLoad
    from_here: bool = True  # this machine reaches that address, too


def is_selling(calm: Figures, now: Figures) -> bool | None:
    """Say whether purchases are confirmed; None while that is not known yet.

    Args:
        calm: what was counted when the first calm was over: all that was sent in it must have
            failed before the sale counts as selling nothing.
    """
    if now.confirmed:
        return True
    failed = now.rejected + now.lost
    return False if failed >= max(FEWEST, calm.sent) else None


def patience(rate: float, timeout: float) -> float:
    """Return after how many seconds it is known, unless this machine cannot send.

    Args:
        rate: purchases a second.
        timeout: seconds after which a purchase without an answer is lost.
    """
    return 2 * timeout + FEWEST / rate


async def not_selling_error(
    sale: Sale, way: WayToSale, pods: list[Pod], figures: Figures, report: Callable[[str], None]
) -> NotReadyError:
    """Find out why no purchase is confirmed, and make the error that says so.

    Args:
        figures: of purchases none of which was confirmed.
        report: called with what is waited for.
    """
    try:
        if way.from_here:
            within, shown = Deadline.after(ANSWER), _Progress(report)
            await wait_until_sale_answers(sale, way.url, pods, within, shown)
    except NotReadyError as error:
        why, hint = str(error), error.hint
        return NotReadyError(_without_kills(continue_sentence(why)), hint=hint)
    answers = f"{way.url} answers, but no" if way.from_here or figures.rejected else "No"
    why = f"{answers} purchase is confirmed ({failure_counts(figures)})."
    return NotReadyError(_without_kills(why), hint="flashsale logs")


async def nothing_confirmed_error(sale: Sale | None, url: str, figures: Figures) -> FlashsaleError:
    """Make the error of a load that had no purchase confirmed; ``sale`` where it is known."""
    why, hint = f"{url}: {failure_counts(figures)}.", ""
    if sale:
        pods = (await sale.replicaset()).get("status") or {}
        hint = "flashsale logs"
        if not pods.get("readyReplicas"):
            why = f"no pod is ready (0 of {pods.get('replicas', 0)}); {failure_counts(figures)}."
            hint = "flashsale status"
    error = PurchasesLostError if figures.lost else FlashsaleError
    return error(f"None of {figures.sent:,} purchases was confirmed: {why}", hint=hint)


def _without_kills(why: str) -> str:
    return f"The sale sells nothing, so no pod was killed: {why}"


class _Progress(SilentProgress):
    """Passes on what is waited for; there is nothing else to show."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report

    def step(self, text: str) -> None:
        self._report(text)
