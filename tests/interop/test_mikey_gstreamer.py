"""MIKEY messages that GStreamer builds are read field for field, and GStreamer reads those that are built here.

GStreamer knows messages of the pre-shared kind with an SRTP-ID map, and the payloads T, PKE, RAND, SP, KEMAC and, in
it, Key data, all without encryption. It builds through its introspected library, in a Python that has `gi`; its parser
is called through the C library, as the introspected one wants keys for decryption. Introspection lacks an argument of
key validity intervals, so only messages that are built here have those.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dissectors.binary import notes
from dissectors.mikey.carriage import from_base64
from dissectors.mikey.layers import MIKEY, SRTPID
from dissectors.mikey.messages import CryptoSession, Key, message
from dissectors.mikey.payload.layers import KEMAC, RAND, Counter, KeyData, KeyDataSubPayloads, NTPTimestamp, T
from dissectors.mikey.policy.layers import SP, SRTPPolicy, SRTPPolicyParameter

if TYPE_CHECKING:
    from collections.abc import Callable

_PYTHON = "/usr/bin/python3"  # the interpreter that distributions package gi for

_BUILDER = r"""
import json, sys
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstSdp", "1.0")
from gi.repository import Gst, GstSdp
Gst.init(None)
built = []
for one in json.load(sys.stdin):
    if "caps" in one:
        message = GstSdp.MIKEYMessage.new_from_caps(Gst.Caps.from_string(one["caps"]))
        for policy, ssrc, roc in one["sessions"]:
            message.add_cs_srtp(policy, ssrc, roc)
    else:
        message = GstSdp.MIKEYMessage.new()
        message.set_info(1, GstSdp.MIKEYType.PSK_INIT, one["v"], 0, one["csb_id"], 0)
        for policy, ssrc, roc in one["sessions"]:
            message.add_cs_srtp(policy, ssrc, roc)
        message.add_t_now_ntp_utc()
        message.add_rand_len(one["rand_len"])
        policy = GstSdp.MIKEYPayload.new(GstSdp.MIKEYPayloadType.SP)
        policy.sp_set(one["policy"], 0)
        for kind, value in one["parameters"]:
            policy.sp_add_param(kind, [value])
        message.add_payload(policy)
        kemac = GstSdp.MIKEYPayload.new(GstSdp.MIKEYPayloadType.KEMAC)
        kemac.kemac_set(0, 0)
        for key in one["keys"]:
            data = GstSdp.MIKEYPayload.new(GstSdp.MIKEYPayloadType.KEY_DATA)
            data.key_data_set_key(GstSdp.MIKEYKeyDataType(key["kind"] & 6), list(bytes.fromhex(key["key"])))
            if key["salt"]:
                data.key_data_set_salt(list(bytes.fromhex(key["salt"])))
            if key["spi"] is not None:
                data.key_data_set_spi(list(bytes.fromhex(key["spi"])))
            kemac.kemac_add_sub(data)
        message.add_payload(kemac)
    built.append(message.base64_encode())
json.dump(built, sys.stdout)
"""

_READER = r"""
import ctypes as c, json, sys
gst, sdp = c.CDLL("libgstreamer-1.0.so.0"), c.CDLL("libgstsdp-1.0.so.0")
gst.gst_init(None, None)
octets, pointer = c.POINTER(c.c_uint8), c.c_void_p

class MiniObject(c.Structure):
    _fields_ = [("type", c.c_size_t), ("refcount", c.c_int), ("lockstate", c.c_int), ("flags", c.c_uint),
                ("copy", pointer), ("dispose", pointer), ("free", pointer), ("priv_uint", c.c_uint), ("priv", pointer)]
class Message(c.Structure):
    _fields_ = [("object", MiniObject), ("version", c.c_uint8), ("type", c.c_int), ("V", c.c_int), ("prf", c.c_int),
                ("csb_id", c.c_uint32), ("map_type", c.c_int)]
class Session(c.Structure):
    _fields_ = [("policy", c.c_uint8), ("ssrc", c.c_uint32), ("roc", c.c_uint32)]
class Payload(c.Structure):
    _fields_ = [("object", MiniObject), ("type", c.c_int), ("len", c.c_uint)]
class T(c.Structure):
    _fields_ = [("payload", Payload), ("type", c.c_int), ("value", octets)]
class Rand(c.Structure):
    _fields_ = [("payload", Payload), ("len", c.c_uint8), ("rand", octets)]
class Policy(c.Structure):
    _fields_ = [("payload", Payload), ("policy", c.c_uint), ("proto", c.c_int)]
