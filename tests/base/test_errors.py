"""Hints that look at the machine."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("limit", "hint"), [("unlimited", "df -h /x"), ("100", "ulimit -f")])
def test_a_limit_of_the_shell_is_not_a_full_disk(limit: str, hint: str) -> None:
    """Both look alike to whoever writes a file."""
    code = "from flashsale.base.errors import room_hint; print(room_hint('/x'))"
    script = f'ulimit -f {limit}; "{sys.executable}" -c "{code}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(hint)
