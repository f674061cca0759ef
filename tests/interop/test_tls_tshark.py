"""Every value that tshark reads in TLS and DTLS, over all samples and captures, is what the layers read.

tshark gives both sides of the comparison their octets: the payloads of TCP and UDP, and its own reading of them. In
each file, the values of a field are counted; the counts must be equal, but for differences that have their reasons.
"""

from __future__ import annotations

import functools
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.tls.messages.layers import suite_name
from dissectors.tls.suite_names import SUITE_NAMES
from dissectors.tls.suites import is_grease
from tests.interop.comparison import EMPTY, shown_value
from tests.interop.tls_reading import read
from tests.interop.tshark import FILES, SAMPLES, Row, kinds, name, readings
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.interop.tls_reading import Reading

PROTOCOLS = ("tls", "dtls")
HELLOS = ("ClientHello", "ServerHello", "HelloRetryRequest")


def of(layers: tuple[str, ...], field: str) -> tuple[str, ...]:
    """A field of several layers."""
    return tuple(f"{layer}.{field}" for layer in layers)


RECORDS = ("TLSRecord", "TLSCiphertext", "DTLSRecord", "DTLSCiphertext")
SCHEMES = (
    "SignatureSchemeList.supported_signature_algorithms",
    "CertificateRequest.supported_signature_algorithms",
    "ServerKeyExchange.algorithm",
    "CertificateVerify.algorithm",
    "SignedCertificateTimestamp.algorithm",
)
SUITES = ("ClientHello.cipher_suites", "ServerHello.cipher_suite", "HelloRetryRequest.cipher_suite")
CIPHER_SPECS = ("CLIENT-HELLO.cipher_specs", "SERVER-HELLO.cipher_specs", "CLIENT-MASTER-KEY.cipher_kind")

