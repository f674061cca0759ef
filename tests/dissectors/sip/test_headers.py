"""Headers that security rests on, as values: lists, quotes, folding, compact forms, several instances."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip.headers import (
    READERS,
    charging_vector,
    credentials,
    dialog_reference,
    identity,
    name_addr,
    session_id,
    values,
    via,
)
from dissectors.sip.parse import parse


def b64url(octets: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def message(*rows: bytes) -> bytes:
    """A request with these headers."""
    return b"INVITE sip:a SIP/2.0\r\n" + b"".join(row + b"\r\n" for row in rows) + b"\r\n"


def test_hops_in_all_spellings() -> None:
    found = values(
        parse(
            message(
                b"Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1;received=192.0.2.9;rport=5062 ,",
                b"\tSIP / 2.0 / tls pc.example ; branch = z9hG4bK2",
                b"v: SIP/2.0/TCP a;rport",
            )
        ),
        b"Via",
    )
    first, second, third = found
    assert (first.protocol, first.transport, first.host, first.port) == (b"SIP/2.0", b"UDP", b"[2001:db8::1]", 5060)
    assert (first.branch, first.received, first.rport) == (b"z9hG4bK1", b"192.0.2.9", 5062)
    assert (second.protocol, second.transport, second.host, second.port) == (b"SIP/2.0", b"TLS", b"pc.example", None)
    assert second.branch == b"z9hG4bK2"
    assert (third.host, third.rport, b"rport" in third.parameters) == (b"a", None, True)


def test_addresses_with_names_quotes_and_feature_tags() -> None:
    focus = name_addr(
        b'"Conf \\"A\\", <room>" <sip:conf@example.com;transport=tcp>;isfocus'
        b';+sip.instance="<urn:uuid:1>";+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"'
    )
    assert focus.display_name == b'Conf "A", <room>'
    assert focus.uri == b"sip:conf@example.com;transport=tcp"
    assert focus.isfocus
    assert focus.features == {
        b"+sip.instance": b"<urn:uuid:1>",
        b"+g.3gpp.icsi-ref": b"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel",
    }
    assert name_addr(b"Alice <sip:a>;tag=1").display_name == b"Alice"
    assert name_addr(b"sip:a@b;tag=88").tag == b"88"
    assert name_addr(b"*").uri == b"*"


def test_identities_by_several_rows_and_lists() -> None:
    found = values(
        parse(message(b'P-Asserted-Identity: "A, B" <sip:a@b>, <tel:+1>', b"p-asserted-identity: <sip:c@d>")),
        b"P-Asserted-Identity",
    )
    assert [one.uri for one in found] == [b"sip:a@b", b"tel:+1", b"sip:c@d"]
    assert found[0].display_name == b"A, B"


def test_security_mechanisms() -> None:
    ipsec, srtp = values(
        parse(
            message(
                b"Security-Verify: IPsec-3GPP;alg=hmac-sha-1-96;ealg=null;prot=esp;mod=trans;spi-c=1;spi-s=2",
                b" ;port-c=5062;port-s=5063;q=0.9,",
                b" sdes-srtp;mediasec",
            )
        ),
        b"security-verify",
    )
    assert ipsec.name == b"ipsec-3gpp"
    assert not ipsec.mediasec
    assert (ipsec.parameters[b"ealg"], ipsec.parameters[b"port-s"], ipsec.parameters[b"q"]) == (
        b"null",
        b"5063",
        b"0.9",
    )
    assert (srtp.name, srtp.mediasec) == (b"sdes-srtp", True)


def test_charging_session_and_dialogs() -> None:
    vector = charging_vector(b'icid-value="AyretyU0dm+6O2IrT5tAFrbHLso=023551024";orig-ioi=home1.net; term-ioi=h2')
    assert vector.icid_value == b"AyretyU0dm+6O2IrT5tAFrbHLso=023551024"
    assert (vector.orig_ioi, vector.term_ioi, vector.icid_generated_at) == (b"home1.net", b"h2", b"")
    both = session_id(b"AB30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2")
    assert (both.local, both.remote) == (b"ab30317f1a784dc48ff824d0d3715d86", b"47755a9de7794ba387653f2099600ef2")
    replaced = dialog_reference(b"98732@x.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only")
    assert (replaced.call_id, replaced.from_tag, replaced.to_tag) == (b"98732@x.example.com", b"r33th4x0r", b"ff87ff")
    assert replaced.early_only
    target = dialog_reference(b"fa77as;local-tag=kkaz-;remote-tag=6544")
    assert (target.from_tag, target.to_tag, target.early_only) == (b"kkaz-", b"6544", False)


def test_events_tags_and_states() -> None:
    request = parse(
        message(
            b"o: conference;id=7",
            b"Subscription-State: terminated;reason=rejected",
            b"k: 100rel, Sec-Agree",
            b"Require: sec-agree",
            b"P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11",
        )
    )
    (event,) = values(request, b"event")
    assert (event.value, event.parameters) == (b"conference", {b"id": b"7"})
    (state,) = values(request, b"subscription-state")
    assert (state.value, state.parameters) == (b"terminated", {b"reason": b"rejected"})
    assert values(request, b"supported") == [b"100rel", b"sec-agree"]
    assert values(request, b"require") == [b"sec-agree"]
    (access,) = values(request, b"p-access-network-info")
    assert access.parameters == {b"utran-cell-id-3gpp": b"234151D0FCE11"}
    assert values(request, b"x-unknown") == []


def test_challenges_and_credentials() -> None:
    challenge = credentials(
        b'Digest realm="a, \\"b\\"", nonce="CjP1wgKMEmmQw4gkOFw8w==", algorithm=AKAv1-MD5, ck="00", ik = "11"'
    )
    assert (challenge.scheme, challenge.aka, challenge.holds_keys) == (b"digest", True, True)
    assert challenge.parameters[b"realm"] == b'a, "b"'
    assert challenge.parameters[b"nonce"] == b"CjP1wgKMEmmQw4gkOFw8w=="
    assert "00" not in repr(challenge)
    bearer = credentials(b"Bearer eyJhbGciOiJub25lIn0.e30.==")
    assert (bearer.scheme, bearer.parameters, bearer.token) == (b"bearer", {}, b"eyJhbGciOiJub25lIn0.e30.==")
    assert "eyJ" not in repr(bearer)
    (info,) = values(parse(message(b'Authentication-Info: nextnonce="a", qop=auth')), b"authentication-info")
    assert (info.scheme, info.parameters) == (b"", {b"nextnonce": b"a", b"qop": b"auth"})


def test_signed_identities() -> None:
    header, claims = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": "u"}, {"orig": {"tn": "1"}, "iat": 1}
    token = b".".join(b64url(json.dumps(one).encode()) for one in (header, claims)) + b"." + b64url(b"s" * 64)
    found = identity(token + b';info=<https://a.example/c.pem;x>;alg=ES256;ppt="shaken"')
    assert (found.token, found.info) == (token, b"https://a.example/c.pem;x")
    assert (found.algorithm, found.extension) == (b"ES256", b"shaken")
    passport = found.passport()
    assert passport is not None
    assert (passport.header, passport.claims, passport.signature) == (header, claims, b"s" * 64)
    assert identity(b"..c2ln;info=<https://a>").passport() is None
    assert identity(b"a.b.c").passport() is None
    assert identity(b'"c2lnbmF0dXJl"').token == b"c2lnbmF0dXJl"


PIECES = st.sampled_from(
    [b'"', b"\\", b"<", b">", b";", b",", b"=", b" ", b"\t", b"\r\n ", b"/", b":", b".", b"a", b"2"]
)


ONE_OF_EACH = sorted({reader: name for name, reader in READERS.items()}.values())


@pytest.mark.parametrize("name", ONE_OF_EACH)
@given(value=st.lists(PIECES | st.binary(max_size=3), max_size=20).map(b"".join))
def test_any_value_is_read_without_raising(name: bytes, value: bytes) -> None:
    for found in values(parse(message(name + b": " + value)), name):
        repr(found)
        hash(type(found))
    READERS[name](value)
    identity(value).passport()
    via(value)


def test_reading_headers_loads_no_scapy() -> None:
    code = "import sys, dissectors.sip.headers; sys.exit(any(name.startswith('scapy') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
