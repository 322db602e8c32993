"""Migrations -> findings: rules that know the history, and the live database when it is given.

Where to look:

- A rule by its code or demand: `rules/` (statements of migrations), `history_rules/` (order and
  sameness, with a ledger), `catalog_rules/` (a live database). `confiture-flows rules` lists all;
  `every_rule.py` finds one.
- The way of a lint: `runner.py` chooses what is judged, `walk.py` asks each rule about each
  operation, `report.py` is what comes out. `style.py` adds what sqlfluff's own rules say.
- What a rule sees (`rule.py`: Scene): the script (`script.py`), and what earlier migrations have
  made (`state.py`, whose changes are in `_changes.py`, `_drops.py`, `_renames.py`), or what a
  database holds (`live.py`, `live_state.py`), and how large its tables are (`statistics.py`).
- What mends: rules give edits, built in the `_` modules named for them, and `fixes.py` makes them.
- What is left out: comments (`noqa.py`), known findings (`baseline.py`); what is kept between
  runs: `cache.py`. sqlfluff comes in by `sqlfluff_plugin.py`.

A new rule is two files: one here in `rules/`, whose docstring is its page, and its cases in
tests/rules/CODE.yml. `python -m confiture_flows.lint.pages` then writes the page and the index.
"""
