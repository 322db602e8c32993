"""An expression -> whether each row may get another value from it. Pure.

Source: `select proname from pg_proc where provolatile = 'v'` of PostgreSQL 15 to 18 and of the
extensions that defaults use, and the names that they keep over all versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.sql.parts import Expression

_VOLATILE_WORDS = """
    clock_timestamp currval gen_random_uuid gen_random_bytes lastval nextval random
    random_normal setval timeofday txid_current pg_current_xact_id uuidv4 uuidv7
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_salt pg_sleep
    """
_VOLATILE = frozenset(_VOLATILE_WORDS.split())
_STEADY_WORDS = """
    now transaction_timestamp statement_timestamp current_date current_time current_time_n
    current_timestamp current_timestamp_n localtime localtime_n localtimestamp localtimestamp_n
    current_role current_user user session_user current_catalog current_schema current_database
    current_setting timezone date_trunc date_part extract to_char to_date to_timestamp age
    make_date make_interval make_time make_timestamp make_timestamptz
    lower upper initcap length char_length octet_length trim btrim ltrim rtrim replace
    regexp_replace substring substr concat concat_ws format md5 encode decode sha256 sha512
    left right lpad rpad split_part strpos position overlay reverse repeat translate
    coalesce nullif greatest least abs ceil ceiling floor round trunc mod power sqrt sign
    to_json to_jsonb json_build_object jsonb_build_object json_build_array jsonb_build_array
    array_to_json row_to_json jsonb_object json_object jsonb_strip_nulls jsonb_set
    array_append array_cat array_length array_remove array_to_string string_to_array cardinality
    to_tsvector to_tsquery plainto_tsquery setweight tsvector_concat hashtext
    inet_client_addr host network broadcast int4range int8range numrange tsrange tstzrange
    daterange uuid_nil uuid_generate_v3 uuid_generate_v5 digest hmac
    """
_STEADY = frozenset(_STEADY_WORDS.split())


def is_volatile(expression: Expression) -> bool | None:
    """Whether it may differ from row to row; None when it calls a function nobody knows here."""
    unknown = False
    for function in expression.functions:
        name = function.rpartition(".")[2]
        if name in _VOLATILE:
            return True
        unknown = unknown or name not in _STEADY
    return None if unknown else False
