"""What is told of an error holds no password, however long the message is."""

from __future__ import annotations

from confiture_flows.sql.secrets import told


def test_password_is_masked_before_the_message_is_cut() -> None:
    password = "s3cret" * 60
    said = told(ValueError(f"cannot connect to postgresql://joe:{password}@db/shop\nand so on"))
    assert said == "ValueError: cannot connect to postgresql://joe:***@db/shop"