FIELDS: dict[str, tuple[str, ...]] = {
    "record.content_type": of(RECORDS, "type"),
    "record.version": (*of(RECORDS, "version"), "SSL2Record.version"),
    "record.length": (*of(RECORDS, "length"), "SSL2Record.length"),
    "record.epoch": ("DTLSRecord.epoch",),
    "record.sequence_number": ("DTLSRecord.sequence_number",),
    "app_data": ("application data",),
    "alert_message.level": ("Alert.level",),
    "alert_message.desc": ("Alert.description",),
    "handshake.type": ("Handshake.msg_type", *of(("CLIENT-HELLO", "CLIENT-MASTER-KEY", "SERVER-HELLO"), "msg_type")),
    "handshake.length": ("Handshake.length",),
    "handshake.message_seq": ("Handshake.message_seq",),
    "handshake.fragment_offset": ("Handshake.fragment_offset",),
    "handshake.fragment_length": ("Handshake.fragment_length",),
    "handshake.version": (
        *of((*HELLOS, "CLIENT-HELLO", "SERVER-HELLO"), "version"),
        "HelloVerifyRequest.server_version",
    ),
    "handshake.random": of(HELLOS, "random"),
    "handshake.session_id_length": of((*HELLOS, "CLIENT-HELLO"), "session_id_length"),
    "handshake.session_id": of((*HELLOS, "CLIENT-HELLO"), "session_id"),
    "handshake.session_id_hit": ("SERVER-HELLO.session_id_hit",),
    "handshake.cookie_length": of(("ClientHello", "HelloVerifyRequest"), "cookie_length"),
    "handshake.cookie": of(("ClientHello", "HelloVerifyRequest"), "cookie"),
    "handshake.cipher_suites_length": ("ClientHello.cipher_suites_length",),
    "handshake.ciphersuite": SUITES,
    "handshake.comp_methods_length": ("ClientHello.compression_methods_length",),
    "handshake.comp_method": (
        "ClientHello.compression_methods",
        *of(("ServerHello", "HelloRetryRequest"), "compression_method"),
    ),
    "handshake.extensions_length": of(HELLOS, "extensions_length"),
    "handshake.extension.type": ("Extension.extension_type",),
    "handshake.extension.len": ("Extension.extension_data_length",),
    "handshake.extension.data": ("Extension.extension_data",),
    "handshake.extension.heartbeat.mode": ("HeartbeatExtension.mode",),
    "handshake.extensions_server_name_list_len": ("ServerNameList.server_name_list_length",),
    "handshake.extensions_server_name_type": ("ServerName.name_type",),
    "handshake.extensions_server_name_len": ("ServerName.host_name_length",),
    "handshake.extensions_server_name": ("ServerName.host_name",),
    "handshake.extensions_status_request_type": ("CertificateStatusRequest.status_type",),
    "handshake.extensions_status_request_responder_ids_len": ("CertificateStatusRequest.responder_id_list_length",),
    "handshake.extensions_status_request_exts_len": ("CertificateStatusRequest.request_extensions_length",),
    "handshake.extensions_supported_groups_length": ("NamedGroupList.named_group_list_length",),
    "handshake.extensions_supported_group": ("NamedGroupList.named_group_list",),
    "handshake.extensions_ec_point_formats_length": ("ECPointFormatList.ec_point_format_list_length",),
    "handshake.extensions_ec_point_format": ("ECPointFormatList.ec_point_format_list",),
    "handshake.sig_hash_alg_len": of(
        ("SignatureSchemeList", "CertificateRequest"), "supported_signature_algorithms_length"
    ),
    "handshake.sig_hash_alg": SCHEMES,
    "handshake.sig_hash_hash": SCHEMES,
    "handshake.sig_hash_sig": SCHEMES,
    "handshake.extensions_alpn_len": ("ProtocolNameList.protocol_name_list_length",),
    "handshake.extensions_alpn_str_len": ("ProtocolName.protocol_name_length",),
    "handshake.extensions_alpn_str": ("ProtocolName.protocol_name",),
    "handshake.extensions_alps_len": ("ApplicationSettingsSupport.supported_protocols_length",),
    "handshake.extensions_padding_data": ("Padding.padding",),
    "handshake.extensions_reneg_info_len": ("RenegotiationInfo.renegotiated_connection_length",),
    "handshake.extensions.supported_versions_len": ("SupportedVersions.versions_length",),
    "handshake.extensions.supported_version": ("SupportedVersions.versions", "SupportedVersions.selected_version"),
    "handshake.extensions.cookie_len": ("Cookie.cookie_length",),
    "handshake.extensions.cookie": ("Cookie.cookie",),
    "handshake.extensions_key_share_client_length": ("KeyShareClientHello.client_shares_length",),
    "handshake.extensions_key_share_group": ("KeyShareEntry.group", "KeyShareHelloRetryRequest.selected_group"),
    "handshake.extensions_key_share_key_exchange_length": ("KeyShareEntry.key_exchange_length",),
    "handshake.extensions_key_share_key_exchange": ("KeyShareEntry.key_exchange",),
    "handshake.extensions.psk.identities.length": ("OfferedPsks.identities_length",),
    "handshake.extensions.psk.identity.identity_length": ("PskIdentity.identity_length",),
    "handshake.extensions.psk.identity.identity": ("PskIdentity.identity",),
    "handshake.extensions.psk.identity.obfuscated_ticket_age": ("PskIdentity.obfuscated_ticket_age",),
    "handshake.extensions.psk.identity.selected": ("SelectedIdentity.selected_identity",),
    "handshake.extensions.psk.binders_len": ("OfferedPsks.binders_length",),
    "handshake.extensions.psk.binders": ("PskBinderEntry.binder",),
    "extension.psk_ke_modes_length": ("PskKeyExchangeModes.ke_modes_length",),
    "extension.psk_ke_mode": ("PskKeyExchangeModes.ke_modes",),
    "compress_certificate.algorithms_length": ("CertificateCompressionAlgorithms.algorithms_length",),
    "compress_certificate.algorithm": ("CertificateCompressionAlgorithms.algorithms",),
    "record_size_limit": ("RecordSizeLimit.record_size_limit",),
    "use_srtp.protection_profiles_length": ("UseSRTPData.SRTPProtectionProfiles_length",),
    "use_srtp.protection_profile": ("UseSRTPData.SRTPProtectionProfiles",),
    "use_srtp.mki_length": ("UseSRTPData.srtp_mki_length",),
    "handshake.certificates_length": ("Certificate.certificate_list_length",),
    "handshake.certificate_length": ("ASN1Cert.cert_length", "SERVER-HELLO.certificate_length"),
    "handshake.certificate": ("ASN1Cert.cert", "SERVER-HELLO.certificate"),
    "handshake.cert_types_count": ("CertificateRequest.certificate_types_length",),
    "handshake.cert_type": ("CertificateRequest.certificate_types", "SERVER-HELLO.certificate_type"),
    "handshake.dnames_len": ("CertificateRequest.certificate_authorities_length",),
    "handshake.dname_len": ("DistinguishedName.name_length",),
    "handshake.client_cert_vrfy.sig_len": ("CertificateVerify.signature_length",),
    "handshake.client_cert_vrfy.sig": ("CertificateVerify.signature",),
    "handshake.server_curve_type": ("ServerKeyExchange.curve_type",),
    "handshake.server_named_curve": ("ServerKeyExchange.named_curve",),
    "handshake.server_point_len": ("ServerKeyExchange.point_length",),
    "handshake.server_point": ("ServerKeyExchange.point",),
    "handshake.p_len": ("ServerKeyExchange.dh_p_length",),
    "handshake.p": ("ServerKeyExchange.dh_p",),
    "handshake.g_len": ("ServerKeyExchange.dh_g_length",),
    "handshake.g": ("ServerKeyExchange.dh_g",),
    "handshake.ys_len": ("ServerKeyExchange.dh_Ys_length",),
    "handshake.ys": ("ServerKeyExchange.dh_Ys",),
    "handshake.modulus_len": ("ServerKeyExchange.rsa_modulus_length",),
    "handshake.modulus": ("ServerKeyExchange.rsa_modulus",),
    "handshake.exponent_len": ("ServerKeyExchange.rsa_exponent_length",),
    "handshake.exponent": ("ServerKeyExchange.rsa_exponent",),
    "handshake.sig_len": ("ServerKeyExchange.signature_length",),
    "handshake.sig": ("ServerKeyExchange.signature",),
    "handshake.identity_len": ("ClientKeyExchange.psk_identity_length",),
    "handshake.identity": ("ClientKeyExchange.psk_identity",),
    "handshake.client_point_len": ("ClientKeyExchange.ecdh_Yc_length",),
    "handshake.client_point": ("ClientKeyExchange.ecdh_Yc",),
    "handshake.yc_len": ("ClientKeyExchange.dh_Yc_length",),
    "handshake.yc": ("ClientKeyExchange.dh_Yc",),
    "handshake.epms_len": ("ClientKeyExchange.encrypted_pre_master_secret_length",),
    "handshake.epms": ("ClientKeyExchange.encrypted_pre_master_secret",),
    "handshake.session_ticket_lifetime_hint": ("NewSessionTicket.ticket_lifetime_hint",),
    "handshake.session_ticket_length": ("NewSessionTicket.ticket_length",),
    "handshake.session_ticket": ("NewSessionTicket.ticket",),
    "handshake.cipher_spec_len": of(("CLIENT-HELLO", "SERVER-HELLO"), "cipher_specs_length"),
    "handshake.cipherspec": CIPHER_SPECS,
    "handshake.challenge_length": ("CLIENT-HELLO.challenge_length",),
    "handshake.connection_id_length": ("SERVER-HELLO.connection_id_length",),
    "handshake.clear_key_length": ("CLIENT-MASTER-KEY.clear_key_length",),
    "handshake.encrypted_key_length": ("CLIENT-MASTER-KEY.encrypted_key_length",),
    "handshake.key_arg_length": ("CLIENT-MASTER-KEY.key_arg_length",),
    "sct.scts_length": ("SignedCertificateTimestampList.sct_list_length",),
    "sct.sct_length": ("SerializedSCT.sct_length",),
    "sct.sct_version": ("SignedCertificateTimestamp.sct_version",),
    "sct.sct_logid": ("SignedCertificateTimestamp.id",),
    "sct.sct_timestamp": ("SignedCertificateTimestamp.timestamp",),
    "sct.sct_extensions_length": ("SignedCertificateTimestamp.extensions_length",),
    "sct.sct_signature_length": ("SignedCertificateTimestamp.signature_length",),
    "sct.sct_signature": ("SignedCertificateTimestamp.signature",),
}
"""tshark's field, behind `tls.` or `dtls.`: where the layers have it."""

