CREATE TABLE customer_entity (
    entity_id bigint PRIMARY KEY,
    website_id int,
    email varchar(255), -- e-mail
    group_id int,
    store_id int,
    prefix varchar(40),
    firstname varchar(255), -- name
    lastname varchar(255), -- name
    dob date, -- birth date
    password_hash varchar(128), -- credentials
    rp_token varchar(128), -- credentials
    rp_token_created_at timestamp,
    taxvat varchar(50), -- government id
    gender int, -- health
    failures_num int,
    lock_expires timestamp
);
CREATE TABLE sales_order (
    entity_id bigint PRIMARY KEY,
    state varchar(32),
    coupon_code varchar(255),
    protect_code varchar(255), -- credentials
    shipping_description text,
    customer_id bigint REFERENCES customer_entity,
    customer_email varchar(128), -- e-mail
    customer_firstname varchar(128), -- name
    customer_lastname varchar(128), -- name
    customer_note text, -- free text
    customer_is_guest boolean,
    remote_ip varchar(45), -- ip
    x_forwarded_for varchar(255), -- ip
    increment_id varchar(50),
    grand_total numeric,
    gift_message text, -- free text
    store_name varchar(255),
    order_currency_code varchar(3)
);
CREATE TABLE sales_order_address (
    entity_id bigint PRIMARY KEY,
    order_id bigint REFERENCES sales_order,
    region varchar(255),
    postcode varchar(255), -- address
    street varchar(255), -- address
    city varchar(255), -- address
    telephone varchar(255), -- phone
    fax varchar(255), -- phone
    company varchar(255),
    country_id varchar(2),
    address_type varchar(20)
);
CREATE TABLE sales_order_payment (
    entity_id bigint PRIMARY KEY,
    parent_id bigint REFERENCES sales_order,
    method varchar(128),
    cc_owner varchar(128), -- name
    cc_last_4 varchar(100), -- payment
    cc_type varchar(32),
    cc_exp_month varchar(12), -- payment
    cc_exp_year varchar(4), -- payment
    account_status varchar(32),
    last_trans_id varchar(255),
    additional_information jsonb, -- payment
    amount_paid numeric
);
CREATE TABLE catalog_product (
    entity_id bigint PRIMARY KEY,
    sku varchar(64),
    name varchar(255),
    url_key varchar(255),
    description text,
    short_description text,
    meta_title text,
    price numeric,
    weight numeric,
    image text,
    manufacturer varchar(100),
    contact_required boolean
);
CREATE TABLE product_review (
    review_id bigint PRIMARY KEY,
    product_id bigint REFERENCES catalog_product,
    nickname varchar(128), -- name
    title varchar(255), -- free text
    detail text, -- free text
    rating int
);
CREATE TABLE newsletter_subscriber (
    subscriber_id bigint PRIMARY KEY,
    subscriber_email varchar(150), -- e-mail
    subscriber_confirm_code varchar(32), -- credentials
    subscriber_status int
);
CREATE TABLE store (
    store_id int PRIMARY KEY,
    code varchar(32),
    name varchar(255),
    opening_hours text,
    timezone text
);
