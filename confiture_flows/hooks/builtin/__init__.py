"""Hooks that come with the package, one a module, usable from confiture.toml alone."""