PRESENT: dict[str, tuple[str, ...]] = {
    "change_cipher_spec": ("record of type 20",),
    "alert_message": ("record of type 21",),
    "handshake.dname": ("DistinguishedName.distinguished_name",),
    "handshake.extensions.psk.binders": ("OfferedPsks.binders_length",),
    "handshake.verify_data": ("Finished.verify_data",),
    "handshake.md5_hash": ("Finished.md5_hash",),
    "handshake.sha_hash": ("Finished.sha_hash",),
    "handshake.challenge": ("CLIENT-HELLO.challenge",),
    "handshake.connection_id": ("SERVER-HELLO.connection_id",),
    "handshake.encrypted_key": ("CLIENT-MASTER-KEY.encrypted_key_data",),
    "handshake.key_arg": ("CLIENT-MASTER-KEY.key_arg_data",),
}
"""Fields of tshark that have a place and no value: they are counted."""

ALIASES = {
    "record.opaque_type": "record.content_type",  # its name for the type of an encrypted record of TLS 1.3
    "handshake.extensions_alps_alpn_str": "handshake.extensions_alpn_str",
    "handshake.extensions_alps_alpn_str_len": "handshake.extensions_alpn_str_len",
}
"""Fields of tshark that are counted with another."""

SHOWN_AS_OCTETS_TOO = ("handshake.extension.data",)
"""Fields that tshark has only where it takes an extension's data no further apart: the layers may count more."""

