"""Changing the labels of one pod, as `kubectl label` does."""

from __future__ import annotations

import re

from flashsale.base.errors import BadInputError, Hint
from flashsale.kube import paths
from flashsale.objects.models import Pod
from flashsale.sale.pod_names import find_pod_name
from flashsale.sale.session import Sale

WORD = re.compile(r"(?P<key>[A-Za-z0-9][\w./-]*?)(?:=(?P<value>[\w.-]*)|(?P<remove>-))")
HOW = "flashsale label --help"


def parse_labels(words: list[str]) -> dict[str, str | None]:
    """Read `KEY=VALUE` and `KEY-`, where None removes a label; BadInputError for any other word."""
    matches = {word: WORD.fullmatch(word) for word in words}
    for word, match in matches.items():
        if match is None:
            raise BadInputError(f"'{word}' is neither KEY=VALUE nor KEY-.", hint=HOW)
    return {match["key"]: match["value"] for match in matches.values() if match}


async def label_pod(sale: Sale, typed: str, labels: dict[str, str | None]) -> Pod:
    """Set and remove labels of a pod of the namespace, and return it as it is then.

    Args:
        typed: its name, or the end of it.

    Raises:
        BadInputError: there is no such pod, or the API server refuses a label.
    """
    pods = await sale.api.list(paths.pods(sale.namespace))
    try:
        names = [pod["metadata"]["name"] for pod in pods]
        name = find_pod_name(typed, names, command="flashsale label")
    except BadInputError as error:
        if error.hint.command.startswith("flashsale label"):  # a whole command has labels, too
            words = (
                f"{key}-" if value is None else f"{key}={value}" for key, value in labels.items()
            )
            error.hint = Hint(f"{error.hint.command} {' '.join(words)}")
        raise
    path = paths.pods(sale.namespace, name)
    changed = await sale.api.patch(path, {"metadata": {"labels": labels}})
    return Pod.from_object(changed)
