CREATE TABLE "user" (
    id bigint PRIMARY KEY,
    lower_name varchar(255), -- name
    name varchar(255), -- name
    full_name varchar(255), -- name
    email varchar(255), -- e-mail
    keep_email_private boolean,
    email_notifications_preference varchar(20),
    passwd varchar(255), -- credentials
    passwd_hash_algo varchar(255),
    must_change_password boolean,
    login_type int,
    login_source bigint,
    login_name varchar(255), -- name
    location varchar(255), -- address
    website varchar(255), -- identifier
    rands varchar(32), -- credentials
    salt varchar(32), -- credentials
    language varchar(5),
    description varchar(255), -- free text
    avatar varchar(2048), -- identifier
    avatar_email varchar(255), -- e-mail
    use_custom_avatar boolean,
    num_followers int,
    twitter text, -- identifier
    linkedin text, -- identifier
    incoming_email_token text, -- credentials
    feed_token text, -- credentials
    current_sign_in_ip text, -- ip
    unconfirmed_email text, -- e-mail
    encrypted_otp_secret text, -- credentials
    otp_backup_codes text, -- credentials
    theme varchar(255)
);
CREATE TABLE repository (
    id bigint PRIMARY KEY,
    owner_id bigint REFERENCES "user",
    owner_name varchar(255), -- name
    lower_name varchar(255),
    name varchar(255),
    description text,
    website varchar(2048),
    default_branch varchar(255),
    num_stars int,
    is_private boolean,
    topics text[],
    runners_token text, -- credentials
    import_url text
);
CREATE TABLE issue (
    id bigint PRIMARY KEY,
    repo_id bigint REFERENCES repository,
    poster_id bigint REFERENCES "user",
    original_author varchar(255), -- name
    name varchar(255), -- free text
    content text, -- free text
    priority int,
    is_closed boolean,
    deadline_unix bigint
);
CREATE TABLE comment (
    id bigint PRIMARY KEY,
    type int,
    poster_id bigint REFERENCES "user",
    original_author varchar(255), -- name
    content text, -- free text
    patch text,
    line bigint,
    commit_sha varchar(64),
    tree_path varchar(4000)
);
CREATE TABLE commit_status (
    id bigint PRIMARY KEY,
    state varchar(7),
    sha varchar(64),
    target_url text,
    description text,
    context text,
    context_hash varchar(64)
);
CREATE TABLE git_commits (
    sha varchar(64) PRIMARY KEY,
    author_name text, -- name
    author_email text, -- e-mail
    committer_name text, -- name
    committer_email text, -- e-mail
    message text, -- free text
    authored_at timestamptz
);
CREATE TABLE public_key (
    id bigint PRIMARY KEY,
    owner_id bigint REFERENCES "user",
    name varchar(255),
    fingerprint varchar(255),
    content text,
    mode int
);
CREATE TABLE access_token (
    id bigint PRIMARY KEY,
    uid bigint REFERENCES "user",
    name varchar(255),
    token_hash varchar(255), -- credentials
    token_salt varchar(255), -- credentials
    token_last_eight varchar(255),
    scope varchar(255)
);
CREATE TABLE secret (
    id bigint PRIMARY KEY,
    owner_id bigint REFERENCES "user",
    name varchar(255),
    data text -- credentials
);
CREATE TABLE ci_variables (
    id bigint PRIMARY KEY,
    key varchar(255),
    value text, -- credentials
    encrypted_value text, -- credentials
    encrypted_value_iv text,
    masked boolean,
    environment_scope text
);
CREATE TABLE web_hook (
    id bigint PRIMARY KEY,
    url text,
    secret text, -- credentials
    header_authorization_encrypted text, -- credentials
    content_type int,
    last_status int,
    events text
);
CREATE TABLE release (
    id bigint PRIMARY KEY,
    tag_name varchar(255),
    title varchar(255),
    note text,
    sha1 varchar(64),
    is_draft boolean
);
CREATE TABLE audit_events (
    id bigint PRIMARY KEY,
    author_name text, -- name
    entity_path text,
    target_details text,
    details jsonb, -- free text
    ip_address inet, -- ip
    target_type text
);
