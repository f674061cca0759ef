"""The view of a certificate says what openssl says, field by field: of those made here, and of those in captures."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dissectors.binary import notes
from dissectors.x509.layers import Certificate
from dissectors.x509.view import name_text, view
from tests.truth import CAPTURES

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

ODD = r"/C=DE/O=A\+B, \"quoted\" <x>; #1 \\ /OU= leading and trailing /CN=größe 東京/emailAddress=a@b.example"

MADE: dict[str, list[str]] = {
    "RSA 2048": ["-newkey", "rsa:2048", "-subj", "/CN=rsa"],
    "RSA 1024 SHA-1": ["-newkey", "rsa:1024", "-sha1", "-subj", "/CN=old"],
    "RSA 3072 PSS": ["-newkey", "rsa:3072", "-sigopt", "rsa_padding_mode:pss", "-subj", "/CN=pss"],
    "EC P-256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=p256"],
    "EC P-384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-sha384", "-subj", "/CN=p384"],
    "EC P-521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521", "-sha512", "-subj", "/CN=p521"],
    "EC secp256k1": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-subj", "/CN=k1"],
    "Ed25519": ["-newkey", "ed25519", "-subj", "/CN=ed"],
    "Ed448": ["-newkey", "ed448", "-subj", "/CN=ed"],
    "odd names": ["-newkey", "ed25519", "-utf8", "-subj", ODD],
    "joined names": ["-newkey", "ed25519", "-multivalue-rdn", "-subj", "/CN=a+OU=b+O=c/CN=d"],
    "no name": ["-newkey", "ed25519", "-subj", "/"],
    "long serial": ["-newkey", "ed25519", "-subj", "/CN=x", "-set_serial", "0x" + "f1" * 20],
    "small serial": ["-newkey", "ed25519", "-subj", "/CN=x", "-set_serial", "0"],
    "long life": ["-newkey", "ed25519", "-subj", "/CN=x", "-days", "40000"],
    "extensions": [
        *[
            "-newkey",
            "ed25519",
            "-subj",
            "/CN=x",
            "-addext",
            "keyUsage=critical,digitalSignature,keyCertSign,decipherOnly",
        ],
        *["-addext", "subjectAltName=DNS:*.example,IP:2001:db8::1,IP:192.0.2.7,email:a@b.example,URI:sip:a@b.example"],
        *["-addext", "extendedKeyUsage=serverAuth,1.3.6.1.5.5.7.3.20"],
    ],
}
"""How each certificate is made, as options of `openssl req -x509`."""

# Names of openssl that differ from those of the specifications.
OPENSSL_NAMES = {
    "ED25519": "id-Ed25519",
    "ED448": "id-Ed448",
    "rsassaPss": "id-RSASSA-PSS",
    "dsaEncryption": "id-dsa",
    "prime256v1": "secp256r1",
    "prime192v1": "secp192r1",
    "dsaWithSHA1": "id-dsa-with-sha1",
}
GENERAL_NAMES = {
    "DNS": "dNSName",
    "IP Address": "iPAddress",
    "email": "rfc822Name",
    "URI": "uniformResourceIdentifier",
}
USAGES = {
    "Digital Signature": "digitalSignature",
    "Non Repudiation": "nonRepudiation",
    "Key Encipherment": "keyEncipherment",
    "Data Encipherment": "dataEncipherment",
    "Key Agreement": "keyAgreement",
    "Certificate Sign": "keyCertSign",
    "CRL Sign": "cRLSign",
    "Encipher Only": "encipherOnly",
    "Decipher Only": "decipherOnly",
}
HASHES = ("sha-1", "sha-224", "sha-256", "sha-384", "sha-512")


def ask(openssl: str, der: bytes, *options: str) -> str:
    """What openssl says of a certificate."""
    command = [openssl, "x509", "-inform", "DER", "-noout", *options]
    return subprocess.run(command, input=der, capture_output=True, check=True).stdout.decode()


def line(text: str, pattern: str) -> str:
    """The first group of an expression; empty where it does not match."""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else ""


def named(text: str) -> str:
    """A name of openssl as the specifications have it."""
    return OPENSSL_NAMES.get(text, text)


def moment(text: str) -> datetime:
    """A time of openssl."""
    return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)


def compare(openssl: str, der: bytes, functions: tuple[str, ...] = HASHES) -> None:
    """Every field of the view is the one that openssl shows."""
    seen = view(der)
    options = ("-nameopt", "RFC2253,oid,-esc_msb,utf8", "-subject", "-issuer", "-serial", "-dates", "-text")
    text = ask(openssl, der, *options)
    assert seen.version == int(line(text, r"^ +Version: (\d+) "))
    assert seen.serial_number == int(line(text, r"^serial=(.*)$"), 16)
    assert canonical(name_text(seen.subject, {})) == canonical(line(text, r"^subject=(.*)$"))
    assert canonical(name_text(seen.issuer, {})) == canonical(line(text, r"^issuer=(.*)$"))
    assert seen.not_before == moment(line(text, r"^notBefore=(.*)$"))
    assert seen.not_after == moment(line(text, r"^notAfter=(.*)$"))
    assert seen.signature_algorithm == named(line(text, r"^ +Signature Algorithm: (.*)$"))
    assert seen.public_key_algorithm == named(line(text, r"^ +Public Key Algorithm: (.*)$"))
    bits = line(text, r"^ +(?:RSA )?Public-Key: \((\d+) bit\)")
    assert seen.public_key_bits == (
        int(bits) if bits else {"id-Ed25519": 256, "id-Ed448": 456}[seen.public_key_algorithm]
    )
    assert seen.curve == named(line(text, r"^ +ASN1 OID: (.*)$"))
    alternatives = line(text, r"X509v3 Subject Alternative Name:.*\n +(.*)$")
    kinds = [one.partition(":")[::2] for one in alternatives.split(", ")] if alternatives else []
    assert [(kind, value.lower()) for kind, value in seen.subject_alt_names] == [
        (GENERAL_NAMES[kind], compressed(kind, value).lower()) for kind, value in kinds
    ]
    usages = line(text, r"X509v3 Key Usage:.*\n +(.*)$")
    assert set(seen.usages) == {USAGES[one] for one in usages.split(", ") if one}
    assert seen.ca is ("CA:TRUE" in text)
    critical = re.findall(r"^ {12}\S.*: critical$", text, re.MULTILINE)
    assert len([one for one, important in seen.extensions if important]) == len(critical)
    for function in functions:
        said = ask(openssl, der, "-fingerprint", "-" + function.replace("-", ""))
        assert seen.fingerprints[function] == said.strip().partition("=")[2]
    certificate = Certificate(der)
    assert bytes(certificate) == der
    assert len(certificate.payload) == 0


def canonical(text: str) -> list[list[str]]:
    """A name part by part, without what protects special characters, of which some need not be (RFC 4514 §2.4).

    Attributes that a part joins have no order in text (RFC 4514 §2.2); openssl turns theirs around.
    """
    parts = [sorted(re.split(r"(?<!\\)\+", part)) for part in re.split(r"(?<!\\),", text)]
    return [[one.replace("\\", "") for one in part] for part in parts]


def compressed(kind: str, value: str) -> str:
    """An IPv6 address in its short form."""
    if kind != "IP Address" or ":" not in value:
        return value
    return str(ipaddress.ip_address(":".join(part.zfill(4) for part in value.split(":"))))


@pytest.mark.parametrize("kind", MADE)
def test_a_made_certificate(kind: str, peer: Callable[[str], str], tmp_path: Path) -> None:
    openssl = peer("openssl")
    made = [openssl, "req", "-x509", "-nodes", "-keyout", str(tmp_path / "key"), "-outform", "DER", *MADE[kind]]
    der = subprocess.run(made, capture_output=True, check=True).stdout
    compare(openssl, der)
    assert notes(Certificate(der)) == []


RECORD = re.compile(rb"\x16(?:\x03[\x00-\x04]|\xfe[\xfd\xff]|\x01\x00)")


def captures() -> list[Path]:
    """The samples, and the real captures of TLS and DTLS where they are at hand, that may hold a certificate."""
    found = [*SAMPLES.glob("*.pcap*"), *CAPTURES.glob("tls/*.pcap*"), *CAPTURES.glob("dtls-srtp/*.pcap*")]
    return sorted(one for one in found if b"\x30\x82" in (data := one.read_bytes()) and RECORD.search(data))


def test_certificates_of_captures(peer: Callable[[str], str]) -> None:
    """Each certificate that tshark finds, once."""
    tshark, openssl = peer("tshark"), peer("openssl")
    names = ("tls.handshake.certificate", "dtls.handshake.certificate")

    def certificates(capture: Path) -> set[bytes]:
        command = [tshark, "-n", "-r", str(capture), "-Y", " or ".join(names), "-T", "fields"]
        command += [word for name in names for word in ("-e", name)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {bytes.fromhex(one) for one in re.split(r"[\s,]+", shown.replace(":", "")) if one}

    with ThreadPoolExecutor(2) as pool:
        found = set().union(*pool.map(certificates, captures()))
    assert len(found) >= 8
    for der in sorted(found):
        compare(openssl, der, ("sha-1", "sha-256"))
