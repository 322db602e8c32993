"""What columns look like, by name, table, type and comment."""

from __future__ import annotations

import pytest

from confiture_flows.anonymization._named import words_of
from confiture_flows.anonymization.detect import (
    _PROPOSED,
    Around,
    around_all,
    looks_personal,
    proposed_strategy,
)
from confiture_flows.anonymization.registry import built_in_names

PERSONAL = [
    ("email", "users", "text", "e-mail"),
    ("workEmail", "users", "varchar", "e-mail"),
    ("user_email_address", "orders", "citext", "e-mail"),
    ("courriel", "clients", "text", "e-mail"),
    ("first_name", "x", "text", "name"),
    ("Nachname", "kunden", "text", "name"),
    ("prénom", "clients", "text", "name"),
    ("name", "customers", "varchar", "name"),
    ("customer_name", "orders", "text", "name"),
    ("phone_number", "x", "text", "phone"),
    ("telefon", "x", "int8", "phone"),
    ("Straße", "x", "text", "address"),
    ("zip", "buyers", "text", "address"),
    ("address", "customers", "jsonb", "address"),
    ("city", "patients", "text", "address"),
    ("invoice_address", "orders", "text", "address"),
    ("Rechnungsadresse", "x", "text", "address"),
    ("adresse_de_facturation", "x", "text", "address"),
    ("dateOfBirth", "x", "date", "birth date"),
    ("fecha_de_nacimiento", "x", "date", "birth date"),
    ("ssn", "x", "text", "government id"),
    ("owner_tax_id", "x", "text", "government id"),
    ("email_id", "students", "text", "e-mail"),
    ("passport_number", "x", "text", "government id"),
    ("iban", "x", "text", "payment"),
    ("credit_card", "x", "text", "payment"),
    ("last_login_ip", "x", "inet", "ip"),
    ("origin", "visits", "inet", "ip"),
    ("latitude", "x", "float8", "geo"),
    ("diagnosis", "visits", "text", "health"),
    ("password_hash", "x", "text", "credentials"),
    ("api_key", "x", "text", "credentials"),
    ("notes", "patients", "text", "free text"),
    ("emails", "users", "text[]", "e-mail"),
    ("verified_email", "x", "text", "e-mail"),
    ("approved_by", "invoices", "text", "name"),
    ("city", "customer_addresses", "text", "address"),
    ("key_value", "account_api_keys", "text", "credentials"),
    ("value", "tokens", "text", "credentials"),
    ("body", "messages", "text", "free text"),
    ("comment_text", "x", "text", "free text"),
    ("installed_by", "integrations", "text", "name"),
    ("nombre_tutor", "alumnos", "text", "name"),
    ("telefonos", "x", "text", "phone"),
    ("void_reason", "visits", "text", "free text"),
    ("payload", "deliveries", "bytea", "free text"),
    ("data", "audit_log", "jsonb", "free text"),
    ("subject", "email_logs", "text", "free text"),
    ("config", "integrations", "jsonb", "credentials"),
    ("env", "functions", "jsonb", "credentials"),
    ("uid_key", "badges", "bytea", "credentials"),
    ("avatar_url", "x", "text", "identifier"),
    ("gh_id", "users", "int4", "identifier"),
    ("bluesky", "authors", "text", "identifier"),
    ("nickname", "product_reviews", "text", "name"),
    ("code", "invitation_requests", "text", "credentials"),
    ("settings", "integrations_hooks", "jsonb", "credentials"),
    ("provider_config", "channel_sms", "jsonb", "credentials"),
    ("remote_address", "audits", "text", "ip"),
    ("title", "post_revisions", "text", "free text"),
    ("processed_message_content", "messages", "text", "free text"),
    ("donation_message", "payment_events", "text", "free text"),
    ("email_signature", "x", "text", "free text"),
    ("start_year", "credit_cards", "int4", "payment"),
    ("exp_month", "methods", "int4", "payment"),
    ("city", "order_addresses", "text", "address"),
]
HARMLESS = [
    ("github_id", "pull_requests", "int8"),
    ("full_name", "repositories", "text"),
    ("owner_full_name_count", "repositories", "int4"),
    ("nickname", "prices", "text"),
    ("message", "delivery_failures", "text"),
    ("greeting_message", "inboxes", "text"),
    ("content", "canned_responses", "text"),
    ("prompt", "prompts", "text"),
    ("payload", "event_examples", "jsonb"),
    ("reason", "votes", "text"),
    ("value", "app_settings", "text"),
    ("uid", "oauth_applications", "text"),
    ("code", "promotions", "text"),
    ("name", "products", "text"),
    ("title", "books", "text"),
    ("email_verified", "users", "bool"),
    ("email_count", "users", "int4"),
    ("email_id", "mails", "int8"),
    ("author_user_id", "comments", "text"),
    ("api_key_id", "models", "text"),
    ("password_changed_at", "users", "timestamptz"),
    ("id", "users", "int8"),
    ("created_at", "users", "timestamptz"),
    ("address_type", "customers", "text"),
    ("token_type", "x", "text"),
    ("description", "products", "text"),
    ("status", "customers", "text"),
    ("email", "users", "bool"),
    ("zipped", "files", "bool"),
    ("ship_count", "x", "int4"),
    ("city", "weather", "text"),
    ("", "x", "text"),
    ("token_bucket", "x", "text"),
    ("access_token_prefix", "x", "text"),
    ("has_password", "x", "text"),
    ("key_name", "account_api_keys", "text"),
    ("name", "account_hooks", "text"),
    ("error_message", "jobs", "text"),
    ("message", "audit_events", "text"),
    ("approved_by", "invoices", "uuid"),
    ("value", "settings", "text"),
    ("zip", "stores", "text"),
    ("latitude", "hotels", "float8"),
    ("display_name", "plans", "text"),
    ("finish_reason", "x", "text"),
    ("locked_by", "jobs", "text"),
    ("payload", "build_events", "jsonb"),
    ("config", "themes", "jsonb"),
    ("env", "deploys", "text"),
    ("foreign_key", "x", "bytea"),
    ("device_id", "readings", "int4"),
    ("body", "message_templates", "text"),
    ("system_prompt", "x", "text"),
    ("passport_country", "x", "text"),
    ("note", "releases", "text"),
    ("ip", "cluster_nodes", "inet"),
]


