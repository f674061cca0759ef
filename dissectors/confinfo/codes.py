"""Values of the simple types of conference-info documents (RFC 4575 §7, the XML schema)."""

from __future__ import annotations

NAMESPACE = "urn:ietf:params:xml:ns:conference-info"
"""RFC 4575 §4.2."""

MEDIA_TYPE = b"application/conference-info+xml"
"""RFC 4575 §3.4."""

STATES: dict[str, str] = {
    "full": "the element says all",
    "partial": "the element says what has changed",
    "deleted": "the element is no longer there",
}
"""state-type (RFC 4575 §4.4); full where it is left out."""

ENDPOINT_STATUSES: dict[str, str] = {
    "pending": "not yet in the session, expected to join",
    "dialing-out": "being called by the focus",
    "dialing-in": "calling the focus, not yet in the roster",
    "alerting": "being alerted",
    "on-hold": "in a dialog with the focus, on hold",
    "connected": "a participant",
    "muted-via-focus": "listening only; its media are not mixed",
    "disconnecting": "being disconnected by the focus",
    "disconnected": "no participant, without a dialog",
}
"""endpoint-status-type (RFC 4575 §5.7.3)."""

JOINING_METHODS: dict[str, str] = {
    "dialed-in": "called the focus",
    "dialed-out": "was called by the focus",
    "focus-owner": "is the focus itself",
}
"""joining-type (RFC 4575 §5.7.4)."""

DISCONNECTION_METHODS: dict[str, str] = {
    "departed": "left",
    "booted": "was removed",
    "failed": "was cut off by a failure",
    "busy": "was busy",
}
"""disconnection-type (RFC 4575 §5.7.6)."""

MEDIA_STATUSES: dict[str, str] = {
    "recvonly": "only receives",
    "sendonly": "only sends",
    "sendrecv": "sends and receives",
    "inactive": "neither sends nor receives",
}
"""media-status-type (RFC 4575 §5.8.5)."""
