CREATE TABLE person (
    person_id bigint PRIMARY KEY,
    gender varchar(50), -- health
    birthdate date, -- birth date
    birthdate_estimated boolean,
    dead boolean, -- health
    death_date timestamp, -- health
    cause_of_death text, -- health
    uuid uuid
);
CREATE TABLE person_name (
    person_name_id bigint PRIMARY KEY,
    person_id bigint REFERENCES person,
    prefix varchar(50),
    given_name varchar(50), -- name
    middle_name varchar(50), -- name
    family_name varchar(50), -- name
    family_name_suffix varchar(50),
    preferred boolean,
    voided boolean,
    void_reason text -- free text
);
CREATE TABLE person_address (
    person_address_id bigint PRIMARY KEY,
    person_id bigint REFERENCES person,
    address1 text, -- address
    address2 text, -- address
    city_village text, -- address
    state_province text,
    postal_code varchar(50), -- address
    country varchar(50),
    latitude numeric, -- geo
    longitude numeric, -- geo
    county_district text -- address
);
CREATE TABLE patient (
    patient_id bigint PRIMARY KEY REFERENCES person,
    mrn varchar(40), -- health
    insurance_member_no text, -- government id
    emergency_contact_name text, -- name
    emergency_contact_phone text, -- phone
    allergies text, -- health
    blood_group varchar(3), -- health
    smoker text, -- health
    preferred_language varchar(10),
    next_of_kin text -- name
);
CREATE TABLE encounter (
    encounter_id bigint PRIMARY KEY,
    patient_id bigint REFERENCES patient,
    ward varchar(20),
    admitted_at timestamptz,
    discharged_at timestamptz,
    chief_complaint text, -- health
    triage_level int,
    attending_physician text, -- name
    discharge_summary text, -- health
    billing_code varchar(10)
);
CREATE TABLE observation (
    obs_id bigint PRIMARY KEY,
    encounter_id bigint REFERENCES encounter,
    concept text,
    value_numeric float8, -- health
    value_text text, -- health
    value_coded int, -- health
    comments text, -- free text
    unit varchar(10)
);
CREATE TABLE prescription (
    id bigint PRIMARY KEY,
    patient_id bigint REFERENCES patient,
    drug_name text, -- health
    dosage text, -- health
    instructions text, -- free text
    refills int
);
CREATE TABLE drug (
    id int PRIMARY KEY,
    name text,
    strength text,
    atc_code text,
    manufacturer text,
    description text
);
