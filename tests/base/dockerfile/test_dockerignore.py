"""Patterns of `.dockerignore`: the answers are those of moby's patternmatcher."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashsale.base.dockerfile.dockerignore import Ignore, compile_pattern


# Cases of moby/patternmatcher's own test (TestMatches), v0.6.
@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**", "dir/dir2/file", True),
        ("**/", "file", True),
        ("**/", "dir/file", True),
        ("**/**", "dir/file", True),
        ("dir/**", "dir/dir2/file/", True),
        ("**/dir", "dir/file", False),
        ("**/dir2/*", "dir/dir2/dir2/file", True),
        ("**file", "dir/file", True),
        ("**file", "afile", True),
        ("**/file", "dir/dir/file", True),
        ("**/file*", "dir/dir/file.txt", True),
        ("**/file*txt", "dir/dir/file.txt", True),
        ("**/**/*.txt", "dir/dir/file.txt", True),
        ("a**/*.txt", "a/dir/dir/file.txt", True),
        ("a/*.txt", "a/dir/file.txt", False),
        ("a/*.txt**", "a/file.txt", True),
        ("a[b-d]e", "ace", True),
        ("a[b-d]e", "aae", False),
        ("a[^b-d]e", "aze", True),
        ("[*", "[*", True),
        (".*.foo", "..foo", True),
        ("abc.def", "abcZdef", False),
        ("a\\*b", "a*b", True),
        ("**/foo/bar", "dir/foo/bar", True),
        ("abc/**", "abc", False),
        ("**/.foo", "bar.foo", False),
        ("a(b)c/def", "a(b)c/xyz", False),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
    ],
)
def test_patterns_match_what_mobys_match(pattern: str, path: str, matches: bool) -> None:
    """One pattern against one path."""
    assert bool(compile_pattern(pattern).fullmatch(path)) is matches


def test_last_line_wins_and_a_folder_takes_what_is_in_it(tmp_path: Path) -> None:
    """Exceptions bring single files back, and comments are none."""
    (tmp_path / ".dockerignore").write_text("# no\n /data/ \n!data/keep\nnode_modules\n\n!\n")
    ignore = Ignore.of(tmp_path)
    kept = ["data/keep", "app.py", "sub/node_modules/x", "# no"]
    assert [path for path in kept if ignore.leaves_out(path)] == []
    assert ignore.leaves_out("data/other")
    assert ignore.leaves_out("node_modules/a/b")


def test_what_is_never_part_of_an_app_can_be_brought_back(tmp_path: Path) -> None:
    """The manifest is left out, so that another number of replicas is not another image."""
    assert Ignore.of(tmp_path).leaves_out("flashsale-replicaset.yaml")
    (tmp_path / ".dockerignore").write_text("!flashsale-replicaset.yaml\n")
    assert not Ignore.of(tmp_path).leaves_out("flashsale-replicaset.yaml")


def test_walk_enters_a_folder_only_if_something_may_be_brought_back(tmp_path: Path) -> None:
    """A folder comes before what is in it; one that is left out comes for what is brought back."""
    for name in ("a/keep", "a/drop", "b/x", "empty/.dockerignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".dockerignore").write_text("a\nb\n**/.dockerignore\n!a/keep\n")
    assert list(Ignore.of(tmp_path).walk(tmp_path)) == ["a", "a/keep", "empty"]


def test_the_list_beside_the_dockerfile_takes_the_place_of_the_folders(tmp_path: Path) -> None:
    """As BuildKit has it: `Dockerfile.dockerignore`."""
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "Dockerfile.dockerignore").write_text("b\n")
    ignore = Ignore.of(tmp_path)
    assert (ignore.leaves_out("a"), ignore.leaves_out("b")) == (False, True)
