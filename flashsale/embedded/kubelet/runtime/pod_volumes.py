"""A pod's volumes, as folders of this machine: emptyDir, configMap, projected and their like.

What a ConfigMap holds follows its changes as on a real node (AtomicWriter in pkg/volume/util): each
file is a link through ``..data``, and that link is replaced by one to a folder with the new files.
"""

from __future__ import annotations

import base64
import contextlib
import os
import posixpath
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from flashsale.embedded.kubelet.runtime.container_env import ConfigError, pod_field
from flashsale.objects.models import Object

ConfigMaps = Callable[[str], Object | None]  # one of the pod's namespace, by its name
Files = dict[str, tuple[bytes, int | None]]  # content and mode, None for the volume's own
FOLLOWING = ("configMap", "projected", "downwardAPI")  # kinds whose content can change
DATA, MODE = "..data", 0o644
FOLDER = ".volumes"  # in the pod's folder; no container can be called that


class VolumeError(Exception):
    """A volume cannot be had (yet); the text is that of the kubelet's event."""


def set_up_volumes(pod: Object, folder: Path, config_maps: ConfigMaps) -> dict[str, Path]:
    """Make a pod's volumes; returns where each is, by its name.

    Args:
        folder: the pod's own, whose emptyDirs outlive its containers.

    Raises:
        VolumeError: one of them cannot be made.
        OSError: the disk refuses.
    """
    made = {}
    for volume in pod["spec"].get("volumes") or []:
        name = volume["name"]
        try:
            made[name] = _provide(volume, pod, folder / FOLDER / name, config_maps)
        except ConfigError as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{name}" : {error}') from error
    return made


def follows(pod: Object) -> bool:
    """Whether a pod has volumes whose content can change while it runs."""
    return any(set(FOLLOWING) & set(volume) for volume in pod["spec"].get("volumes") or [])


def update_volumes(pod: Object, folder: Path, config_maps: ConfigMaps) -> None:
    """Bring a running pod's volumes to what their sources hold now.

    What cannot be had any more stays as it is, as on a real node.

    Raises:
        OSError: the disk refuses.
    """
    for volume in pod["spec"].get("volumes") or []:
        if set(FOLLOWING) & set(volume):
            with contextlib.suppress(ConfigError):
                _provide(volume, pod, folder / FOLDER / volume["name"], config_maps)


def mounts(container: Object, volumes: Mapping[str, Path]) -> dict[str, Path]:
    """Return what a container mounts, by place."""
    mounts = {}
    for mount in container.get("volumeMounts") or []:
        if source := volumes.get(mount["name"]):
            below = source / mount["subPath"] if mount.get("subPath") else source
            if not below.exists():
                below.mkdir(parents=True)
            mounts["/" + mount["mountPath"].strip("/")] = below
    return mounts


def _provide(volume: Object, pod: Object, place: Path, config_maps: ConfigMaps) -> Path:
    if host := volume.get("hostPath"):
        return _host_path(host)
    place.mkdir(parents=True, exist_ok=True)
    if "emptyDir" in volume or set(volume) == {"name"}:
        return place
    sources = (volume.get("projected") or {}).get("sources")
    files: Files = {}
    for source in [volume] if sources is None else sources:
        files |= dict(_files(source, pod, config_maps))
    default = next((volume[kind].get("defaultMode") for kind in FOLLOWING if kind in volume), None)
    _write(place, files, MODE if default is None else default)
    return place


def _write(place: Path, files: Files, default: int) -> None:
    """Bring a volume to these files, all at once; nothing is touched where they are the same."""
    files = {posixpath.normpath("/" + name).lstrip("/"): content for name, content in files.items()}
    link = place / DATA
    modes = {name: default if mode is None else mode for name, (_, mode) in files.items()}
    if link.is_symlink() and _held(link) == {n: (files[n][0], modes[n]) for n in files}:
        return
    before = os.readlink(link) if link.is_symlink() else ""
    folder = Path(tempfile.mkdtemp(prefix=time.strftime("..%Y_%m_%d_%H_%M_%S."), dir=place))
    folder.chmod(0o755)
    for name, (content, _) in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(modes[name])
    _link(place / DATA, folder.name)
    shown = {name.partition("/")[0] for name in files}
    for path in place.iterdir():
        if path.is_dir() and not path.is_symlink() and path.name not in (folder.name, before):
            shutil.rmtree(path)  # of an earlier version, or of a write that was cut off
        elif not path.name.startswith("..") and path.name not in shown:
            path.unlink()
    for name in shown:
        if not (place / name).is_symlink():
            _link(place / name, f"{DATA}/{name}")
    if before:
        shutil.rmtree(place / before, ignore_errors=True)


def _link(path: Path, target: str) -> None:
    """Make a link, or replace one at once."""
    new = path.with_name("..new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)


def _held(link: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(file.relative_to(link)): (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
        for file in link.rglob("*")
        if file.is_file()
    }


def _host_path(host: Object) -> Path:
    path, kind = Path(host["path"]), host.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch()
    if not path.exists():
        raise ConfigError(f"hostPath type check failed: {path} is not there")
    return path


def _files(
    source: Object, pod: Object, config_maps: ConfigMaps
) -> Iterator[tuple[str, tuple[bytes, int | None]]]:
    """Yield what a source puts into the volume: path, content and mode."""
    if wanted := source.get("configMap"):
        yield from _of_config_map(wanted, pod, config_maps)
    elif secret := source.get("secret"):
        if not secret.get("optional"):
            name = secret.get("secretName") or secret.get("name", "")
            raise ConfigError(f'secret "{name}" not found')
    elif downward := source.get("downwardAPI"):
        for item in downward.get("items") or []:
            path = (item.get("fieldRef") or {}).get("fieldPath", "")
            yield item["path"], (pod_field(path, pod).encode(), item.get("mode"))
    elif "serviceAccountToken" not in source:  # there are no tokens here
        kind = next((key for key in source if key != "name"), "an empty source")
        raise ConfigError(f"volumes of the kind {kind} are not offered on the embedded cluster")


def _of_config_map(
    wanted: Object, pod: Object, config_maps: ConfigMaps
) -> Iterator[tuple[str, tuple[bytes, int | None]]]:
    name, namespace = wanted.get("name", ""), pod["metadata"]["namespace"]
    config_map = config_maps(name)
    if config_map is None:
        if wanted.get("optional"):
            return
        raise ConfigError(f'configmap "{name}" not found')
    data = {key: text.encode() for key, text in (config_map.get("data") or {}).items()}
    data |= {
        key: base64.b64decode(text) for key, text in (config_map.get("binaryData") or {}).items()
    }
    items = wanted.get("items")
    for item in items if items is not None else [{"key": key, "path": key} for key in data]:
        if item["key"] in data:
            yield item["path"], (data[item["key"]], item.get("mode"))
        elif not wanted.get("optional"):
            raise ConfigError(
                f"configmap references non-existent config key: {item['key']} ({namespace}/{name})"
            )
