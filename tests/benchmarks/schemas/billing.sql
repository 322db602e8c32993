CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text,
    slug text,
    billing_email text, -- e-mail
    stripe_customer_id text, -- payment
    vat_number text, -- government id
    plan text,
    logo_url text,
    metadata jsonb,
    seats int,
    cloud_config jsonb
);
CREATE TABLE memberships (
    id uuid PRIMARY KEY,
    org_id uuid REFERENCES organizations,
    user_email text, -- e-mail
    role text,
    invited_by text, -- name
    accepted_at timestamptz
);
CREATE TABLE invoices (
    id uuid PRIMARY KEY,
    org_id uuid REFERENCES organizations,
    number text,
    bill_to_name text, -- name
    bill_to_address jsonb, -- address
    memo text, -- free text
    total_cents bigint,
    hosted_invoice_url text,
    pdf_url text,
    due_date date,
    footer text
);
CREATE TABLE payment_methods (
    id uuid PRIMARY KEY,
    stripe_payment_method_id text, -- payment
    brand text,
    last4 text, -- payment
    exp_month int, -- payment
    exp_year int, -- payment
    fingerprint text, -- payment
    billing_details jsonb, -- address
    is_default boolean
);
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    name text,
    prefix text,
    hashed_key text, -- credentials
    last_used_at timestamptz,
    scopes text[],
    note text -- free text
);
CREATE TABLE integrations (
    id uuid PRIMARY KEY,
    provider text,
    config jsonb, -- credentials
    webhook_secret text, -- credentials
    bot_token text, -- credentials
    slack_channel text,
    installed_by text, -- name
    credentials_encrypted bytea, -- credentials
    sync_cursor text
);
CREATE TABLE cancellations (
    id uuid PRIMARY KEY,
    reason_code text,
    feedback text, -- free text
    cancelled_by text, -- name
    effective_on date
);
CREATE TABLE usage_records (
    id uuid PRIMARY KEY,
    meter text,
    quantity numeric,
    dimensions jsonb,
    idempotency_key text,
    token_count int,
    input_tokens int,
    cost numeric
);
CREATE TABLE stripe_events (
    id text PRIMARY KEY,
    type text,
    payload jsonb, -- free text
    processed_at timestamptz,
    error text
);
CREATE TABLE plans (
    id uuid PRIMARY KEY,
    name text,
    display_name text,
    features jsonb,
    price_id text,
    description text
);
CREATE TABLE assistant_threads (
    id uuid PRIMARY KEY,
    title text, -- free text
    model_name text,
    system_prompt text,
    temperature float8,
    provider_api_key text -- credentials
);
CREATE TABLE assistant_messages (
    id uuid PRIMARY KEY,
    role text,
    content text, -- free text
    input jsonb, -- free text
    output jsonb, -- free text
    tool_calls jsonb, -- free text
    finish_reason text,
    latency_ms int,
    feedback_comment text -- free text
);
