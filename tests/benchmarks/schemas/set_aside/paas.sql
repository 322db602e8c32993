CREATE TABLE app_users (
    id uuid PRIMARY KEY,
    gh_login text, -- name
    gh_id int, -- identifier
    gh_access_token text, -- credentials
    gh_avatar text, -- identifier
    display_name text, -- name
    is_admin boolean,
    account_lock_reason text, -- free text
    publish_notifications boolean
);
CREATE TABLE apps (
    id uuid PRIMARY KEY,
    name text,
    display_name text,
    description text,
    git_url text,
    env jsonb, -- credentials
    buildpack text,
    region text,
    owner text, -- name
    health_check_path text,
    stack_name text
);
CREATE TABLE deploys (
    id uuid PRIMARY KEY,
    app_id uuid REFERENCES apps,
    commit_message text, -- free text
    commit_author text, -- name
    commit_sha text,
    triggered_by text, -- name
    image_digest text,
    log_url text,
    error_detail text,
    config_snapshot jsonb,
    release_notes text
);
CREATE TABLE clusters (
    id uuid PRIMARY KEY,
    name text,
    api_endpoint text,
    ca_cert text,
    kubeconfig text, -- credentials
    node_ips inet[],
    client_cert_key text, -- credentials
    join_token text, -- credentials
    version text
);
CREATE TABLE custom_domains (
    id uuid PRIMARY KEY,
    hostname text,
    tls_cert text,
    tls_key text, -- credentials
    verification_txt text,
    acme_account_email text -- e-mail
);
CREATE TABLE addons (
    id uuid PRIMARY KEY,
    plan_name text,
    connection_uri text, -- credentials
    admin_password text, -- credentials
    read_only_user text,
    storage_gb int,
    provider_metadata jsonb
);
CREATE TABLE log_drains (
    id uuid PRIMARY KEY,
    target_url text,
    auth_header text, -- credentials
    format text,
    enabled boolean
);
CREATE TABLE job_runs (
    id uuid PRIMARY KEY,
    queue text,
    args jsonb, -- free text
    result jsonb, -- free text
    error_message text,
    stack_trace text,
    locked_by text,
    worker_host text,
    attempts int
);
CREATE TABLE oauth_clients (
    id uuid PRIMARY KEY,
    client_name text,
    client_secret_hash text, -- credentials
    redirect_uris text[],
    logo_uri text,
    contacts text[], -- e-mail
    grant_types text[],
    token_endpoint_auth_method text
);
CREATE TABLE device_codes (
    id uuid PRIMARY KEY,
    device_code text, -- credentials
    user_code text, -- credentials
    pkce_challenge text,
    nonce text,
    expires_in int
);
