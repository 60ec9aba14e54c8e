"""Makes the node image: Debian with systemd, ssh and Docker, as minikube's own image is.

Its parts: minikube's own entrypoint, the kubelet's old dockershim in cri-dockerd's place, runc
behind `tests/peers/runc`, and in Docker's data the images that kubeadm and the shop ask for. A node
gets that data with its volume, since Docker fills an empty one from the image.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.peers import images, programs
from tests.peers.minikube_node import engine
from tests.peers.minikube_node.kubernetes import kubernetes_images
from tests.peers.processes import PeerError

HERE = Path(__file__).parent
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "sudo", "openssh-server", "ca-certificates", "curl"),
    *("docker.io", "runc", "containerd", "python3"),  # Python is for our runc
    *("conntrack", "iptables", "iproute2", "ethtool", "socat", "mount", "kmod", "procps"),
)
PLUGINS = (*programs.PLUGINS, "firewall")
BASE = "python:3.11-slim"  # of the shop's image
SHOP = "flask gunicorn"  # its dependencies: a node without a way out cannot install them
UNWANTED = (  # as in the Dockerfile of minikube's image
    "lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
    *("lib/systemd/system/multi-user.target.wants/*", "etc/systemd/system/*.wants/*"),
    *("lib/systemd/system/local-fs.target.wants/*", "lib/systemd/system/basic.target.wants/*"),
    "lib/systemd/system/sockets.target.wants/*udev*",
)
BULK = (
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    *(f"usr/share/{x}" for x in ("doc", "man", "locale")),
)
FILES = {
    # This machine may refuse a service less risk of being killed than its parent has.
    "etc/systemd/system/service.d/10-machine.conf": "[Service]\nOOMScoreAdjust=0\n",
    "etc/sudoers.d/20-passwordless-sudo": "%sudo ALL=(ALL) NOPASSWD:ALL\n",
    "version.json": '{"minikube_version": "v1.38.1", "kicbase_version": "v0.0.50"}\n',
}
COMMANDS = (
    "groupadd --force docker",
    "useradd --create-home --shell /bin/bash --gid docker --groups sudo docker",
    "usermod --password * docker",
    "install --directory --owner docker --group docker /home/docker/.ssh /kind",
    "ln -s ../sbin/dockerd /usr/bin/dockerd",  # where minikube's unit starts it
    "systemctl enable ssh docker",
    "systemctl mask systemd-binfmt systemd-udevd",
)
DOCKERFILE = """
FROM {base}
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
"""


def make(entrypoint: Path) -> None:
    """Make the image, in the data of the engine that will run it.

    Args:
        entrypoint: minikube's, from its sources.
    """
    with tempfile.TemporaryDirectory(prefix="flashsale-node-", dir=programs.FOLDER) as folder:
        root, work = Path(folder, "root"), Path(folder)
        began = time.monotonic()
        install_debian(root)
        print(f"peers: installed Debian in {time.monotonic() - began:.0f}s", flush=True)
        settle(root, entrypoint)
        add_images(root, work)
        import_image(root, work)


def install_debian(root: Path) -> None:
    """Install Debian's packages in a folder; those that were fetched are kept."""
    kept = programs.FOLDER / "packages"
    kept.mkdir(exist_ok=True)
    include = ",".join(PACKAGES)
    run(
        "debootstrap",
        "--variant=minbase",
        f"--include={include}",
        f"--cache-dir={kept}",
        "bookworm",
        root,
        *mirror(),
    )


def mirror() -> list[str]:
    """Return the address of the Debian that this machine uses already, if it has one."""
    wanted = ("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Created-By: Packages")
    lines = subprocess.run(wanted, capture_output=True, text=True, check=False).stdout.split("\n")
    found = [line.split()[0] for line in lines if line.endswith("debian bookworm")]
    return found[:1]


def settle(root: Path, entrypoint: Path) -> None:
    """Make a node of a Debian."""
    for path in (path for pattern in UNWANTED for path in root.glob(pattern)):
        path.unlink()
    for folder in BULK:
        shutil.rmtree(root / folder)
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    for name in ("cri-docker.service", "cri-docker.socket"):
        shutil.copy(HERE / name, root / "lib/systemd/system")
    put(entrypoint, root / "usr/local/bin/entrypoint")
    put(programs.path("crictl"), root / "usr/local/bin/crictl")
    put(programs.path("cri-dockerd"), root / "usr/bin/cri-dockerd")
    for name in PLUGINS:
        put(programs.path(name), root / "opt/cni/bin" / name)
    (root / "usr/sbin/runc").rename(root / "usr/sbin/runc.real")
    put(HERE.parent / "runc", root / "usr/sbin/runc")
    for command in COMMANDS:
        run("chroot", root, *command.split())


def put(source: Path, place: Path) -> None:
    """Copy a program."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)
    place.chmod(0o755)


def add_images(root: Path, work: Path) -> None:
    """Fill the data of the node's Docker."""
    kubernetes, shop = work / "kubernetes.tar", work / "shop.tar"
    images.write_images(kubernetes_images(root), kubernetes)
    run(
        "docker",
        "build",
        "--tag",
        "localhost/flashsale-base",
        "-",
        text=f"FROM {BASE}\nRUN pip install --no-cache-dir {SHOP}\n",
    )
    images.save("localhost/flashsale-base", shop)
    with engine.own_engine(work, root / "var/lib/docker") as node:
        for archive in (kubernetes, shop):
            checked(node.run("docker", "load", "--input", archive))
        checked(node.run("docker", "tag", "localhost/flashsale-base", BASE))
        checked(node.run("docker", "rmi", "localhost/flashsale-base"))


def import_image(root: Path, work: Path) -> None:
    """Give the image to the engine that will run it."""
    archive, base = work / "root.tar", f"{engine.IMAGE}-base"
    run("tar", f"--directory={root}", "--create", f"--file={archive}", ".")
    with engine.own_engine(work) as one:
        checked(one.run("docker", "import", archive, base))
        (work / "Dockerfile").write_text(DOCKERFILE.format(base=base))
        checked(
            one.run(
                "docker", "build", f"--tag={engine.IMAGE}", f"--file={work / 'Dockerfile'}", HERE
            )
        )
        one.run("docker", "image", "prune", "--force")


def run(*words: str | Path, text: str | None = None) -> None:
    """Run a command to its end; raises PeerError with the end of what it said."""
    checked(
        subprocess.run(
            [str(word) for word in words], input=text, capture_output=True, text=True, check=False
        )
    )


def checked(done: subprocess.CompletedProcess[str]) -> None:
    """Raise PeerError for a command that failed."""
    if done.returncode:
        message = (done.stdout + done.stderr).strip().splitlines()[-8:]
        raise PeerError("\n".join([f"{' '.join(done.args)[:200]}:", *message]))
