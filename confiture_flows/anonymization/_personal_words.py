"""The words by which columns of personal data are known, in several languages, by category.

Words are lower case and without accents; one with spaces matches those words in a row. English,
German, French, Spanish, Italian, Portuguese, Dutch and Polish, as they occur in schemas. What
their surroundings have to say is in _personal_surroundings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A column of this name holds it, whatever its table is.
STRONG: dict[str, str] = {
    "e-mail": """
        email, emails, email id, e mail, mail address, email address, mailadresse, emailadresse,
        courriel, adresse mail, correo, correo electronico, posta elettronica, e posta, mail to
    """,
    "name": """
        first name, firstname, last name, lastname, full name, fullname, middle name, middlename,
        maiden name, given name, givenname, family name, familyname, surname, forename, second name,
        birth name, fname, lname, vorname, nachname, familienname, rufname,
        geburtsname, prenom, nom famille, nom complet, nom jeune fille, apellido, apellidos,
        nombre completo, cognome, nome completo, sobrenome, apelido, voornaam, achternaam, imie,
        nazwisko, preferred name, real name, legal name, contact name, customer name, person name,
        holder name, cardholder, cardholder name, card holder, account holder, kontoinhaber,
        karteninhaber, titulaire, contact person, next kin, next of kin, ansprechpartner, user name,
        username, usernames, screen name, login, login name, benutzername, nom utilisateur,
        nombre usuario, nome utente, gebruikersnaam, userinfo, user info, user metadata,
        user meta data, user profile, userprofile, id token claims, bill to name, ship to name
    """,
    "phone": """
        phone, phones, phone number, phonenumber, telephone, telefon, telefonnummer, telefono,
        telefone, telefoon, mobile, mobile number, mobile phone, mobil, mobilnummer, cell,
        cellphone, cell phone, handy, handynummer, movil, celular, cellulare, fax, fax number,
        msisdn, numer telefonu, whatsapp, tel, rufnummer, caller number, callee number, caller id
    """,
    "address": """
        street, street address, address line, address line1, addressline, postal address,
        mailing address, home address, shipping address, billing address, delivery address, strasse,
        hausnummer, hausnr, house number, anschrift, wohnort, postanschrift, adresse, rue,
        direccion, domicilio, calle, colonia, indirizzo, endereco, rua, bairro, straat, huisnummer,
        adres, ulica, zip, zipcode, zip code, postcode, post code, postal code, postalcode, plz,
        postleitzahl, code postal, codigo postal, cap, cep, kod pocztowy, place birth, birth place,
        birthplace, bill to address, ship to address, ship to, deliver to, geburtsort,
        lieu naissance, lugar nacimiento, luogo nascita, location city, invoice address,
        residential address, residence address, permanent address, correspondence address,
        billing addr, shipping addr, delivery addr, rechnungsadresse, rechnungsanschrift,
        lieferadresse, lieferanschrift, wohnadresse, adresse facturation, adresse livraison,
        direccion facturacion, direccion envio, indirizzo fatturazione, indirizzo spedizione,
        endereco cobranca, endereco entrega, factuuradres, bezorgadres, woonadres
    """,
    "birth date": """
        birth date, birthdate, birthday, date of birth, dob, birth year, year of birth, birth,
        born, born on, geburtsdatum, geburtstag, geboren, date naissance, naissance, fecha nac,
        fecha nacimiento, nacimiento, data nascita, nascita, data nascimento, nascimento,
        geboortedatum, data urodzenia
    """,
    "government id": """
        ssn, social security, social security number, sin number, national id, national identifier,
        national number, id card, id card number, identity number, identity card, personal id,
        personal number, passport, passport number, passport no, drivers license, driver license,
        driving licence, licence number, license number, tax id, taxid, tax number, tin, itin,
        vat id, vat number, vat no, taxvat, steuernummer, steuer id, personalausweis, reisepass,
        sozialversicherungsnummer, sv nummer, personalnummer, matrikelnummer, versichertennummer,
        nir, numero securite sociale, num secu, num securite sociale, dni, nie, nif, curp, rfc,
        cedula, matricula, codice fiscale, cpf, cnpj, bsn, pesel, aadhaar, nino, nhs number,
        employee no, employee number, staff number, student number, member number, member no,
        membership number, insurance number, policy number, numero police, policy holder id,
        frequent flyer, frequent flyer number, known traveler number, known traveller number,
        redress number, plate number, license plate, licence plate, number plate, kennzeichen,
        immatriculation, vin
    """,
    "payment": """
        stripe customer, stripe customer id, stripe payment method id, braintree customer id,
        paypal payer id, paypal email, customer profile id, payment customer id, iban, bic, swift,
        card number, cardnumber, credit card, creditcard, credit card number, cc number, cc last,
        card last, pan, cvv, cvc, card expiry, card exp, cc exp, exp month, exp year, expiry month,
        expiry year, expiration month, expiration year, account number, bank account, bankaccount,
        routing number, sort code, kontonummer, kreditkarte, bankverbindung, numero carte,
        numero compte, rib, tarjeta, numero cuenta, cuenta bancaria, clabe, last4, last 4,
        last four, sepa mandate, mandate reference
    """,
    "ip": """
        ip, ips, ip address, ipaddress, ip addr, ipaddr, ipv4, ipv6, remote addr, remote ip,
        client ip, last ip, login ip, current sign in ip, last sign in ip, mac address, mac addr,
        x forwarded for, forwarded for, remote host, remote address, peer address
    """,
    "geo": """
        latitude, longitude, lat, lng, lon, geo, geolocation, geo location, coordinates, coords,
        gps, breitengrad, laengengrad, geom, current location, last location, geo long,
        coordinates long
    """,
    "health": """
        diagnosis, diagnoses, diagnose, icd10, icd, medication, medications, prescription, allergy,
        allergies, alergias, blood type, blood group, blutgruppe, tipo sangre, groupe sanguin,
        disability, schwerbehinderung, handicap, discapacidad, medical history, medical record,
        antecedents medicaux, patient number, mrn, symptoms, complaint, treatment, diagnostico,
        diagnostic, krankheit, pregnancy, pregnant, weight kg, height cm, bmi, hiv, smoker,
        dosage, drug name, discharge summary, cause of death, cause death, death date, date death,
        blessures, injuries, vaccination, religion, konfession, ethnicity, race, gender, sex,
        sexual orientation, geschlecht, sexe, sexo, genero, pronouns, marital status,
        familienstand, situation familiale, estado civil, criminal record, political party,
        trade union, dietary, meal preference, special assistance
    """,
    "credentials": """
        password, passwords, passwd, pwd, password hash, hashed password, encrypted password,
        password digest, pass hash, passphrase, passwort, kennwort, mot de passe, mot passe,
        contrasena, senha, wachtwoord, haslo, secret, secrets, client secret, secret key, api key,
        apikey, api token, api secret, access token, refresh token, auth token, session token,
        session key, reset token, confirmation token, invite token, invite key, remember token,
        verification token, id token, bearer token, device token, csrf token, private key,
        signing key, encryption key, access key, ssh key, secret access key, otp secret,
        totp secret, mfa secret, otp seed, totp, recovery code, recovery codes, backup codes,
        pin, pin code, pin hash, pin block, security answer, salt, token, tokens, credential,
        credentials, creds, zugangsdaten, identifiants, credenciales, credenziali, jwk, jwks, jwt,
        pem, keystore, keypair, key pair, cert key, tls key, ssl key, hashed key, key hash,
        basic auth, auth data, authorization code, auth header, authorization header,
        header authorization, authorization, verification code, confirmation code, confirm code,
        activation code, device code, user code, access code, gate code, door code, protect code,
        otp code, invite code, invitation code, code verifier, oauth, connection string,
        connection config, connection url, connection uri, database url, dsn, kubeconfig, cookie,
        account key, auth key, auth pass, cookies, secret data, request headers, encrypted value,
        ciphertext, p256 dh, mother maiden name, mothers maiden name
    """,
    "identifier": """
        avatar, avatar url, avatar image, profile picture, profile image, profile photo,
        profile url, profile page, photo url, picture url, portrait, signature image, signature png,
        linkedin, linkedin url, linkedin profile, twitter, twitter handle, facebook, facebook url,
        instagram, telegram, mastodon, skype, social links, anonymous id, distinct id,
        visitor id, idvisitor, device id, device uuid, device fingerprint, browser fingerprint,
        advertising id, idfa, gaid, cookie id, ga client id, federated user id, external user id,
        provider user id, provider account id, provider uid, github user id, google user id,
        slack user id, biometric, fingerprint template,
        face embedding, voiceprint
    """,
}

# A column of this name mostly holds it, if its name ends with this.
LIKELY: dict[str, str] = {
    "e-mail": """
        to addr, from addr, to address, from address, sender address, recipient address, reply to,
        bcc, cc, mail from, rcpt to, recipients, mail recipients
    """,
    "name": """
        author, owner, creator, assignee, reviewer, approver, requester, requestor, submitter,
        sender, recipient, uploader, committer, reporter, moderator, sub, subject id, claims,
        assigned to, consignee, shipper, interviewer, interviewee, physician, doctor, arzt,
        manager, supervisor, director, instructor, teacher, lecturer, hiring manager,
        account manager, sachbearbeiter, bearbeiter, vorgesetzter, betreuer, usuario, identifiant,
        utilisateur, gebruiker, beneficiary, beneficiaire, payee, signatory, caller, expert,
        sales rep, referrer name, referred, contact, spouse, guardian, traits, freigegeben von,
        erstellt von, geaendert von, cree par, modifie par, creado por, modificado por
    """,
    "phone": "from number, to number, called number, calling number",
    "government id": """
        registration plate, badge number, employee id, student id, national insurance
    """,
    "payment": "payment method, payment details, card details, additional information",
    "free text": """
        comment, comments, comment text, comment body, note, notes, note text, remark, remarks,
        message, messages, message text, message body, feedback, review text, testimonial, bio,
        biography, about me, transcript, reply, bemerkung, bemerkungen, notiz, notizen, memo,
        kommentar, kommentare, nachricht, commentaire, comentario, observaciones, annotazioni,
        opmerking, uwagi, user input, prompt text, user prompt, answer, answer text, verbatim,
        response text, cover letter, resume text, cv text, instructions, circumstances,
        circonstances, search term, search query, search phrase,
        justification, explanation, remittance info,
        verwendungszweck, grund, motivo, motif, inquiry, enquiry, complaint text, raw email,
        strengths, weaknesses, recording url, email subject, mail subject, subject line,
        message signature, email signature, mail signature
    """,
    "credentials": """
        auth, cert, certs, license key, otp, ssh keys, api keys, signature key, key material,
        auth config, auth settings, oauth config, sso config, saml config, smtp config,
        sso settings, ldap settings, ldap config, smtp settings, mail settings
    """,
}

# The same, where the column holds documents or bytes.
IN_DOCUMENTS: dict[str, str] = {
    "credentials": """
        env, envs, env vars, environment variables, headers, http headers, custom headers,
        extra headers, provider config, provider settings, provider options, connector config,
        integration config, integration settings, connection settings
    """,
    "address": "billing details, shipping details, billing, shipping, recipient details",
    "name": "user data, user attributes, identity data",
    "free text": "form data, form response, form responses",
}

# Names of what is key material where it is bytes or documents.
KEY_MATERIAL = "key, keys, old key, old keys, key bytes, private, seed"
# What is kept of people's words as it came; in documents, texts and bytes.
RECORDED: dict[str, str] = {
    "free text": """
        payload, request body, response body, raw body, raw payload, request payload,
        response payload, request data, event payload, message payload, answers, chat history,
        conversation history, messages, tool calls, tool call history, user content,
        assistant content, prompt, completion, audited changes
    """,
}
# What is called so whole says who did something.
USERS = "user, end user, acting user, booked for"
# Where those who use a system have no rows in it, what is called so singles them out elsewhere.
USER_KEYS = "user id, userid"
# Beside the name of a provider, it is whom that one means.
AT_PROVIDER = "uid, identifier, subject, external id"
# Names that things have as well: in a table of things they are theirs.
OF_THINGS_TOO = "full name, fullname, legal name, preferred name, second name"
# What somebody signs with.
NICKNAMES = "nickname, nick name, alias, display name"
# A number is one of a person elsewhere only with one of these.
ELSEWHERE = """
    gh github gitlab google facebook twitter discord slack apple microsoft linkedin telegram
    federated provider anonymous distinct visitor advertising external
