CREATE TABLE party (
    party_id bigint PRIMARY KEY,
    party_type text,
    legal_name text, -- name
    trading_name text,
    date_of_birth date, -- birth date
    place_of_birth text, -- address
    nationality char(2),
    tax_residency char(2),
    tin text, -- government id
    lei text,
    passport_no text, -- government id
    passport_expiry date,
    kyc_status text,
    pep_flag boolean,
    risk_score int,
    mothers_maiden_name text, -- credentials
    occupation text,
    employer_name text,
    annual_income numeric
);
CREATE TABLE account (
    account_id bigint PRIMARY KEY,
    owner_id bigint REFERENCES party,
    account_number text, -- payment
    iban text, -- payment
    sort_code text, -- payment
    currency char(3),
    balance numeric,
    nickname text,
    product_code text,
    opened_on date,
    overdraft_limit numeric
);
CREATE TABLE card (
    card_id bigint PRIMARY KEY,
    account_id bigint REFERENCES account,
    pan_encrypted bytea, -- payment
    pan_last4 char(4), -- payment
    pan_token text, -- payment
    expiry_month int, -- payment
    expiry_year int, -- payment
    embossed_name text, -- name
    pin_block bytea, -- credentials
    cvv2 text, -- payment
    status text,
    card_network text
);
CREATE TABLE txn (
    txn_id bigint PRIMARY KEY,
    account_id bigint REFERENCES account,
    amount numeric,
    booked_at timestamptz,
    value_date date,
    counterparty_name text, -- name
    counterparty_iban text, -- payment
    remittance_info text, -- free text
    end_to_end_id text,
    mandate_reference text, -- payment
    merchant_name text,
    merchant_city text,
    mcc char(4),
    auth_code text,
    reference text
);
CREATE TABLE online_banking_login (
    id bigint PRIMARY KEY,
    party_id bigint REFERENCES party,
    login_name text, -- name
    pin_hash text, -- credentials
    security_question text,
    security_answer text, -- credentials
    last_login_ip inet, -- ip
    last_login_device text,
    failed_attempts int,
    locked_until timestamptz
);
CREATE TABLE branch (
    branch_id int PRIMARY KEY,
    branch_name text,
    swift_code text,
    street text,
    city text,
    phone text, -- phone
    manager text -- name
);
CREATE TABLE fx_rate (
    base char(3),
    quote char(3),
    rate numeric,
    source_name text,
    valid_from timestamptz
);
