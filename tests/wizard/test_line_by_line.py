"""The wizard on a terminal that cannot be redrawn, with nobody there, and by a file of answers."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from confiture_flows.config import load_project
from confiture_flows.errors import ConfigError, TargetUnreachableError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.migrations.resolve import Unfinished
from confiture_flows.wizard.migrating import MigrationRun, Standing
from confiture_flows.wizard.monitor import statement_in
from confiture_flows.wizard.prefect_profile import prefect_is_configured
from confiture_flows.wizard.prompters.answers import AnswersFile, AnswersPrompter
from confiture_flows.wizard.prompters.plain import PlainPrompter
from confiture_flows.wizard.prompts import Back, Choice, NeedsAnswer, Screen
from confiture_flows.wizard.session import WizardSession, all_steps, known_keys
from confiture_flows.wizard.state import WizardState, load_state, save_state
from confiture_flows.wizard.steps.review import PlanReview

from .room import PASSWORD, Folder, Shop, Typist

PROGRAM = Path(sys.executable).with_name("confiture-flows")
CHOICES = [
    Choice("red", "Red", "warm"),
    Choice("blue", "Blue"),
    Choice("gold", "Gold", disabled="sold out"),
]
MANY = [Choice(f"t{n}", f"table {n}") for n in range(1, 46)]


def test_dumb_terminal_is_asked_line_by_line(typist: Typist) -> None:
    typist.command("export TERM=dumb")
    typist.wizard()
    said = typist.asked("Number, 1 to 3 [1], < to go back:")
    assert "1. Migrate a database, apply what is pending" in said
    typist.press("ctrl-c")
    assert "\x1b" not in typist.ended(130)


def test_lines_are_enough(typist: Typist, folder: Folder) -> None:
    typist.wizard("--plain-prompts")
    typist.answers("Number, 1 to 3 [1], < to go back:", "2\n")
    typist.answers("Number, 1 to 4, < to go back:", "9\n")
    typist.answers("Type a number from 1 to 4", "production\n")
    typist.asked("Which database becomes the copy?")
    typist.answers("Number, 1 to 4", "<\n")
    typist.answers("Which database is copied?", "1\n")
    typist.asked("production, cannot be chosen: it is the source")
    typist.press("1\n")
    typist.answers("That cannot be chosen: it is the source.", "2\n")
    typist.answers("1. Keep these rules", "1\n")
    typist.answers("4 of 4 ticked:", "none\n")
    typist.answers("0 of 4 ticked:", "2\n")
    typist.answers("1 of 4 ticked:", "\n")
    typist.answers("Foreign keys of what you ticked", "1\n")
    typist.answers("Number, 1 to 4 [1]", "1\n")
    typist.answers("for later runs? [y/N]:", "ctrl-c")
    typist.ended(130)
    assert folder.state()["tables"] == [
        "public.customers",
        "public.order_items",
        "public.orders",
    ]


def test_typed_connection_string_is_kept_as_a_name_and_asked_again(
    typist: Typist, folder: Folder, shop: Shop
) -> None:
    text = folder.configuration.replace(f'[targets.wide]\ndsn = "{shop.wide}"', "")
    (folder.path / "confiture.toml").write_text(text)
    typist.wizard("--plain-prompts")
    typist.answers("Number, 1 to 3 [1]", "1\n")
    typist.answers("Number, 1 to 3", "dsn\n")
    typist.answers("Which environment variable", f"{shop.wide}\n")
    typist.answers("This is no name of a variable.", "OTHER_DSN\n")
    typist.answers("(not shown):", f"{shop.wide} connect_timeout=3\n")
    typist.answers("For this run:", "ctrl-c")
    typist.ended(130)
    assert folder.state()["target"] == "env:OTHER_DSN"

    typist.wizard("--plain-prompts --resume")
    typist.answers("Connection string for OTHER_DSN (not shown):", f"{shop.wide}\n")
    typist.answers("For this run:", "ctrl-c")
    assert PASSWORD not in typist.ended(130)


def test_nobody_there_ends_at_once(folder: Folder) -> None:
    """No terminal and no answers: exit 2 and which option to give, whatever the input is."""
    for options in ([], ["--plain-prompts"], ["--resume"]):
        done = subprocess.run(
            [PROGRAM, "wizard", *options],
            cwd=folder.path,
            env={"HOME": str(folder.path), "PATH": "/usr/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 2
        assert "There is no terminal to ask on." in done.stderr
        assert "confiture-flows wizard --answers FILE --yes" in done.stderr


def plain(typed: str) -> tuple[PlainPrompter, io.StringIO]:
    out = io.StringIO()
    return PlainPrompter(io.StringIO(typed), out), out


def test_plain_list_is_paged_filtered_and_ticked() -> None:
    prompter, out = plain("n\np\n/4\nall\n3 5-6\n99\n9-2\nhelp\n?\n\n")

    answer = prompter.select_many("k", "Which?", MANY, ["t1"])

    said = out.getvalue()
    assert "1-20 of 45." in said
    assert "21-40 of 45." in said
    assert "1-10 of 10." in said
    assert "There is no 99: the list has 45." in said
    fours = [f"t{n}" for n in (4, 14, 24, 34, *range(40, 46))]
    assert set(answer) == {"t1", "t3", "t5", "t6", *fours}


def test_plain_ticks_stay_when_somebody_goes_back() -> None:
    prompter, _ = plain("none\n2\n<\n\n")

    with pytest.raises(Back):
        prompter.select_many("k", "Which?", MANY, ["t1"])
    assert prompter.select_many("k", "Which?", MANY, ["t1"]) == ("t2",)


def test_plain_questions_are_asked_until_they_are_answered() -> None:
    prompter, out = plain("?\ngreen\n3\n\nmaybe\ny\n\nbad\ngood\n")

    assert prompter.select("k", "Colour?", CHOICES, "blue") == "blue"
    assert prompter.confirm("k", "Sure?") is True
    assert prompter.confirm("k", "Sure?", True) is True
    assert prompter.text("k", "Word", None, lambda t: None if t == "good" else "No.") == "good"
    with pytest.raises(NeedsAnswer, match="Nobody answers"):
        prompter.text("k", "Word")
    assert "That cannot be chosen: sold out." in out.getvalue()
    assert out.getvalue().count("1. Red, warm") == 2


@pytest.fixture
def by_answers(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[WizardState, str]]:
    """Go through the first four steps by a file; gives the state, and what was printed."""
    monkeypatch.chdir(folder.path)
    monkeypatch.setenv("COPY_SECRET", "a secret that is long enough for keys")

    def run(text: str) -> tuple[WizardState, str]:
        path = folder.path / "answers.toml"
        path.write_text(text)
        steps = all_steps()
        prompter = AnswersPrompter(AnswersFile.read(path, known_keys(steps)), yes=True)
        out = io.StringIO()
        screen = Screen(prompter, Console(file=out), load_project(), offline=True, plain=True)
        session = WizardSession(screen, steps[:4], folder.path / "state.json")
        return session.run(WizardState()), out.getvalue()

    return run


DOCS = Path(__file__).parents[2] / "docs"
COPY = """
[database]
path = "copy"
source = "production"
target = "staging"
"""


def test_answers_file_asks_nobody(by_answers: Callable[..., tuple[WizardState, str]]) -> None:
    state, said = by_answers(
        COPY
        + """
