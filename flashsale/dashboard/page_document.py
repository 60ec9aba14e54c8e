"""What the page is sent: the dashboard's state as one flat document. Pure.

Moments are unix milliseconds, so that a page can count from them by itself; durations are seconds.
"""

from __future__ import annotations

from typing import Any

from flashsale import __version__
from flashsale.base.errors import Hint
from flashsale.dashboard.dashboard_state import Crowd, DashboardState, DrillView, Trouble
from flashsale.load.results import Figures
from flashsale.sale.kill.kill_node import killable_nodes
from flashsale.sale.observe.healing import Healing
from flashsale.ui.watch.view_model import Now, PodRow, shown_healings, shown_rows

HEALINGS = 8  # the youngest


def page_document(state: DashboardState, now: Now, *, read_only: bool) -> dict[str, Any]:
    board, shares = state.board, state.crowd.shares if state.crowd else {}
    if board.purchases and not shares:
        shares = board.purchases.shares
    rows = shown_rows(board, now)
    victims = {
        healing.replacement_uid: healing.victim
        for healing in board.healings
        if not healing.in_place
    }
    document: dict[str, Any] = {"sale": _sale(state, rows, now, read_only=read_only)}
    for row in rows:
        pod = row.seen.pod
        document[f"pod/{pod.uid}"] = {
            **_pod(row, now),
            "share": round(shares[pod.name], 3) if pod.name in shares else None,
            "replaces": victims.get(pod.uid),
            "own": board.state.owns(pod),
        }
    healings = [*shown_healings(board, now), *state.earlier][:HEALINGS]
    document["healings"] = [_healing(healing, now) for healing in healings]
    if board.why:
        document["why"] = board.why
    if board.by_node:
        document["nodes"] = _nodes(state, rows)
        document["node_timing"] = board.place.node_timing
    document["moments"] = [
        [unix_milliseconds(moment.at, now), moment.kind, moment.text] for moment in state.moments
    ]
    for second, sample in state.samples.items():
        document[f"second/{second}"] = [
            unix_milliseconds(second + 1.0, now),
            *(sample.confirmed, sample.lost, sample.desired, sample.ready),
        ]
    if buyers := _buyers(state):
        document["buyers"] = buyers
    if state.drill:
        document["drill"] = _drill(state.drill)
    return document


def unix_milliseconds(at: float, now: Now) -> int:
    """Turn a moment of the monotonic clock into unix milliseconds."""
    return round(1000 * now.unix_time(at))


def written_hint(hint: Hint) -> dict[str, str]:
    return {"command": hint.command, "words": hint.words}


def _sale(
    state: DashboardState, rows: list[PodRow], now: Now, *, read_only: bool
) -> dict[str, Any]:
    board, sale = state.board, state.board.state
    down, own = board.down, sale.replicaset
    return {
        "version": __version__,
        "read_only": read_only,
        "connected": state.connected,
        "cluster": board.place.cluster,
        "namespace": board.place.namespace,
        "url": board.place.url,
        "name": own.name if own else "",
        "known": sale.synced,
        "open": own is not None,
        "closed": board.closed is not None,
        "desired": sale.desired or 0,
        "current": sale.count,
        "ready": sale.ready,
        "stale": {"heard": unix_milliseconds(down.heard, now), "why": down.why} if down else None,
        "trouble": _trouble(state.trouble),
    }


def _nodes(state: DashboardState, rows: list[PodRow]) -> list[dict[str, Any]]:
    nodes = sorted(state.board.state.nodes.values(), key=lambda node: node.name)
    killable = killable_nodes(nodes) if state.kills_nodes else []
    pods = [row.seen for row in rows if row.gone is None]
    return [
        {
            "name": node.name,
            "state": node.state,
            "ready": node.ready,
            "pods": sum(seen.pod.node == node.name for seen in pods),
            "ready_pods": sum(seen.pod.node == node.name and seen.ready for seen in pods),
            "kill": node in killable,
            "start": state.kills_nodes and not node.ready,
        }
        for node in nodes
    ]


def _pod(row: PodRow, now: Now) -> dict[str, Any]:
    pod, seen = row.seen.pod, row.seen
    return {
        "name": pod.name,
        "node": pod.node,
        "slot": list(row.slot),
        "status": "gone" if row.gone is not None else pod.status,
        "phase": _phase(row),
        "ready": f"{pod.containers_ready}/{pod.containers}",
        "restarts": pod.restarts,
        "born": round(1000 * pod.created),
        "left": None if row.left is None else unix_milliseconds(row.left, now),
        "trouble": pod.waiting if not seen.ready else "",
        "why": row.why,
    }


def _phase(row: PodRow) -> str:
    """Say how a tile looks: starting, ready, leaving, gone, or failing."""
    pod = row.seen.pod
    if row.gone is not None:
        return "gone"
    if row.left is not None:
        return "leaving"
    if pod.ready:
        return "ready"
    bad = "Error" in pod.status or "BackOff" in pod.status or pod.status == "OOMKilled"
    return "failing" if bad else "starting"


def _healing(healing: Healing, now: Now) -> dict[str, Any]:
    return {
        **healing.as_json(),
        "died": unix_milliseconds(healing.died, now),
        "in_place": healing.in_place,
    }


def _buyers(state: DashboardState) -> dict[str, Any] | None:
    """Write how purchases fare: a crowd's from here, else what another window's load announces."""
    if state.crowd and (state.crowd.running or not state.board.purchases):
        return _crowd(state.crowd)
    if purchases := state.board.purchases:
        return {
            "running": True,
            "ours": False,
            "rate": round(purchases.rate, 1),
            "confirmed": purchases.confirmed,
            "lost": purchases.lost,
            "rejected": None,
        }
    return None


def _crowd(crowd: Crowd) -> dict[str, Any]:
    figures = crowd.progress.figures if crowd.progress else Figures()
    return {
        "running": crowd.running,
        "ours": True,
        "wanted": crowd.rate,
        "rate": round(crowd.progress.rate_now, 1) if crowd.progress and crowd.running else 0,
        "confirmed": figures.confirmed,
        "lost": figures.lost,
        "rejected": figures.rejected,
        "unsent": figures.unsent,
        "p50": round(figures.latency_ms.p50, 1),
        "p99": round(figures.latency_ms.p99, 1),
        "pods": dict(figures.pods),
        "ended": crowd.ended,
    }


def _drill(drill: DrillView) -> dict[str, Any]:
    return {
        "running": drill.running,
        "step": drill.step,
        "kills": drill.kills,
        "planned_kills": drill.planned_kills,
        "verdict": drill.verdict,
        "reason": drill.reason,
        "summary": list(drill.summary),
        "failure": _trouble(drill.failure),
    }


def _trouble(trouble: Trouble | None) -> dict[str, str] | None:
    return {"text": trouble.text, **written_hint(trouble.hint)} if trouble else None
