CREATE TABLE realm (
    id varchar(36) PRIMARY KEY,
    name varchar(255),
    access_code_lifespan int,
    login_theme varchar(255),
    password_policy varchar(2550),
    ssl_required varchar(255),
    email_theme varchar(255),
    registration_allowed boolean,
    login_lifespan int,
    otp_policy_type varchar(36)
);
CREATE TABLE user_entity (
    id varchar(36) PRIMARY KEY,
    email varchar(255), -- e-mail
    email_constraint varchar(255), -- e-mail
    email_verified boolean,
    enabled boolean,
    federation_link varchar(255),
    first_name varchar(255), -- name
    last_name varchar(255), -- name
    realm_id varchar(255),
    username varchar(255), -- name
    created_timestamp bigint,
    service_account_client_link varchar(255)
);
CREATE TABLE credential (
    id varchar(36) PRIMARY KEY,
    type varchar(255),
    user_id varchar(36) REFERENCES user_entity,
    user_label varchar(255),
    secret_data text, -- credentials
    credential_data text, -- credentials
    priority int
);
CREATE TABLE client (
    id varchar(36) PRIMARY KEY,
    client_id varchar(255),
    secret varchar(255), -- credentials
    base_url varchar(255),
    protocol varchar(255),
    registration_token varchar(255), -- credentials
    client_authenticator_type varchar(255),
    name varchar(255),
    description varchar(255),
    root_url varchar(255)
);
CREATE TABLE federated_identity (
    identity_provider varchar(255),
    realm_id varchar(36),
    federated_user_id varchar(255), -- identifier
    federated_username varchar(255), -- name
    token text, -- credentials
    user_id varchar(36) REFERENCES user_entity
);
CREATE TABLE event_entity (
    id varchar(255) PRIMARY KEY,
    client_id varchar(255),
    details_json varchar(2550), -- free text
    error varchar(255),
    ip_address varchar(255), -- ip
    session_id varchar(255),
    event_time bigint,
    type varchar(255),
    user_id varchar(255)
);
CREATE TABLE keycloak_role (
    id varchar(36) PRIMARY KEY,
    name varchar(255),
    description varchar(255),
    client_role boolean
);
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id varchar(36) REFERENCES user_entity,
    refresh_token_hash bytea, -- credentials
    user_agent text,
    ip inet, -- ip
    aal text,
    factor_id uuid,
    not_after timestamptz,
    device_fingerprint text -- identifier
);
CREATE TABLE saml_providers (
    id uuid PRIMARY KEY,
    entity_id text,
    metadata_xml text,
    metadata_url text,
    attribute_mapping jsonb,
    sp_private_key text, -- credentials
    sp_certificate text,
    domain text
);
CREATE TABLE mfa_factors (
    id uuid PRIMARY KEY,
    friendly_name text,
    factor_type text,
    secret text, -- credentials
    phone text, -- phone
    web_authn_credential jsonb, -- credentials
    status text
);
CREATE TABLE one_time_tokens (
    id uuid PRIMARY KEY,
    token_type text,
    token_hash text, -- credentials
    relates_to text -- e-mail
);
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    algorithm text,
    public_key text,
    private_key_encrypted bytea, -- credentials
    fingerprint text,
    rotated_at timestamptz
);
