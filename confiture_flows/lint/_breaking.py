"""Whether what is dropped was there before. Shared by the rules about drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene


def made_before(scene: Scene, said: op.DropObject) -> bool:
    """Whether the script itself makes the object, before or after it drops it.

    Dropped and made again in one transaction, an object changes; it is not gone.
    """
    return any(_made(each) == said.name for each in (*scene.earlier(), *scene.later()))


def _made(each: op.Operation) -> object:
    match each:
        case op.CreateTable(table=name) | op.CreateView(view=name):
            return name
        case op.CreateFunction(name=name) | op.CreateType(name=name) | op.CreateObject(name=name):
            return name
        case op.RenameObject(old="", new=new, name=old):
            return old._replace(name=new)
        case _:
            return None