@pytest.mark.parametrize(("column", "table", "type_name", "category"), PERSONAL)
def test_personal_columns_are_seen(column: str, table: str, type_name: str, category: str):
    found = looks_personal(column, table, type_name)
    assert found is not None
    assert found.category == category
    assert proposed_strategy(category)


@pytest.mark.parametrize(("column", "table", "type_name"), HARMLESS)
def test_columns_about_other_things_are_not(column: str, table: str, type_name: str):
    assert looks_personal(column, table, type_name) is None


def test_columns_beside_it_tell_of_whom_a_table_is():
    people = Around(frozenset(("email", "phone", "plan")))
    machines = Around(frozenset(("redirect_uri", "secret")))
    assert looks_personal("name", "client", around=people)
    assert looks_personal("name", "client", around=machines) is None
    assert looks_personal("name", "res_things", around=people)
    assert looks_personal("name", "products", around=people) is None


def test_questions_and_answers_side_by_side_are_what_people_wrote():
    assert looks_personal("input", "t", "jsonb") is None
    found = looks_personal("input", "t", "jsonb", around=Around(frozenset(("output",))))
    assert found is not None
    assert found.why == "'input' beside 'output'"


def test_address_of_a_server_is_no_persons_though_mail_stands_beside():
    mailbox = Around(frozenset(("email", "imap_login")))
    assert looks_personal("imap_address", "channel_email", around=mailbox) is None


def test_settings_by_name_hold_secrets_and_those_of_a_user_do_not():
    program, persons = frozenset(("key",)), frozenset(("key", "user_id"))
    found = looks_personal("value", "settings", around=Around(program))
    assert found is not None
    assert found.category == "credentials"
    assert looks_personal("value", "settings", around=Around(persons)) is None


def test_beside_a_provider_a_key_is_whom_it_means():
    found = looks_personal("uid", "authentications", around=Around(frozenset(("provider",))))
    assert found is not None
    assert found.why == "'uid' beside 'provider'"


def test_name_beside_an_email_is_who_asked():
    asked = Around(frozenset(("email", "memo")))
    found = looks_personal("name", "invitation_requests", around=asked)
    assert found is not None
    assert found.why == "'name' of 'who made the invitation'"
    assert looks_personal("name", "inboxes", around=asked) is None


def test_events_are_held_somewhere_or_happen_to_somebody():
    happened = Around(frozenset(("payload", "agent_id")))
    assert looks_personal("lat", "events", "numeric", around=happened)
    assert looks_personal("lat", "events", "numeric") is None


def test_reason_is_put_in_words_where_short_texts_have_a_type_of_their_own():
    long = Around(long_texts=True)
    assert looks_personal("reason", "leaves", "text", around=long)
    assert looks_personal("reason", "leaves", "varchar", around=long) is None
    assert looks_personal("reason", "builds", "text", around=long) is None


def test_key_of_a_user_who_has_no_row_is_known_elsewhere():
    found = looks_personal("user_id", "runs", around=Around(accounts=False))
    assert found is not None
    assert found.category == "identifier"
    assert looks_personal("user_id", "runs") is None
    assert looks_personal("user_id", "runs", "int8", around=Around(accounts=False)) is None


def test_columns_of_a_database_tell_of_one_another():
    rails = around_all((("id", "users", "int8"), ("email", "users", "varchar"), ("a", "b", "text")))
    assert (rails.accounts, rails.text_keys, rails.long_texts) == (True, False, True)
    tracking = around_all((("user_id", "runs", "text"), ("name", "runs", "text")))
    assert (tracking.accounts, tracking.text_keys, tracking.long_texts) == (False, False, False)


def test_text_may_be_a_key_where_people_are_known_by_keys_of_text():
    assert looks_personal("created_by", "prompts")
    assert looks_personal("created_by", "prompts", around=Around(text_keys=True)) is None


def test_comment_tells_what_the_name_hides():
    assert looks_personal("attr7", "x", "text") is None
    found = looks_personal("attr7", "x", "text", "The customer's date of birth, as typed")
    assert found is not None
    assert found.category == "birth date"
    assert "comment" in found.why


def test_words_of_all_spellings():
    assert list(words_of("userEMailAddress2")) == ["user", "e", "mail", "address2"]
    assert list(words_of("GEBURTS_DATUM")) == ["geburts", "datum"]
    assert list(words_of("HTTPServer")) == ["http", "server"]


def test_what_is_proposed_is_a_strategy():
    assert set(_PROPOSED.values()) <= set(built_in_names())
