"""Dockerfiles read as BuildKit 0.17.3 reads them: directives, ARG, ENV, flags."""

import pytest

from flashsale.base.dockerfile.stages import Stage, parse_stages
from flashsale.base.errors import BadInputError


def env(stage: Stage) -> dict[str, str]:
    """Return what the ENVs of a stage say."""
    pairs = [
        instruction.assignments()
        for instruction in stage.instructions
        if instruction.keyword == "ENV"
    ]
    return {name: value for each in pairs for name, value in each}


def test_directives_come_in_any_order() -> None:
    """`# syntax=` before `# escape=` is usual; a comment ends them."""
    (stage,) = parse_stages(
        "# syntax=docker/dockerfile:1\n# escape=`\nFROM x\nENV A=1 `\n  B=c:\\d\n"
    )
    assert env(stage) == {"A": "1", "B": "c:\\d"}
    (stage,) = parse_stages("# a comment\n# escape=`\nFROM x\nENV A=1 \\\n  B=2\n")
    assert env(stage) == {"A": "1", "B": "2"}


def test_the_old_form_of_env_has_quotes_resolved() -> None:
    """Its value is the rest of the line."""
    (stage,) = parse_stages("FROM x\nENV A \"quoted value\"\nENV B 'single $A'\nENV C a=b  c\n")
    assert env(stage) == {"A": "quoted value", "B": "single $A", "C": "a=b  c"}


def test_env_sees_what_came_before_its_line() -> None:
    """Docker's own example."""
    (stage,) = parse_stages("FROM x\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\n")
    assert env(stage) == {"abc": "bye", "def": "hello", "ghi": "bye"}


def test_a_stage_has_the_args_of_the_one_it_is_based_on() -> None:
    """And of those before the first FROM the ones that it repeats."""
    _, last = parse_stages(
        "ARG BASE=y\nFROM $BASE AS one\nARG BASE\nARG A='x y'\nFROM one\nENV B=$BASE C=$A\n"
    )
    assert env(last) == {"B": "y", "C": "x y"}


def test_an_arg_without_a_value_is_unset() -> None:
    """Unless it is given."""
    text = "FROM x\nARG A\nENV B=${A-unset}\n"
    assert env(parse_stages(text)[0]) == {"B": "unset"}
    assert env(parse_stages(text, arguments={"A": ""})[0]) == {"B": ""}


def test_the_platform_is_known_once_it_is_declared() -> None:
    """As BuildKit's own ARGs are; FROM knows them anyway."""
    text = "FROM --platform=$BUILDPLATFORM x\nENV A=$TARGETOS\nARG TARGETOS\nENV B=$TARGETOS\n"
    (stage,) = parse_stages(text)
    assert env(stage) == {"A": "", "B": "linux"}


def test_path_is_added_to_the_one_of_the_base_image() -> None:
    """An empty part of PATH would mean the working directory."""
    (stage,) = parse_stages("FROM python:3.12\nENV PATH=/venv/bin:$PATH\n")
    assert env(stage)["PATH"].startswith("/venv/bin:/usr/local/bin:")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("COPY --chwon=1 a b", "COPY has no flag --chwon"),
        ("HEALTHCHECK --interval=5 CMD true", "--interval=5 has no unit: write 5s"),
        ("RUN --mnt=type=cache pip install x", "RUN has no flag --mnt"),
        ("ENV A=1 # no comment", "ENV has #, which is not NAME=VALUE"),
        ("ENV =x", "which is not NAME=VALUE"),
        ("LABEL a=b c", "LABEL has c, which is not NAME=VALUE"),
        ("ENV A=it's", "a quote that never ends"),
        ('ENV A="${B:?say which}"', "B: say which"),
        ("FROM python:$TAG", r"FROM python:\$TAG names 'python:': invalid reference format"),
        ("FROM $BASE AS x", r"FROM \$BASE AS x names ''"),
        ("FROM Python", "must be lowercase"),
        ("FROM y AS 1x", "1x cannot name a stage"),
        ("FROM y AS a/b", "a/b cannot name a stage"),
    ],
)
def test_what_docker_refuses_is_refused_with_its_line(line: str, why: str) -> None:
    """Before anything is built."""
    with pytest.raises(BadInputError, match=f"Dockerfile:2: .*{why}"):
        parse_stages(f"FROM x\n{line}\n")


def test_the_flags_of_a_probe_are_its_own() -> None:
    """What stands behind CMD is for the program that checks."""
    probe = "wget --timeout=5 --tries=1 -q http://localhost/"
    (stage,) = parse_stages(f"FROM x\nHEALTHCHECK --interval=5s CMD {probe}\n")
    assert stage.instructions[0].text.endswith(probe)


def test_a_tab_separates_words_and_stays_in_a_command() -> None:
    """Tabs are blanks between words and text in a command."""
    (stage,) = parse_stages("FROM x\nENV\tA=1\tB=2\nCMD printf 'a\tb'\n")
    assert env(stage) == {"A": "1", "B": "2"}
    assert stage.instructions[1].command()[-1] == "printf 'a\tb'"
