"""Files that `--report` writes: looked at before the work begins, written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flashsale.base.errors import BadInputError
from flashsale.base.files import replace_file
from flashsale.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

WORLD_READABLE = 0o666  # less the umask: a report is there to be passed on


def check_report_files(
    files: Sequence[Path], formats: Sequence[str], hint: str
) -> tuple[Path, ...]:
    """Find out now what would only fail after long work.

    Args:
        formats: suffixes, each with its dot.

    Raises:
        BadInputError: a file of another kind, in no folder, or where nothing can be written.
    """
    for file in files:
        if trouble := _trouble(file, formats):
            raise BadInputError(trouble, hint=hint)
    return tuple(files)


def write_reports(
    files: Sequence[Path],
    document: dict[str, Any],
    writers: Mapping[str, Callable[[dict[str, Any]], str]],
) -> None:
    """Write a document to each file in the format of its suffix: JSON where it has no writer."""
    import json

    for file in files:
        if file.suffix in writers:
            text = writers[file.suffix](document)
        else:
            text = json.dumps(document, indent=1) + "\n"
        write_report(file, text)
        note(f"Report: {file}")


def write_report(file: Path, text: str) -> None:
    replace_file(file, text, mode=WORLD_READABLE)


def _trouble(file: Path, formats: Sequence[str]) -> str:
    import tempfile

    if file.suffix not in formats:
        *first, last = formats
        kinds = f"{', '.join(first)} or {last}" if first else last
        return f"--report writes {kinds}, not {file}."
    if file.is_dir():
        return f"{file} is a folder."
    if not file.parent.is_dir():
        return f"{file} cannot be written: there is no folder {file.parent}."
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            return ""
    except OSError as error:
        return f"{file} cannot be written: {(error.strerror or str(error)).lower()}."
