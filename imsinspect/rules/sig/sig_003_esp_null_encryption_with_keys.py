"""IMS-SIG-003."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imsinspect.rules.facts import frame_text, media_names
from imsinspect.rules.outcome import Evidence, Outcome, Severity
from imsinspect.rules.rule import ASSUMED_CONFIDENTIAL, rule
from imsinspect.rules.sig.associations import associations_of, by_addresses, negotiated
from imsinspect.rules.sig.carried_keys import again, declared, keys_by_sender, keys_words, role_of, subject_of, what
from imsinspect.trace.model import Protection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imsinspect.rules.rule import Scene
    from imsinspect.trace.model import Call, Trace
    from imsinspect.trace.security_agreement import SecurityList


@rule(
    id="IMS-SIG-003",
    name="esp-null-encryption-with-keys",
    severity=Severity.HIGH,
    tier=2,
    profiles=("ALL",),
    references=("TS 33.328 Annex F.2", "TS 33.203 Annex M.6.2", "RFC 4568 §8.3"),
)
def esp_null_encryption_with_keys(trace: Trace, scene: Scene) -> Iterator[Outcome]:
    """Gm or core ESP uses NULL encryption while SIP inside carries SDES keys.

    What it checks:
        Every SIP message inside ESP that no cipher hides (RFC 2410) for a=crypto lines with an inline key. One finding
        stands for one direction of one dialog; repeats are listed in it. Keys inside ESP that encrypts, opened with a
        key at hand, pass. ESP without encryption that carries no such keys is common and no finding.
    Why it matters:
        ESP with the NULL cipher gives integrity and nothing more. SDES needs confidentiality of the signalling: whoever
        reads the access network holds the master keys, and with them the media.
    What the finding shows:
        The frames, the SPI of the association, what the registration negotiated (Security-Server as the UE repeats it)
        where it was seen, and each key by the first 8 hex digits of its digest. The key itself is never shown.
    How to fix it:
        Switch confidentiality on in the P-CSCF's policy, so that it offers ipsec-3gpp with ealg=aes-gcm or aes-cbc and
        no null; in the core encrypt the hops (NDS/IP). Otherwise agree keys by DTLS-SRTP or MIKEY-TICKET. Treat the
        keys that were seen as known.
    When it is not assessed:
        ESP that can't be read hides what it carries, which is what this rule asks for. Where the access network is
        declared to encrypt (`--access-confidentiality assumed`), or the capture point to lie inside a secured domain,
        the finding is information only.
    """
    calls = {call.call_id: call for call in trace.calls}
    carried, _ = keys_by_sender(trace, (Protection.ESP_NULL, Protection.OPENED))
    associations = by_addresses(trace)
    for (call_id, _, protection), found in carried.items():
        call, first = calls.get(call_id), found.first
        subject = subject_of(call, first)
        inside = associations_of(associations, first)
        if protection is Protection.OPENED:
            if inside:
                yield Outcome("pass", subject)
            continue
        reason = _declared(scene, call)
        spis = ", ".join(f"0x{each.spi:08x}" for each in inside[:4])
        agreed = negotiated(trace, first)
        places = list(dict.fromkeys(found.lines.values()))
        told = f" Negotiated: {agreed.mechanisms[0]} in {frame_text(trace, agreed.frame)}." if agreed else ""
        unseen = f"It counts as information only: {reason}." if reason else "Not seen: encryption around the message."
        yield Outcome(
            "violation",
            subject,
            severity=Severity.INFO if reason else None,
            confidence="strong" if reason else "proven",
            title=f"{keys_words(len(found.lines))} readable inside ESP without encryption",
            message=(
                f"The {what(first)} from {first.source} to {first.destination} carries {keys_words(found.first_lines)} "
                f"for {', '.join(places[:4])} inside ESP with NULL encryption{f' (SPI {spis})' if spis else ''}, in "
                f"{frame_text(trace, first.frame)}{again(trace, found)}. Whoever reads the access network decrypts and "
                f"forges the media that its sender protects with it.{told} {unseen}"
            ),
            evidence=(*found.evidence, *_agreed(agreed)),
            role=role_of(first),
            media=media_names(places),
            direction="sent",
            normalised=("inline key in esp-null", "signalling that is encrypted"),
        )


def _agreed(agreed: SecurityList | None) -> Iterator[Evidence]:
    if agreed is not None:
        yield Evidence(agreed.frame, "Security-Verify", agreed.mechanisms[0], "an ealg that encrypts")


def _declared(scene: Scene, call: Call | None) -> str:
    """As for keys in clear; ESP between UE and P-CSCF is known to be on the access side."""
    if scene.access_confidentiality == ASSUMED_CONFIDENTIAL and (call is None or call.side != "core"):
        return "the access network was declared confidential"
    return declared(scene, call)
