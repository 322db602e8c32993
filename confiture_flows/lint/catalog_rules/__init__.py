"""The catalog rules, one file and one query a demand; a module has `RULE`."""
