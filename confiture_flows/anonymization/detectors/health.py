"""Health: codes of diagnoses, blood groups, and words for illnesses and medicines."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import Samples, ValueDetector, each_value

_ICD_10 = re.compile(r"[A-TV-Z]\d[\dAB](?:\.[\dA-Z]{1,4})")
_BLOOD = re.compile(r"(?:AB?|B|O|0)\s?(?:[+-]|Rh[+-]|pos(?:itive)?|neg(?:ative)?)", re.IGNORECASE)
_TERMS = re.compile(
    r"\b(?:diabet\w*|asthma\w*|hypertensi\w*|bluthochdruck|cancer\w*|carcinom\w*|krebs\w*|tumou?r\w*|"
    r"leuk[aä]?emi\w*|depressi(?:on|ve|v)|d[ée]pression|anxiety|angstst[öo]rung|schizo\w+|bipolar\w*|"
    r"epilep\w+|migr[aä]in\w*|arthriti\w*|allerg(?:y|ies|ic|ie|ien)|hiv|aids|hepatiti\w*|tubercul\w*|pneumoni\w*|"
    r"bronchiti\w*|covid\w*|influenza|grippe|fract(?:ure|ura)\w*|pregnan\w*|schwanger\w*|grossesse|"
    r"embarazo|dementia|demenz|alzheimer\w*|parkinson\w*|insulin\w*|metformin\w*|ibuprofen\w*|"
    r"paracetamol\w*|amoxicillin\w*|atorvastatin\w*|lisinopril\w*|omeprazol\w*|sertralin\w*|"
    r"antibioti\w*|chemotherap\w*|diagnos(?:is|ed|e)|anaemi\w*|anemi\w*|obesity|adipositas|"
    r"celiac|zöliakie|eczema|psoria\w*|thyroid\w*|stroke|infar[ck]t\w*|penicillin\w*)\b",
    re.IGNORECASE,
)


def speaks_of_health(value: str) -> bool:
    """Whether a word for an illness or a medicine stands in it."""
    return bool(_TERMS.search(value))


def _codes(samples: Samples) -> int:
    found = [value for value in samples.values if _ICD_10.fullmatch(value.strip())]
    return len(found) if len(set(found)) >= 3 else 0


DETECTORS = (
    ValueDetector("codes of diagnoses", "health", _codes, alone=0.8),
    ValueDetector(
        "words for illnesses or medicines",
        "health",
        each_value(speaks_of_health),
        alone=0.85,
        least=0.1,
        full=0.5,
    ),
    ValueDetector(
        "blood groups",
        "health",
        each_value(lambda value: _BLOOD.fullmatch(value.strip())),
        alone=0.75,
        least=0.8,
    ),
)
