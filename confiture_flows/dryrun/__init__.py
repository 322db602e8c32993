"""What a plan would do, before it does it: executed where nothing can be harmed, and looked at.

`dry_run` in dry_run.py is the only entry; report.py holds the values that it returns. impact.py
and known.py judge by words alone; replica.py fills the scratch database in which rehearsal.py runs
the plan, watched by watcher.py and probe.py; rollback_check.py goes back; on_target.py runs it on
the target itself. estimate.py, findings.py, document.py and values.py say what came of it. A new
finding is a function of findings.py, and a line of docs/guides/dry-run-mode.md.
"""
