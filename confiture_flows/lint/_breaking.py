"""A rule about what is dropped, and whether that was there before. Shared by the rules on drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.lint.rule import Scene
    from confiture_flows.report.finding import Severity
    from confiture_flows.sql.parts import ObjectName


def drop_rule(
    code: str,
    name: str,
    severity: Severity,
    kinds: tuple[str, ...],
    message: str,
    *,
    doc: str | None,
    harmless: Callable[[op.DropObject, Scene], bool] | None = None,
) -> Rule:
    """A rule that judges the dropping of objects that programs may still use.

    Args:
        code: Of the rule.
        name: Of the rule.
        severity: Of the rule.
        kinds: The kinds of objects.
        message: What is true; {name} stands for the object.
        doc: The module's docstring.
        harmless: Tells of an object that no program can miss by itself.
    """

    def check(said: op.DropObject, scene: Scene) -> Iterator[Problem]:
        if said.object_kind not in kinds or scene.new(said.name) or made_by_script(scene, said):
            return
        if harmless and harmless(said, scene):
            return
        yield Problem(
            message.format(name=said.name),
            "Release a version that does not use it first; drop it in a later migration.",
        )

    return Rule(
        code=code,
        name=name,
        category="breaking",
        severity=severity,
        on=(op.DropObject,),
        check=check,
        modes="SH",
        doc=doc,
    )


def made_by_script(scene: Scene, said: op.DropObject) -> bool:
    """Whether the script itself makes the object, before or after it drops it.

    Dropped and made again in one transaction, an object changes; it is not gone.
    """
    name = scene.state.full(said.name)
    made = map(_made, (*scene.earlier(), *scene.later()))
    return any(each is not None and scene.state.full(each) == name for each in made)


def _made(each: op.Operation) -> ObjectName | None:
    match each:
        case op.CreateTable(table=name) | op.CreateView(view=name):
            return name
        case op.CreateFunction(name=name) | op.CreateType(name=name) | op.CreateObject(name=name):
            return name
        case op.RenameObject(old="", new=new, name=old):
            return old._replace(name=new)
        case _:
            return None
