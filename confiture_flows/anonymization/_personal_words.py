"""The words by which columns of personal data are known, in several languages, by category.

Words are lower case and without accents; one with spaces matches those words in a row. English,
German, French, Spanish, Italian, Portuguese, Dutch and Polish, as they occur in schemas.
"""

from __future__ import annotations

# A column of this name holds it, whatever its table is.
STRONG: dict[str, str] = {
    "e-mail": """
        email, emails, email id, e mail, mail address, email address, mailadresse, emailadresse,
        courriel, adresse mail, correo, correo electronico, posta elettronica, e posta
    """,
    "name": """
        first name, firstname, last name, lastname, full name, fullname, middle name,
        maiden name, given name, givenname, family name, familyname, surname, forename,
        birth name, nickname, nick name, fname, lname, vorname, nachname, familienname,
        geburtsname, prenom, nom famille, nom complet, apellido, apellidos, nombre completo,
        cognome, nome completo, sobrenome, apelido, voornaam, achternaam, imie, nazwisko,
        display name, real name, legal name, contact name, customer name, person name,
        holder name, cardholder, cardholder name, account holder, contact person,
        ansprechpartner, user name, username, usernames, screen name, login, login name,
        benutzername, nom utilisateur, nombre usuario, nome utente, gebruikersnaam, userinfo,
        user info, user metadata, user meta data, user profile, userprofile, id token claims
    """,
    "phone": """
        phone, phones, phone number, phonenumber, telephone, telefon, telefonnummer, telefono,
        telefone, telefoon, mobile, mobile number, mobile phone, cell, cellphone, cell phone, handy,
        handynummer, movil, celular, cellulare, portable, fax, fax number, msisdn, numer telefonu,
        whatsapp, tel
    """,
    "address": """
        street, street address, address line, address line1, address1, address2, addressline,
        postal address, mailing address, home address, shipping address, billing address,
        delivery address, strasse, hausnummer, house number, anschrift, wohnort, postanschrift,
        adresse, rue, direccion, calle, indirizzo, endereco, rua, straat, huisnummer, adres, ulica,
        zip, zipcode, zip code, postcode, post code, postal code, postalcode, plz, postleitzahl,
        code postal, codigo postal, cap, cep, kod pocztowy
    """,
    "birth date": """
        birth date, birthdate, birthday, date of birth, dob, birth year, year of birth, birth,
        born, born on, geburtsdatum, geburtstag, geboren, date naissance, naissance,
        fecha nacimiento, nacimiento, data nascita, nascita, data nascimento, nascimento,
        geboortedatum, data urodzenia
    """,
    "government id": """
        ssn, social security, social security number, sin number, national id, national identifier,
        national number, id card, id card number, identity number, identity card, personal id,
        personal number, passport, passport number, passport no, drivers license, driver license,
        driving licence, licence number, tax id, taxid, tax number, tin, itin, vat id,
        steuernummer, steuer id, personalausweis, reisepass, sozialversicherungsnummer, nir,
        numero securite sociale, dni, nie, nif, curp, rfc, codice fiscale, cpf, cnpj, bsn, pesel,
        aadhaar, nino, nhs number
    """,
    "payment": """
        stripe customer, stripe customer id, braintree customer id, paypal payer id, paypal email,
        iban, bic, swift, card number, cardnumber, credit card, creditcard, credit card number, cc
        number, pan, cvv, cvc, card expiry, account number, bank account, bankaccount, routing
        number, sort code, kontonummer, kreditkarte, bankverbindung, numero carte, numero compte,
        tarjeta, numero cuenta, last4, last four
    """,
    "ip": """
        ip, ip address, ipaddress, ip addr, ipaddr, ipv4, ipv6, remote addr, remote ip, client ip,
        last ip, login ip, current sign in ip, last sign in ip, mac address, mac addr
    """,
    "geo": """
        latitude, longitude, lat, lng, lon, geo, geolocation, geo location, coordinates, coords,
        gps, breitengrad, laengengrad, geom
    """,
    "health": """
        diagnosis, diagnoses, diagnose, icd10, icd, medication, medications, prescription, allergy,
        allergies, blood type, blood group, blutgruppe, disability, medical history, medical record,
        patient number, mrn, symptoms, treatment, diagnostico, diagnostic, krankheit, pregnancy,
        weight kg, height cm, bmi, hiv, religion, ethnicity, sexual orientation, gender, sex,
        geschlecht, sexe, sexo
    """,
    "credentials": """
        password, passwords, passwd, pwd, password hash, hashed password, encrypted password,
        password digest, pass hash, passphrase, passwort, kennwort, mot de passe, contrasena,
        senha, wachtwoord, haslo, secret, secrets, client secret, secret key, api key, apikey,
        api token, api secret, access token, refresh token, auth token, session token,
        session key, reset token, confirmation token, invite token, remember token,
        verification token, id token, bearer token, device token, csrf token, private key,
        signing key, encryption key, access key, ssh key, secret access key, otp secret,
        totp secret, mfa secret, otp seed, totp, recovery code, recovery codes, backup codes,
        pin code, security answer, salt, token, tokens, credential, credentials, creds,
        zugangsdaten, identifiants, credenciales, credenziali, jwk, jwks, jwt, pem, keystore,
        keypair, key pair, cert key, basic auth, auth data, auth code, authorization code,
        code verifier, oauth, connection string, connection config, connection url, database url,
        dsn, webhook url, cookie, cookies
    """,
}

