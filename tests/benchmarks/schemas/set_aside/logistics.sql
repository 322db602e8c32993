CREATE TABLE shipments (
    id uuid PRIMARY KEY,
    tracking_number text,
    shipper_name text, -- name
    shipper_address text, -- address
    consignee text, -- name
    consignee_phone text, -- phone
    deliver_to text, -- address
    delivery_instructions text, -- free text
    gate_code text, -- credentials
    signed_by text, -- name
    signature_image bytea, -- identifier
    proof_of_delivery_url text,
    weight_kg numeric,
    declared_value numeric,
    incoterm text,
    contents_description text
);
CREATE TABLE drivers (
    id int PRIMARY KEY,
    employee_no text, -- government id
    full_name text, -- name
    license_number text, -- government id
    license_class text,
    license_expires date,
    mobile_phone text, -- phone
    home_depot text,
    medical_cert_expires date,
    emergency_contact text, -- name
    photo_url text -- identifier
);
CREATE TABLE vehicles (
    id int PRIMARY KEY,
    plate_number text, -- government id
    vin text, -- government id
    make text,
    model text,
    year int,
    odometer_km int,
    current_location point -- geo
);
CREATE TABLE positions (
    vehicle_id int REFERENCES vehicles,
    recorded_at timestamptz,
    latitude float8, -- geo
    longitude float8, -- geo
    speed_kmh float8,
    heading int,
    accuracy_m float8
);
CREATE TABLE warehouses (
    id int PRIMARY KEY,
    code text,
    name text,
    address_line_1 text,
    town text,
    postcode text,
    contact_email text, -- e-mail
    dock_count int,
    geofence polygon
);
CREATE TABLE stock_items (
    sku text PRIMARY KEY,
    title text,
    bin_address text,
    batch_number text,
    expiry_date date,
    quantity int,
    supplier_name text,
    serial_number text
);
