"""RUN, as far as it can be done without a container: packages and files.

Commands that install Python packages are remembered for the image's own environment; those that
make, move and change files are done to the image's files. Users and owners make no difference here,
for pods run as whoever started the cluster. Everything else is left out and noted.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from flashsale.base.dockerfile.instructions import Instruction
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe, shorten
from flashsale.embedded.kubelet.images.build_without_docker.install_words import (
    TOOL_SCRIPTS,
    parse_install,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_answers import output_of
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_grammar import (
    AndOr,
    Case,
    For,
    Group,
    If,
    Pipeline,
    Script,
    ShellNode,
    parse_script,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import (
    OF_BASE,
    ExitError,
    Shell,
    Status,
    own_dialect,
    write_text,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_words import (
    output_of_pipeline,
    split_redirections,
    with_documents,
    words_of,
)
from flashsale.embedded.kubelet.images.build_without_docker.simple_commands import (
    run_simple,
    run_words,
)
from flashsale.embedded.kubelet.images.image_files import ImageFile

# What reads a here-document and is no shell: named behind it, or in its first line after `#!`.
_OTHER_READER = re.compile(r"(?!(?:/usr/bin/env +)?\S*\b(?:ba|da|a)?sh\b)[\w./].*")


def follow_run(
    recipe: ImageRecipe, instruction: Instruction, mounts: Mapping[str, ImageFile]
) -> None:
    """Follow a RUN as far as that goes here.

    Args:
        mounts: files that are there for this RUN alone, by their paths in the image.
    """
    before = {path: recipe.files.get(path) for path in mounts}
    for path, entry in mounts.items():
        recipe.files.put(path, entry)
    _run(recipe, instruction)
    for path, old in before.items():
        recipe.files.put(path, old) if old else recipe.files.remove(path)


def _run(recipe: ImageRecipe, instruction: Instruction) -> None:
    variables = {"HOME": "/root", "PWD": recipe.workdir, "?": "0"}
    variables |= {**recipe.env, **instruction.variables}
    dialect = "bash" if recipe.shell[0].endswith("bash") else own_dialect(recipe)
    shell = Shell(recipe, instruction, recipe.workdir, variables, _script, dialect)
    shell.unknown |= OF_BASE - {*variables}
    status: Status = True
    text = instruction.flags()[1]
    if (command := replace(instruction, text=text).exec_form()) is not None:
        status = run_words(shell, list(command))
    elif instruction.documents and text.startswith("<<"):
        named = re.sub(r"<<\S+", "", text).strip()
        first = instruction.documents[0].body.partition("\n")[0]
        reader = named or (first[2:].strip() if first.startswith("#!") else "")
        if other := _OTHER_READER.match(reader):
            shell.skip(other[0])
        for document in instruction.documents if other is None else ():
            status = _script(shell, document.body)
    else:
        status = _script(shell, text)
    if status is False and shell.is_certain:
        raise instruction.wrong((shell.failures or [f"RUN {shorten(text)} fails"])[-1])
    if shell.skipped:
        words = "; ".join(map(shorten, dict.fromkeys(shell.skipped)))
        recipe.skipped += (f"RUN {words} (line {instruction.line})",)


def _script(shell: Shell, text: str) -> Status:
    """Do the commands of a script in turn."""
    inner, plain = with_documents(shell, text)
    try:
        script = parse_script(plain)
    except ValueError:
        return shell.skip(text)
    try:
        return _in_turn(inner, script)
    except ExitError as end:
        return end.status


def _in_turn(shell: Shell, script: Script) -> Status:
    status: Status = True
    for node in script:
        status = _node(shell, node)
    return status


def _node(shell: Shell, node: ShellNode) -> Status:
    status = _done(shell, node)
    shell.remember(status)
    return status


def _done(shell: Shell, node: ShellNode) -> Status:
    match node:
        case AndOr():
            return _and_or(shell, node)
        case Pipeline():
            was_tested, shell.is_tested = shell.is_tested, shell.is_tested or node.negated
            alone = len(node.parts) == 1
            status = _node(shell, node.parts[0]) if alone else _pipeline(shell, node)
            shell.is_tested = was_tested
            return not status if node.negated and status is not None else status
        case If():
            return _if(shell, node)
        case For():
            return _for(shell, node)
        case Case():
            return _case(shell, node)
        case Group():
            return _group(shell, node)
    return _end_on_failure(shell, run_simple(shell, node.raw))


def _end_on_failure(shell: Shell, status: Status) -> Status:
    """Do what `set -e` is for."""
    if status is False and shell.ends_on_failure and not shell.is_tested:
        raise ExitError(status)
    return status


def _and_or(shell: Shell, node: AndOr) -> Status:
    status: Status = True
    was_tested, is_sure = shell.is_tested, True
    for place, (operator, part) in enumerate(node.parts, start=1):
        if (status is False) == (operator == "||"):
            shell.is_tested = was_tested or place < len(node.parts)
            try:
                status = _node(shell, part)
            except ExitError:
                if is_sure:
                    raise
                return None
            finally:
                shell.is_tested = was_tested
            is_sure &= status is not None
    return status if is_sure or status else None


def _if(shell: Shell, node: If) -> Status:
    for test, body in node.arms:
        before = len(shell.skipped)
        was_tested, shell.is_tested = shell.is_tested, True
        status = _in_turn(shell, test)
        shell.is_tested = was_tested
        if status is None:
            del shell.skipped[before:]
            return shell.skip(node.raw)
        if status:
            return _in_turn(shell, body)
    return _in_turn(shell, node.otherwise)


def _for(shell: Shell, node: For) -> Status:
    words = words_of(shell, node.words)
    if words is None:
        return shell.skip(node.raw)
    status: Status = True
    for word in words:
        paths = shell.recipe.files.matching(shell.path(word))
        paths = paths if any(char in word for char in "*?[") else []
        for value in [f"/{path}" for path in paths] or [word]:
            shell.variables[node.name] = value
            status = _in_turn(shell, node.body)
    return status


def _case(shell: Shell, node: Case) -> Status:
    word = words_of(shell, node.word)
    for patterns, body in node.arms:
        meant = [*map(partial(words_of, shell), patterns)]
        if word is None or None in meant:
            return shell.skip(node.raw)
        if any(fnmatch.fnmatchcase("".join(word), "".join(pattern or ())) for pattern in meant):
            return _in_turn(shell, body)
    return True


def _group(shell: Shell, node: Group) -> Status:
    inner = replace(shell, variables=dict(shell.variables)) if node.is_subshell else shell
    _, target, appends, _ = split_redirections(words_of(shell, node.redirection) or [])
    if not target:
        try:
            return _in_turn(inner, node.body)
        except ExitError as end:
            if not node.is_subshell:
                raise
            return _end_on_failure(shell, end.status)
    lines = [output_of(inner, words_of(inner, part.raw) or ["?"], None) for part in node.body]
    if None in lines:
        return shell.skip(node.raw)
    write_text(shell, b"".join(line or b"" for line in lines), target, appends=appends)
    return True


def _pipeline(shell: Shell, node: Pipeline) -> Status:
    """Do what can be told of a pipeline; an install is done wherever it stands, for its output
    alone goes to the others, or their `y` to it."""
    commands = [words_of(shell, part.raw) for part in node.parts]
    given = output_of_pipeline(shell, node.parts[:-1])
    if given is not None and commands[-1]:
        return _end_on_failure(shell, run_words(shell, commands[-1], node.raw, given))
    installs = [words for words in commands if words and parse_install(words)]
    for words in installs:
        run_words(shell, words)
    is_tool = any(place in node.raw for place in TOOL_SCRIPTS)
    shell.recipe.has_unknown_files |= is_tool  # wherever its installer puts it
    return True if installs or is_tool else shell.skip(node.raw)
