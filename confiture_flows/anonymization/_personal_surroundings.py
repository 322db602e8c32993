"""What stands around a word: other words of the name, the table, the columns beside it."""

from __future__ import annotations

# In a table of these, what is called so lets in.
KEEPERS = """
    token tokens secret secrets password passwords credential credentials variables vault grant
    grants otp otps
"""
# Bytes that are called a key are none after these.
OTHER_KEYS = (
    "public pub foreign primary idempotency cache sort partition dedup unique lookup search"
)
KEYS_TO = "api access signing ssh encryption private service license invite"
IN_KEEPING = """
    value, key, key value, hash, hashed, hashed key, key hash, digest, data, raw, ciphertext, code
"""

# A table of these tells how to get in somewhere else.
CONNECTIONS = """
    integration integrations connection connections connector connectors datasource datasources
    destination destinations sso provider providers webhook webhooks endpoint endpoints storage
    storages backend backends subscription subscriptions
"""
SETTINGS = """
    config, configuration, connection, auth, key, settings, options encrypted, config encrypted
"""
# A table with one of these anywhere in its name is one of them.
INTEGRATED = "integration integrations connector connectors"
# Tables of a program's settings, each a row with a name and a value.
OPTIONS = "setting settings config configs configuration configurations"
# A code of these lets in.
LETTING_IN = """
    invitation invitations invite invites verification verifications confirmation confirmations
    authorization activation recovery otp otps
"""
SUBSCRIBED = "endpoint"
SUBSCRIPTIONS = "subscription subscriptions"

# In a table of these, a body is what somebody wrote.
WRITTEN = """
    message messages comment comments post posts email emails mail mails review reviews ticket
    tickets note notes chat chats reply replies conversation conversations letter letters thread
    threads topic topics issue issues discussion discussions feedback answer answers question
    questions complaint complaints inquiry inquiries response responses testimonial testimonials
    turn turns utterance utterances sms story stories announcement announcements pull
"""
# In which form something is; they say nothing of whose it is.
FORMED = """
    processed rendered raw custom plain cached original edited translated formatted parsed cleaned
    sanitized markdown markeddown html
"""
# Rows of these are prepared for many; so is a message that is called so.
TEMPLATES = "template templates canned preset presets example examples boilerplate"
TEMPLATE_ROWS = "prompt prompts snippet snippets macro macros"
PREPARED = """
    greeting welcome default canned auto automatic template fallback placeholder office away
    offline banner footer
"""
# A row of these is what somebody asked for or gave: a name beside an e-mail is theirs.
ASKING = """
    request requests submission submissions registration registrations signup signups invitation
    invitations rsvp rsvps donation donations booking bookings reservation reservations application
    applications enrollment enrollments
"""
BODY = """
    body, content, contents, text, description, title, subject, raw, cooked, excerpt, detail,
    headline, html body, text body, body html, body text, content text, content html, summary,
    answer, review, html, markdown, body plain, plain body, plaintext, lexical, prosemirror,
    mobiledoc, editorjs
"""
# In these too what it is called: nobody gives a name to what was said.
CALLED = "name"
RAISED = "issue issues lead leads ticket tickets"

# In a table of these, documents are what somebody sent.
RECORDS = """
    event events delivery deliveries request requests call calls log logs audit audits submission
    submissions webhook webhooks attempt attempts message messages response responses activity
    activities history histories trail trails track tracks run runs answer answers
"""
SENT = """
    payload, data, body, content, properties, args, arguments, kwargs, params, parameters,
    attributes, response, details, detail, request, tool calls, input, output,
    old values, new values, old value, new value, before value, after value, updated values,
    changes, report
"""

# One of these beside says that a row happened to somebody, rather than that it is a place.
HAPPENED = "payload, properties, data, session id, device id, visitor id, user agent"

# In a table of these, what was looked for.
SEARCHES = "search searches suche recherche busqueda"
SOUGHT = "term, terms, query, keyword, keywords, q, phrase"

# Machines write these: before a message they say that it is theirs.
MACHINES = """
    error err log status exit failure fail failed warning debug exception event system
    sql http response state validation last errors logs events audit failures exceptions
"""
# What these did has a reason that a program gives, or a commit message that a person wrote.
REASONED = """
    finish failure fail failed status error bounce stop state close exit termination skip retry
    decline event code
"""
# Who did these is a program or an order of rows.
NOBODY = """
    order group sort sorted ordered grouped locked claimed leased processed generated powered
    handled limited divided followed caused increment rotated partition cluster step replaced
    superseded referenced used served hosted picked
"""

