CREATE TABLE "Users" (
    "Id" varchar(26) PRIMARY KEY,
    "CreateAt" bigint,
    "Username" varchar(64), -- name
    "Password" varchar(128), -- credentials
    "AuthData" varchar(128), -- credentials
    "AuthService" varchar(32),
    "Email" varchar(128), -- e-mail
    "EmailVerified" boolean,
    "Nickname" varchar(64), -- name
    "FirstName" varchar(64), -- name
    "LastName" varchar(64), -- name
    "Position" varchar(128),
    "NotifyProps" jsonb,
    "MfaActive" boolean,
    "MfaSecret" varchar(128), -- credentials
    "Timezone" jsonb,
    "LastPictureUpdate" bigint
);
CREATE TABLE "Channels" (
    "Id" varchar(26) PRIMARY KEY,
    "Type" text,
    "DisplayName" varchar(64),
    "Name" varchar(64),
    "Header" varchar(1024),
    "Purpose" varchar(250),
    "TotalMsgCount" bigint
);
CREATE TABLE "Posts" (
    "Id" varchar(26) PRIMARY KEY,
    "UserId" varchar(26) REFERENCES "Users",
    "ChannelId" varchar(26) REFERENCES "Channels",
    "Message" text, -- free text
    "Type" varchar(26),
    "Props" jsonb,
    "Hashtags" text,
    "Filenames" text,
    "EditAt" bigint,
    "HasReactions" boolean
);
CREATE TABLE "OutgoingWebhooks" (
    "Id" varchar(26) PRIMARY KEY,
    "Token" varchar(26), -- credentials
    "TriggerWords" text,
    "CallbackUrls" text,
    "DisplayName" varchar(64),
    "Description" varchar(500),
    "ContentType" varchar(128),
    "IconUrl" varchar(1024)
);
CREATE TABLE "Sessions" (
    "Id" varchar(26) PRIMARY KEY,
    "Token" varchar(26), -- credentials
    "ExpiresAt" bigint,
    "DeviceId" varchar(512), -- identifier
    "Roles" varchar(256),
    "IsOAuth" boolean
);
CREATE TABLE sms_messages (
    sid varchar(34) PRIMARY KEY,
    account_sid varchar(34),
    from_number text, -- phone
    to_number text, -- phone
    body text, -- free text
    num_segments int,
    price numeric,
    error_code int,
    error_message text,
    direction text
);
CREATE TABLE outbound_emails (
    id bigint PRIMARY KEY,
    to_addr text, -- e-mail
    cc text, -- e-mail
    bcc text, -- e-mail
    from_addr text, -- e-mail
    reply_to text, -- e-mail
    subject text, -- free text
    html_body text, -- free text
    text_body text, -- free text
    template_name text,
    message_id text,
    attempts int,
    last_error text,
    provider_response jsonb
);
CREATE TABLE webhook_deliveries (
    id bigint PRIMARY KEY,
    endpoint_id bigint,
    event_type text,
    request_headers jsonb, -- credentials
    request_body text, -- free text
    payload jsonb, -- free text
    response_status int,
    response_body text, -- free text
    duration_ms int,
    next_attempt_at timestamptz
);
CREATE TABLE webhook_endpoints (
    id bigint PRIMARY KEY,
    url text,
    signing_secret text, -- credentials
    headers jsonb, -- credentials
    description text,
    rate_limit int,
    filter_types text[]
);
CREATE TABLE push_subscriptions (
    id bigint PRIMARY KEY,
    endpoint text, -- credentials
    p256dh text, -- credentials
    auth text, -- credentials
    device_token text, -- credentials
    platform text,
    app_version text
);
CREATE TABLE message_templates (
    id int PRIMARY KEY,
    name text,
    subject text,
    body text,
    locale text
);
