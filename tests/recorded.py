"""Find recordings of a real cluster; tests/recordings/README.md says what they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent / "recordings"


def table(kind: str) -> dict[str, Any]:
    """A recorded table with the objects it shows and the time it was made."""
    recorded: dict[str, Any] = json.loads((RECORDINGS / "tables" / f"{kind}.json").read_text())
    return recorded


def pod_states(scenario: str = "*") -> Iterator[dict[str, Any]]:
    """Every state of every pod in the order of the watch events of each scenario."""
    for file in sorted(RECORDINGS.glob(f"watch/{scenario}/pods.jsonl")):
        for line in file.read_text().splitlines():
            yield json.loads(line)["object"]


def get_pods() -> list[str]:
    """The rows that `kubectl get pods` printed, without headers."""
    text = (RECORDINGS / "kubectl" / "get-pods.txt").read_text()
    return [line for line in text.splitlines() if line and not line.startswith(("#", "NAME"))]
