"""What the layers of CMS cover of the object identifiers and tags of its specifications."""

from __future__ import annotations

from dissectors.cms.asn1.layers import BY_TAG
from dissectors.cms.ber import TAG_CLASSES, UNIVERSAL_TAGS
from dissectors.cms.layers import CONTENT_TYPES, PARAMETERS, RECIPIENT_INFOS, VERSIONS
from dissectors.cms.oids import CONTENT_TYPE, OIDS
from dissectors.cms.smime import MEDIA_TYPES, SMIME_TYPES
from dissectors.registry import Registry

_TESTS = "tests/dissectors/cms/test_registries.py::"
_PRIMITIVE = "a value of the universal class that CMS has no use for; its octets are shown under the tag's name"

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "CMS content types",
        "RFC 5652 §4, RFC 5083 §2, RFC 3274 §1.1",
        {oid: known.name for oid, known in OIDS.items() if known.kind == CONTENT_TYPE},
        _TESTS + "test_every_content_type_is_named_and_decoded_or_kept",
        CONTENT_TYPES,
        {
            "1.2.840.113549.1.7.4": "obsolete type of PKCS #7, not in CMS; read by its tags",
            "1.2.840.113549.1.9.16.1.4": "only ever inside a SignedData, as the octets of eContent",
            "1.2.840.113549.1.9.16.1.6": "only ever inside another content",
        },
    ),
    Registry(
        "CMS algorithms and attributes",
        "RFC 5652, RFC 3370, RFC 3565, RFC 5084, RFC 5753, RFC 5754, RFC 8103, RFC 8551, RFC 8696, RFC 9629",
        {oid: known.name for oid, known in OIDS.items() if known.kind != CONTENT_TYPE},
        _TESTS + "test_every_object_identifier_is_shown_by_name",
    ),
    Registry(
        "CMS algorithm parameters",
        "RFC 3370, RFC 3560, RFC 3565, RFC 5084, RFC 8103",
        {oid: OIDS[oid].name for oid in PARAMETERS},
        _TESTS + "test_every_algorithm_with_parameters_has_their_layer",
        PARAMETERS,
    ),
    Registry(
        "CMS RecipientInfo alternatives",
        "RFC 5652 §6.2",
        {tag: layer.name for tag, layer in RECIPIENT_INFOS.items()},
        _TESTS + "test_every_recipient_info_is_chosen_by_its_tag",
        RECIPIENT_INFOS,
    ),
    Registry("CMSVersion", "RFC 5652 §10.2.5", VERSIONS, _TESTS + "test_every_version_is_shown_by_name"),
    Registry(
        "ASN.1 universal tags",
        "X.680 §8.4",
        UNIVERSAL_TAGS,
        _TESTS + "test_every_universal_tag_is_read",
        {number: layer for (_, number), layer in BY_TAG.items()},
        {number: _PRIMITIVE for number in UNIVERSAL_TAGS if (0, number) not in BY_TAG},
    ),
    Registry("ASN.1 tag classes", "X.690 §8.1.2.2", TAG_CLASSES, _TESTS + "test_every_tag_class_is_shown_by_name"),
    Registry(
        "S/MIME media types",
        "RFC 8551 §3.2, RFC 7193 §2",
        {kind: kind.decode() for kind in MEDIA_TYPES},
        _TESTS + "test_every_media_type_and_smime_type_is_recognised",
    ),
    Registry(
        "smime-type values",
        "RFC 8551 §3.2.2",
        {kind: kind.decode() for kind in SMIME_TYPES},
        _TESTS + "test_every_media_type_and_smime_type_is_recognised",
    ),
)
