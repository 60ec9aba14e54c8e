"""Stopping a container: hook, signal, patience, SIGKILL (pkg/kubelet/kuberuntime killContainer).

The hook runs inside the grace period; what is left of it, and at least 2 s, is for the signal:
SIGTERM, or the STOPSIGNAL of the image.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from flashsale.embedded.kubelet.prober.probe_specs import Exec, HttpGet, action_of
from flashsale.embedded.kubelet.prober.prober import HOOK_AGENT, Prober, ProbeTarget
from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.objects.models import Object

MINIMUM = 2.0  # seconds between the signal and SIGKILL, whatever the grace period says
SHORTEST = 1.0  # seconds that hooks have, even those of a pod whose object is gone already
HTTP_TIMEOUT = 60.0  # seconds for a hook's request; the grace period usually ends it first


class HookError(Exception):
    """A lifecycle hook failed."""


class Grace:
    """How long a pod may take to stop. It may be cut short while that runs."""

    def __init__(self, seconds: float) -> None:
        self._begin = asyncio.get_running_loop().time()
        self._end = self._begin + max(SHORTEST, seconds)
        self._limits: dict[asyncio.Timeout, float] = {}

    def shorten(self, seconds: float) -> None:
        """Allow only so many seconds from the beginning; more than before is ignored."""
        self._end = min(self._end, self._begin + max(SHORTEST, seconds))
        for limit, floor in self._limits.items():
            if not limit.expired():
                limit.reschedule(max(self._end, floor))

    @contextlib.asynccontextmanager
    async def limit(self, at_least: float = 0.0) -> AsyncIterator[None]:
        """Raise TimeoutError when the grace period ends, but not before ``at_least`` seconds."""
        floor = asyncio.get_running_loop().time() + at_least
        async with asyncio.timeout_at(max(self._end, floor)) as limit:
            self._limits[limit] = floor
            try:
                yield
            finally:
                del self._limits[limit]


async def stop_container(
    instance: Instance, grace: Grace, pre_stop: Callable[[], Awaitable[None]]
) -> None:
    """Stop a container and wait until it has ended; stopping it twice runs the hook once.

    Args:
        pre_stop: runs the hook, if there is one; cancelled when the grace period ends.
    """
    if instance.process.running and not instance.terminated:
        await pre_stop()
    instance.terminate()
    try:
        async with grace.limit(at_least=MINIMUM):
            await instance.process.wait()
    except TimeoutError:
        instance.process.kill()
        await instance.process.wait()


async def run_hook(
    hook: Mapping[str, Any], container: Object, prober: Prober, target: ProbeTarget
) -> None:
    """Run one lifecycle hook: sleep, exec or httpGet, whose answer may be any.

    Raises:
        HookError: it failed.
    """
    if sleep := hook.get("sleep"):
        await asyncio.sleep(sleep.get("seconds") or 0)
    action = action_of(hook, container)
    if isinstance(action, HttpGet):
        outcome = await prober.get(action, HTTP_TIMEOUT, target, HOOK_AGENT)
        if outcome.verdict != "success" and "statuscode" not in outcome.output:
            raise HookError(outcome.output)
    elif isinstance(action, Exec):
        try:
            code, output = await target.instance.run(action.command, None)
        except OSError as error:
            raise HookError(str(error)) from error
        if code:
            raise HookError(f"exit code {code}: {output}")
