"""Tokens of SIP header fields that security rests on. Names are in lower case."""

from __future__ import annotations

SECURITY_MECHANISMS: dict[bytes, str] = {
    b"digest": "HTTP digest authentication",
    b"tls": "TLS",
    b"ipsec-ike": "IPsec with keys by IKE",
    b"ipsec-man": "IPsec with manual keys",
    b"ipsec-3gpp": "IPsec with keys by AKA",
    b"sdes-srtp": "media plane: SRTP with keys in SDP, to the access edge",
    b"msrp-tls": "media plane: MSRP over TLS, to the access edge",
    b"bfcp-tls": "media plane: BFCP over TLS, to the access edge",
    b"udptl-dtls": "media plane: fax over DTLS, to the access edge",
    b"dtls-srtp": "media plane: SRTP with keys by DTLS; met in the field, in no specification",
}
"""Mechanisms of Security-Client, -Server and -Verify (RFC 3329 §2.2, RFC 3329 Appendix A, TS 24.229 §7.2A.7)."""

MECHANISM_PARAMETERS: dict[bytes, str] = {
    b"alg": "integrity algorithm of IPsec",
    b"ealg": "encryption algorithm of IPsec",
    b"prot": "protocol of IPsec",
    b"mod": "mode of IPsec",
    b"spi-c": "SPI of the security association to the writer's client port",
    b"spi-s": "SPI of the security association to the writer's server port",
    b"port-c": "protected client port of the writer",
    b"port-s": "protected server port of the writer",
    b"spi": "SPI (RFC 3329 Appendix A)",
    b"port1": "port (RFC 3329 Appendix A)",
    b"port2": "port (RFC 3329 Appendix A)",
    b"q": "preference",
    b"mediasec": "a mechanism of the media plane",
    b"d-alg": "algorithm of the digest",
    b"d-qop": "quality of protection of the digest",
    b"d-ver": "digest of the sender's list, against bidding down",
}
"""Parameters of security mechanisms (RFC 3329 §2.2, RFC 3329 Appendix A, TS 33.203)."""

IPSEC_VALUES: dict[bytes, dict[bytes, str]] = {
    b"alg": {
        b"hmac-md5-96": "HMAC-MD5, 96 bits",
        b"hmac-sha-1-96": "HMAC-SHA-1, 96 bits",
        b"aes-gmac": "AES-GMAC",
        b"null": "none of its own",
    },
    b"ealg": {
        b"null": "no encryption",
        b"des-ede3-cbc": "Triple DES",
        b"aes-cbc": "AES-CBC",
        b"aes-gcm": "AES-GCM",
    },
    b"prot": {b"esp": "ESP", b"ah": "AH: no encryption"},
    b"mod": {b"trans": "transport mode", b"tun": "tunnel mode", b"udp-enc-tun": "tunnel mode in UDP, behind a NAT"},
}
"""Values of ipsec-3gpp parameters (RFC 3329 Appendix A, TS 33.203)."""

CONTACT_FEATURES: dict[bytes, str] = {
    b"isfocus": "the peer is the focus of a conference (RFC 4579 §4)",
    b"+sip.instance": "name of the user agent instance (RFC 5626 §4.1)",
    b"reg-id": "number of the flow (RFC 5626 §4.2)",
    b"expires": "seconds that the binding lasts (RFC 3261 §10.2.1.1)",
    b"q": "preference (RFC 3261 §20.10)",
    b"audio": "speaks audio (RFC 3840 §10)",
    b"video": "speaks video (RFC 3840 §10)",
    b"text": "speaks text (RFC 3840 §10)",
    b"application": "speaks application media (RFC 3840 §10)",
    b"methods": "methods that are understood (RFC 3840 §10)",
    b"+g.3gpp.icsi-ref": "communication services (TS 24.229 §7.9.2)",
    b"+g.3gpp.iari-ref": "applications (TS 24.229 §7.9.3)",
    b"+g.3gpp.smsip": "short messages over IP (TS 24.341)",
    b"+g.3gpp.mid-call": "mid-call services of service continuity (TS 24.237)",
    b"+g.3gpp.srvcc-alerting": "handover while alerting (TS 24.237)",
    b"+g.3gpp.accesstype": "kind of access (TS 24.229)",
    b"+g.3gpp.verstat": "verification of the caller's identity (TS 24.229)",
    b"+sip.ice": "ICE is understood (RFC 5768)",
}
"""Parameters and feature tags of a Contact."""

TRANSPORTS: dict[bytes, str] = {
    b"udp": "UDP",
    b"tcp": "TCP",
    b"tls": "TLS over TCP",
    b"sctp": "SCTP",
    b"tls-sctp": "TLS over SCTP (RFC 4168)",
    b"ws": "WebSocket (RFC 7118)",
    b"wss": "WebSocket over TLS (RFC 7118)",
}
"""Transports of a Via (RFC 3261 §20.42)."""