"""
# Two of these side by side are what was asked and what was answered.
ASKED: tuple[str, str] = (
    "input, prompt, request",
    "output, completion, answer, response",
)

# A column of this name may hold it; its table, comment or type has to say so too.
WEAK: dict[str, str] = {
    "name": "name, names, nom, noms, nombre, nombres, nome, nomes, naam, signature, "
    "initials, alias, display name, nickname, nick name",
    "address": "address, addresses, city, town, village, ort, stadt, ville, ciudad, citta, "
    "cidade, stad, miasto, county, location, residence, municipio, municipality, comune, commune, "
    "district, lieu, suburb, neighborhood, line1, line2, line3",
    "free text": "about, body, nota, description, signature text, reason, detail, details, "
    "summary, content, text",
    "birth date": "age, alter, edad",
    "phone": "number, contact",
    "identifier": """
        external id, external identifier, backend identifier, identifier, handle, image, picture,
        photo, foto, website, homepage, website url, homepage url, blog, web page, gh id, github id,
        gitlab id, google id, facebook id, twitter id, discord id, apple id, microsoft id,
        linkedin id, telegram id, github, gitlab, discord, bluesky, threads, tiktok, youtube,
        snapchat, pinterest, reddit, xing, wechat, icq, jabber, xmpp, twitch
    """,
    "government id": "employee id, student id, external id number",
}


# Words between words that say nothing.
BETWEEN = frozenset(("de", "del", "des", "du", "da", "di", "do", "la", "le", "el", "los", "of"))


def words(listed: str) -> frozenset[str]:
    """The words of a list of words."""
    return frozenset(listed.split())


def phrases(said: dict[str, str]) -> dict[tuple[str, ...], str]:
    """Words in a row -> the category they speak of."""
    return {
        telling(phrase.split()): category
        for category, listed in said.items()
        for phrase in listed.split(",")
        if phrase.strip()
    }


def telling(said: Iterable[str]) -> tuple[str, ...]:
    """Words without those that only join others."""
    return tuple(word for word in said if word not in BETWEEN)
