"""A file is replaced whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flashsale.base.files import replace_file


def test_a_replaced_file_is_for_its_user_alone(tmp_path: Path) -> None:
    """State may hold keys: nobody else reads it, whoever could read the old one."""
    file = tmp_path / "key"
    file.write_text("old")
    file.chmod(0o644)
    replace_file(file, "new")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o600)


def test_line_ends_and_bytes_stay_as_they_are(tmp_path: Path) -> None:
    """A kubeconfig with Windows line ends keeps them."""
    replace_file(tmp_path / "file", "a\r\nb\n")
    assert (tmp_path / "file").read_bytes() == b"a\r\nb\n"


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """A folder stands in its place: the error is the system's, and no draft stays."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
