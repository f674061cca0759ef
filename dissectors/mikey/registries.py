"""What the MIKEY layers cover of the registries of MIKEY."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.mikey import codes
from dissectors.mikey.compositions import COMPOSITIONS
from dissectors.mikey.extension.layers import EXTENSIONS
from dissectors.mikey.layers import CS_ID_MAPS, PAYLOADS
from dissectors.mikey.payload.layers import TIMESTAMPS
from dissectors.mikey.policy.layers import POLICIES
from dissectors.mikey.ticket.layers import MIKEYBaseTicket
from dissectors.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

_TESTS = "tests/dissectors/mikey/test_registries.py::"
_NAMED = _TESTS + "test_every_value_is_shown_by_its_name"
_IANA = "IANA MIKEY Payload Name Spaces"


def _named(name: str, source: str, names: Mapping[int, str]) -> Registry:
    return Registry(name, source, names, _NAMED)


REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "MIKEY HDR data type",
        f"{_IANA}, RFC 3830 §6.1",
        codes.DATA_TYPES,
        "tests/dissectors/mikey/test_compositions.py::test_messages_of_every_data_type_are_read_as_they_were_built",
        layers=COMPOSITIONS,
    ),
    Registry(
        "MIKEY next payload",
        f"{_IANA}, RFC 3830 §6.1",
        codes.NEXT_PAYLOADS,
        _TESTS + "test_every_payload_has_a_layer",
        layers=PAYLOADS,
        raw={codes.LAST_PAYLOAD: "no payload follows"},
    ),
    Registry(
        "MIKEY CS ID map type",
        f"{_IANA}, RFC 3830 §6.1",
        codes.CS_ID_MAP_TYPES,
        _TESTS + "test_every_map_type_is_read",
        layers=CS_ID_MAPS,
    ),
    Registry(
        "MIKEY TS type",
        f"{_IANA}, RFC 3830 §6.6",
        codes.TS_TYPES,
        _TESTS + "test_every_timestamp_is_read",
        layers=TIMESTAMPS,
    ),
    Registry(
        "MIKEY Prot type",
        f"{_IANA}, RFC 3830 §6.10",
        codes.PROT_TYPES,
        _TESTS + "test_every_policy_is_read",
        layers=POLICIES,
    ),
    Registry(
        "MIKEY general extension type",
        f"{_IANA}, RFC 3830 §6.15",
        codes.EXTENSION_TYPES,
        _TESTS + "test_every_extension_is_read",
        layers=EXTENSIONS,
    ),
    Registry(
        "MIKEY Ticket Type",
        f"{_IANA}, RFC 6043 §6.10",
        codes.TICKET_TYPES,
        _TESTS + "test_every_ticket_type_is_read",
        layers={1: MIKEYBaseTicket, 2: MIKEYBaseTicket},
        raw={0: "reserved", 65535: "reserved"},
    ),
    _named("MIKEY version", f"{_IANA}, RFC 3830 §6.1", codes.VERSIONS),
    _named("MIKEY PRF func", f"{_IANA}, RFC 3830 §6.1", codes.PRF_FUNCTIONS),
    _named("MIKEY Encr alg", f"{_IANA}, RFC 3830 §6.2", codes.ENCRYPTION_ALGORITHMS),
    _named("MIKEY MAC alg", f"{_IANA}, RFC 3830 §6.2", codes.MAC_ALGORITHMS),
    _named("MIKEY Auth alg", f"{_IANA}, RFC 3830 §6.9", codes.MAC_ALGORITHMS),
    _named("MIKEY PKE C", f"{_IANA}, RFC 3830 §6.3", codes.CACHE),
    _named("MIKEY DH group", f"{_IANA}, RFC 3830 §6.4", codes.DH_GROUPS),
    _named("MIKEY S type", f"{_IANA}, RFC 3830 §6.5", codes.SIGNATURE_TYPES),
    _named("MIKEY ID type", f"{_IANA}, RFC 3830 §6.7", codes.ID_TYPES),
    _named("MIKEY Cert type", f"{_IANA}, RFC 3830 §6.7", codes.CERTIFICATE_TYPES),
    _named("MIKEY Hash func", f"{_IANA}, RFC 3830 §6.8", codes.HASH_FUNCTIONS),
    _named("MIKEY Error no", f"{_IANA}, RFC 3830 §6.12", codes.ERRORS),
    _named("MIKEY Key data type", f"{_IANA}, RFC 3830 §6.13", codes.KEY_DATA_TYPES),
    _named("MIKEY KV type", f"{_IANA}, RFC 3830 §6.14", codes.KV_TYPES),
    _named("MIKEY Key ID type", f"{_IANA}, RFC 4563 §4", codes.KEY_ID_TYPES),
    _named("MIKEY OMA BCAST subtype", f"{_IANA}, RFC 5410 §3", codes.OMA_BCAST_SUBTYPES),
    _named("MIKEY TS Role", f"{_IANA}, RFC 6043 §6.4", codes.TS_ROLES),
    _named("MIKEY ID Role", f"{_IANA}, RFC 6043 §6.6", codes.ID_ROLES),
    _named("MIKEY RAND Role", f"{_IANA}, RFC 6043 §6.8", codes.RAND_ROLES),
    _named("MIKEY ECC curve", f"{_IANA}, RFC 6267 §6.1", codes.ECC_CURVES),
    _named("MIKEY SK type", f"{_IANA}, RFC 6267 §6.1", codes.SK_TYPES),
    _named("MIKEY SAKKE params", f"{_IANA}, RFC 6509 §4.2", codes.SAKKE_PARAMETERS),
    _named("MIKEY ID scheme", f"{_IANA}, RFC 6509 §4.2", codes.ID_SCHEMES),
    _named("MIKEY SRTP policy parameter", f"{_IANA}, RFC 3830 §6.10.1", codes.SRTP_PARAMETERS),
    _named("MIKEY SRTP encryption algorithm", f"{_IANA}, RFC 3830 §6.10.1", codes.SRTP_ENCRYPTION_ALGORITHMS),
    _named("MIKEY SRTP authentication algorithm", f"{_IANA}, RFC 3830 §6.10.1", codes.SRTP_AUTHENTICATION_ALGORITHMS),
    _named("MIKEY SRTP PRF", f"{_IANA}, RFC 3830 §6.10.1", codes.SRTP_PRFS),
    _named("MIKEY FEC order", f"{_IANA}, RFC 3830 §6.10.1", codes.FEC_ORDERS),
    _named("MIKEY TESLA policy parameter", f"{_IANA}, RFC 4442 §4.2", codes.TESLA_PARAMETERS),
    _named("MIKEY TESLA PRF and MAC", f"{_IANA}, RFC 4442 §4.2", codes.TESLA_FUNCTIONS),
)
