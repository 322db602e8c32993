"""The hierarchy is what its docstring draws, and an error survives the way to another process."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import pytest

from confiture_flows import errors
from confiture_flows.cli._frame import exit_code
from confiture_flows.errors import ApplyError, ConfitureFlowsError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ConfitureFlowsError)
]
_LINE = re.compile(
    r"^(?P<branch>[ |`-]*?)(?P<name>[A-Z]\w+Error)(?: \((?P<base>\w+)\))?"
    r"(?: +(?P<exit>\d+)  .*?(?P<retry>\[retryable\])?)?$"
)


def drawn() -> dict[str, tuple[str | None, str | None, int | None, bool]]:
    """Name -> parent, built-in base, exit code and whether to retry, as the docstring says."""
    found: dict[str, tuple[str | None, str | None, int | None, bool]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if not (match := _LINE.match(line)):
            continue
        depth = len(match["branch"])
        above = [(each, name) for each, name in above if each < depth]
        parent = above[-1][1] if above else None
        code = int(match["exit"]) if match["exit"] else None
        found[match["name"]] = (parent, match["base"], code, bool(match["retry"]))
        above.append((depth, match["name"]))
    return found


def test_docstring_draws_every_error_with_its_parent() -> None:
    actual = {
        kind.__name__: next(
            (base.__name__ for base in kind.__bases__ if issubclass(base, ConfitureFlowsError)),
            None,
        )
        for kind in KINDS
    }
    assert {name: parent for name, (parent, *_) in drawn().items()} == actual


@pytest.mark.parametrize("kind", KINDS[1:])
def test_docstring_tells_base_exit_code_and_retries(kind: type[ConfitureFlowsError]) -> None:
    _, base, code, retryable = drawn()[kind.__name__]

    builtin = [each.__name__ for each in kind.__bases__ if not issubclass(each, KINDS[0])]
    assert builtin == ([base] if base else [])
    assert (kind.exit_code, kind.retryable) == (code, retryable)
    assert exit_code(kind()) == code


def test_every_error_has_a_code_of_its_own() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_no_error_ends_with_success() -> None:
    assert all(kind.exit_code > 0 for kind in KINDS)
    assert exit_code(None) == 0
    assert exit_code(KeyboardInterrupt()) == 130
    assert exit_code(RuntimeError()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_docstring_is_the_message_when_none_is_given(kind: type[ConfitureFlowsError]) -> None:
    assert kind().message == (kind.__doc__ or "").splitlines()[0]
    assert kind().message.endswith(".")


FIELDS = {
    "next_step": "Mend it.",
    "version": "0001",
    "file": Path("m/0001.sql"),
    "line": 3,
    "statement": 2,
    "sqlstate": "42P07",
    "excerpt": "CREATE TABLE t",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "carry",
    [
        lambda error: pickle.loads(pickle.dumps(error)),
        copy.copy,
        copy.deepcopy,
    ],
    ids=["pickle", "copy", "deepcopy"],
)
def test_error_keeps_all_its_fields_on_the_way(kind: type[ConfitureFlowsError], carry) -> None:
    error = kind("It failed.", **FIELDS)
    error.add_note("seen on the way")

    arrived = carry(error)

    assert type(arrived) is kind
    assert vars(arrived) == vars(error)
    assert {name: getattr(arrived, name) for name in FIELDS} == FIELDS
    assert (str(arrived), arrived.args) == (str(error), error.args)
    assert arrived.__notes__ == ["seen on the way"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "It failed."),
        ({"file": Path("m/1.sql")}, "It failed.\nat m/1.sql"),
        ({"file": Path("m/1.sql"), "line": 3}, "It failed.\nat m/1.sql:3"),
        ({"line": 3}, "It failed."),
        ({"next_step": "Mend it."}, "It failed.\nMend it."),
    ],
)
def test_text_says_what_where_and_what_next(fields: dict[str, object], text: str) -> None:
    assert str(ApplyError("It failed.", **fields)) == text  # pyright: ignore[reportArgumentType]
