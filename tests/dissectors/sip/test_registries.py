"""Every entry of every registry of SIP goes through the layers."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors.sip import registries
from dissectors.sip.headers import READERS
from dissectors.sip.layer import BODY_LAYERS, SIP, body_packet, header_layer
from dissectors.sip.layers import HEADER_LAYERS
from dissectors.sip.parse import COMPACT_FORMS
from dissectors.sip.values import SIPHeader, SIPTakenApart
from dissectors.text import layer_of

BY_NAME = {each.name: each for each in registries.REGISTRIES}
TOKENS = {
    "Security mechanisms": b"Security-Client: %s",
    "Transports of Via": b"Via: SIP/2.0/%s a",
    "Option tags": b"Require: %s",
    "Event packages": b"Event: %s",
    "Subscription states": b"Subscription-State: %s",
    "Values of Privacy": b"Privacy: %s",
}
PARAMETERS = {
    "Parameters of security mechanisms": b"Security-Server: tls;%s=1",
    "Parameters of Via": b"Via: SIP/2.0/UDP a;%s=1",
    "Parameters and feature tags of Contact": b"Contact: <sip:a>;%s=1",
    "Parameters that name a dialog": b"Replaces: a;%s=1",
    "Parameters of P-Charging-Vector": b"P-Charging-Vector: %s=1",
    "Parameters of digest authentication": b"Authorization: Digest %s=1",
}
VALUES = {
    "Values of alg of ipsec-3gpp": b"Security-Client: ipsec-3gpp;alg=%s",
    "Values of ealg of ipsec-3gpp": b"Security-Client: ipsec-3gpp;ealg=%s",
    "Values of prot of ipsec-3gpp": b"Security-Client: ipsec-3gpp;prot=%s",
    "Values of mod of ipsec-3gpp": b"Security-Client: ipsec-3gpp;mod=%s",
    "Digest algorithms": b'WWW-Authenticate: Digest algorithm="%s"',
}


def shown(row: bytes) -> str:
    """All that Scapy shows of a header."""
    text: str = SIP(b"OPTIONS sip:a SIP/2.0\r\n" + row + b"\r\n\r\n").headers[0].show(dump=True)
    return text


def header(row: bytes) -> Any:
    return header_layer(row)(row)


def test_every_header_is_taken_apart() -> None:
    for name, layer in HEADER_LAYERS.items():
        found = header(name.upper() + b" : x;y=z\r\n")
        assert type(found) is layer
        assert isinstance(found, SIPTakenApart)
        assert found.canonical_name == name
        assert found.header_value == b"x;y=z"
    assert type(header(b"X-Other: a\r\n")) is SIPHeader
    assert set(READERS) - set(HEADER_LAYERS) == {b"proxy-authentication-info"}


def test_every_compact_form_is_its_header() -> None:
    for letter, name in COMPACT_FORMS.items():
        found = header(letter + b": x\r\n")
        assert found.canonical_name == name
        assert type(found) is HEADER_LAYERS.get(name, SIPHeader)


@pytest.mark.parametrize("name", sorted(TOKENS))
def test_tokens_are_named(name: str) -> None:
    for token, said in BY_NAME[name].names.items():
        assert f"({said})" in shown(TOKENS[name] % token)
        assert f"({said})" in shown(TOKENS[name] % token.upper())


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_named(name: str) -> None:
    for token, said in BY_NAME[name].names.items():
        assert f"({said})" in shown(PARAMETERS[name] % token)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_values_of_parameters_are_named(name: str) -> None:
    for token, said in BY_NAME[name].names.items():
        assert f"({said})" in shown(VALUES[name] % token)


def test_every_body_goes_to_its_layer() -> None:
    for kind, where in BODY_LAYERS.items():
        layer = layer_of(*where)
        assert layer is not None
        data = b"<x/>" if kind.endswith(b"xml") else b"\x30\x03\x02\x01\x05"
        packet = body_packet(data, b"\nc: " + kind + b"\r\n\r\n", 0)
        assert isinstance(packet, layer)
        assert bytes(packet) == data


def test_every_registry_has_a_test_that_goes_through_it() -> None:
    for registry in registries.REGISTRIES:
        assert registry.test.partition("::")[2] in globals()
    for tables, function in (
        (TOKENS, "test_tokens_are_named"),
        (PARAMETERS, "test_parameters_are_named"),
        (VALUES, "test_values_of_parameters_are_named"),
    ):
        assert {each.name for each in registries.REGISTRIES if each.test.endswith(f"::{function}")} == set(tables)
