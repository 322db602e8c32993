"""The wizard as somebody at a whole terminal meets it."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.terminals import Person

from .room import PASSWORD, Folder, Shop, Typist


def to_the_tables(typist: Typist, source: str = "production") -> None:
    """Choose a copy of a source to staging, and keep its rules."""
    typist.wizard("--plain")
    typist.answers("What do you want to do?", "down", "enter")
    typist.answers("Which database is copied?", *(["down", "down"] * (source == "wide")), "enter")
    typist.answers("Which database becomes the copy?", "enter")
    typist.answers("For this run:", "enter")
    typist.asked("Whose rows are copied?")


def test_copy_is_chosen_from_first_to_last_question(typist: Typist, folder: Folder) -> None:
    to_the_tables(typist)
    typist.see("public.customers", "about 300 rows", "1-4 of 4, 4 ticked")
    # Ctrl-A takes all ticks away; what the filter shows is ticked.
    typist.press("ctrl-a", "i", "t", "e", "m")
    typist.see("1-1 of 1 with 'item' (of 4), 0 ticked")
    typist.press("space", "enter")
    typist.see("Foreign keys of what you ticked refer to public.customers, public.orders.")
    typist.answers("What they refer to:", "enter")
    shown = typist.asked("These rules:")
    assert "public.customers.email" in shown
    assert "Ada" not in shown, "samples are masked ones"
    assert "mail.example.org" not in shown
    typist.press("down", "enter")
    typist.answers("Which column?", "enter")
    typist.asked("proposed: An e-mail address")
    typist.press("h", "a", "s", "h", "enter")
    shown = typist.asked("These rules:")
    typist.press("enter")
    typist.answers("Write the rules into confiture.toml too", "down", "ctrl-c")
    said = typist.ended(130)

    assert "nothing was changed" in said
    assert "confiture-flows wizard --resume" in said
    state = folder.state()
    assert state["tables"] == ["public.customers", "public.order_items", "public.orders"]
    assert {each["column"]: each["strategy"] for each in state["rules"]} == {
        "public.customers.email": "hash",
        "public.customers.full_name": "name",
        "public.customers.born": "date-shift",
        "public.customers.note": "free-text",
    }
    assert "hash" not in folder.configuration
    typist.command("modules", "no prefect")

    # What was chosen is chosen still; and this time it is written.
    typist.wizard("--resume")
    typist.asked("These rules:")
    typist.see("e-mail 0.95       hash")
    typist.press("enter")
    typist.answers("Write the rules into confiture.toml too", "down", "enter")
    typist.asked("4 rules are in confiture.toml")
    assert '"public.customers.email" = "hash"' in folder.configuration
    typist.answers("of production to staging now?", "ctrl-c")
    typist.ended(130)


def test_escape_goes_back_and_loses_no_tick(typist: Typist, folder: Folder) -> None:
    to_the_tables(typist)
    typist.see("4 ticked")
    typist.press("down", "space", "down", "space")
    typist.see("2 ticked")
    typist.press("escape")
    typist.answers("For this run:", "escape")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is copied?", "enter")
    typist.answers("Which database becomes the copy?", "enter")
    typist.answers("For this run:", "enter")
    typist.asked("Whose rows are copied?")
    typist.see("[x] public.customers", "[ ] public.order_items", "[ ] public.orders", "2 ticked")
    typist.press("enter")
    typist.asked("These rules:")
    typist.press("escape")
    typist.asked("Whose rows are copied?")
    typist.see("2 ticked")
    typist.press("ctrl-c")
    typist.ended(130)


def test_five_hundred_tables_can_be_walked_through(typist: Typist, folder: Folder) -> None:
    typist.resize(80, 24)
    to_the_tables(typist, "wide")
    typist.see("» [x] public.t_001", "1-20 of 500, 500 ticked")
    typist.press("pagedown")
    typist.see("2-21 of 500", "» [x] public.t_021")
    typist.press("pagedown")
    typist.see("22-41 of 500")
    typist.press("end")
    typist.see("481-500 of 500", "» [x] public.t_500")
    typist.press("4", "9")
    typist.see("1-15 of 15 with '49' (of 500)")
    typist.press("ctrl-a", "ctrl-u")
    typist.see("of 500, 485 ticked")
    typist.press("x")
    typist.see("Nothing has this in its name", "nothing with 'x'")
    typist.press("backspace", "enter")
    typist.asked("485 columns looked at: none looks personal", seconds=40)
    state = folder.state()
    assert len(state["tables"]) == 485
    typist.press("ctrl-c")


def test_sixty_columns_are_enough(typist: Typist, folder: Folder) -> None:
    typist.resize(60, 24)
    to_the_tables(typist)
    typist.see("1-4 of 4, 4 ticked", "Space ticks")
    typist.press("enter")
    shown = typist.asked("These rules:")
    typist.press("down", "enter")
    typist.answers("Which column?", "enter")
    shown = typist.asked("proposed:")

    assert "public.customers.email" in shown
    assert max(len(line) for line in shown.splitlines()) <= 60
    typist.press("ctrl-c")
    typist.ended(130)


def test_steps_that_do_not_apply_are_skipped_and_said_so(typist: Typist, folder: Folder) -> None:
    typist.wizard("--plain")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "enter")
    typist.see("PostgreSQL", "4 tables", "Rules of production")
    typist.answers("Type its name to go on", "staging", "enter")
    typist.see("It is called production.")
    typist.press(*["backspace"] * 7, "production", "enter")
    typist.answers("For this run:", "down", "enter")
    typist.asked("At which findings does the run stop?")
    typist.press("enter")
    typist.answers("How far does a dry run go", "ctrl-c")
    typist.ended(130)
    assert folder.state()["confirmed_name"] == "production"
    assert folder.state()["gate"] == "error"

    typist.wizard("--resume")
    # Whoever goes on types the name again, and takes the change of rules back.
    typist.answers("Type its name to go on", "production", "enter")
    typist.answers("For this run:", "up", "enter")
    typist.asked("Rules - skipped: nothing is copied, so nothing is anonymized.")
    typist.see("Tables - skipped: nothing is copied")
    typist.answers("In which folder are the migrations?", "ctrl-c")
    typist.ended(130)


def test_production_rules_can_only_become_stricter(typist: Typist, folder: Folder) -> None:
    text = folder.configuration.replace(
        "production = true", 'production = true\nfail_on = "warning"\ndry_run = "static"'
    )
    (folder.path / "confiture.toml").write_text(text)
    typist.wizard("--plain")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "enter")
    typist.answers("Type its name to go on", "production", "enter")
    typist.answers("For this run:", "down", "enter")
    typist.asked("At which findings does the run stop?")
    typist.see("- error (looser than its rules, and it is production)")
    typist.press("up", "enter")
    typist.asked("How far does a dry run go")
    typist.see("- off (less than its rules, and it is production)")
    typist.press("ctrl-c")
    typist.ended(130)
    assert folder.state()["gate"] == "info"


def test_every_question_can_be_left_and_resumed(typist: Typist, folder: Folder) -> None:
    steps = [
        [
            ("What do you want to do?", ["down", "enter"]),
            ("Which database is copied?", ["enter"]),
            ("Which database becomes the copy?", ["enter"]),
        ],
        [("For this run:", ["enter"])],
        [
            ("Whose rows are copied?", ["ctrl-a", "down", "space", "enter"]),
            ("What they refer to:", ["enter"]),
        ],
        [("These rules:", ["enter"])],
    ]
    typist.wizard()
    for questions in steps:
        for place, (question, keys) in enumerate(questions):
            typist.answers(question, "ctrl-c")
            said = typist.ended(130)
            assert "Left the wizard; nothing was changed." in said
            assert "Go on with: confiture-flows wizard --resume" in said
            folder.state()
            typist.wizard("--resume")
            # What was answered before in this step stands there already.
            for before, _ in questions[:place]:
                typist.answers(before, "enter")
            typist.answers(question, *keys)
    typist.answers("Write the rules into confiture.toml too", "ctrl-c")
    typist.ended(130)


def test_wrong_connection_string_is_told_and_asked_again(
    typist: Typist, folder: Folder, shop: Shop
) -> None:
    typist.wizard("--plain")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "down", "down", "down", "enter")
    typist.answers("Which environment variable holds it", "ctrl-u", "SHOP_DSN", "enter")
    typist.see("SHOP_DSN is not set.")
    wrong = f"postgresql://me:{PASSWORD}@127.0.0.1:1/nowhere"
    typist.answers("Connection string for SHOP_DSN", wrong, "enter")
    shown = typist.asked("Which database is migrated?")
    assert "Nothing answers at nowhere@127.0.0.1:1" in shown
    assert PASSWORD not in shown

    typist.press("up", "enter")
    typist.answers("Which environment variable holds it", "ctrl-u", "SHOP_DSN", "enter")
    typist.answers("Connection string for SHOP_DSN", shop.staging, "enter")
    shown = typist.asked("For this run:")
    assert "This is the database of the target staging; its rules hold." in shown
    assert PASSWORD not in shown
    typist.press("ctrl-c")
    assert PASSWORD not in typist.ended(130)
    assert folder.state()["target"] == "staging"


def test_left_wizard_is_offered_when_another_begins(typist: Typist, folder: Folder) -> None:
    typist.wizard()
    typist.answers("What do you want to do?", "escape")
    typist.asked("This is the first question; Ctrl-C leaves.")
    typist.answers("What do you want to do?", "enter")
    typist.answers("Which database is migrated?", "down", "enter")
    typist.answers("For this run:", "ctrl-c")
    typist.ended(130)

    typist.wizard()
    typist.answers("A wizard was left after Database.", "enter")
    typist.asked("Rules of staging")
    typist.answers("For this run:", "ctrl-c")
    typist.ended(130)
    typist.wizard()
    typist.answers("A wizard was left after Database.", "down", "enter")
    typist.answers("What do you want to do?", "ctrl-c")
    typist.ended(130)


def test_lost_source_leaves_a_choice(typist: Typist, folder: Folder, shop: Shop) -> None:
    typist.command("export LOST=" + shop.production.replace(" ", "\\ "))
    (folder.path / "confiture.toml").write_text(
        folder.configuration.replace(shop.production, "${LOST}")
    )
    to_the_tables(typist)
    typist.press("escape")
    typist.answers("For this run:", "ctrl-c")
    typist.ended(130)
    typist.command("export LOST=host=127.0.0.1\\ port=1\\ dbname=gone")

    typist.wizard("--resume")
    typist.answers("For this run:", "enter")
    typist.see("Nothing answers at gone@127.0.0.1:1", "Nothing was changed. What now?")
    typist.see("Try this step again", "Go back a step")
    typist.press("down", "enter")
    typist.answers("For this run:", "ctrl-c")
    typist.ended(130)


def test_no_colour_where_none_is_wanted(program: Callable[..., Person], folder: Folder) -> None:
    person = program("wizard", NO_COLOR="1")
    person.see("What do you want to do?")
    person.press("enter")
    person.asked("Which database is migrated?")
    person.press("ctrl-c")

    assert person.ends() == 130
    coloured = [part for part in person.raw.split("\x1b[")[1:] if re.match(r"[\d;]*3[1-7]m", part)]
    assert coloured == []
    assert "38;5" not in person.raw
