"""Object identifiers that CMS messages name their parts with: names, sources, and what an algorithm gives."""

from __future__ import annotations

from typing import NamedTuple

CONTENT_TYPE = "content type"
CONTENT_ENCRYPTION = "content encryption"
AEAD = "authenticated encryption"
KEY_WRAP = "key wrap"
KEY_TRANSPORT = "key transport"
KEY_AGREEMENT = "key agreement"
KEY_DERIVATION = "key derivation"
DIGEST = "digest"
MAC = "message authentication"
SIGNATURE = "signature"
COMPRESSION = "compression"
ATTRIBUTE = "attribute"
OTHER_RECIPIENT = "recipient"
PUBLIC_KEY = "public key"


class Oid(NamedTuple):
    """What an object identifier stands for."""

    name: str
    kind: str
    source: str


def _rows(kind: str, source: str, **by_name: str) -> dict[str, Oid]:
    return {oid: Oid(name.replace("_", "-"), kind, source) for name, oid in by_name.items()}


_PKCS7 = "1.2.840.113549.1.7."
_SMIME = "1.2.840.113549.1.9.16."
_PKCS1 = "1.2.840.113549.1.1."
_PKCS9 = "1.2.840.113549.1.9."
_AES = "2.16.840.1.101.3.4.1."
_HASH = "2.16.840.1.101.3.4.2."
_CAMELLIA = "1.2.392.200011.61.1.1."

