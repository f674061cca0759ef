"""Layers of SIP headers: taken apart to the last parameter, in any spelling, every octet kept."""

from __future__ import annotations

import inspect
import time
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dissectors.binary import notes
from dissectors.sip import headers, layers, values
from dissectors.sip.layer import SIP
from dissectors.sip.layers import (
    HEADER_LAYERS,
    SIPAuthorization,
    SIPContact,
    SIPIdentity,
    SIPPAssertedIdentity,
    SIPPChargingVector,
    SIPPrivacy,
    SIPSecurityVerify,
    SIPVia,
    SIPWWWAuthenticate,
)
from dissectors.sip.parse import parse, split_outside, unquoted
from dissectors.sip.values import SIPAddress, SIPHeader, SIPKeyParameter, SIPParameter, SIPValue, SIPViaParm
from dissectors.tree import tree
from tests.dissectors.caches import without_caches


def meaning(packet: Any, name: str) -> str:
    """What a field of a layer says of its value."""
    said: str = packet.get_field(name).meaning(packet, packet.getfieldval(name))
    return said


def parameters(packet: Any) -> dict[bytes, bytes]:
    """Names and values of parameters as they stand."""
    return {bytes(one.parameter_name): bytes(one.parameter_value) for one in packet.parameters}


def test_a_via_is_taken_apart() -> None:
    line = b"v:  SIP / 2.0/TLS [2001:db8::1] : 5061 ;branch=z9hG4bK1;\r\n rport , SIP/2.0/UDP a;received=192.0.2.1\r\n"
    header = SIPVia(line)
    first, second = header.values
    assert (first.protocol_name, first.slash1, first.protocol_version) == (b"SIP", b" / ", b"2.0")
    assert (first.transport, first.host, first.port) == (b"TLS", b"[2001:db8::1]", b"5061")
    assert parameters(first) == {b"branch": b"z9hG4bK1", b"rport": b""}
    assert (second.separator, second.host) == (b", ", b"a")
    assert meaning(second.parameters[0], "parameter_name") == "address that the request came from"
    assert meaning(first, "transport") == "TLS over TCP"
    assert header.header_value == line[4:-2]
    assert notes(header) == []


def test_addresses_are_taken_apart() -> None:
    contact = SIPContact(
        b'Contact: "A \\"B\\", <c>" <sip:a@b;x=y>;isfocus;+sip.instance="<urn:uuid:1>" ,sip:c@d;q=0.1, Bob <sip:e>, *'
    )
    first, second, third, all_of_them = contact.values
    assert (first.display_name, first.uri) == (b'"A \\"B\\", <c>"', b"sip:a@b;x=y")
    assert parameters(first) == {b"isfocus": b"", b"+sip.instance": b'"<urn:uuid:1>"'}
    assert meaning(first.parameters[0], "parameter_name") == "the peer is the focus of a conference (RFC 4579 §4)"
    assert (second.laquot, second.uri, parameters(second)) == (b"", b"sip:c@d", {b"q": b"0.1"})
    assert (third.display_name, third.space, third.uri) == (b"Bob", b" ", b"sip:e")
    assert all_of_them.uri == b"*"
    assert notes(contact) == []


def test_mechanisms_say_what_they_stand_for() -> None:
    header = SIPSecurityVerify(b"Security-Verify: ipsec-3gpp;alg=hmac-md5-96;ealg=null;spi-c=1, sdes-srtp;mediasec\r\n")
    ipsec, srtp = header.values
    assert meaning(ipsec, "token") == "IPsec with keys by AKA"
    algorithm, encryption, spi = ipsec.parameters
    assert meaning(algorithm, "parameter_value") == "HMAC-MD5, 96 bits"
    assert meaning(encryption, "parameter_value") == "no encryption"
    assert meaning(spi, "parameter_name").startswith("SPI of ")
    assert meaning(srtp.parameters[0], "parameter_name") == "a mechanism of the media plane"
    assert notes(SIPSecurityVerify(b"Security-Verify: ;q=1")) == ["SIP Security-Verify at 0: a mechanism has no name"]


