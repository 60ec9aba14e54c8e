"""What a check of `doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Grade = Literal["ok", "absent", "problem"]  # absent: not there, and not needed either


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    grade: Grade
    text: str
    hint: str = ""  # what mends it, or makes more possible

    def as_json(self) -> dict[str, Any]:
        """Write it as `doctor -o json` does."""
        return {"name": self.name, "grade": self.grade, "text": self.text, "hint": self.hint}
