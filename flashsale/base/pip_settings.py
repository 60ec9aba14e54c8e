"""What pip's own configuration files say: index, certificate, and whatever else they set."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path


def read_pip_settings(environ: Mapping[str, str], home: Path) -> Mapping[str, str]:
    """Read `[global]` and `[install]` of pip's files, the more personal file last, as pip does."""
    files = [
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
    ]
    if environ.get("PIP_CONFIG_FILE"):
        files.append(Path(environ["PIP_CONFIG_FILE"]))
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(files)
    except (configparser.Error, UnicodeDecodeError):
        return {}
    sections = [parser[name] for name in ("global", "install") if parser.has_section(name)]
    return {key: value for section in sections for key, value in section.items()}
