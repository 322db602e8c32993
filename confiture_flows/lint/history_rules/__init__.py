"""Demands on the history: a module each, found by name."""
