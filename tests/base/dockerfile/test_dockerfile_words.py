"""Quotes, escapes and variables of a Dockerfile; all answers are those of BuildKit 0.17.3."""

import pytest

from flashsale.base.dockerfile.dockerfile_words import expand, split

KNOWN = {"V": "1.2.3-slim", "P": "a/b/c", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'$V'", "$V"),
        ('"\\$V"', "$V"),
        ("\\$V", "$V"),
        ('a\\ b"c d"', "a bc d"),
        ('"it\'s"', "it's"),
        ("c\\nd", "cnd"),
        ('"c\\nd"', "c\\nd"),
        ('"He said \\"hi\\""', 'He said "hi"'),
        ("$V.x", "1.2.3-slim.x"),
        ("${V}s", "1.2.3-slims"),
        ("$", "$"),
        ("a$", "a$"),
        ("$1", ""),
        ("${NONE:-x y}", "x y"),
        ('${NONE:-"q r"}', "q r"),
        ("${NONE:-${V}-in}", "1.2.3-slim-in"),
        ("${NONE:-$P}", "a/b/c"),
        ("${EMPTY-d}", ""),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY+set}", "set"),
        ("${EMPTY:+set}", ""),
        ("${V:+alt}", "alt"),
        ("${V#1.}", "2.3-slim"),
        ("${P#*/}", "b/c"),
        ("${P##*/}", "c"),
        ("${P%/*}", "a/b"),
        ("${P%%/*}", "a"),
        ("${P%?}", "a/b/"),
        ("${V/slim/alpine}", "1.2.3-alpine"),
        ("${V//./_}", "1_2_3-slim"),
        ("${P//\\//-}", "a-b-c"),
        ("${P/[ab]/x}", "a/b/c"),
    ],
)
def test_words_are_expanded_as_buildkit_expands_them(text: str, value: str) -> None:
    """One word in, what the instruction gets out."""
    assert expand(text, KNOWN) == value


def test_quotes_mean_nothing_in_a_here_document() -> None:
    """Escapes and variables do."""
    body = 'a\\nb don\'t "x \\q \\"$P\\"" ${NONE-\'d\'} \\\\n\n'
    assert expand(body, KNOWN, has_quotes=False) == 'anb don\'t "x q "a/b/c"" \'d\' \\n\n'


def test_the_escape_may_be_another() -> None:
    """`# escape=` makes a backslash an ordinary character."""
    assert expand("c:\\x`$V", KNOWN, "`") == "c:\\x$V"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("it's", "a quote that never ends"),
        ('"open', "a quote that never ends"),
        ("${V", "not a variable"),
        ("${V:x}", "not a variable"),
        ("${NONE:?is needed}", "NONE: is needed"),
        ("${V:-x", "} is missing"),
    ],
)
def test_what_buildkit_refuses_is_refused(text: str, why: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=why):
        expand(text, KNOWN)


def test_blanks_in_quotes_do_not_split() -> None:
    """Nor do escaped ones; quotes and escapes stay for later."""
    assert split("A='x y' B=a\\ b \"c d\"=e it's open") == [
        "A='x y'",
        "B=a\\ b",
        '"c d"=e',
        "it's open",
    ]
