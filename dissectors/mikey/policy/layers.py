"""The security policy payload and its parameters, which depend on the protocol.

SP(policy_param=SRTPPolicy(parameters=[SRTPPolicyParameter(type=11, value=4)]))
"""

from __future__ import annotations

from scapy.packet import Packet, Raw

from dissectors.binary import Layer, Length, Number, One, Packets, items, named
from dissectors.mikey import codes
from dissectors.mikey.fields import NextPayload, Value, registered
from dissectors.mikey.payload.layers import Payload


class SRTPPolicyParameter(Layer):
    """RFC 3830 §6.10.1."""

    name = "SRTP policy parameter"
    fields_desc = [
        Number("type", 0, 1, named(codes.SRTP_PARAMETERS)),
        Length("length", "value", 1),
        Value("value", "length", "type", codes.SRTP_PARAMETER_VALUES),
    ]


class TESLAPolicyParameter(Layer):
    """RFC 4442 §4.2."""

    name = "TESLA policy parameter"
    fields_desc = [
        Number("type", 1, 1, named(codes.TESLA_PARAMETERS)),
        Length("length", "value", 1),
        Value("value", "length", "type", codes.TESLA_PARAMETER_VALUES),
    ]


class SRTPPolicy(Layer):
    """RFC 3830 §6.10.1, the parameters of an SRTP policy; `dissectors.mikey.policies` gives the defaults."""

    name = "SRTP policy"
    fields_desc = [Packets("parameters", None, items(SRTPPolicyParameter, 2, 1, 1))]


class TESLAPolicy(Layer):
    """RFC 4442 §4.2, the parameters of a TESLA policy."""

    name = "TESLA policy"
    fields_desc = [Packets("parameters", None, items(TESLAPolicyParameter, 2, 1, 1))]


POLICIES: dict[int, type[Packet]] = {codes.SRTP: SRTPPolicy, codes.TESLA: TESLAPolicy}
"""Layouts of policies by their Prot type; those of other types stay raw."""


class SP(Payload):
    """RFC 3830 §6.10, security policy."""

    name = "SP"
    payload_code = codes.SP
    fields_desc = [
        NextPayload(),
        Number("policy_no", 0, 1),
        Number("prot_type", codes.SRTP, 1, registered(codes.PROT_TYPES)),
        Length("policy_param_length", "policy_param", 2),
        One("policy_param", "policy_param_length", lambda pkt, data: POLICIES.get(pkt.prot_type, Raw)),
    ]