# The last word of a table that says nothing of whom it is about.
GENERAL = """
    address addresses detail details info infos information data record records history archive
    archived backup old new tmp view table entity model list entry entries metadata meta revision
    revisions draft drafts
"""
# A table of these holds addresses, of whom it says before.
ADDRESSES = "address addresses adresse adressen adresses direccion direcciones indirizzi adres"
OF_MACHINES = """
    ip mac wallet network memory node nodes cluster clusters host hosts server servers machine
    machines worker workers instance instances pod pods subnet subnets vpn interface interfaces
    router routers gateway gateways deployment deployments region regions container containers
    balancer balancers blockchain contract bin storage internal smtp imap pop3 ldap proxy dns ftp
    ssh
"""
# A table of these is about places that anybody may go to, or things.
PLACES = """
    branch branches store stores shop shops warehouse warehouses hotel hotels office offices venue
    venues airport airports restaurant restaurants station stations depot depots facility facilities
    school schools escuela escuelas hospital hospitals clinic clinics company companies site sites
    city cities country countries building buildings region regions location locations filiale
    filialen abteilung abteilungen organization organizations organisation organisations magasin
    magasins tienda tiendas event events subevent room rooms area areas map maps place places
    affiliation
    affiliations institution institutions university universities
"""
THINGS = """
    product products release releases version versions plan plans role roles category categories
    template templates badge badges campaign campaigns realm realms app apps package packages
    repository repositories project projects model models tag tags dataset datasets
    dashboard dashboards plugin plugins hook hooks webhook webhooks channel channels queue queues
    job jobs pipeline pipelines drug drugs course courses item items article articles crate crates
    garantie garanties policy policies rule rules setting settings service services
    option options choice choices server servers skill skills tool tools assistant assistants bot
    bots monitor monitors alert alerts workflow workflows automation automations flag flags widget
    widgets
"""

# What builds and deploys things writes payloads of its own.
BUILDERS = """
    build builds check checks pipeline pipelines worker workers deploy deploys deployment
    deployments
    container containers migration migrations
"""

# After a word, these say how it is kept rather than that it is something else.
KEEPING = """
    hash hashed encrypted encoded enc digest value values text raw plain number numbers num no nr
    address addr line line1 line2 1 2 3 4 old new current previous primary secondary work home
    private business full normalized canonical lower local str string json data body bin b64 bytes
    sha256 v1 v2 response payload info billing shipping mailing delivery birth legal preferred
    emergency other ciphertext cooked html sanitized e164 constraint from to cc confirm
    privat dienstlich mobil casa trabajo fijo portable fixe mobile perso pro domicile lavoro
    profesional professionnel personal personnel personnelle geschaeftlich village cached parts
"""

# A table of these is about people.
PEOPLE = """
    user users account accounts person persons people customer customers patient patients identity
    identities
    employee employees staff member members contact contacts profile profiles candidate candidates
    applicant applicants student students pupil pupils teacher teachers author authors owner owners
    guest guests subscriber subscribers lead leads recipient recipients passenger passengers citizen
    citizens donor donors voter voters resident residents guardian guardians parent parents child
    children family admin admins login logins physician physicians doctor doctors nurse nurses
    beneficiary beneficiaries payee payer visitor visitors attendee attendees participant
    participants volunteer volunteers tutor tutors interviewer interviewers
    kunde kunden benutzer nutzer mitarbeiter mitglied mitglieder person personen patienten schueler
    lehrer mieter versicherte versicherter
    utilisateur utilisateurs employe employes personne personnes membre membres assure assures
    adherent adherents eleve eleves enseignant enseignants salarie salaries
    usuario usuarios cliente clientes empleado empleados persona personas paciente pacientes
    alumno alumnos alumna alumnas profesor profesores docente docentes estudiante estudiantes
    utente utenti clienti dipendente dipendenti persone pazienti studente studenti insegnante
    insegnanti funcionario funcionarios pessoa pessoas aluno alunos
    gebruiker gebruikers klant klanten medewerker medewerkers leerling leerlingen
    klient klienci pracownik pracownicy osoba osoby uczen uczniowie
"""
# The same, if there is something else of people in it.
PERHAPS_PEOPLE = """
    client clients tenant tenants partner partners party parties agent agents host hosts holder
    holders player players worker workers driver drivers operator operators
"""
# What somebody is to somebody else, before "name" and the like; tables are not called so.
PARTS = """
    counterparty creditor debtor signer signatory bearer insured claimant borrower landlord shipper
    consignee courier referrer respondent invitee inviter committer contributor poster reviewer
    approver assignee sender buyer bidder mother father spouse embossed director manager supervisor
    instructor speaker holder to for
"""

# After a word, these say that a name is about something else: a count, a state, how long it holds.
OTHERWISE = """
    count counts total enabled disabled verified valid confirmed required format template templates
    type types kind status state mode policy visible visibility at on off length size max min limit
    expires expired expiry changed updated provider version prefix suffix domain subject column
    field table file index schema event class path mask name names uri url ttl level algorithm
    issuer audience scope scopes method strategy rule rules bucket usage quota used hint label slug
    iv nonce algo lifespan theme preference code codes question country until eight agent
    estimated active seen registration claim endpoint dimension dimensions
"""
# Before a word, these make it a flag or a bound.
FLAGS = """
    is has have allow allowed allows can should must needs requires max min no use keep enable num
    nb
"""
# Before a word, these make it a program's: its own text, or what manages things.
OF_PROGRAMS = "public system package task process window resource transaction"
# What refers to rows by number.
COUNTABLE = "bool int2 int4 int8 float4 float8 numeric money oid"

# In a table of these, what is called so is a card's.
CARDS = "card cards bankcard bankcards creditcard creditcards"
OF_CARD = """
    number, name, holder, expiry date, expiry, expires, expiration, exp date, month, year,
    last digits, start month, start year, start date, issue number
"""
PAYMENTS = "payment payments refund refunds payout payouts"
OF_PAYMENT = "info, details, data, raw, response, provider data, provider response"
# In a table of these, who gets it is an address.
MAILS = "mail mails email emails"
OF_MAIL = "to, from, sender, receiver, receivers, recipient, addressee"
