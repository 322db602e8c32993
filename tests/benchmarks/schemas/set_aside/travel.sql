CREATE TABLE passengers (
    passenger_id bigint PRIMARY KEY,
    booking_ref char(6),
    title varchar(10),
    given_names text, -- name
    surname text, -- name
    passport_number text, -- government id
    passport_country char(2),
    passport_expires_on date,
    nationality char(2),
    birth_date date, -- birth date
    sex char(1), -- health
    known_traveler_number text, -- government id
    redress_number text, -- government id
    frequent_flyer_no text, -- government id
    meal_preference text, -- health
    special_assistance text, -- health
    seat varchar(4)
);
CREATE TABLE bookings (
    booking_ref char(6) PRIMARY KEY,
    lead_email text, -- e-mail
    lead_phone text, -- phone
    contact_name text, -- name
    agent_code text,
    remarks text, -- free text
    total numeric,
    card_holder text, -- name
    card_masked_pan text, -- payment
    card_expiry char(5), -- payment
    promo_code text,
    booked_from_ip inet, -- ip
    channel text,
    cancel_reason text -- free text
);
CREATE TABLE flights (
    flight_id bigint PRIMARY KEY,
    carrier char(2),
    flight_no text,
    origin char(3),
    destination char(3),
    aircraft_registration text,
    gate text,
    departs_at timestamptz,
    status text
);
CREATE TABLE hotels (
    hotel_id bigint PRIMARY KEY,
    name text,
    address text,
    city text,
    lat float8,
    lon float8,
    phone text, -- phone
    email text, -- e-mail
    stars int,
    description text,
    manager_name text -- name
);
CREATE TABLE hotel_reviews (
    id bigint PRIMARY KEY,
    hotel_id bigint REFERENCES hotels,
    reviewer text, -- name
    headline text, -- free text
    review text, -- free text
    stay_month date,
    score int,
    hotel_reply text -- free text
);