def test_challenges_keep_their_keys_apart() -> None:
    line = b'WWW-Authenticate: Digest realm="a, b", nonce=CjP1, algorithm=AKAv1-MD5, ck="0011", IK = "22"\r\n'
    header = SIPWWWAuthenticate(line)
    assert header.scheme == b"Digest"
    assert [type(one) for one in header.parameters] == [SIPParameter] * 3 + [SIPKeyParameter] * 2
    assert parameters(header)[b"realm"] == b'"a, b"'
    assert meaning(header.parameters[2], "parameter_value") == "AKA, version 1 (RFC 3310)"
    assert SIPKeyParameter.secret_fields == ("parameter_value",)
    bearer = SIPAuthorization(b"Authorization: Bearer abc.def==\r\n")
    assert (bearer.scheme, bearer.token, bearer.parameters) == (b"Bearer", b"abc.def==", [])
    assert "token" in SIPAuthorization.secret_fields


def test_other_headers() -> None:
    vector = SIPPChargingVector(b'P-Charging-Vector: icid-value="x;y" ;orig-ioi=a')
    assert parameters(vector) == {b"icid-value": b'"x;y"', b"orig-ioi": b"a"}
    assert notes(SIPPChargingVector(b"P-Charging-Vector: orig-ioi=a")) == [
        "SIP P-Charging-Vector at 0: icid-value is missing"
    ]
    assert [one.token for one in SIPPrivacy(b"Privacy: id; critical").values] == [b"id", b"critical"]
    (signed,) = SIPIdentity(b"Identity: eyJhIjoxfQ.e30.AAEC;info=<https://a;b>;alg=ES256").values
    assert (meaning(signed, "passport_header"), meaning(signed, "claims")) == ("{'a': 1}", "{}")
    assert meaning(signed, "signature") == "signature of 3 octets"
    assert parameters(signed) == {b"info": b"<https://a;b>", b"alg": b"ES256"}


def test_headers_can_be_built() -> None:
    contact = SIPContact(
        values=[
            SIPAddress(laquot=b"<", uri=b"sip:a", raquot=b">", parameters=[SIPParameter(parameter_name=b"isfocus")]),
            SIPAddress(uri=b"sip:b"),
        ]
    )
    assert bytes(contact) == b"Contact: <sip:a>;isfocus, sip:b\r\n"
    assert bytes(SIPVia(values=[SIPViaParm(transport=b"TCP", host=b"a")])) == b"Via: SIP/2.0/TCP a\r\n"
    assert bytes(SIPSecurityVerify(values=b"tls;q=1")) == b"Security-Verify: tls;q=1\r\n"
    assert bytes(SIPAuthorization(parameters=b'a="b", c=d')) == b'Authorization: Digest a="b", c=d\r\n'
    header = SIPSecurityVerify(b"Security-Verify: tls, sdes-srtp\r\n")
    header.values[1].parameters = [SIPParameter(parameter_name=b"mediasec")]
    assert bytes(header) == b"Security-Verify: tls, sdes-srtp;mediasec\r\n"


def test_octets_that_do_not_fit_are_said() -> None:
    assert notes(SIPPAssertedIdentity(b"P-Asserted-Identity: <sip:a> stray")) == [
        "SIP address at 21: 6 octets are not explained"
    ]


LAYERS = sorted(
    {
        one
        for module in (layers, values)
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, values.TextLayer) and one.__name__[:1] != "_"
    }
    - {values.TextLayer},
    key=lambda one: one.__name__,
)
PIECES = st.sampled_from(
    [
        b'"',
        b"\\",
        b"<",
        b">",
        b";",
        b",",
        b"=",
        b" ",
        b"\t",
        b"\r\n ",
        b"\n\t",
        b"\r\n",
        b"/",
        b":",
        b".",
        b"a",
        b"Digest ",
    ]
)
VALUES = st.sampled_from(
    [
        b"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport",
        b'"A" <sip:a@b;x=y>;tag=1;+g.3gpp.icsi-ref="urn%3A"',
        b"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1;port-s=5063,tls",
        b'Digest realm="a, b", nonce="c", ik="00", algorithm=AKAv1-MD5',
        b"eyJhIjoxfQ.e30.AAEC;info=<https://a>;alg=ES256",
        b'icid-value="x";orig-ioi=a',
    ]
)