_TREE = "a branch over fields that are compared"
_MADE = "no field of the protocol: what tshark makes of several"
NOT_COMPARED: dict[str, str] = {
    "record": _TREE,
    "handshake": _TREE,
    "handshake.cert_types": _TREE,
    "handshake.certificates": _TREE,
    "handshake.ciphersuites": _TREE,
    "handshake.comp_methods": _TREE,
    "handshake.dnames": _TREE,
    "handshake.extensions_alpn_list": _TREE,
    "handshake.extensions_alps_alpn_list": _TREE,
    "handshake.extensions_ec_point_formats": _TREE,
    "handshake.extensions_supported_groups": _TREE,
    "handshake.sig_hash_algs": _TREE,
    "handshake.random_time": "the first four octets of random, which is compared",
    "handshake.random_bytes": "the other octets of random, which is compared",
    "handshake.ja3": _MADE,
    "handshake.ja3_full": _MADE,
    "handshake.ja3s": _MADE,
    "handshake.ja3s_full": _MADE,
    "fragment": _MADE,
    "fragments": _MADE,
    "fragment.count": _MADE,
    "reassembled.length": _MADE,
    "segment.data": _MADE,
    "app_data_proto": _MADE,
    "resumed": _MADE,
    "malformed.buffer_too_small": "what tshark finds wrong, not what it reads",
    "malformed.trailing_data": "what tshark finds wrong, not what it reads",
    "malformed.vector_length": "what tshark finds wrong, not what it reads",
}
"""The other fields that tshark has in these captures, each with the reason why it is left out."""

DERIVED: dict[str, Callable[[Any], Any]] = {
    "handshake.sig_hash_hash": lambda scheme: scheme >> 8,
    "handshake.sig_hash_sig": lambda scheme: scheme & 0xFF,
}
"""Fields of tshark that are parts of others."""

CIPHERTEXT = "frame 171 is the middle of a stream: its first octets 4a b6 are ciphertext, no header of SSL 2.0"
ODD = "frame 2: cipher_suites_length says 134, 133 octets are there: tshark reads no suite, the parser all whole ones"
SIGNED = (
    "frames 1111 and 1114: RFC 6962 §3.2 signs in the form of TLS 1.2 whatever the version, which is TLS 1.0 here: "
    "tshark takes the algorithm 04 03 for the length of the signature"
)
P2P = "sdes-srtp/webrtc-pcma-p2p-sdes.pcap"
DIFFERENCES: dict[tuple[str, str], tuple[dict[Any, int] | int, dict[Any, int] | int, str]] = {
    ("malformed/tls-null-null-suite.pcapng", "tls.handshake.ciphersuite"): (0, 66, ODD),
    (P2P, "tls.record.version"): ({0x0002: 1}, 0, CIPHERTEXT),
    (P2P, "tls.handshake.sig_hash_alg"): (0, {0x0403: 4}, SIGNED),
    (P2P, "tls.handshake.sig_hash_hash"): (0, {0x04: 4}, SIGNED),
    (P2P, "tls.handshake.sig_hash_sig"): (0, {0x03: 4}, SIGNED),
    (P2P, "tls.sct.sct_signature_length"): ({0x0403: 4}, {70: 2, 71: 2}, SIGNED),
    (P2P, "tls.sct.sct_signature"): (0, 4, SIGNED),
}
"""(capture, field): the values, or how many, that only tshark counts, those that only we count, and why."""


