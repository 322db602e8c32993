CREATE TABLE candidates (
    id bigint PRIMARY KEY,
    "firstName" text, -- name
    "lastName" text, -- name
    "preferredName" text, -- name
    "emailAddress" text, -- e-mail
    "phoneNumber" text, -- phone
    "currentCompany" text,
    "currentTitle" text,
    "linkedinUrl" text, -- identifier
    "resumeText" text, -- free text
    "resumeFileName" text,
    "coverLetter" text, -- free text
    "salaryExpectation" int,
    "veteranStatus" text,
    "disabilityStatus" text, -- health
    race text, -- health
    pronouns text, -- health
    "visaStatus" text,
    "referrerEmail" text, -- e-mail
    tags text[]
);
CREATE TABLE interviews (
    id bigint PRIMARY KEY,
    "candidateId" bigint REFERENCES candidates,
    interviewer text, -- name
    "scheduledAt" timestamptz,
    "meetingUrl" text,
    "dialInPin" text, -- credentials
    feedback text, -- free text
    rating int,
    strengths text, -- free text
    "rejectionReason" text, -- free text
    transcript jsonb, -- free text
    stage text
);
CREATE TABLE jobs (
    id bigint PRIMARY KEY,
    title text,
    department text,
    "hiringManager" text, -- name
    location text,
    description text,
    requirements text,
    "salaryMin" int,
    "isRemote" boolean,
    "postingUrl" text
);
CREATE TABLE background_checks (
    id bigint PRIMARY KEY,
    provider text,
    "ssnLast4" text, -- government id
    "driversLicenseNumber" text, -- government id
    "criminalRecord" text, -- health
    status text,
    report jsonb, -- free text
    "externalReportId" text
);
CREATE TABLE email_events (
    id bigint PRIMARY KEY,
    recipient text, -- e-mail
    event text,
    "messageId" text,
    "userAgent" text,
    "ipAddress" text, -- ip
    "bounceReason" text,
    "clickedUrl" text
);
