"""Layers of the SIP header fields that security rests on, each with its own clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from dissectors.sip.values import (
    SIPAddress,
    SIPPassport,
    SIPPrivacyValue,
    SIPTakenApart,
    SIPValue,
    SIPViaParm,
    challenge,
    listed,
    only_parameters,
    semicolon_list,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

VIA_PARAMETERS: dict[bytes, str] = {
    b"branch": "name of the transaction",
    b"received": "address that the request came from",
    b"rport": "port that the request came from (RFC 3581 §3)",
    b"maddr": "multicast address",
    b"ttl": "reach of multicast",
    b"keep": "keep-alives (RFC 6223)",
}
"""Parameters of Via (RFC 3261 §20.42)."""

DIALOG_PARAMETERS: dict[bytes, str] = {
    b"to-tag": "To tag of the dialog",
    b"from-tag": "From tag of the dialog",
    b"early-only": "only while the dialog is early",
    b"local-tag": "tag of the sender",
    b"remote-tag": "tag of the other end",
}
"""Parameters that name a dialog (RFC 3891 §6.1, RFC 3911 §7.1, RFC 4538 §7)."""


class SIPFrom(SIPTakenApart):
    """From: who sends, with the dialog's tag (RFC 3261 §20.20)."""

    name = "SIP From"
    fields_desc = listed(b"From", SIPAddress)


class SIPTo(SIPTakenApart):
    """To: who is meant, with the dialog's tag (RFC 3261 §20.39)."""

    name = "SIP To"
    fields_desc = listed(b"To", SIPAddress)


class SIPContact(SIPTakenApart):
    """Contact: where to send further requests, with feature tags (RFC 3261 §20.10, RFC 3840 §9)."""

    name = "SIP Contact"
    parameter_names = CONTACT_FEATURES
    fields_desc = listed(b"Contact", SIPAddress)


class SIPVia(SIPTakenApart):
    """Via: the way back, hop by hop (RFC 3261 §20.42)."""

    name = "SIP Via"
    parameter_names = VIA_PARAMETERS
    tokens = TRANSPORTS
    fields_desc = listed(b"Via", SIPViaParm)


class SIPRoute(SIPTakenApart):
    """Route: hops that a request takes (RFC 3261 §20.34)."""

    name = "SIP Route"
    fields_desc = listed(b"Route", SIPAddress)


class SIPRecordRoute(SIPTakenApart):
    """Record-Route: hops that want to stay in the way (RFC 3261 §20.30)."""

    name = "SIP Record-Route"
    fields_desc = listed(b"Record-Route", SIPAddress)


class SIPPath(SIPTakenApart):
    """Path: hops towards a registered contact (RFC 3327 §4)."""

    name = "SIP Path"
    fields_desc = listed(b"Path", SIPAddress)


class SIPServiceRoute(SIPTakenApart):
    """Service-Route: hops for requests of the registered UE (RFC 3608 §5)."""

    name = "SIP Service-Route"
    fields_desc = listed(b"Service-Route", SIPAddress)


class SIPReferTo(SIPTakenApart):
    """Refer-To: what is to be contacted (RFC 3515 §2.1)."""

    name = "SIP Refer-To"
    fields_desc = listed(b"Refer-To", SIPAddress)


class SIPReferredBy(SIPTakenApart):
    """Referred-By: who asked for it (RFC 3892 §3)."""

    name = "SIP Referred-By"
    fields_desc = listed(b"Referred-By", SIPAddress)


class SIPReplyTo(SIPTakenApart):
    """Reply-To (RFC 3261 §20.31)."""

    name = "SIP Reply-To"
    fields_desc = listed(b"Reply-To", SIPAddress)


class SIPPAssertedIdentity(SIPTakenApart):
    """P-Asserted-Identity: who the network says it is (RFC 3325 §9.1)."""

    name = "SIP P-Asserted-Identity"
    fields_desc = listed(b"P-Asserted-Identity", SIPAddress)


