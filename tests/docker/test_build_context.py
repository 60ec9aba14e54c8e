"""What goes into an image, and the digest that names it."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError
from flashsale.docker import build_context


def digest(folder: Path, **build_args: str) -> str:
    return build_context.read_build_context(folder, folder / "Dockerfile").digest(build_args)


def names(folder: Path) -> list[str]:
    archive = build_context.read_build_context(folder, folder / "Dockerfile").archive()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getnames()


def test_same_content_gives_same_digest_whatever_its_times_and_owner(app: Path) -> None:
    """A fresh checkout of an unchanged app is not a changed app."""
    before = digest(app)
    os.utime(app / "app.py", (1, 1))
    (app / "app.py").chmod(0o600)
    assert digest(app) == before


@pytest.mark.parametrize("name", ["app.py", "Dockerfile", "new.py"])
def test_any_changed_file_changes_the_digest(app: Path, name: str) -> None:
    """Code, Dockerfile and new files all count."""
    before = digest(app)
    (app / name).write_text("FROM scratch\nCOPY . /\n")
    assert digest(app) != before


def test_typed_build_arguments_change_the_digest(app: Path) -> None:
    """Other arguments can make another image."""
    assert digest(app) != digest(app, VERSION="2")


def test_manifest_and_caches_are_no_part_of_the_app(app: Path) -> None:
    """Scaling in the YAML, or running the app once, must not build anything."""
    before = digest(app)
    (app / "flashsale-replicaset.yaml").write_text("replicas: 5\n")
    (app / "__pycache__").mkdir()
    (app / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"x")
    (app / ".git").mkdir()
    (app / ".git" / "HEAD").write_text("x")
    assert digest(app) == before


def test_dockerignore_is_obeyed(app: Path) -> None:
    """Docker's own patterns, exceptions included."""
    (app / "secret").mkdir()
    (app / "secret" / "key").write_text("x")
    (app / "secret" / "public").write_text("x")
    (app / ".dockerignore").write_text("# ours\nsecret\n!secret/public\n")
    assert [name for name in names(app) if "secret" in name] == ["secret", "secret/public"]


def test_dockerfile_may_lie_elsewhere(app: Path, tmp_path: Path) -> None:
    """It is in the archive under its usual name all the same, once."""
    other = tmp_path / "Other.Dockerfile"
    other.write_text("FROM scratch\n")
    archive = build_context.read_build_context(app, other).archive()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("Dockerfile")
        assert file is not None
        assert file.read() == b"FROM scratch\n"


def test_links_stay_links_and_programs_stay_executable(app: Path) -> None:
    """A context is what the folder is, not what its links lead to."""
    (app / "run").write_text("#!/bin/sh\n")
    (app / "run").chmod(0o700)
    (app / "link").symlink_to("/etc/passwd")
    entries = build_context.read_build_context(app, app / "Dockerfile").entries
    assert (entries["run"].mode, entries["link"].link) == (0o755, "/etc/passwd")


def test_unpacked_context_is_the_folder(app: Path, tmp_path: Path) -> None:
    """For builders that take a folder: the files, and the Dockerfile that was asked for."""
    target = tmp_path / "unpacked"
    target.mkdir()
    build_context.read_build_context(app, app / "Dockerfile").unpack(
        target, "FROM other\n", extra=b"more"
    )
    found = {file.name: file.read_text() for file in target.iterdir()}
    assert found == {"app.py": "print('sale')\n", "Dockerfile": "FROM other\n", "extra": "more"}


def test_missing_dockerfile_is_bad_input(app: Path) -> None:
    """The message names the file."""
    (app / "Dockerfile").unlink()
    with pytest.raises(BadInputError, match="Dockerfile"):
        build_context.read_build_context(app, app / "Dockerfile")


def test_folder_too_large_to_be_an_app_is_refused(app: Path) -> None:
    """A home folder given by mistake is not read into memory."""
    with (app / "big").open("wb") as file:
        file.truncate(build_context.LIMIT + 1)
    with pytest.raises(BadInputError, match="too much for an app") as caught:
        build_context.read_build_context(app, app / "Dockerfile")
    assert ".dockerignore" in caught.value.hint