OIDS: dict[str, Oid] = {
    **_rows(CONTENT_TYPE, "RFC 5652 §4", id_data=_PKCS7 + "1"),
    **_rows(CONTENT_TYPE, "RFC 5652 §5.1", id_signedData=_PKCS7 + "2"),
    **_rows(CONTENT_TYPE, "RFC 5652 §6.1", id_envelopedData=_PKCS7 + "3"),
    **_rows(CONTENT_TYPE, "RFC 2315 §11", signedAndEnvelopedData=_PKCS7 + "4"),
    **_rows(CONTENT_TYPE, "RFC 5652 §7", id_digestedData=_PKCS7 + "5"),
    **_rows(CONTENT_TYPE, "RFC 5652 §8", id_encryptedData=_PKCS7 + "6"),
    **_rows(CONTENT_TYPE, "RFC 5652 §9.1", id_ct_authData=_SMIME + "1.2"),
    **_rows(CONTENT_TYPE, "RFC 3161 §2.4.2", id_ct_TSTInfo=_SMIME + "1.4"),
    **_rows(CONTENT_TYPE, "RFC 5652 §3", id_ct_contentInfo=_SMIME + "1.6"),
    **_rows(CONTENT_TYPE, "RFC 3274 §1.1", id_ct_compressedData=_SMIME + "1.9"),
    **_rows(CONTENT_TYPE, "RFC 5083 §2", id_ct_authEnvelopedData=_SMIME + "1.23"),
    **_rows(
        CONTENT_ENCRYPTION,
        "RFC 3565 §2.1",
        id_aes128_CBC=_AES + "2",
        id_aes192_CBC=_AES + "22",
        id_aes256_CBC=_AES + "42",
    ),
    **_rows(
        CONTENT_ENCRYPTION,
        "RFC 3657 §2",
        id_camellia128_cbc=_CAMELLIA + "1.2",
        id_camellia192_cbc=_CAMELLIA + "1.3",
        id_camellia256_cbc=_CAMELLIA + "1.4",
    ),
    **_rows(CONTENT_ENCRYPTION, "RFC 3370 §5.1", des_ede3_cbc="1.2.840.113549.3.7"),
    **_rows(CONTENT_ENCRYPTION, "RFC 3370 §5.2", rc2_cbc="1.2.840.113549.3.2"),
    **_rows(CONTENT_ENCRYPTION, "RFC 8018 §B.2.1", desCBC="1.3.14.3.2.7"),
    **_rows(AEAD, "RFC 5084 §3.1", id_aes128_CCM=_AES + "7", id_aes192_CCM=_AES + "27", id_aes256_CCM=_AES + "47"),
    **_rows(AEAD, "RFC 5084 §3.2", id_aes128_GCM=_AES + "6", id_aes192_GCM=_AES + "26", id_aes256_GCM=_AES + "46"),
    **_rows(AEAD, "RFC 8103 §1.1", id_alg_AEADChaCha20Poly1305=_SMIME + "3.18"),
    **_rows(
        KEY_WRAP,
        "RFC 3565 §2.3.2",
        id_aes128_wrap=_AES + "5",
        id_aes192_wrap=_AES + "25",
        id_aes256_wrap=_AES + "45",
    ),
    **_rows(
        KEY_WRAP,
        "RFC 5649 §5",
        id_aes128_wrap_pad=_AES + "8",
        id_aes192_wrap_pad=_AES + "28",
        id_aes256_wrap_pad=_AES + "48",
    ),
    **_rows(
        KEY_WRAP,
        "RFC 3657 §2",
        id_camellia128_wrap=_CAMELLIA + "3.2",
        id_camellia192_wrap=_CAMELLIA + "3.3",
        id_camellia256_wrap=_CAMELLIA + "3.4",
    ),
    **_rows(KEY_WRAP, "RFC 3370 §4.3.1", id_alg_CMS3DESwrap=_SMIME + "3.6"),
    **_rows(KEY_WRAP, "RFC 3370 §4.3.2", id_alg_CMSRC2wrap=_SMIME + "3.7"),
    **_rows(KEY_WRAP, "RFC 3211 §2.3", id_alg_PWRI_KEK=_SMIME + "3.9"),
    **_rows(KEY_TRANSPORT, "RFC 3370 §4.2.1", rsaEncryption=_PKCS1 + "1"),
    **_rows(KEY_TRANSPORT, "RFC 3560 §3", id_RSAES_OAEP=_PKCS1 + "7"),
    **_rows(KEY_AGREEMENT, "RFC 3370 §4.1.1", id_alg_ESDH=_SMIME + "3.5"),
    **_rows(KEY_AGREEMENT, "RFC 3370 §4.1.2", id_alg_SSDH=_SMIME + "3.10"),
    **_rows(
        KEY_AGREEMENT,
        "RFC 5753 §7.1.4",
        dhSinglePass_stdDH_sha1kdf_scheme="1.3.133.16.840.63.0.2",
        dhSinglePass_stdDH_sha224kdf_scheme="1.3.132.1.11.0",
        dhSinglePass_stdDH_sha256kdf_scheme="1.3.132.1.11.1",
        dhSinglePass_stdDH_sha384kdf_scheme="1.3.132.1.11.2",
        dhSinglePass_stdDH_sha512kdf_scheme="1.3.132.1.11.3",
    ),
    **_rows(KEY_DERIVATION, "RFC 3370 §4.4.1", id_PBKDF2="1.2.840.113549.1.5.12"),
    **_rows(KEY_DERIVATION, "RFC 8018 §A.4", id_PBES2="1.2.840.113549.1.5.13"),
    **_rows(KEY_DERIVATION, "RFC 8017 §A.2.1", id_mgf1=_PKCS1 + "8"),
    **_rows(DIGEST, "RFC 3370 §2.1", sha_1="1.3.14.3.2.26"),
    **_rows(DIGEST, "RFC 3370 §2.2", md5="1.2.840.113549.2.5"),
    **_rows(
        DIGEST,
        "RFC 5754 §2",
        id_sha256=_HASH + "1",
        id_sha384=_HASH + "2",
        id_sha512=_HASH + "3",
        id_sha224=_HASH + "4",
    ),
    **_rows(MAC, "RFC 3370 §6.1", hMAC_SHA1="1.3.6.1.5.5.8.1.2"),
    **_rows(MAC, "RFC 8018 §B.1", id_hmacWithSHA1="1.2.840.113549.2.7"),
    **_rows(
        MAC,
        "RFC 4231 §3.1",
        id_hmacWithSHA224="1.2.840.113549.2.8",
        id_hmacWithSHA256="1.2.840.113549.2.9",
        id_hmacWithSHA384="1.2.840.113549.2.10",
        id_hmacWithSHA512="1.2.840.113549.2.11",
    ),
    **_rows(SIGNATURE, "RFC 3370 §3.2", md5WithRSAEncryption=_PKCS1 + "4", sha1WithRSAEncryption=_PKCS1 + "5"),
    **_rows(SIGNATURE, "RFC 3370 §3.1", id_dsa_with_sha1="1.2.840.10040.4.3"),
    **_rows(SIGNATURE, "RFC 4056 §1", id_RSASSA_PSS=_PKCS1 + "10"),
    **_rows(
        SIGNATURE,
        "RFC 5754 §3.2",
        sha256WithRSAEncryption=_PKCS1 + "11",
        sha384WithRSAEncryption=_PKCS1 + "12",
        sha512WithRSAEncryption=_PKCS1 + "13",
    ),
    **_rows(
        SIGNATURE,
        "RFC 5753 §7.1.3",
        ecdsa_with_SHA1="1.2.840.10045.4.1",
        ecdsa_with_SHA256="1.2.840.10045.4.3.2",
        ecdsa_with_SHA384="1.2.840.10045.4.3.3",
        ecdsa_with_SHA512="1.2.840.10045.4.3.4",
    ),
    **_rows(SIGNATURE, "RFC 8419 §2", id_Ed25519="1.3.101.112"),
    **_rows(PUBLIC_KEY, "RFC 5753 §7.1.2", id_ecPublicKey="1.2.840.10045.2.1"),
    **_rows(PUBLIC_KEY, "RFC 3370 §4.1.1", dhpublicnumber="1.2.840.10046.2.1"),
    **_rows(PUBLIC_KEY, "RFC 8410 §3", id_X25519="1.3.101.110"),
    **_rows(COMPRESSION, "RFC 3274 §2", id_alg_zlibCompress=_SMIME + "3.8"),
    **_rows(ATTRIBUTE, "RFC 5652 §11.1", id_contentType=_PKCS9 + "3"),
    **_rows(ATTRIBUTE, "RFC 5652 §11.2", id_messageDigest=_PKCS9 + "4"),
    **_rows(ATTRIBUTE, "RFC 5652 §11.3", id_signingTime=_PKCS9 + "5"),
    **_rows(ATTRIBUTE, "RFC 5652 §11.4", id_countersignature=_PKCS9 + "6"),
    **_rows(ATTRIBUTE, "RFC 8551 §2.5.2", smimeCapabilities=_PKCS9 + "15"),
    **_rows(ATTRIBUTE, "RFC 8551 §2.5.3", id_aa_encrypKeyPref=_SMIME + "2.11"),
    **_rows(ATTRIBUTE, "RFC 5035", id_aa_signingCertificate=_SMIME + "2.12"),
    **_rows(ATTRIBUTE, "RFC 5035", id_aa_signingCertificateV2=_SMIME + "2.47"),
    **_rows(ATTRIBUTE, "RFC 6211 §2", id_aa_CMSAlgorithmProtection=_PKCS9 + "52"),
    **_rows(OTHER_RECIPIENT, "RFC 9629 §3", id_ori_kem=_SMIME + "13.3"),
    **_rows(OTHER_RECIPIENT, "RFC 8696 §3", id_ori_keyTransPSK=_SMIME + "13.1"),
    **_rows(OTHER_RECIPIENT, "RFC 8696 §4", id_ori_keyAgreePSK=_SMIME + "13.2"),
}
"""Object identifiers by their text form."""

TAG_OCTETS: dict[str, int] = {_SMIME + "3.18": 16}
"""Octets of the tag of authenticated encryption whose parameters do not say it (RFC 8103 §1.1)."""


def name_of(oid: str) -> str:
    """The name of an object identifier, or "unknown"."""
    known = OIDS.get(oid)
    return known.name if known else "unknown"


def kind_of(oid: str) -> str:
    """What an object identifier is for; empty where it is unknown."""
    known = OIDS.get(oid)
    return known.kind if known else ""


def is_aead(oid: str) -> bool:
    """Whether a content encryption algorithm authenticates what it encrypts (RFC 5084 §1)."""
    return kind_of(oid) == AEAD
