"""Documents as paths with values, and keys that are values themselves."""

from __future__ import annotations

import json

from confiture_flows.anonymization.json_paths import PathValues, walked


def paths(*documents: object) -> dict[str, PathValues]:
    return {each.path: each for each in walked(json.dumps(one) for one in documents)}


def test_values_stand_at_their_paths():
    found = paths({"a": {"b": ["x", "y"]}, "n": 1}, {"a": {"b": ["z"]}, "n": None}, {"n": 2.5})
    assert found["$.a.b[*]"].values == ("x", "y", "z")
    assert (found["$.a.b[*]"].key, found["$.a.b[*]"].parent) == ("b", "a")
    assert (found["$.n"].values, found["$.n"].type) == (("1", "2.5"), "numeric")


def test_keys_of_one_document_are_values():
    found = paths(*({"by": {f"user{n}@mail.org": {"age": n}}} for n in range(20)))
    assert set(found) == {"$.by.* (keys)", "$.by.*.age"}
    assert found["$.by.* (keys)"].values[0] == "user0@mail.org"
    assert len(found["$.by.*.age"].values) == 20


def test_keys_that_are_no_names_are_never_shown():
    found = paths({"a b": 1, "x@y.de": 2}, {"a b": 1, "x@y.de": 2})
    assert set(found) == {"$.* (keys)", "$.*"}


def test_words_of_programmers_are_shown_even_once():
    (found,) = walked([json.dumps({"email": "x"})], lambda key: key == "email")
    assert found.path == "$.email"


def test_scalars_lists_and_what_is_no_json():
    assert paths(5)["$"].type == "numeric"
    assert paths([["a"], ["b"]])["$[*][*]"].values == ("a", "b")
    assert walked(["{", "", "[" * 100_000]) == ()
    assert walked([]) == ()


def test_deep_and_wide_documents_end():
    deep: object = "x"
    for _ in range(30):
        deep = {"k": deep}
    wide = {f"k{number}": {"a": 1, "b": "x"} for number in range(2000)}
    assert paths(deep, deep) == {}
    assert len(paths(wide, wide)) <= 300


def test_values_are_not_in_its_representation():
    assert "secret" not in repr(paths({"a": "secret"}, {"a": "secret"}))
