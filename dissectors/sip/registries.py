"""What is covered of the registries of SIP that security rests on."""

from __future__ import annotations

from dissectors.registry import Registry
from dissectors.sip.codes import (
    CHARGING_PARAMETERS,
    CONTACT_FEATURES,
    DIGEST_ALGORITHMS,
    DIGEST_PARAMETERS,
    EVENT_PACKAGES,
    IPSEC_VALUES,
    MECHANISM_PARAMETERS,
    OPTION_TAGS,
    PRIVACY_VALUES,
    SECURITY_MECHANISMS,
    SUBSCRIPTION_STATES,
    TRANSPORTS,
)
from dissectors.sip.layer import BODY_LAYERS
from dissectors.sip.layers import DIALOG_PARAMETERS, HEADER_LAYERS, VIA_PARAMETERS
from dissectors.sip.parse import COMPACT_FORMS

_TEST = "tests/dissectors/sip/test_registries.py::"

REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "SIP headers that security rests on",
        "IANA sip-parameters, header fields",
        {name: (layer.__doc__ or "").strip().partition("\n")[0] for name, layer in HEADER_LAYERS.items()},
        _TEST + "test_every_header_is_taken_apart",
        HEADER_LAYERS,
    ),
    Registry(
        "Compact forms of SIP headers",
        "IANA sip-parameters, header fields",
        {letter: name.decode("ascii") for letter, name in COMPACT_FORMS.items()},
        _TEST + "test_every_compact_form_is_its_header",
    ),
    Registry(
        "Security mechanisms",
        "IANA sip-parameters, security mechanisms; TS 24.229 §7.2A.7 for those of the media plane",
        SECURITY_MECHANISMS,
        _TEST + "test_tokens_are_named",
    ),
    Registry(
        "Parameters of security mechanisms",
        "RFC 3329 §2.2, RFC 3329 Appendix A, TS 33.203",
        MECHANISM_PARAMETERS,
        _TEST + "test_parameters_are_named",
    ),
    *(
        Registry(
            f"Values of {name.decode('ascii')} of ipsec-3gpp",
            "RFC 3329 Appendix A, TS 33.203",
            values,
            _TEST + "test_values_of_parameters_are_named",
        )
        for name, values in IPSEC_VALUES.items()
    ),
    Registry("Transports of Via", "IANA sip-parameters, SIP transport", TRANSPORTS, _TEST + "test_tokens_are_named"),
    Registry("Parameters of Via", "RFC 3261 §20.42", VIA_PARAMETERS, _TEST + "test_parameters_are_named"),
    Registry(
        "Parameters and feature tags of Contact",
        "RFC 3261 §20.10, RFC 3840 §10, TS 24.229 §7.9",
        CONTACT_FEATURES,
        _TEST + "test_parameters_are_named",
    ),
    Registry(
        "Parameters that name a dialog",
        "RFC 3891 §6.1, RFC 3911 §7.1, RFC 4538 §7",
        DIALOG_PARAMETERS,
        _TEST + "test_parameters_are_named",
    ),
    Registry("Option tags", "IANA sip-parameters, option tags", OPTION_TAGS, _TEST + "test_tokens_are_named"),
    Registry("Event packages", "IANA sip-events", EVENT_PACKAGES, _TEST + "test_tokens_are_named"),
    Registry("Subscription states", "RFC 6665 §4.1.3", SUBSCRIPTION_STATES, _TEST + "test_tokens_are_named"),
    Registry("Values of Privacy", "RFC 3323 §4.2", PRIVACY_VALUES, _TEST + "test_tokens_are_named"),
    Registry(
        "Parameters of P-Charging-Vector", "RFC 7315 §5.6", CHARGING_PARAMETERS, _TEST + "test_parameters_are_named"
    ),
    Registry(
        "Parameters of digest authentication",
        "RFC 3261 §25.1, RFC 3310 §3, TS 24.229 §7.2A",
        DIGEST_PARAMETERS,
        _TEST + "test_parameters_are_named",
    ),
    Registry(
        "Digest algorithms",
        "IANA http-dig-alg, RFC 3310 §3.2, RFC 4169 §3",
        DIGEST_ALGORITHMS,
        _TEST + "test_values_of_parameters_are_named",
    ),
    Registry(
        "Bodies that other packages show",
        "IANA media-types",
        {kind: ".".join(where) for kind, where in BODY_LAYERS.items()},
        _TEST + "test_every_body_goes_to_its_layer",
        BODY_LAYERS,
    ),
)
"""One for each registry."""