# A column of this name mostly holds it, if its name ends with this.
LIKELY: dict[str, str] = {
    "name": """
        author, owner, creator, assignee, reviewer, approver, requester, requestor, submitter,
        sender, recipient, uploader, committer, reporter, moderator, sub, subject id, claims,
        created by, updated by, deleted by, modified by, changed by, added by, approved by,
        reviewed by, requested by, invited by, assigned to, assigned by, performed by, issued by,
        signed by, entered by, started by, paused by, cancelled by, canceled by, blocked by,
        locked by, closed by, uploaded by, submitted by, reported by, sent by, owned by, banned by,
        triggered by, revoked by, archived by, published by, resolved by, rejected by
    """,
    "free text": """
        comment, comments, comment text, comment body, note, notes, note text, remark, remarks,
        message, messages, message text, message body, feedback, review text, testimonial, bio,
        biography, about me, transcript, reply, bemerkung, bemerkungen, notiz, notizen,
        kommentar, kommentare, nachricht, commentaire, comentario, observaciones, annotazioni,
        opmerking, uwagi, user input, prompt text, blocked reason, block reason, ban reason,
        banned reason, lock reason, suspension reason, suspended reason, cancellation reason,
        cancel reason, deletion reason, deleted reason, rejection reason, report reason,
        reason text, grund
    """,
    "credentials": "auth, cert, certs, license key, otp, ssh keys, api keys, signature key",
}

# A column of this name may hold it; its table, comment or type has to say so too.
WEAK: dict[str, str] = {
    "name": "name, names, nom, nombre, nome, naam, title, signature, initials, alias",
    "address": "address, addresses, city, town, ort, stadt, ville, ciudad, citta, cidade, stad, "
    "miasto, region, county, location, residence",
    "free text": "about, body, nota, description, user agent, signature text",
    "birth date": "age, alter, edad",
    "phone": "number, contact",
}

# In a table of these, what is called so lets in.
KEEPERS = "token tokens secret secrets password passwords credential credentials"
KEYS_TO = "api access signing ssh encryption private service license"
IN_KEEPING = "value, key, key value, hash, hashed, hashed key, key hash, digest"

# In a table of these, a body is what somebody wrote.
WRITTEN = """
    message messages comment comments post posts email emails mail mails review reviews ticket
    tickets note notes chat chats reply replies conversation conversations letter letters
"""
BODY = "body, content, text, description"

# Machines write these: before a message they say that it is theirs.
MACHINES = """
    error err log status exit failure fail failed warning debug exception event system
    sql http response state validation last errors logs events audit
"""

# The last word of a table that says nothing of whom it is about.
GENERAL = """
    address addresses detail details info infos information data record records history archive
    archived backup old new tmp view table entity model list entry entries metadata
"""

# After a word, these say how it is kept rather than that it is something else.
KEEPING = """
    hash hashed encrypted encoded enc digest value values text raw plain number numbers num no nr
    address addr line line1 line2 1 2 3 old new current previous primary secondary work home private
    business full normalized canonical lower local str string json data body bin b64 bytes sha256 v1
    v2 response payload info billing shipping mailing delivery birth legal preferred emergency other
"""

# A table of these is about people.
PEOPLE = """
    user users account accounts person persons people customer customers client clients patient
    patients employee employees staff member members contact contacts profile profiles candidate
    candidates applicant applicants student students teacher teachers author authors owner owners
    guest guests subscriber subscribers lead leads recipient recipients tenant tenants
    passenger passengers citizen citizens donor donors voter voters resident residents
    guardian parent parents child children family admin admins login logins
    kunde kunden benutzer nutzer mitarbeiter mitglied mitglieder person personen patienten
    utilisateur utilisateurs employe employes personne personnes membre membres
    usuario usuarios cliente clientes empleado empleados persona personas paciente pacientes
    utente utenti clienti dipendente dipendenti persone pazienti funcionario funcionarios pessoa
    pessoas gebruiker gebruikers klant klanten medewerker klient klienci pracownik osoba osoby
    physician physicians doctor doctors nurse nurses beneficiary beneficiaries payee payer
    """

# After a word, these say that a name is about something else: a count, a state, how long it holds.
OTHERWISE = """
    count counts total enabled disabled verified valid confirmed required format template templates
    type types kind status state mode policy visible visibility at on off length size max min limit
    expires expired expiry changed updated provider version prefix suffix domain subject column
    field table file index schema event class path mask name names uri url ttl level algorithm
    issuer audience scope scopes method strategy rule rules bucket usage quota used hint label slug
"""
# Before a word, these make it a flag or a bound.
FLAGS = "is has have allow allowed allows can should must needs requires max min no"
# What refers to rows by number.
COUNTABLE = "bool int2 int4 int8 float4 float8 numeric money oid"


def words(listed: str) -> frozenset[str]:
    """The words of a list of words."""
    return frozenset(listed.split())


def phrases(said: dict[str, str]) -> dict[tuple[str, ...], str]:
    """Words in a row -> the category they speak of."""
    return {
        tuple(phrase.split()): category
        for category, listed in said.items()
        for phrase in listed.split(",")
    }