[environment]
rules = "change"
gate = "info"
[tables]
tables = ["public.orders"]
[rules]
proposals = "each"
[rules.columns]
"public.customers.email" = "hash"
"public.customers.note" = "copy"
"""
    )

    assert state.tables == ("public.customers", "public.orders")
    assert state.gate == "info"
    assert {each.column: each.strategy for each in state.rules} == {
        "public.customers.email": "hash",
        "public.customers.full_name": "name",
        "public.customers.born": "date-shift",
    }
    assert state.allow == ("public.customers.note",)
    assert state.done == ("database", "environment", "tables", "rules")
    assert "Ada" not in said


@pytest.mark.parametrize(
    ("text", "message", "next_step"),
    [
        (COPY.replace("staging", "stagin"), "database.target has no 'stagin'", "mean staging"),
        (COPY.replace("staging", "production"), "cannot be 'production': it is the source", ""),
        (COPY.replace("[database]", "[databse]"), "Nothing asks for databse.path", "database.path"),
        (COPY + '[tables]\ntables = "public.orders"', "tables.tables is no list", ""),
        (COPY + "[rules]\nwrite = 1", "rules.write is neither true nor false", ""),
        ('[database]\ntarget = "production"', "no answer to environment.name", "Add name to"),
        (
            '[database]\ntarget = "production"\n[environment]\nname = "prod"',
            "environment.name is refused: It is called production",
            "",
        ),
        ('[database]\ntarget = "dsn"', "is not in the environment", "export CONFITURE_DSN="),
        ("[database", "This is not TOML", ""),
    ],
)
def test_wrong_answers_are_refused_with_their_key(
    by_answers: Callable[..., tuple[WizardState, str]], text: str, message: str, next_step: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        by_answers(text)

    assert message in refused.value.message
    assert next_step in str(refused.value.next_step)


def test_database_that_does_not_answer_ends_an_unattended_wizard(
    by_answers: Callable[..., tuple[WizardState, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFITURE_DSN", f"postgresql://me:{PASSWORD}@127.0.0.1:1/nowhere")

    with pytest.raises(TargetUnreachableError, match=r"Nothing answers at nowhere@127\.0\.0\.1:1"):
        by_answers('[database]\ntarget = "env:CONFITURE_DSN"')


def test_copy_may_become_a_database_that_is_not_there(
    by_answers: Callable[..., tuple[WizardState, str]], folder: Folder, shop: Shop
) -> None:
    text = folder.configuration.replace(shop.staging, shop.missing)
    (folder.path / "confiture.toml").write_text(text)

    state, said = by_answers(COPY + "[rules]\nproposals = 'none'\n")

    assert "no such database yet" in said
    assert state.rules == ()
    assert len(state.allow) == 4


def test_state_never_holds_a_connection_string(tmp_path: Path) -> None:
    for text in (f"postgresql://me:{PASSWORD}@db/shop", f"host=db password={PASSWORD}"):
        with pytest.raises(ValueError, match="is not kept") as refused:
            WizardState(target=text)
        assert PASSWORD not in str(refused.value)
    path = tmp_path / "deep" / "state.json"
    save_state(WizardState(target="env:SHOP_DSN", tables=()), path)
    assert load_state(path) == WizardState(target="env:SHOP_DSN", tables=())
    path.write_text('{"version": 99}')
    with pytest.raises(ConfigError, match="cannot be read"):
        load_state(path)


def test_resuming_reviews_anew_what_has_not_run(folder: Folder) -> None:
    names = tuple(each.name for each in all_steps())
    path = folder.path / "state.json"
    state = WizardState(target="staging", plain=True, done=names[:5])
    save_state(state, path)
    project = load_project(folder.path)
    prompter = AnswersPrompter(AnswersFile(folder.path / "answers.toml", {}), yes=True)
    session = WizardSession(
        Screen(prompter, Console(file=io.StringIO()), project), all_steps(), path
    )
    assert session.resumed({"plain": True}).done == names[:4]
    save_state(state.but(done=names[:6]), path)
    assert session.resumed({"plain": True}).done == names[:6]
    assert session.resumed({"directory": "elsewhere"}).done == names[:4]


def test_answers_of_the_guide_are_answers(
    by_answers: Callable[..., tuple[WizardState, str]],
) -> None:
    guide = (DOCS / "guides" / "interactive-wizard.md").read_text()
    (answers,) = re.findall(r"^```toml\n(\[database\].*?)^```", guide, re.MULTILINE | re.DOTALL)

    state, _ = by_answers(answers)

    assert state.tables == ("public.customers", "public.orders")
    assert state.allow == ("public.customers.note",)


def test_every_key_is_in_the_reference() -> None:
    page = (DOCS / "api" / "wizard.md").read_text()
    keys = [each.rstrip(".*") for each in known_keys(all_steps())]
    assert [each for each in keys if f"`{each}" not in page] == []


@pytest.mark.parametrize(
    ("profiles", "environment", "named"),
    [
        (None, {}, False),
        (None, {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, True),
        ('active = "b"\n[profiles.b]\nPREFECT_API_URL = "http://127.0.0.1:1/api"', {}, True),
        ('active = "a"\n[profiles.b]\nPREFECT_API_URL = "http://127.0.0.1:1/api"', {}, False),
        (
            '[profiles.b]\nPREFECT_API_URL = "http://127.0.0.1:1/api"',
            {"PREFECT_PROFILE": "b"},
            True,
        ),
        ("active = [", {}, False),
        ("active = 'a'\nprofiles = 3", {}, False),
    ],
)
def test_server_is_known_without_asking_prefect(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    profiles: str | None,
    environment: dict[str, str],
    named: bool,
) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if profiles:
        (tmp_path / "profiles.toml").write_text(profiles)

    assert prefect_is_configured() is named
    (tmp_path / "prefect.toml").write_text('[api]\nurl = "http://127.0.0.1:4200/api"')
    assert prefect_is_configured()


def test_review_keeps_the_letters_of_names(
    folder: Folder, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = folder.configuration.replace("targets.production", "targets.Prod-EU")
    text += f'[targets.Copy]\ndsn = "{shop.missing}"\n'
    (folder.path / "confiture.toml").write_text(text)
    monkeypatch.setenv("COPY_SECRET", "a secret that is long enough for keys")
    prompter, out = plain("y\n")
    screen = Screen(prompter, Console(file=io.StringIO()), load_project(folder.path), offline=True)
    state = WizardState(path="copy", source="Prod-EU", target="Copy")
    assert PlanReview().run(screen, state).plain
    assert "Copy 4 tables of Prod-EU to Copy now?" in out.getvalue()


def test_repeatable_migration_is_in_nobody_s_way_back(
    folder: Folder, dsn: str, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "V1__t.sql": "CREATE TABLE t (id int PRIMARY KEY);",
        "U1__t.sql": "DROP TABLE t;",
        "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT id FROM t;",
    }
    (folder.path / "confiture.toml").write_text(f"[targets.here]\ndsn = {json.dumps(dsn)}\n")
    write(files)
    monkeypatch.chdir(folder.path)
    prompter, _ = plain("y\n")
    shown = io.StringIO()
    screen = Screen(prompter, Console(file=shown, width=120), load_project(), offline=True)
    PlanReview().run(screen, WizardState(target="here", dry_run="off"))
    assert "stays: it is repeatable" in shown.getvalue()
    assert "All of it can be rolled back." in shown.getvalue()


def test_statement_is_known_by_what_the_server_keeps_of_it(write: Callable[..., Path]) -> None:
    long = "COMMENT ON TABLE t IS '" + "\u00fc" * 3000 + "'"
    folder = write({"1_a.up.sql": f"CREATE TABLE t (id int);\n{long};\nSELECT 1;"})
    (step,) = plan_forward(discover(folder).migrations, ()).steps
    kept = long.encode()[:1023].decode(errors="ignore")
    assert statement_in(step, kept) == "statement 2 of 3 (line 2)"
    assert statement_in(step, "SELECT 1") == "statement 3 of 3 (line 3)"
    assert statement_in(step, "BEGIN") == "3 statements in one transaction"


def test_plain_run_cannot_roll_back_what_somebody_has_to_approve(folder: Folder) -> None:
    said = '[targets.here]\ndsn = "dbname=nowhere"\napprove = "above:error"\n'
    (folder.path / "confiture.toml").write_text(said)
    prompter = AnswersPrompter(AnswersFile(folder.path / "answers.toml", {}), yes=True)
    screen = Screen(prompter, Console(file=io.StringIO()), load_project(folder.path))
    run = MigrationRun(screen, WizardState(target="here", plain=True))

    standing = Standing((), (Unfinished("0001", "up", ()),))
    assert "has to be approved" in (run.refused(standing) or "")
    assert run.refused(Standing(())) == "nothing of this run is applied"