class SIPPPreferredIdentity(SIPTakenApart):
    """P-Preferred-Identity: who the UE wants to be (RFC 3325 §9.2)."""

    name = "SIP P-Preferred-Identity"
    fields_desc = listed(b"P-Preferred-Identity", SIPAddress)


class SIPPAssociatedURI(SIPTakenApart):
    """P-Associated-URI: further identities of the registered user (RFC 7315 §4.1)."""

    name = "SIP P-Associated-URI"
    fields_desc = listed(b"P-Associated-URI", SIPAddress)


class SIPPCalledPartyID(SIPTakenApart):
    """P-Called-Party-ID: which identity was called (RFC 7315 §4.2)."""

    name = "SIP P-Called-Party-ID"
    fields_desc = listed(b"P-Called-Party-ID", SIPAddress)


class SIPPServedUser(SIPTakenApart):
    """P-Served-User: whom the service is for (RFC 5502 §4)."""

    name = "SIP P-Served-User"
    fields_desc = listed(b"P-Served-User", SIPAddress)


class SIPHistoryInfo(SIPTakenApart):
    """History-Info: how a request was retargeted (RFC 7044 §5)."""

    name = "SIP History-Info"
    fields_desc = listed(b"History-Info", SIPAddress)


class SIPDiversion(SIPTakenApart):
    """Diversion: who diverted a call (RFC 5806 §5)."""

    name = "SIP Diversion"
    fields_desc = listed(b"Diversion", SIPAddress)


class SIPRemotePartyID(SIPTakenApart):
    """Remote-Party-ID, superseded by P-Asserted-Identity (RFC 3325 §9.1)."""

    name = "SIP Remote-Party-ID"
    fields_desc = listed(b"Remote-Party-ID", SIPAddress)


class _SecurityMechanisms(SIPTakenApart):
    """Mechanisms with their parameters (RFC 3329 §2.2)."""

    parameter_names = MECHANISM_PARAMETERS
    parameter_values = IPSEC_VALUES
    tokens = SECURITY_MECHANISMS
    fields_desc = listed(b"Security-Client", SIPValue)

    def troubles(self) -> Iterator[str]:
        """A mechanism without a name."""
        if any(not value.token for value in self.getfieldval("values") if isinstance(value, SIPValue)):
            yield "a mechanism has no name"


class SIPSecurityClient(_SecurityMechanisms):
    """Security-Client: mechanisms that the UE has (RFC 3329 §2.2)."""

    name = "SIP Security-Client"
    fields_desc = listed(b"Security-Client", SIPValue)


class SIPSecurityServer(_SecurityMechanisms):
    """Security-Server: mechanisms that the P-CSCF has (RFC 3329 §2.2)."""

    name = "SIP Security-Server"
    fields_desc = listed(b"Security-Server", SIPValue)


class SIPSecurityVerify(_SecurityMechanisms):
    """Security-Verify: what the UE was told of the P-CSCF's mechanisms (RFC 3329 §2.2)."""

    name = "SIP Security-Verify"
    fields_desc = listed(b"Security-Verify", SIPValue)


class SIPSessionID(SIPTakenApart):
    """Session-ID: names a session across all hops (RFC 7989 §5)."""

    name = "SIP Session-ID"
    parameter_names = {b"remote": "identifier of the other end"}
    fields_desc = listed(b"Session-ID", SIPValue)


class SIPReplaces(SIPTakenApart):
    """Replaces: a dialog that the new one takes the place of (RFC 3891 §6.1)."""

    name = "SIP Replaces"
    parameter_names = DIALOG_PARAMETERS
    fields_desc = listed(b"Replaces", SIPValue)


class SIPJoin(SIPTakenApart):
    """Join: a dialog that the new one is to be mixed with (RFC 3911 §7.1)."""

    name = "SIP Join"
    parameter_names = DIALOG_PARAMETERS
    fields_desc = listed(b"Join", SIPValue)


class SIPTargetDialog(SIPTakenApart):
    """Target-Dialog: a dialog that the sender is in (RFC 4538 §7)."""

    name = "SIP Target-Dialog"
    parameter_names = DIALOG_PARAMETERS
    fields_desc = listed(b"Target-Dialog", SIPValue)


