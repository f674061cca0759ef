"""SIP headers of recorded and generated messages as sipmessage reads them, field by field."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dissectors.sip.headers import NameAddr, Via, values
from dissectors.sip.layer import SIP
from dissectors.sip.parse import SipMessage, parse
from imsinspect.trace.messages import found_messages
from imsinspect.trace.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.pcap*"))
ADDRESSES = {"contact": b"contact", "route": b"route", "record_route": b"record-route"}
TAGS = {"supported": b"supported", "require": b"require", "proxy_require": b"proxy-require"}
CREDENTIALS = {
    "authorization": b"authorization",
    "proxy_authorization": b"proxy-authorization",
    "www_authenticate": b"www-authenticate",
    "proxy_authenticate": b"proxy-authenticate",
}


@pytest.fixture(scope="module")
def sipmessage(peer_module: Callable[[str], ModuleType]) -> ModuleType:
    return peer_module("sipmessage")


def text(value: bytes) -> str:
    return value.decode("utf-8")


def pairs(parameters: dict[bytes, bytes]) -> dict[str, str]:
    return {text(name): text(value) for name, value in parameters.items()}


def theirs(parameters: Any) -> dict[str, str]:
    """Their parameters in our form: names in lower case, a flag has an empty value, quotes are undone."""
    return {
        name.lower(): (value or "")[1:-1] if (value or "")[:1] == '"' else value or ""
        for name, value in parameters.items()
    }


def address(one: NameAddr, peer: ModuleType) -> tuple[str, str, dict[str, str]]:
    """Our reading of an address; the URI in their spelling, which has a parameter of a URI once."""
    return text(one.display_name), str(peer.URI.parse(text(one.uri))), pairs(one.parameters)


def agree(octets: bytes, peer: ModuleType) -> int:
    """Compares all that both sides read of a message; gives how many fields were compared."""
    ours, other = parse(octets), peer.Message.parse(octets)
    compared = 0

    def same(mine: Any, its: Any) -> None:
        nonlocal compared
        assert mine == its
        compared += 1

    if ours.is_request:
        same((text(ours.method), str(peer.URI.parse(text(ours.request_uri)))), (other.method, str(other.uri)))
    else:
        same((ours.status, text(ours.reason)), (other.code, other.phrase))
    same((ours.cseq, text(ours.cseq_method)), (other.cseq.sequence, other.cseq.method))
    same(text(ours.call_id), other.call_id)
    same(ours.body, other.body)
    for mine, its in ((b"from", other.from_address), (b"to", other.to_address)):
        (one,) = values(ours, mine)
        same(address(one, peer), (its.name, str(its.uri), theirs(its.parameters)))
    same(text(ours.from_tag), other.from_address.parameters.get("tag") or "")
    same(text(ours.to_tag), other.to_address.parameters.get("tag") or "")
    for name, header in ADDRESSES.items():
        its = [(one.name, str(one.uri), theirs(one.parameters)) for one in getattr(other, name)]
        same([address(one, peer) for one in values(ours, header)], its)
    for name, header in TAGS.items():
        same([text(one) for one in values(ours, header)], [one.lower() for one in getattr(other, name)])
    hops = [(one.transport.upper(), one.host, one.port, theirs(one.parameters)) for one in other.via]
    same([hop(one) for one in values(ours, b"via")], hops)
    same(text(ours.branch), hops[0][3].get("branch", "") if hops else "")
    for name, header in CREDENTIALS.items():
        found = values(ours, header)
        its = getattr(other, name)
        same(bool(found), its is not None)
        if its is not None:
            same((text(found[0].scheme), pairs(found[0].parameters)), (its.scheme.lower(), theirs(its.parameters)))
    layers(ours, octets, other)
    return compared


def hop(one: Via) -> tuple[str, str, int | None, dict[str, str]]:
    return text(one.transport), text(one.host), one.port, pairs(one.parameters)


def layers(ours: SipMessage, octets: bytes, other: Any) -> None:
    """What the layers show of hops is the same again."""
    shown = [hop for each in SIP(octets).headers if each.canonical_name == b"via" for hop in each.values]
    assert [(text(one.transport).upper(), text(one.host), text(one.port)) for one in shown] == [
        (one.transport.upper(), one.host, "" if one.port is None else str(one.port)) for one in other.via
    ]
    assert len(shown) == len(values(ours, b"via"))


def test_recorded_messages(sipmessage: ModuleType) -> None:
    """Every message of the samples but those that sipmessage refuses: `received` with an IPv6 address as it is sent."""
    compared = 0
    refused: list[bytes] = []
    for path in SAMPLES:
        for one in found_messages([scan(str(path), 0, None)]):
            if one.kind != "sip":
                continue
            try:
                other = sipmessage.Message.parse(one.octets)
                for name in ("from_address", "to_address", "via", "cseq", *ADDRESSES, *CREDENTIALS):
                    getattr(other, name)
            except ValueError:
                refused.append(one.octets)
                continue
            compared += agree(one.octets, sipmessage)
    assert compared > 500
    assert all(b";received=fd20::" in octets for octets in refused)
    assert len(refused) == 3


TOKEN = st.text("abcXYZ019-.!*_+~", min_size=1, max_size=8)
HOST = st.sampled_from(["a.example", "192.0.2.1", "[2001:db8::1]", "pc-33.Example.com"])
VALUE = st.none() | TOKEN | HOST
PARAMETERS = st.dictionaries(TOKEN.map(str.lower).filter(lambda name: name not in ("tag", "self")), VALUE, max_size=3)
SPACES = st.sampled_from(["", " "])


def written(parameters: dict[str, str | None], space: str) -> str:
    return "".join(
        f"{space};{space}{name}" + ("" if value is None else f"{space}={space}{value}")
        for name, value in parameters.items()
    )


URI = st.builds(
    lambda user, host, port: f"sip:{user}@{host}{port}",
    st.sampled_from(["alice", "+4930", "a.b"]),
    HOST,
    st.sampled_from(["", ":5060"]),
)
NAME = st.sampled_from(["", "Alice ", "Alice B "])
ADDRESS = st.builds(lambda n, u, p, s: f"{n}<{u}>{written(p, s)}", NAME, URI, PARAMETERS, SPACES)
# sipmessage's quoted strings reach to the last quote of a row, and it makes one space of several inside of them
QUOTES = st.sampled_from(['"Alice" ', '"A, <b>; c" ', '""'])
QUOTED = st.builds(lambda n, u, p, s: f"{n}<{u}>{written(p, s)}", QUOTES, URI, PARAMETERS, SPACES) | st.builds(
    lambda u, value: f'<{u}>;x="{value}"', URI, st.text("abc<>,=/:", max_size=8)
)
LISTED = st.lists(ADDRESS, min_size=1, max_size=3) | QUOTED.map(lambda one: [one])
HOP = st.builds(
    lambda t, h, port, p, s: f"SIP/2.0/{t} {h}{port}{written(p, s)}",
    st.sampled_from(["UDP", "TLS", "ws"]),
    HOST,
    st.sampled_from(["", ":5061"]),
    PARAMETERS,
    SPACES,
)
COMMA = st.sampled_from([",", ", "])  # sipmessage reads no white space in front of one, and no folded lines
CHALLENGE = st.dictionaries(
    st.sampled_from(["realm", "nonce", "opaque", "algorithm", "qop"]),
    TOKEN | st.text("abc =/;", max_size=8).map(lambda word: f'"{word}"'),
    min_size=1,
).map(lambda row: "Digest " + ", ".join(f"{name}={value}" for name, value in row.items()))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A request with what both sides read, in usual and compact spelling."""
    comma = draw(COMMA)
    rows = [
        (draw(st.sampled_from(["Via", "v"])), comma.join(draw(st.lists(HOP, min_size=1, max_size=3)))),
        (draw(st.sampled_from(["From", "f"])), draw(ADDRESS | QUOTED) + ";tag=1"),
        (draw(st.sampled_from(["To", "t"])), draw(ADDRESS | QUOTED)),
        (draw(st.sampled_from(["Call-ID", "i"])), draw(TOKEN)),
        ("CSeq", f"{draw(st.integers(0, 2**31))} INVITE"),
    ]
    for name, short in (("Contact", "m"), ("Route", "Route"), ("Record-Route", "Record-Route")):
        for entries in draw(
            st.lists(st.lists(ADDRESS, min_size=1, max_size=3) | QUOTED.map(lambda one: [one]), max_size=2)
        ):
            rows.append((draw(st.sampled_from([name, short])), comma.join(entries)))
    if draw(st.booleans()):
        rows.append(("Supported", comma.join(draw(st.lists(TOKEN, min_size=1, max_size=3)))))
    if draw(st.booleans()):
        rows.append(("WWW-Authenticate", draw(CHALLENGE)))
    head = "".join(f"{name}: {value}\r\n" for name, value in rows)
    return f"INVITE sip:bob@example.com SIP/2.0\r\n{head}Content-Length: 0\r\n\r\n".encode()


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(octets=messages())
def test_generated_messages(sipmessage: ModuleType, octets: bytes) -> None:
    assert agree(octets, sipmessage) > 10
