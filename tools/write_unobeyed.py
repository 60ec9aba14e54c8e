"""Write the list of fields that are stored and not obeyed into docs/embedded-cluster.md.

python -m tools.write_unobeyed
"""

from __future__ import annotations

from pathlib import Path

from flashsale.embedded.validation.unobeyed import OF_PODS, OF_SERVICES

FILE = Path(__file__).parent.parent / "docs" / "embedded-cluster.md"
BEGIN, END = "<!-- fields that are not obeyed -->\n", "<!-- end of the fields -->\n"


def text() -> str:
    """Return the whole document with the list as the table of fields has it."""
    document = FILE.read_text("utf-8")
    before, _, rest = document.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    """Return one row for each reason, of pods' fields and then of Services'."""
    rows = ["| stored and not obeyed | because |\n", "|---|---|\n"]
    for where, fields in (("a pod's `spec`: ", OF_PODS), ("a Service's `spec`: ", OF_SERVICES)):
        reasons: dict[str, list[str]] = {}
        for path, reason in fields.items():
            reasons.setdefault(reason, []).append(f"`{path}`")
        for reason, paths in reasons.items():
            rows.append(f"| {where}{', '.join(paths)} | {reason} |\n")
    return "".join(rows)


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
