CREATE TABLE mitarbeiter (
    personalnummer int PRIMARY KEY, -- government id
    anrede varchar(10),
    titel varchar(20),
    vorname text, -- name
    nachname text, -- name
    geburtsdatum date, -- birth date
    geburtsort text, -- address
    staatsangehoerigkeit text,
    familienstand text, -- health
    konfession text, -- health
    strasse text, -- address
    hausnr text, -- address
    plz varchar(5), -- address
    ort text, -- address
    telefon_privat text, -- phone
    mobil text, -- phone
    email_dienstlich text, -- e-mail
    steuer_id varchar(11), -- government id
    sv_nummer varchar(12), -- government id
    steuerklasse int,
    kinderfreibetrag numeric,
    schwerbehinderung int, -- health
    eintrittsdatum date,
    austrittsdatum date,
    kostenstelle text,
    abteilung_id int,
    vorgesetzter int REFERENCES mitarbeiter
);
CREATE TABLE bankverbindung (
    id int PRIMARY KEY,
    personalnummer int REFERENCES mitarbeiter,
    kontoinhaber text, -- name
    iban varchar(34), -- payment
    bic varchar(11), -- payment
    bank_name text
);
CREATE TABLE krankmeldung (
    id int PRIMARY KEY,
    personalnummer int REFERENCES mitarbeiter,
    von date,
    bis date,
    diagnose text, -- health
    arzt text, -- name
    bemerkung text -- free text
);
CREATE TABLE abteilung (
    id int PRIMARY KEY,
    bezeichnung text,
    kuerzel varchar(10),
    standort text,
    beschreibung text
);
CREATE TABLE lohnlauf (
    id int PRIMARY KEY,
    personalnummer int REFERENCES mitarbeiter,
    monat date,
    brutto numeric,
    netto numeric,
    lohnart text,
    freigegeben_von text, -- name
    status text
);
