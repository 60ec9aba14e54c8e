"""Hints repeat what was typed about where the sale is."""

from __future__ import annotations

from flashsale.base.errors import Hint
from flashsale.cli.hints import placed
from flashsale.cli.options.global_options import Shared


def test_a_variable_before_a_command_changes_nothing() -> None:
    """`TERM=... flashsale learn` is ours as well."""
    typed = Shared(context="kind-x")
    hint = placed(Hint("TERM=dumb flashsale status && ls", ""), typed)
    assert hint.command == "TERM=dumb flashsale status --context kind-x && ls"