OPTION_TAGS: dict[bytes, str] = {
    b"100rel": "reliable provisional responses (RFC 3262)",
    b"early-session": "sessions of early media (RFC 3959)",
    b"eventlist": "lists of resources (RFC 4662)",
    b"gruu": "globally routable URIs (RFC 5627)",
    b"histinfo": "History-Info (RFC 7044)",
    b"ice": "ICE (RFC 5768)",
    b"join": "Join (RFC 3911)",
    b"mediasec": "negotiation of media plane mechanisms (draft-dawes-sipcore-mediasec-parameter)",
    b"multiple-refer": "REFER with a list (RFC 5368)",
    b"norefersub": "no subscription by REFER (RFC 4488)",
    b"outbound": "flows that the client keeps (RFC 5626)",
    b"path": "Path (RFC 3327)",
    b"precondition": "preconditions (RFC 3312)",
    b"pref": "preferences of the caller (RFC 3840)",
    b"privacy": "Privacy (RFC 3323)",
    b"recipient-list-invite": "INVITE with a list (RFC 5366)",
    b"recipient-list-message": "MESSAGE with a list (RFC 5365)",
    b"replaces": "Replaces (RFC 3891)",
    b"resource-priority": "Resource-Priority (RFC 4412)",
    b"sdp-anat": "alternative network addresses (RFC 4092)",
    b"sec-agree": "agreement on security mechanisms (RFC 3329)",
    b"tdialog": "Target-Dialog (RFC 4538)",
    b"timer": "session timers (RFC 4028)",
    b"199": "199 responses (RFC 6228)",
}
"""Option tags of Require, Proxy-Require, Supported and Unsupported (IANA sip-parameters)."""

SUBSCRIPTION_STATES: dict[bytes, str] = {
    b"active": "accepted",
    b"pending": "not decided yet",
    b"terminated": "ended",
}
"""States of a Subscription-State (RFC 6665 §4.1.3)."""

EVENT_PACKAGES: dict[bytes, str] = {
    b"conference": "state of a conference (RFC 4575)",
    b"refer": "progress of a REFER (RFC 3515)",
    b"reg": "registrations (RFC 3680)",
    b"dialog": "dialogs (RFC 4235)",
    b"presence": "presence (RFC 3856)",
    b"message-summary": "waiting messages (RFC 3842)",
    b"ua-profile": "configuration (RFC 6080)",
    b"xcap-diff": "changes of XCAP documents (RFC 5875)",
}
"""Event packages (IANA sip-events)."""

CHARGING_PARAMETERS: dict[bytes, str] = {
    b"icid-value": "IMS charging identity",
    b"icid-generated-at": "who made the identity",
    b"related-icid": "identity of the other leg",
    b"related-icid-generated-at": "who made the other identity",
    b"orig-ioi": "network of the origin",
    b"term-ioi": "network of the destination",
    b"transit-ioi": "networks between",
}
"""Parameters of P-Charging-Vector (RFC 7315 §4.6, RFC 7315 §5.6)."""

DIGEST_PARAMETERS: dict[bytes, str] = {
    b"username": "private identity",
    b"realm": "protection domain",
    b"nonce": "challenge; of AKA, RAND and AUTN in base64",
    b"uri": "Request-URI",
    b"response": "proof of the password or of RES",
    b"algorithm": "algorithm",
    b"cnonce": "challenge by the client",
    b"opaque": "returned as it is",
    b"qop": "quality of protection",
    b"nc": "count of requests with the nonce",
    b"stale": "the nonce is too old",
    b"auts": "resynchronisation of AKA",
    b"ik": "integrity key of AKA",
    b"ck": "cipher key of AKA",
    b"integrity-protected": "how the request came to the P-CSCF",
    b"domain": "URIs of the protection domain",
    b"auth-param": "extension",
}
"""Parameters of digest authentication (RFC 3261 §25.1, RFC 3310 §3, TS 24.229 §7.2A)."""

DIGEST_ALGORITHMS: dict[bytes, str] = {
    b"md5": "weak",
    b"md5-sess": "weak",
    b"sha-256": "RFC 8760",
    b"sha-256-sess": "RFC 8760",
    b"sha-512-256": "RFC 8760",
    b"sha-512-256-sess": "RFC 8760",
    b"akav1-md5": "AKA, version 1 (RFC 3310)",
    b"akav2-md5": "AKA, version 2 (RFC 4169)",
    b"akav2-sha-256": "AKA, version 2 (TS 33.203)",
}
"""Digest algorithms (IANA http-dig-alg, RFC 3310 §3.2, RFC 4169 §3)."""

KEY_PARAMETERS = frozenset((b"ik", b"ck"))
"""Parameters of a challenge that are keys; the P-CSCF takes them out (TS 24.229 §7.2A)."""

PRIVACY_VALUES: dict[bytes, str] = {
    b"header": "headers that tell the caller are hidden",
    b"session": "addresses of media are hidden",
    b"user": "user agent's own headers are hidden",
    b"none": "no privacy is wanted",
    b"critical": "no call without privacy",
    b"id": "P-Asserted-Identity stays in the trust domain",
    b"history": "History-Info is hidden",
}
"""Values of Privacy (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044)."""
