"""How this machine's network settings reach a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashsale.base.errors import RefusedError
from flashsale.docker import Surroundings
from flashsale.docker.build_network import own_docker, passed
from flashsale.docker.buildkit import CA_PATH

PROXY = "http://proxy.corp:3128"


def test_environment_proxies_reach_the_build_in_both_spellings() -> None:
    """Some tools read one, some the other."""
    given = passed(Surroundings({"https_proxy": PROXY, "NO_PROXY": "corp"}), {})
    assert given.arguments == {
        "HTTPS_PROXY": PROXY,
        "https_proxy": PROXY,
        "NO_PROXY": "corp",
        "no_proxy": "corp",
    }


def test_dockers_own_proxies_win_over_the_environment() -> None:
    """Docker's config.json is about containers, the environment about this machine."""
    config = {"proxies": {"default": {"httpProxy": PROXY, "unknown": "x"}}}
    given = passed(Surroundings({"HTTP_PROXY": "http://other:1"}, config), {})
    assert given.arguments["HTTP_PROXY"] == PROXY


def test_typed_arguments_win_over_everything() -> None:
    """`--build-arg` is the last word."""
    around = Surroundings({"PIP_INDEX_URL": "https://one/simple"})
    given = passed(around, {"PIP_INDEX_URL": "https://two/simple"})
    assert given.arguments == {"PIP_INDEX_URL": "https://two/simple"}


def test_proxy_on_loopback_is_not_passed_and_said_so() -> None:
    """In a build, 127.0.0.1 is the build."""
    given = passed(Surroundings({"HTTPS_PROXY": "http://me:pw@127.0.0.1:3128"}), {})
    assert given.arguments == {}
    assert "HTTPS_PROXY" in given.notes[0]
    assert "pw" not in given.notes[0]


def test_index_comes_from_pips_files_without_local_folders(tmp_path: Path) -> None:
    """A build sees no folder of this machine."""
    config = tmp_path / ".config" / "pip"
    config.mkdir(parents=True)
    (config / "pip.conf").write_text(
        "[global]\nindex-url = https://corp/simple\nextra-index-url = file:///x https://y/simple\n"
    )
    around = Surroundings.of_this_machine({"HOME": str(tmp_path)})
    arguments = passed(around, {}).arguments
    assert arguments["PIP_INDEX_URL"] == "https://corp/simple"
    assert "file:" not in arguments["PIP_EXTRA_INDEX_URL"]


@pytest.mark.parametrize("name", ["PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("typed", [True, False])
def test_certificate_file_goes_into_the_image(tmp_path: Path, name: str, typed: bool) -> None:
    """Its path in the image replaces its path here, for every tool that asks."""
    file = tmp_path / "ca.pem"
    file.write_text("certificate")
    setting = {name: str(file)}
    given = passed(Surroundings({} if typed else setting), setting if typed else {})
    assert given.ca == b"certificate"
    assert {given.arguments[one] for one in ("PIP_CERT", "SSL_CERT_FILE")} == {CA_PATH}
    assert str(file) in given.notes[0]


def test_pushing_refuses_a_password_that_would_be_in_the_history() -> None:
    """Arguments of a build can be read in the image by everyone who pulls it."""
    around = Surroundings({"PIP_INDEX_URL": "https://me:pw@corp/simple"})
    assert passed(around, {}).arguments
    with pytest.raises(RefusedError, match="PIP_INDEX_URL"):
        passed(around, {}, pushing=True)


def test_broken_configurations_count_as_none(tmp_path: Path) -> None:
    """Docker and pip say themselves what is wrong with their files."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text("{")
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_bytes(b"\xff[")
    around = Surroundings.of_this_machine({"HOME": str(tmp_path)})
    assert (around.docker_config, around.pip_config) == ({}, {})


def test_active_docker_env_is_undone_for_this_machines_own_docker() -> None:
    """Somebody typed `eval $(minikube docker-env)` in this shell, and minikube is stopped now."""
    active = {
        "PATH": "/bin",
        "DOCKER_HOST": "tcp://192.168.49.2:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/home/me/.minikube/certs",
        "MINIKUBE_ACTIVE_DOCKERD": "minikube",
    }
    assert own_docker(active) == {"PATH": "/bin"}
    before = {"MINIKUBE_EXISTING_DOCKER_HOST": "ssh://box"}
    assert own_docker(active | before) == {"PATH": "/bin", "DOCKER_HOST": "ssh://box"}
    own = {"DOCKER_HOST": "tcp://10.0.0.1:2376", "DOCKER_TLS_VERIFY": "1"}
    assert own_docker(own) == own
