from confiture_flows.target import Target, connect


def test_connect_names_its_purpose(target: Target) -> None:
    with connect(target, "looking") as conn:
        row = conn.execute("SELECT current_setting('application_name')").fetchone()
    assert row == ("confiture-flows looking",)