class Parameter(c.Structure):
    _fields_ = [("type", c.c_uint8), ("len", c.c_uint8), ("val", octets)]
class Kemac(c.Structure):
    _fields_ = [("payload", Payload), ("enc_alg", c.c_int), ("mac_alg", c.c_int)]
class Key(c.Structure):
    _fields_ = [("payload", Payload), ("type", c.c_int), ("key_len", c.c_uint16), ("key", octets),
                ("salt_len", c.c_uint16), ("salt", octets), ("kv_type", c.c_int), ("kv_len", c.c_uint8 * 2),
                ("kv", octets * 2)]

def function(name, result, *arguments):
    one = getattr(sdp, name)
    one.restype, one.argtypes = result, arguments
    return one
parse = function("gst_mikey_message_new_from_data", c.POINTER(Message), c.c_char_p, c.c_size_t, pointer, pointer)
n_cs = function("gst_mikey_message_get_n_cs", c.c_uint, pointer)
get_cs = function("gst_mikey_message_get_cs_srtp", c.POINTER(Session), pointer, c.c_uint)
n_payloads = function("gst_mikey_message_get_n_payloads", c.c_uint, pointer)
get_payload = function("gst_mikey_message_get_payload", c.POINTER(Payload), pointer, c.c_uint)
n_params = function("gst_mikey_payload_sp_get_n_params", c.c_uint, pointer)
get_param = function("gst_mikey_payload_sp_get_param", c.POINTER(Parameter), pointer, c.c_uint)
n_sub = function("gst_mikey_payload_kemac_get_n_sub", c.c_uint, pointer)
get_sub = function("gst_mikey_payload_kemac_get_sub", c.POINTER(Payload), pointer, c.c_uint)

def text(start, length):
    return bytes(start[:length]).hex() if length else ""
def cast(payload, kind):
    return c.cast(payload, c.POINTER(kind)).contents
def shown(payload):
    kind = payload.contents.type
    if kind == 1:
        one = cast(payload, Kemac)
        return ["KEMAC", one.enc_alg, one.mac_alg, [shown(get_sub(payload, at)) for at in range(n_sub(payload))]]
    if kind == 5:
        one = cast(payload, T)
        return ["T", one.type, text(one.value, 4 if one.type == 2 else 8)]
    if kind == 10:
        one = cast(payload, Policy)
        found = [get_param(payload, at).contents for at in range(n_params(payload))]
        return ["SP", one.policy, one.proto, [[each.type, text(each.val, each.len)] for each in found]]
    if kind == 11:
        one = cast(payload, Rand)
        return ["RAND", text(one.rand, one.len)]
    if kind == 20:
        one = cast(payload, Key)
        validity = [text(one.kv[at], one.kv_len[at]) for at in range(one.kv_type)]
        return ["KEY", one.type, text(one.key, one.key_len), text(one.salt, one.salt_len), one.kv_type, validity]
    return [kind]

read = []
for each in json.load(sys.stdin):
    data = bytes.fromhex(each)
    found = parse(data, len(data), None, None)
    if not found:
        read.append(None)
        continue
    m = found.contents
    sessions = [get_cs(found, at).contents for at in range(n_cs(found))]
    read.append({
        "header": [m.version, m.type, bool(m.V), m.prf, m.csb_id, m.map_type],
        "sessions": [[one.policy, one.ssrc, one.roc] for one in sessions],
        "payloads": [shown(get_payload(found, at)) for at in range(n_payloads(found))],
    })
