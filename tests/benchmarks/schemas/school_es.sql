CREATE TABLE alumnos (
    id int PRIMARY KEY,
    matricula varchar(20), -- government id
    nombre varchar(80), -- name
    primer_apellido varchar(80), -- name
    segundo_apellido varchar(80), -- name
    fecha_nac date, -- birth date
    lugar_nacimiento text, -- address
    sexo char(1), -- health
    curp varchar(18), -- government id
    domicilio text, -- address
    colonia text, -- address
    municipio text, -- address
    codigo_postal varchar(5), -- address
    tel_casa varchar(20), -- phone
    celular varchar(20), -- phone
    correo varchar(120), -- e-mail
    tipo_sangre varchar(3), -- health
    alergias text, -- health
    nombre_tutor text, -- name
    telefono_tutor text, -- phone
    foto bytea, -- identifier
    grado int,
    grupo varchar(5),
    turno varchar(10),
    activo boolean
);
CREATE TABLE profesores (
    id int PRIMARY KEY,
    nombres text, -- name
    apellidos text, -- name
    rfc varchar(13), -- government id
    cedula_profesional text, -- government id
    cuenta_bancaria text, -- payment
    clabe varchar(18), -- payment
    contrasena text, -- credentials
    usuario text, -- name
    fecha_ingreso date,
    salario numeric
);
CREATE TABLE materias (
    id int PRIMARY KEY,
    nombre varchar(80),
    clave varchar(10),
    creditos int,
    descripcion text
);
CREATE TABLE calificaciones (
    id int PRIMARY KEY,
    alumno_id int REFERENCES alumnos,
    materia_id int REFERENCES materias,
    calificacion numeric,
    observaciones text, -- free text
    periodo varchar(10)
);
CREATE TABLE escuelas (
    id int PRIMARY KEY,
    nombre text,
    direccion text,
    telefono text, -- phone
    director text, -- name
    clave_centro text
);
