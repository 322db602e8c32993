CREATE TABLE log_visit (
    idvisit bigint PRIMARY KEY,
    idsite int,
    idvisitor bytea, -- identifier
    visit_last_action_time timestamp,
    config_id bytea, -- identifier
    location_ip bytea, -- ip
    user_id varchar(200), -- identifier
    visitor_returning boolean,
    referer_keyword text, -- free text
    referer_name varchar(255),
    referer_url text,
    config_browser_name varchar(40),
    config_os varchar(10),
    config_resolution varchar(18),
    location_city varchar(255), -- address
    location_country varchar(3),
    location_latitude numeric, -- geo
    location_longitude numeric, -- geo
    visit_total_actions int
);
CREATE TABLE tracks (
    id varchar(255) PRIMARY KEY,
    anonymous_id varchar(512), -- identifier
    context_ip varchar(64), -- ip
    context_library_name text,
    context_library_version text,
    context_page_path text,
    context_page_title text,
    context_page_url text,
    context_user_agent text,
    context_traits_email text, -- e-mail
    context_device_advertising_id text, -- identifier
    context_campaign_name text,
    event text,
    event_text text,
    properties jsonb, -- free text
    original_timestamp timestamptz,
    sent_at timestamptz
);
CREATE TABLE identifies (
    id varchar(255) PRIMARY KEY,
    anonymous_id text, -- identifier
    distinct_id text, -- identifier
    email text, -- e-mail
    name text, -- name
    plan text,
    traits jsonb, -- name
    first_seen timestamptz
);
CREATE TABLE survey_responses (
    id bigint PRIMARY KEY,
    survey_id int,
    score int,
    answer_text text, -- free text
    verbatim text, -- free text
    respondent_email text, -- e-mail
    submitted_at timestamptz
);
CREATE TABLE dashboards (
    id int PRIMARY KEY,
    title text,
    description text,
    layout jsonb,
    filters jsonb,
    share_token text, -- credentials
    query_text text,
    created_by_email text -- e-mail
);
CREATE TABLE funnels (
    id int PRIMARY KEY,
    name text,
    steps jsonb,
    conversion_rate float8,
    window_seconds int
);