class SIPEvent(SIPTakenApart):
    """Event: the event package (RFC 6665 §8.2.1)."""

    name = "SIP Event"
    tokens = EVENT_PACKAGES
    fields_desc = listed(b"Event", SIPValue)


class SIPSubscriptionState(SIPTakenApart):
    """Subscription-State: what became of a subscription (RFC 6665 §8.2.3)."""

    name = "SIP Subscription-State"
    tokens = SUBSCRIPTION_STATES
    fields_desc = listed(b"Subscription-State", SIPValue)


class SIPPAccessNetworkInfo(SIPTakenApart):
    """P-Access-Network-Info: the access network (RFC 7315 §4.4)."""

    name = "SIP P-Access-Network-Info"
    fields_desc = listed(b"P-Access-Network-Info", SIPValue)


class SIPPVisitedNetworkID(SIPTakenApart):
    """P-Visited-Network-ID: the visited network (RFC 7315 §4.3)."""

    name = "SIP P-Visited-Network-ID"
    fields_desc = listed(b"P-Visited-Network-ID", SIPValue)


class SIPRequire(SIPTakenApart):
    """Require: extensions that the other side must understand (RFC 3261 §20.32)."""

    name = "SIP Require"
    tokens = OPTION_TAGS
    fields_desc = listed(b"Require", SIPValue)


class SIPProxyRequire(SIPTakenApart):
    """Proxy-Require: extensions that proxies must understand (RFC 3261 §20.29)."""

    name = "SIP Proxy-Require"
    tokens = OPTION_TAGS
    fields_desc = listed(b"Proxy-Require", SIPValue)


class SIPSupported(SIPTakenApart):
    """Supported: extensions that the sender understands (RFC 3261 §20.37)."""

    name = "SIP Supported"
    tokens = OPTION_TAGS
    fields_desc = listed(b"Supported", SIPValue)


class SIPUnsupported(SIPTakenApart):
    """Unsupported: extensions that were not understood (RFC 3261 §20.40)."""

    name = "SIP Unsupported"
    tokens = OPTION_TAGS
    fields_desc = listed(b"Unsupported", SIPValue)


class SIPPrivacy(SIPTakenApart):
    """Privacy: what is to be hidden (RFC 3323 §4.2)."""

    name = "SIP Privacy"
    tokens = PRIVACY_VALUES
    fields_desc = semicolon_list(b"Privacy", SIPPrivacyValue)


class SIPContentType(SIPTakenApart):
    """Content-Type: media type of the body (RFC 3261 §20.15)."""

    name = "SIP Content-Type"
    fields_desc = listed(b"Content-Type", SIPValue)


class SIPContentDisposition(SIPTakenApart):
    """Content-Disposition: what the body is for (RFC 3261 §20.11)."""

    name = "SIP Content-Disposition"
    fields_desc = listed(b"Content-Disposition", SIPValue)


class SIPSessionExpires(SIPTakenApart):
    """Session-Expires: how long the session lasts without a refresh (RFC 4028 §4)."""

    name = "SIP Session-Expires"
    fields_desc = listed(b"Session-Expires", SIPValue)


class SIPAllow(SIPTakenApart):
    """Allow: methods that are understood (RFC 3261 §20.5)."""

    name = "SIP Allow"
    fields_desc = listed(b"Allow", SIPValue)


class SIPAccept(SIPTakenApart):
    """Accept: media types that are understood (RFC 3261 §20.1)."""

    name = "SIP Accept"
    fields_desc = listed(b"Accept", SIPValue)


class SIPIdentity(SIPTakenApart):
    """Identity: a signed assertion of who calls (RFC 8224 §4)."""

    name = "SIP Identity"
    parameter_names = {b"info": "where the certificate is", b"alg": "algorithm", b"ppt": "extension"}
    fields_desc = listed(b"Identity", SIPPassport)


class SIPIdentityInfo(SIPTakenApart):
    """Identity-Info: where the certificate is, obsolete (RFC 4474 §9)."""

    name = "SIP Identity-Info"
    fields_desc = listed(b"Identity-Info", SIPAddress)


