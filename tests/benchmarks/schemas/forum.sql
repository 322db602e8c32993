CREATE TABLE users (
    id bigint PRIMARY KEY,
    username varchar(60), -- name
    username_lower varchar(60), -- name
    name text, -- name
    seen_notification_id bigint,
    last_posted_at timestamp,
    active boolean,
    password_hash varchar(64), -- credentials
    salt varchar(32), -- credentials
    trust_level int,
    moderator boolean,
    title text,
    ip_address inet, -- ip
    registration_ip_address inet, -- ip
    primary_group_id int,
    locale varchar(10),
    date_of_birth date, -- birth date
    suspended_till timestamp,
    flair_icon text
);
CREATE TABLE user_profiles (
    user_id bigint PRIMARY KEY REFERENCES users,
    location text, -- address
    website text, -- identifier
    bio_raw text, -- free text
    bio_cooked text, -- free text
    views int,
    profile_background_url text,
    avatar_url text -- identifier
);
CREATE TABLE user_emails (
    id bigint PRIMARY KEY,
    user_id bigint REFERENCES users,
    email varchar(513), -- e-mail
    normalized_email varchar(513), -- e-mail
    is_primary boolean
);
CREATE TABLE topics (
    id bigint PRIMARY KEY,
    title varchar(255), -- free text
    slug varchar(255),
    excerpt text, -- free text
    views int,
    archetype varchar(20),
    category_id int,
    closed boolean
);
CREATE TABLE posts (
    id bigint PRIMARY KEY,
    user_id bigint REFERENCES users,
    topic_id bigint REFERENCES topics,
    raw text, -- free text
    cooked text, -- free text
    edit_reason text, -- free text
    post_number int,
    raw_email text, -- free text
    word_count int
);
CREATE TABLE categories (
    id int PRIMARY KEY,
    name varchar(50),
    color varchar(6),
    slug varchar(255),
    description text,
    email_in text,
    position int
);
CREATE TABLE user_auth_tokens (
    id bigint PRIMARY KEY,
    user_id bigint REFERENCES users,
    auth_token varchar(64), -- credentials
    prev_auth_token varchar(64), -- credentials
    auth_token_seen boolean,
    user_agent text,
    client_ip inet, -- ip
    rotated_at timestamp
);
CREATE TABLE search_logs (
    id bigint PRIMARY KEY,
    term text, -- free text
    ip_address inet, -- ip
    search_type int,
    search_result_id int
);
CREATE TABLE invites (
    id bigint PRIMARY KEY,
    invite_key varchar(32), -- credentials
    email varchar(255), -- e-mail
    custom_message text, -- free text
    email_token varchar(255), -- credentials
    domain varchar(255),
    max_redemptions int
);
CREATE TABLE badges (
    id int PRIMARY KEY,
    name text,
    description text,
    icon text,
    query text,
    long_description text
);
