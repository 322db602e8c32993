CREATE TABLE assures (
    id int PRIMARY KEY,
    civilite varchar(5),
    nom varchar(80), -- name
    nom_jeune_fille varchar(80), -- name
    prenoms varchar(120), -- name
    date_naissance date, -- birth date
    lieu_naissance varchar(80), -- address
    num_secu varchar(15), -- government id
    adresse1 text, -- address
    code_postal varchar(5), -- address
    commune varchar(80), -- address
    tel_portable varchar(20), -- phone
    tel_fixe varchar(20), -- phone
    courriel varchar(120), -- e-mail
    profession varchar(80),
    situation_familiale varchar(20), -- health
    rib varchar(27), -- payment
    identifiant varchar(40), -- name
    mot_de_passe_hash varchar(120) -- credentials
);
CREATE TABLE sinistres (
    id int PRIMARY KEY,
    assure_id int REFERENCES assures,
    date_sinistre date,
    lieu text, -- address
    circonstances text, -- free text
    montant_estime numeric,
    expert varchar(80), -- name
    immatriculation varchar(12), -- government id
    blessures text, -- health
    commentaire_gestionnaire text, -- free text
    etat varchar(20)
);
CREATE TABLE contrats (
    id int PRIMARY KEY,
    numero_police varchar(20), -- government id
    assure_id int REFERENCES assures,
    produit varchar(40),
    libelle varchar(80),
    prime_annuelle numeric,
    date_effet date,
    beneficiaire text, -- name
    antecedents_medicaux text -- health
);
CREATE TABLE garanties (
    id int PRIMARY KEY,
    nom varchar(80),
    description text,
    plafond numeric,
    franchise numeric
);
