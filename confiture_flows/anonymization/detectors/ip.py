"""IP addresses. Those of networks at home and of machines say less than public ones."""

from __future__ import annotations

import ipaddress

from confiture_flows.anonymization.detector import ValueDetector, each_value


def _read(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    text = value.strip()
    host, _, bits = text.partition("/")
    if ("." not in host and ":" not in host) or (bits and bits not in ("32", "128")):
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_ip(value: str) -> bool:
    """Whether it is the address of one host."""
    return _read(value) is not None


def is_public_ip(value: str) -> bool:
    """Whether it is one that the internet routes."""
    found = _read(value)
    return found is not None and found.is_global


DETECTORS = (
    ValueDetector(
        "public IP addresses", "ip", each_value(is_public_ip), alone=0.9, types=("text", "ip")
    ),
    ValueDetector(
        "IP addresses", "ip", each_value(is_ip), alone=0.4, types=("text", "ip"), refutes=True
    ),
)