class SIPPChargingVector(SIPTakenApart):
    """P-Charging-Vector: names the call for charging (RFC 7315 §5.6)."""

    name = "SIP P-Charging-Vector"
    parameter_names = CHARGING_PARAMETERS
    fields_desc = only_parameters(b"P-Charging-Vector", b";")

    def troubles(self) -> Iterator[str]:
        """A vector without its identity."""
        names = [bytes(getattr(one, "parameter_name", b"")).lower() for one in self.getfieldval("parameters")]
        if b"icid-value" not in names:
            yield "icid-value is missing"


class _Challenge(SIPTakenApart):
    """Parameters of digest authentication (RFC 3261 §25.1)."""

    secret_fields = ("token",)
    parameter_names = DIGEST_PARAMETERS
    parameter_values = {b"algorithm": DIGEST_ALGORITHMS}
    fields_desc = challenge(b"Authorization")


class SIPAuthorization(_Challenge):
    """Authorization: credentials of the user (RFC 3261 §20.7, RFC 3310 §3.3)."""

    name = "SIP Authorization"
    fields_desc = challenge(b"Authorization")


class SIPProxyAuthorization(_Challenge):
    """Proxy-Authorization: credentials for a proxy (RFC 3261 §20.28)."""

    name = "SIP Proxy-Authorization"
    fields_desc = challenge(b"Proxy-Authorization")


class SIPWWWAuthenticate(_Challenge):
    """WWW-Authenticate: a challenge, of AKA with RAND and AUTN (RFC 3261 §20.44, RFC 3310 §3.2)."""

    name = "SIP WWW-Authenticate"
    fields_desc = challenge(b"WWW-Authenticate")


class SIPProxyAuthenticate(_Challenge):
    """Proxy-Authenticate: a challenge by a proxy (RFC 3261 §20.27)."""

    name = "SIP Proxy-Authenticate"
    fields_desc = challenge(b"Proxy-Authenticate")


class SIPAuthenticationInfo(SIPTakenApart):
    """Authentication-Info: proof that the server knows the secret, too (RFC 3261 §20.6)."""

    name = "SIP Authentication-Info"
    parameter_names = DIGEST_PARAMETERS
    fields_desc = only_parameters(b"Authentication-Info", b",")


_TAKEN_APART: tuple[type[SIPTakenApart], ...] = (
    SIPFrom,
    SIPTo,
    SIPContact,
    SIPVia,
    SIPRoute,
    SIPRecordRoute,
    SIPPath,
    SIPServiceRoute,
    SIPReferTo,
    SIPReferredBy,
    SIPReplyTo,
    SIPPAssertedIdentity,
    SIPPPreferredIdentity,
    SIPPAssociatedURI,
    SIPPCalledPartyID,
    SIPPServedUser,
    SIPHistoryInfo,
    SIPDiversion,
    SIPRemotePartyID,
    SIPSecurityClient,
    SIPSecurityServer,
    SIPSecurityVerify,
    SIPSessionID,
    SIPReplaces,
    SIPJoin,
    SIPTargetDialog,
    SIPEvent,
    SIPSubscriptionState,
    SIPPAccessNetworkInfo,
    SIPPVisitedNetworkID,
    SIPRequire,
    SIPProxyRequire,
    SIPSupported,
    SIPUnsupported,
    SIPPrivacy,
    SIPContentType,
    SIPContentDisposition,
    SIPSessionExpires,
    SIPAllow,
    SIPAccept,
    SIPIdentity,
    SIPIdentityInfo,
    SIPPChargingVector,
    SIPAuthorization,
    SIPProxyAuthorization,
    SIPWWWAuthenticate,
    SIPProxyAuthenticate,
    SIPAuthenticationInfo,
)

HEADER_LAYERS: dict[bytes, type[SIPTakenApart]] = {
    bytes(one.fields_desc[0].default).lower(): one for one in _TAKEN_APART
}
"""Layers by the canonical names of their headers."""