@pytest.mark.parametrize("kind", LAYERS, ids=lambda one: one.__name__)
@settings(max_examples=40, deadline=None)
@given(parts=st.lists(VALUES | PIECES | st.binary(max_size=3), min_size=1, max_size=12))
def test_every_layer_gives_back_the_octets_it_was_read_from(kind: type[Any], parts: list[bytes]) -> None:
    header = issubclass(kind, SIPHeader)
    octets = (bytes(kind().header_name) + b": " if header else b"") + b"".join(parts) + (b"\r\n" if header else b"")
    assume(octets)
    packet = without_caches(kind(octets))
    assert bytes(packet) == octets
    assert bytes(packet.copy()) == octets
    assert all(isinstance(text, str) for text in notes(packet))
    assert tree(packet).length == len(octets)
    packet.show(dump=True)


@pytest.mark.parametrize("kind", LAYERS, ids=lambda one: one.__name__)
def test_every_layer_names_its_clause_and_can_be_built(kind: type[Any]) -> None:
    built = bytes(kind())
    assert tree(kind()).clause
    if built:
        assert bytes(without_caches(kind(built))) == built


WORDS = st.sampled_from([b"a", b"b-1", b'"q;,\\"<>"', b"<sip:x;y,z>"])
PARAMETER = st.builds(lambda n, v: b";p%d" % n + v, st.integers(0, 9), st.just(b"") | WORDS.map(lambda w: b"=" + w))
ENTRY = st.builds(
    lambda w, p: w + b"".join(p), st.sampled_from([b"tls", b"ipsec-3gpp"]), st.lists(PARAMETER, max_size=4)
)


@given(st.lists(ENTRY, min_size=1, max_size=4), st.sampled_from([b",", b", ", b" ,\r\n "]))
def test_layer_and_lean_parser_agree(entries: list[bytes], comma: bytes) -> None:
    row = b"Security-Client: " + comma.join(entries) + b"\r\n"
    lean = headers.values(parse(b"REGISTER sip:a SIP/2.0\r\n" + row + b"\r\n"), b"security-client")
    shown = SIP(b"REGISTER sip:a SIP/2.0\r\n" + row + b"\r\n").headers[0].values
    assert [bytes(one.token) for one in shown] == [one.name for one in lean]
    for each, mechanism in zip(shown, lean, strict=True):
        found: dict[bytes, bytes] = {}
        for one in each.parameters:
            found.setdefault(bytes(one.parameter_name), unquoted(bytes(one.parameter_value)))
        assert found == mechanism.parameters
    assert len(split_outside(comma.join(entries))) == len(entries)


@pytest.mark.parametrize(
    "octets", [b" ", b"\r\n ", b'"', b"\\", b"<", b";", b",", b"=", b"a", b"a ", b'"a', b";a", b"./"]
)
@pytest.mark.parametrize(
    "name",
    [
        b"contact",
        b"via",
        b"security-client",
        b"authorization",
        b"authentication-info",
        b"identity",
        b"privacy",
        b"p-charging-vector",
    ],
)
def test_long_values_are_read_in_linear_time(name: bytes, octets: bytes) -> None:
    line = name + b": x" + octets * (50_000 // len(octets)) + b"\r\n"
    started = time.process_time()
    assert bytes(without_caches(HEADER_LAYERS[name](line))) == line
    assert time.process_time() - started < 2


def test_a_value_alone_has_no_table_to_be_named_by() -> None:
    assert meaning(SIPValue(b"tls"), "token") == ""
