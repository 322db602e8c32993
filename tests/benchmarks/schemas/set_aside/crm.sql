CREATE TABLE res_partner (
    id int PRIMARY KEY,
    name varchar, -- name
    display_name varchar, -- name
    parent_id int REFERENCES res_partner,
    ref varchar,
    lang varchar,
    tz varchar,
    vat varchar, -- government id
    website varchar, -- identifier
    comment text, -- free text
    function varchar,
    street varchar, -- address
    street2 varchar, -- address
    zip varchar, -- address
    city varchar, -- address
    email varchar, -- e-mail
    email_normalized varchar, -- e-mail
    phone varchar, -- phone
    phone_sanitized varchar, -- phone
    mobile varchar, -- phone
    is_company boolean,
    color int,
    signup_token varchar, -- credentials
    signup_type varchar,
    contact_address_complete varchar, -- address
    partner_latitude numeric, -- geo
    partner_longitude numeric, -- geo
    message_bounce int
);
CREATE TABLE crm_lead (
    id int PRIMARY KEY,
    name varchar, -- free text
    contact_name varchar, -- name
    partner_name varchar,
    email_from varchar, -- e-mail
    email_cc varchar, -- e-mail
    phone varchar, -- phone
    title int,
    description text, -- free text
    probability float8,
    expected_revenue numeric,
    lost_reason text, -- free text
    referred varchar, -- name
    stage_name varchar,
    source varchar
);
CREATE TABLE activities (
    id int PRIMARY KEY,
    lead_id int REFERENCES crm_lead,
    kind varchar,
    summary text, -- free text
    call_recording_url text, -- free text
    call_notes text, -- free text
    caller_number varchar, -- phone
    duration_seconds int,
    assigned_to varchar, -- name
    due_on date
);
CREATE TABLE campaigns (
    id int PRIMARY KEY,
    name varchar,
    subject varchar,
    sender_name varchar,
    sender_email varchar, -- e-mail
    body_html text,
    utm_source varchar,
    sent_count int,
    segment_name varchar
);
CREATE TABLE companies (
    id int PRIMARY KEY,
    name varchar,
    domain varchar,
    industry varchar,
    employees int,
    linkedin_url varchar,
    headquarters varchar,
    phone varchar, -- phone
    annual_revenue numeric,
    description text
);
