"""A learner's folder: which files count, and what `init` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError, RefusedError
from flashsale.sale.files import app_folder
from flashsale.sale.files import manifest as manifests


def test_packaged_project_is_complete() -> None:
    """The shop, its Dockerfile and its manifest come with every installation."""
    folder_found = app_folder.packaged()
    assert (folder_found.app.folder / "app.py").is_file()
    assert "gunicorn" in folder_found.app.dockerfile.read_text()
    assert folder_found.manifest.name == "flashsale-rs"


def test_init_writes_three_files_that_up_takes(tmp_path: Path) -> None:
    """What `init` writes is a project, the same as the packaged one."""
    written = app_folder.init(tmp_path / "new" / "sale")
    assert [file.name for file in written] == ["app.py", "Dockerfile", manifests.FILE]
    folder_found = app_folder.from_folder(tmp_path / "new" / "sale")
    assert folder_found.app.dockerfile == tmp_path / "new" / "sale" / "Dockerfile"
    assert folder_found.manifest.replicaset == manifests.shipped().replicaset


@pytest.mark.parametrize("name", app_folder.NAMES)
def test_init_overwrites_nothing(tmp_path: Path, name: str) -> None:
    """One file in the way, and none is written."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(RefusedError, match="overwrites nothing"):
        app_folder.init(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_second_init_says_how_to_use_the_first(tmp_path: Path) -> None:
    """All three are there, so the next step is to open them; one alone is somebody's own."""
    folder = tmp_path / "my sale"
    app_folder.init(folder)
    with pytest.raises(RefusedError) as caught:
        app_folder.init(folder)
    assert caught.value.hint == f"flashsale up '{folder}'"
    (folder / "Dockerfile").unlink()
    with pytest.raises(RefusedError) as caught:
        app_folder.init(folder)
    assert caught.value.hint == f"flashsale init '{folder / 'sale'}'"


def test_app_alone_gets_our_dockerfile_and_manifest(tmp_path: Path) -> None:
    """Each file that is not there is the packaged one."""
    (tmp_path / "app.py").write_text("app = None")
    folder_found = app_folder.from_folder(tmp_path)
    assert folder_found.app.folder == tmp_path
    assert folder_found.app.dockerfile == app_folder.packaged_app().dockerfile


def test_manifest_alone_goes_with_our_app(tmp_path: Path) -> None:
    """A learner may begin with the YAML."""
    text = manifests.shipped_text().replace("replicas: 3", "replicas: 4")
    (tmp_path / manifests.FILE).write_text(text)
    folder_found = app_folder.from_folder(tmp_path)
    assert folder_found.app == app_folder.packaged_app()
    assert folder_found.manifest.replicaset["spec"]["replicas"] == 4


def test_named_manifest_wins(tmp_path: Path) -> None:
    """`--manifest FILE` counts more than the folder's own."""
    app_folder.init(tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(manifests.shipped_text().replace("replicas: 3", "replicas: 7"))
    assert app_folder.from_folder(tmp_path, other).manifest.replicaset["spec"]["replicas"] == 7


@pytest.mark.parametrize(
    ("files", "words"), [((), "has none of app.py"), (("notes.txt",), "has none")]
)
def test_folder_without_an_app_is_refused(
    tmp_path: Path, files: tuple[str, ...], words: str
) -> None:
    """The hint says how to get one."""
    for name in files:
        (tmp_path / name).write_text("")
    with pytest.raises(BadInputError, match=words) as caught:
        app_folder.from_folder(tmp_path)
    assert "flashsale init" in caught.value.hint


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    """A missing folder and a file in its place each get a sentence."""
    with pytest.raises(BadInputError, match="There is no folder"):
        app_folder.from_folder(tmp_path / "nowhere")
    file = tmp_path / "my.yaml"
    file.write_text("")
    with pytest.raises(BadInputError, match="is a file") as caught:
        app_folder.from_folder(file)
    assert "--manifest" in caught.value.hint


def test_folder_of_last_time_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a line that says so, and a manifest that was named in place of its own."""
    monkeypatch.chdir(tmp_path)
    app_folder.init(Path("my-sale"))
    before = app_folder.from_folder(tmp_path / "my-sale")
    assert app_folder.from_folder(Path("my-sale")).folder == before.folder
    found, note = app_folder.from_last_time(str(before.folder))
    assert found == before
    assert note == "From my-sale, as last time; flashsale down forgets it."
    other = tmp_path / "other.yaml"
    other.write_text(manifests.shipped_text().replace("replicas: 3", "replicas: 7"))
    found, _ = app_folder.from_last_time(str(before.folder), other)
    assert found.app == before.app
    assert found.manifest.replicaset["spec"]["replicas"] == 7


def test_without_a_folder_or_when_it_is_gone_the_packaged_one_is_taken(tmp_path: Path) -> None:
    """The second is said."""
    assert app_folder.from_last_time("") == (app_folder.packaged(), "")
    found, note = app_folder.from_last_time(str(tmp_path / "gone"))
    assert found == app_folder.packaged()
    assert "is gone: taking the packaged one" in note


@pytest.mark.parametrize(
    ("lines", "base"),
    [
        ("FROM python:3.11-slim\nCOPY app.py .", "python:3.11-slim"),
        ("FROM python:3.11-slim\ncmd gunicorn app:app", ""),
        ("FROM a AS one\nCMD x\nFROM b\nCOPY --from=one x .", "b"),
        ("FROM a AS One\nENTRYPOINT x\nFROM --platform=linux/amd64 one", ""),
        ("", ""),
    ],
)
def test_command_of_a_dockerfile(tmp_path: Path, lines: str, base: str) -> None:
    """The last stage's, which it may have from an earlier one; noted where it has none."""
    (tmp_path / "Dockerfile").write_text(lines)
    notes = app_folder.dockerfile_notes(app_folder.from_folder(tmp_path))
    assert [f"base image {base} does" in note for note in notes] == ([True] if base else [])


def test_dockerfile_without_a_command_is_told(tmp_path: Path) -> None:
    """With what to add, and what happens without it; a command in the manifest will do."""
    app_folder.init(tmp_path)
    assert app_folder.dockerfile_notes(app_folder.from_folder(tmp_path)) == []
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nCOPY app.py .\n")
    [line] = app_folder.dockerfile_notes(app_folder.from_folder(tmp_path))
    assert 'names no command: add CMD ["gunicorn"' in line
    assert line.endswith("base image python:3.11-slim does: python3, which ends at once.")
    manifest = tmp_path / manifests.FILE
    text = manifest.read_text()
    manifest.write_text(
        text.replace("ports:\n            -", 'args: ["gunicorn"]\n          ports:\n            -')
    )
    assert app_folder.dockerfile_notes(app_folder.from_folder(tmp_path)) == []


@pytest.mark.parametrize(
    ("exposed", "said"),
    [("8080", True), ("${PORT}/tcp", True), ("5000", False), ("8080 5000/tcp", False), ("", False)],
)
def test_a_port_that_buyers_are_not_sent_to_is_told(
    tmp_path: Path, exposed: str, said: bool
) -> None:
    """The Dockerfile exposes another one than the packaged manifest has."""
    line = f"EXPOSE {exposed}\n" if exposed else ""
    (tmp_path / "Dockerfile").write_text(f"FROM python\nENV PORT=8000\n{line}CMD serve\n")
    notes = app_folder.dockerfile_notes(app_folder.from_folder(tmp_path))
    assert ["buyers are sent to port 5000" in note for note in notes] == ([True] if said else [])
