"""The words by which columns of personal data are known, in several languages, by category.

Words are lower case and without accents; one with spaces matches those words in a row. English,
German, French, Spanish, Italian, Portuguese, Dutch and Polish, as they occur in schemas.
"""

from __future__ import annotations

# A column of this name holds it, whatever its table is.
STRONG: dict[str, str] = {
    "e-mail": """
        email, emails, e mail, mail address, email address, mailadresse, emailadresse, courriel,
        adresse mail, email id, mail id, correo, correo electronico, posta elettronica, e posta
    """,
    "name": """
        first name, firstname, last name, lastname, full name, fullname, middle name, maiden name,
        given name, givenname, family name, familyname, surname, forename, birth name, nickname,
        nick name, fname, lname, vorname, nachname, familienname, geburtsname, prenom, nom famille,
        nom complet, apellido, apellidos, nombre completo, cognome, nome completo, sobrenome,
        apelido, voornaam, achternaam, imie, nazwisko, display name, real name, legal name,
        contact name, customer name, person name, holder name, cardholder, cardholder name,
        account holder, contact person, ansprechpartner, user name, username, screen name, login
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
        password digest, pass hash, passwort, kennwort, mot de passe, contrasena, senha, wachtwoord,
        secret, client secret, secret key, api key, apikey, api token, access token, refresh token,
        auth token, session token, reset token, confirmation token, invite token, remember token,
        private key, otp secret, totp secret, mfa secret, recovery code, recovery codes, pin code,
        security answer, salt, token
    """,
}

# A column of this name may hold it; its table, comment or type has to say so too.
WEAK: dict[str, str] = {
    "name": "name, names, nom, nombre, nome, naam, title, author, signature, initials, alias",
    "address": "address, addresses, city, town, ort, stadt, ville, ciudad, citta, cidade, stad, "
    "miasto, region, county, location, residence",
    "free text": """
        bio, biography, about, about me, notes, note, comment, comments, message, messages, body,
        remarks, remark, bemerkung, notiz, notizen, kommentar, nachricht, commentaire, comentario,
        nota, feedback, transcript, description, reply, user agent, signature text
    """,
    "payment": "account, card, bank",
    "birth date": "age, alter, edad",
    "phone": "number, contact",
}

# A table of these is about people.
PEOPLE = """
    user users account accounts person persons people customer customers client clients patient
    patients employee employees staff member members contact contacts profile profiles candidate
    candidates applicant applicants student students teacher teachers author authors owner owners
    guest guests subscriber subscribers lead leads recipient recipients tenant tenants driver
    drivers passenger passengers citizen citizens donor donors voter voters resident residents
    guardian parent parents child children family admin admins login logins session sessions
    kunde kunden benutzer nutzer mitarbeiter mitglied mitglieder person personen patienten
    utilisateur utilisateurs employe employes personne personnes membre membres
    usuario usuarios cliente clientes empleado empleados persona personas paciente pacientes
    utente utenti clienti dipendente dipendenti persone pazienti funcionario funcionarios pessoa
    pessoas gebruiker gebruikers klant klanten medewerker klient klienci pracownik osoba osoby
    physician physicians doctor doctors nurse nurses beneficiary beneficiaries payee payer
    """

# With one of these in it, a name is about something else: a template's subject, a count, a flag.
OTHERWISE = """
    count counts total enabled disabled verified valid confirmed is has allow allowed required
    format template templates type types kind status state mode policy visible visibility at on_off
    length size max min limit expires expired expiry_at changed updated provider version prefix
    suffix domain subject column field table file index schema event class
    """
# Credentials keep their nature in spite of some of these ("token_type" does not).
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