json.dump(read, sys.stdout)
"""


@pytest.fixture(scope="module")
def ask(peer: Callable[[str], str]) -> Callable[[str, Any], Any]:
    """Runs a script with the values it wants; without GStreamer the test is skipped."""
    python = peer(_PYTHON)
    probe = "import gi; gi.require_version('GstSdp', '1.0'); from gi.repository import GstSdp"
    if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode:
        pytest.skip("the SDP library of GStreamer with its introspection is not installed")

    def run(script: str, values: Any) -> Any:
        done = subprocess.run(
            [python, "-c", script], input=json.dumps(values), capture_output=True, text=True, check=True, timeout=60
        )
        return json.loads(done.stdout)

    return run


def built_by_gstreamer(ask: Callable[[str, Any], Any], wanted: list[dict[str, Any]]) -> list[bytes]:
    """The octets of the messages that GStreamer builds."""
    found = [from_base64(text.encode()) for text in ask(_BUILDER, wanted)]
    assert None not in found
    return [one for one in found if one is not None]


KEY = bytes(range(46)).hex()


def caps(cipher: str, auth: str, key: int) -> str:
    return (
        f"application/x-srtp, ssrc=(uint)305419896, roc=(uint)7, srtp-key=(buffer){KEY[: 2 * key]}, "
        f"srtp-cipher=(string){cipher}, srtp-auth=(string){auth}, "
        f"srtcp-cipher=(string){cipher}, srtcp-auth=(string){auth}"
    )


def test_messages_of_gstreamer_from_srtp_caps(ask: Callable[[str, Any], Any]) -> None:
    kinds = [
        ("aes-128-icm", "hmac-sha1-80", 30, "AES_CM_128_HMAC_SHA1_80", 10),
        ("aes-128-icm", "hmac-sha1-32", 30, "AES_CM_128_HMAC_SHA1_80", 4),
        ("aes-256-icm", "hmac-sha1-80", 46, "AES_256_CM_HMAC_SHA1_80", 10),
        ("aes-128-gcm", "null", 28, "AEAD_AES_128_GCM", 0),
    ]
    sessions = [(0, 0x12345678, 7), (0, 0xCAFEBABE, 0)]
    wanted = [{"caps": caps(cipher, auth, key), "sessions": sessions} for cipher, auth, key, *_ in kinds]
    for octets, (_, _, key, suite, tag) in zip(built_by_gstreamer(ask, wanted), kinds, strict=True):
        packet = MIKEY(octets)
        facts = message(packet)
        assert notes(packet) == []
        assert (packet.version, facts.data_type, facts.prf, facts.map_type) == (1, 0, 0, 0)
        assert facts.crypto_sessions == tuple(
            CryptoSession(at, 0, (0,), *one[1:]) for at, one in enumerate(sessions, 1)
        )
        assert [one.name for one in packet.payloads] == ["T", "RAND", "SP", "KEMAC"]
        assert facts.timestamp is not None
        assert facts.timestamp.time is not None
        assert len(facts.rands[0][1]) == 16
        policy = facts.policies[0].srtp
        assert policy is not None
        assert policy.suite == suite
        assert policy.srtp_authentication_key_length == tag  # GStreamer writes the tag's length there
        transport = facts.key_transports[0]
        assert (transport.encryption, transport.mac_algorithm) == (0, 0)
        assert transport.keys == (Key(2, bytes.fromhex(KEY[: 2 * key]), b"", None, None, None),)
        packet.relink()
        assert bytes(MIKEY(bytes(packet))) == octets


_hex = st.binary(min_size=1, max_size=20).map(bytes.hex)
_word = st.integers(0, 2**32 - 1)
_octet = st.integers(0, 255)
_sessions = st.lists(st.tuples(_octet, _word, _word), max_size=4)
_parameters = st.lists(st.tuples(_octet, _octet), max_size=6)


@st.composite
def _keys(draw: st.DrawFn, intervals: bool) -> dict[str, Any]:
    salt = draw(st.just("") | _hex)
    validities = [st.tuples(st.none(), st.none()), st.tuples(_hex, st.none())]
    if intervals:
        validities.append(st.tuples(st.none(), st.tuples(_hex, _hex)))
    spi, interval = draw(st.one_of(validities))
    return {
        "kind": draw(st.sampled_from([0, 2])) + bool(salt),
        "key": draw(_hex),
        "salt": salt,
        "spi": spi,
        "interval": interval,
    }


_wanted = st.fixed_dictionaries(
    {
        "v": st.booleans(),
        "csb_id": _word,
        "sessions": _sessions,
        "rand_len": st.integers(16, 40),
        "policy": _octet,
        "parameters": _parameters,
        "keys": st.lists(_keys(intervals=False), min_size=1, max_size=3),
    }
)


def _key(wanted: dict[str, Any]) -> Key:
    spi = None if wanted["spi"] is None else bytes.fromhex(wanted["spi"])
    return Key(wanted["kind"], bytes.fromhex(wanted["key"]), bytes.fromhex(wanted["salt"]), spi, None, None)


@settings(max_examples=5, deadline=None, phases=[Phase.generate])  # each example starts GStreamer
@given(wanted=st.lists(_wanted, min_size=20, max_size=40))
def test_messages_that_gstreamer_is_told_to_build(ask: Callable[[str, Any], Any], wanted: list[dict[str, Any]]) -> None:
    for octets, one in zip(built_by_gstreamer(ask, wanted), wanted, strict=True):
        packet = MIKEY(octets)
        facts = message(packet)
        assert notes(packet) == []
        assert (facts.wants_response, facts.csb_id) == (one["v"], one["csb_id"])
        assert [(each.policies[0], each.ssrc, each.roc) for each in facts.crypto_sessions] == [
            tuple(each) for each in one["sessions"]
        ]
        assert len(facts.rands[0][1]) == one["rand_len"]
        policy = next(each for each in packet.payloads if isinstance(each, SP))
        parameters = policy.policy_param.parameters if one["parameters"] else []
        assert policy.policy_no == one["policy"]
        assert [(each.type, each.value) for each in parameters] == [tuple(each) for each in one["parameters"]]
        assert facts.key_transports[0].keys == tuple(_key(each) for each in one["keys"])
        packet.relink()
        assert bytes(packet) == octets


@st.composite
def _messages(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    """A message built here, and what GStreamer should read in it."""
    v, csb_id = draw(st.booleans()), draw(_word)
    sessions = draw(_sessions)
    seconds, fraction, kind = draw(_word), draw(_word), draw(st.sampled_from([0, 1, 2]))
    stamp = Counter(counter=seconds) if kind == 2 else NTPTimestamp(seconds=seconds, fraction=fraction)
    rand = draw(st.binary(min_size=1, max_size=255))
    policy, parameters, keys = (
        draw(_octet),
        draw(_parameters),
        draw(st.lists(_keys(intervals=True), min_size=1, max_size=4)),
    )
    layers = [
        KeyData(
            type=one["kind"],
            key_data=bytes.fromhex(one["key"]),
            salt_data=bytes.fromhex(one["salt"]),
            KV=1 if one["spi"] else 2 if one["interval"] else 0,
            **({"spi": bytes.fromhex(one["spi"])} if one["spi"] else {}),
            **(
                dict(zip(("valid_from", "valid_to"), map(bytes.fromhex, one["interval"]), strict=True))
                if one["interval"]
                else {}
            ),
        )
        for one in keys
    ]
    built = MIKEY(
        V=int(v),
        csb_id=csb_id,
        cs_id_map_info=[SRTPID(policy_no=number, ssrc=ssrc, roc=roc) for number, ssrc, roc in sessions],
        payloads=[
            T(ts_type=kind, ts_value=stamp),
            RAND(rand=rand),
            SP(
                policy_no=policy,
                policy_param=SRTPPolicy(
                    parameters=[SRTPPolicyParameter(type=code, value=value) for code, value in parameters]
                ),
            ),
            KEMAC(encr_alg=0, encr_data=KeyDataSubPayloads(payloads=layers)),
        ],
    )
    expected = {
        "header": [1, 0, v, 0, csb_id, 0],
        "sessions": [list(one) for one in sessions],
        "payloads": [
            ["T", kind, bytes(stamp).hex()],
            ["RAND", rand.hex()],
            ["SP", policy, 0, [[code, f"{value:02x}"] for code, value in parameters]],
            [
                *("KEMAC", 0, 0),
                [
                    [
                        *("KEY", one["kind"] & 6, one["key"], one["salt"]),  # it names a salted key by its key alone
                        *((1, [one["spi"]]) if one["spi"] else (2, [*one["interval"]]) if one["interval"] else (0, [])),
                    ]
                    for one in keys
                ],
            ],
        ],
    }
    return bytes(built), expected


@settings(max_examples=5, deadline=None, phases=[Phase.generate])  # each example starts GStreamer
@given(built=st.lists(_messages(), min_size=20, max_size=40))
def test_gstreamer_reads_messages_that_are_built_here(
    ask: Callable[[str, Any], Any], built: list[tuple[bytes, dict[str, Any]]]
) -> None:
    for (_, expected), read in zip(built, ask(_READER, [octets.hex() for octets, _ in built]), strict=True):
        assert read == expected


def test_gstreamer_refuses_what_is_noted_here(ask: Callable[[str, Any], Any]) -> None:
    whole = bytes(MIKEY(payloads=[T(ts_value=NTPTimestamp()), RAND(rand=bytes(16)), KEMAC(encr_alg=0, encr_data=None)]))
    cut = [whole[:end] for end in range(1, len(whole))]
    for octets, read in zip(cut, ask(_READER, [one.hex() for one in cut]), strict=True):
        assert read is None
        assert notes(MIKEY(octets))
    assert ask(_READER, [whole.hex()])[0] is not None
    assert notes(MIKEY(whole)) == []
