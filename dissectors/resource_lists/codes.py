"""Names and values of resource-lists documents (RFC 4826 §3, RFC 5364 §4)."""

from __future__ import annotations

NAMESPACE = "urn:ietf:params:xml:ns:resource-lists"
"""RFC 4826 §3.2."""

COPY_CONTROL_NAMESPACE = "urn:ietf:params:xml:ns:copycontrol"
"""RFC 5364 §9.2; compared without case."""

MEDIA_TYPE = b"application/resource-lists+xml"
"""RFC 4826 §3.2."""

DISPOSITION = b"recipient-list"
"""Content-Disposition of a list of those to be invited (RFC 5366, RFC 5363)."""

HISTORY_DISPOSITION = b"recipient-list-history"
"""Content-Disposition of the list that the recipients get (RFC 5364 §9.1)."""

COPY_CONTROLS: dict[str, str] = {
    "to": "primary recipient",
    "cc": "copy",
    "bcc": "blind copy",
}
"""copyControl (RFC 5364 §4); to where it is left out."""