def theirs(program: str, rows: list[Row]) -> dict[str, Counter[Any]]:
    """What tshark counts."""
    found: dict[str, Counter[Any]] = {}
    for row in rows:
        for field, texts in row.items():
            protocol, _, rest = field.partition(".")
            rest = ALIASES.get(rest, rest)
            if protocol not in PROTOCOLS:
                continue
            counts = found.setdefault(f"{protocol}.{rest}", Counter())
            if rest in PRESENT:
                counts[...] += len(texts)
            elif rest in FIELDS:
                counts.update(shown_value(kinds(program)[field], text) for text in texts if text != EMPTY)
    return found


def ours(reading: Reading) -> dict[str, Counter[Any]]:
    """What the layers count."""
    found: dict[str, Counter[Any]] = {}
    for protocol, counts in reading.counts.items():
        for field, names in (FIELDS | PRESENT).items():
            derived = (lambda one: ...) if field in PRESENT else DERIVED.get(field, lambda one: one)
            total = Counter[Any]()
            for one in names:
                for each, count in counts[one].items():
                    total[derived(each)] += count
            if total:
                found[f"{protocol}.{field}"] = total
    return found


@functools.cache
def compared(program: str, path: Path) -> tuple[dict[str, Counter[Any]], dict[str, Counter[Any]]]:
    """What tshark counts in a file, and what the layers count."""
    return theirs(program, readings(program)[path].result()), ours(read(program, path))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_layers_read_what_tshark_reads(path: Path, peer: Callable[[str], str]) -> None:
    of_tshark, of_layers = compared(peer("tshark"), path)
    left_out = {f"{protocol}.{field}" for protocol in PROTOCOLS for field in NOT_COMPARED}
    for field in sorted({*of_tshark, *of_layers} - left_out):
        one, other = of_tshark.get(field, Counter()), of_layers.get(field, Counter())
        only_theirs, only_ours = one - other, other - one
        if field.partition(".")[2] in SHOWN_AS_OCTETS_TOO:
            only_ours.clear()
        told_theirs, told_ours, reason = DIFFERENCES.get((name(path), field), (0, 0, ""))
        for found, told in ((only_theirs, told_theirs), (only_ours, told_ours)):
            assert (found.total() if isinstance(told, int) else dict(found)) == told, (field, reason, found)


def test_every_field_of_tshark_is_compared_or_left_out_for_a_reason(peer: Callable[[str], str]) -> None:
    """And enough of them stand in the samples: nothing is compared with nothing."""
    known = FIELDS | PRESENT | NOT_COMPARED
    seen = {path: {field.partition(".")[2] for field in compared(peer("tshark"), path)[0]} for path in FILES}
    assert [
        (name(path), field) for path, fields in seen.items() for field in sorted(fields) if field not in known
    ] == []
    of_samples = {field for path, fields in seen.items() if path.parent == SAMPLES for field in fields}
    assert len(of_samples & (FIELDS | PRESENT).keys()) > 60
    if CAPTURES.exists():
        assert known.keys() - set().union(*seen.values()) == set()


def test_every_known_difference_belongs_to_a_file_and_a_field() -> None:
    fields = {f"{protocol}.{one}" for protocol in PROTOCOLS for one in FIELDS | PRESENT}
    assert {field for _, field in DIFFERENCES} <= fields
    if CAPTURES.exists():
        assert {capture for capture, _ in DIFFERENCES} <= {name(path) for path in FILES}


def test_suites_have_the_names_of_tshark(peer: Callable[[str], str]) -> None:
    shown = subprocess.run([peer("tshark"), "-G", "values"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in shown.splitlines() if line.startswith("V\ttls.handshake.ciphersuite\t")]
    of_tshark = {int(code, 0): text for _, _, code, text in rows}
    assert len(of_tshark) > 400
    assert {code: suite_name(code) for code in of_tshark if not is_grease(code)} == {
        code: text for code, text in of_tshark.items() if not is_grease(code)
    }
    assert set(of_tshark) - set(SUITE_NAMES) == {code for code in of_tshark if is_grease(code)}
