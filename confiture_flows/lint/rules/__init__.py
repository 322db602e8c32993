"""The rules, one file a demand; a module has `RULES`."""
