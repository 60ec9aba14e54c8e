"""The words of a shell's command as its program gets them: variables, quotes, redirections."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from flashsale.base.dockerfile.instructions import HereDocument
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_answers import output_of
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_grammar import (
    Pipeline,
    ShellNode,
    Simple,
    parse_script,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import Shell

_QUOTED = re.compile(r"'[^']*'")
_SUBSTITUTION = re.compile(
    r"(?P<quoted>'[^']*'|\\.)|\$\((?P<new>(?:[^()]|\([^()]*\))*)\)|`(?P<old>[^`]*)`", re.DOTALL
)
# A number before `>`: what goes to another stream than the output is nothing here.
_STREAM = re.compile(
    r"(?P<quoted>'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.)|(?<!\S)(?:2>>?\s*(?:&\d|\S+)|[1&]?>&\d)|(?<!\S)[1&](?=>)",
    re.DOTALL,
)
_DOCUMENT = re.compile(r"(?<![\w$(<])<<(?P<tabs>-?)\s*(?P<quote>['\"\\\\]?)(?P<name>[A-Za-z_]\w*)")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*|\?)")


def words_of(shell: Shell, raw: str) -> list[str] | None:
    """Return the words of a command as its program gets them; None where that cannot be told."""
    try:
        raw = _SUBSTITUTION.sub(partial(_substituted, shell), raw)
        if shell.unknown & {match[1] for match in _VARIABLE.finditer(raw)}:
            return None
        pieces, at = [], 0
        for quoted in _QUOTED.finditer(raw):
            pieces += [_filled(shell, raw[at : quoted.start()]), quoted[0]]
            at = quoted.end()
        text = "".join([*pieces, _filled(shell, raw[at:])])
        text = _STREAM.sub(_plain_redirection, text)
        reader = shlex.shlex(text, posix=True, punctuation_chars="<>")
        reader.whitespace_split, reader.commenters = True, ""
        return list(reader)
    except ValueError:
        return None


def _filled(shell: Shell, text: str) -> str:
    """Replace variables; an escaped `$` is one from here on, for which shlex knows no escape."""
    return re.sub(r"\\([$`])", r"\1", shell.filled(text))


def _plain_redirection(match: re.Match[str]) -> str:
    return match["quoted"] or ""


def _substituted(shell: Shell, match: re.Match[str]) -> str:
    """Return what the command in `$(...)` prints, as the shell reads it on.

    Raises:
        ValueError: that cannot be told.
    """
    if match["quoted"]:
        return match[0]
    script = parse_script(match["new"] or match["old"] or "")
    parts = script[0].parts if script and isinstance(script[0], Pipeline) else script[:1]
    if len(script) != 1 or not all(isinstance(part, Simple) for part in parts):
        raise ValueError(match[0])
    printed = output_of_pipeline(shell, parts)
    if printed is None:
        raise ValueError(match[0])
    return re.sub(r"([\\\"'$`])", r"\\\1", printed.decode(errors="replace").rstrip("\n"))


def output_of_pipeline(shell: Shell, parts: Sequence[ShellNode]) -> bytes | None:
    """Return what the last of some commands prints, each given what the one before it prints.

    None if that cannot be told.
    """
    given: bytes | None = None
    for part in parts:
        words, target, _, source = split_redirections(words_of(shell, part.raw) or [])
        given = content_of(shell, source) if source else given
        given = output_of(shell, words, given) if words and not target else None
        if given is None:
            return None
    return given


def content_of(shell: Shell, word: str) -> bytes | None:
    """Return what `< FILE` or `<<NAME` gives a command to read; None if that is not there."""
    if word.startswith("<<"):
        documents = [
            document for document in shell.instruction.documents if document.name == word[2:]
        ]
        if not documents:
            return None
        body = documents[-1].body
        if documents[-1].filled:
            body = re.sub(r"\\([$`\\])", r"\1", shell.filled(body))
        return body.encode()
    entry = shell.recipe.files.follow(shell.path(word))
    return None if entry is None or entry.is_folder else entry.read()


def with_documents(shell: Shell, text: str) -> tuple[Shell, str]:
    """Take the here-documents out of a script, for the commands that read them."""
    documents: list[HereDocument] = []
    lines, kept = iter(text.split("\n")), list[str]()
    for line in lines:
        kept.append(line)
        for match in _DOCUMENT.finditer(line):
            if match["name"] in [document.name for document in shell.instruction.documents]:
                continue  # the reader of the Dockerfile has taken it out
            body = []
            for inner in lines:
                own = inner.lstrip("\t") if match["tabs"] else inner
                if own == match["name"]:
                    break
                body.append(f"{own}\n")
            documents.append(HereDocument(match["name"], "".join(body), filled=not match["quote"]))
    if not documents:
        return shell, text
    instruction = replace(shell.instruction, documents=(*shell.instruction.documents, *documents))
    return replace(shell, instruction=instruction), "\n".join(kept)


def split_redirections(words: list[str]) -> tuple[list[str], str, bool, str]:
    """Take `> FILE` and `< FILE` out of a command; returns target, whether it grows, and source.

    What goes to /dev/null or to another stream is nothing.
    """
    kept: list[str] = []
    target, appends, source, rest = "", False, "", iter(words)
    for word in rest:
        if word in (">", ">>", "<<", "<", ">&", "<<-", "<<<"):
            operand = next(rest, "")
            if word in (">", ">>") and not operand.startswith(("/dev/", "&")):
                target, appends = operand, word == ">>"
            source = operand if word == "<" else source
            source = f"<<{operand.lstrip('-')}" if word in ("<<", "<<-") else source
        else:
            kept.append(word)
    return kept, target, appends, source
