"""Report values and how they are rendered. Knows no other room's types.

`document.py` is what a report says to people, rendered by `text.py` (terminal, pipe), `markdown.py`
(artifacts, pull requests) and `html.py` (one file). `finding.py` is what every stage finds, and
`json.py` the one shape of `--json`. `remark.py` is a finding for machines, rendered by `ci.py`
(GitHub, GitLab, JUnit) and `sarif.py`. A new format is a file here and its name in the command that
prints it.
"""
