"""The JSON report, version 1: the complete view, described by docs/report.schema.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from imsinspect import __version__
from imsinspect.capture.frames import capture_index, frame_number
from imsinspect.profiles import ProfileChoice
from imsinspect.report import proofs
from imsinspect.report.conferences import conference_row
from imsinspect.report.escape import text
from imsinspect.report.protection import claim, observe
from imsinspect.report.tally import Tally
from imsinspect.report.times import iso
from imsinspect.rules.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from imsinspect.capture.frames import FrameId
    from imsinspect.report.audit import Audit
    from imsinspect.rules.outcome import Assessment, Finding, Subject
    from imsinspect.trace.model import (
        Call,
        CaptureInfo,
        CertificateInfo,
        Counts,
        Judgement,
        MediaLine,
        MediaStream,
        Note,
        Registration,
        RtcpSource,
        TlsSession,
    )

SCHEMA = "imsinspect-report/1"
OPEN = ProfileChoice("open", True)  # a call that the inference said nothing of

Row = dict[str, Any]


def render(audit: Audit) -> str:
    """The report as text: one line for each entry of a list, ASCII only (no terminal acts on it)."""
    lines = ",\n".join(f"  {compact(name)}: {_value(value)}" for name, value in to_json(audit).items())
    return f"{{\n{lines}\n}}\n"


def _value(value: object) -> str:
    """A top-level value; its lists have a line for each entry, which keeps large reports quick to write and to diff."""
    if not isinstance(value, list) or not value:
        return compact(value)
    return "[\n" + ",\n".join(f"    {compact(each)}" for each in value) + "\n  ]"


def compact(value: object) -> str:
    """A value in one line, ASCII only."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")


def to_json(audit: Audit) -> Row:
    """The report as JSON values: every name of version 1 is there, in the order of the plan."""
    trace = audit.trace
    places = _Places([text(capture.path) for capture in trace.captures])
    tally = Tally.of(audit)
    return {
        "schema": SCHEMA,
        "tool": {"name": "imsinspect", "version": __version__},
        "profile": {"name": text(audit.profile.name), "inferred": audit.profile.inferred},
        "captures": [_capture(capture) for capture in trace.captures],
        "inventory": _inventory(trace.counts),
        "registrations": [_registration(registration, places) for registration in trace.registrations],
        "calls": [_call(call, audit.call_profiles.get(call.id, OPEN)) for call in trace.calls],
        "conferences": [
            conference_row(each, audit.conference_profiles.get(each.id, OPEN), places.of) for each in trace.conferences
        ],
        "streams": [_stream(stream, places) for stream in trace.streams],
        "rtcp_sources": [_rtcp_source(source, places) for source in trace.rtcp_sources],
        "tls_sessions": [_tls_session(session, places, audit.secrets is not None) for session in trace.tls_sessions],
        "esp_associations": [proofs.esp_association(each, places.path) for each in trace.esp],
        "sealed_bodies": proofs.sealed_bodies(trace, places.path),
        "mikey": [proofs.mikey_message(each, places.path) for each in trace.mikey],
        "keys": [proofs.master_key(key, places.path, audit.secrets) for key in trace.keys],
        "key_repeats": [proofs.key_repeat(each, places.path) for each in trace.key_repeats],
        "keystream_reuse": [proofs.keystream_reuse(each, places.path) for each in trace.keystream_reuse],
        "assessments": [_assessment(assessment) for assessment in audit.assessments],
        "findings": [_finding(finding, places) for finding in audit.findings],
        "suppressed": [
            _finding(row.finding, places) | {"reason": text(row.reason), "expires": row.expires}
            for row in audit.suppressed
        ],
        "notes": [_note(note, places) for note in audit.notes],
        "summary": {
            "findings": {severity.token: tally.findings[severity] for severity in reversed(Severity)},
            "assessed": tally.assessed,
            "not_assessed": tally.not_assessed,
            "suppressed": tally.suppressed,
        },
        "unmet": [{"rule": each.rule, "gap": each.gap, "reason": text(each.reason)} for each in audit.unmet],
        "verdict": audit.verdict,
    }


def finding_rows(audit: Audit, findings: Iterable[Finding]) -> list[Row]:
    """Some findings of an audit, as the report shows them."""
    places = _Places([text(capture.path) for capture in audit.trace.captures])
    return [_finding(finding, places) for finding in findings]


class _Places:
    """Frames as the report names them: the capture's path as under `captures`, and the frame number."""

    def __init__(self, paths: list[str]) -> None:
        self._paths = paths

    def path(self, capture: int) -> str | None:
        return self._paths[capture] if 0 <= capture < len(self._paths) else None

    def of(self, frame: FrameId | None) -> Row:
        return proofs.place(frame, self.path)

    def between(self, first: FrameId, last: FrameId) -> Row:
        return {
            "first_frame": frame_number(first),
            "last_frame": frame_number(last),
            "last_capture": self.path(capture_index(last)),
        }


def _texts(values: Iterable[bytes | str]) -> list[str]:
    return [text(value) for value in values]


def _time(time: int | None) -> str | None:
    return None if time is None else iso(time)


def _ssrc(ssrc: int) -> str:
    return f"0x{ssrc:08x}"


def _cipher_suite_code(code: int) -> str:
    return f"0x{code:04x}"


def _capture(capture: CaptureInfo) -> Row:
    return {
        "path": text(capture.path),
        "format": text(capture.format),
        "link_types": _texts(capture.link_types),
        "packets": capture.packets,
        "first_time": _time(capture.first_time),
        "last_time": _time(capture.last_time),
        "truncated": capture.truncated,
        "error": None if capture.error is None else text(capture.error),
        "notes": _texts(capture.notes),
    }


def _inventory(counts: Counts) -> Row:
    requests: Mapping[str, int] = counts.sip_requests or {}
    return {
        "packets": counts.packets,
        "sip": {
            "messages": counts.sip_messages,
            "requests": {text(method): requests[method] for method in sorted(requests)},
            "responses": counts.sip_responses,
            "call_ids": counts.sip_call_ids,
        },
        "sdp": {
            "bodies": counts.sdp_bodies,
            "crypto": counts.sdp_crypto,
            "key_mgmt": counts.sdp_key_mgmt,
            "fingerprint": counts.sdp_fingerprint,
        },
        "mikey": {"messages": counts.mikey_messages},
        "msrp": {"messages": counts.msrp_messages},
        "bfcp": {"messages": counts.bfcp_messages},
        "h248": {"messages": counts.h248_messages},
        "rtp": {"streams": counts.rtp_streams, "packets": counts.rtp_packets},
        "rtcp": {"packets": counts.rtcp_packets},
        "srtcp": {"packets": counts.srtcp_packets},
        "stun": {"packets": counts.stun_packets},
        "tls": {"sessions": counts.tls_sessions},
        "dtls": {"sessions": counts.dtls_sessions},
        "esp": {"packets": counts.esp_packets, "null_encrypted": counts.esp_null_encrypted},
    }


def _registration(registration: Registration, places: _Places) -> Row:
    return {
        "id": registration.id,
        "identity": text(registration.identity),
        "security": _texts(registration.security),
        "mediasec": _texts(registration.mediasec),
        "evidence": [places.of(message.frame) for message in registration.messages],
    }


def _call(call: Call, profile: ProfileChoice) -> Row:
    return {
        "id": call.id,
        "call_ids": [text(call.call_id)],
        "from": text(call.from_uri),
        "to": text(call.to_uri),
        "first_time": iso(call.first_time),
        "last_time": iso(call.last_time),
        "state": text(call.state),
        "side": text(call.side),
        "related": _texts(call.related),
        "conference": call.conference or None,
        "profile": {"name": text(profile.name), "inferred": profile.inferred, "because": _texts(profile.because)},
        "media": [_line(line) for line in call.lines],
    }


def _line(line: MediaLine) -> Row:
    claimed = claim(line)
    return {
        "index": line.index,
        "type": claimed.media,
        "transport": claimed.transport,
        "claimed": claimed.current,
        "claimed_before": list(claimed.before),
        "observed": observe(line).words,
        "streams": [use.stream.id for use in line.streams],
        "rtcp_sources": [use.stream.id for use in line.rtcp],
        "tls_sessions": [session.id for session in line.tls_sessions],
    }


def _stream(stream: MediaStream, places: _Places) -> Row:
    judgement = stream.judgement
    return {
        "id": stream.id,
        "capture": places.path(capture_index(stream.first.frame)),
        "ssrc": _ssrc(stream.ssrc),
        "payload_types": sorted({run.payload_type for run in stream.sizes}),
        "source": str(stream.source),
        "destination": str(stream.destination),
        "packets": stream.packets,
        **places.between(stream.first.frame, stream.last.frame),
        "first_time": iso(stream.first.time),
        "last_time": iso(stream.last.time),
        "lost": stream.lost,
        "kind": stream.kind,
        "judgement": _judgement(judgement),
        "other_part": None if judgement.other_part is None else _judgement(judgement.other_part),
        "verified": proofs.verified(stream.proof, places.path),
    }


def _judgement(judgement: Judgement) -> Row:
    return {
        "confidence": judgement.confidence,
        "tests": _texts(judgement.tests),
        "observed": text(judgement.observed),
        "expected": text(judgement.expected),
        "packets": judgement.packets,
    }


def _rtcp_source(source: RtcpSource, places: _Places) -> Row:
    layout = source.layout
    return {
        "id": source.id,
        "capture": places.path(capture_index(source.first.frame)),
        "ssrc": _ssrc(source.ssrc),
        "source": str(source.source),
        "destination": str(source.destination),
        "packets": source.packets,
        "clear": source.plain,
        "srtcp": None
        if layout is None
        else {
            "tag_octets": layout.tag_octets,
            "mki_octets": layout.mki_octets,
            "encrypted": layout.encrypted,
            "aead": layout.aead,
        },
        "verified": proofs.verified(source.proof, places.path),
        **places.between(source.first.frame, source.last.frame),
        "first_time": iso(source.first.time),
        "last_time": iso(source.last.time),
    }


def _tls_session(session: TlsSession, places: _Places, show_secrets: bool) -> Row:
    suite = session.cipher_suite
    return {
        "id": session.id,
        "capture": places.path(capture_index(session.first.frame)),
        "transport": session.transport,
        "client": str(session.client),
        "server": str(session.server),
        "version": text(session.version),
        "cipher_suite": None
        if suite is None
        else {"code": _cipher_suite_code(suite), "name": text(session.cipher_suite_name)},
        "psk": session.psk,
        "opened": session.opened,
        "opened_by": session.opened_by,
        "secret": session.secret_digest[: proofs.SHOWN],
        "finished_verified": session.finished_verified,
        "records_opened": session.records_opened,
        "records_not_opened": session.records_not_opened,
        "opened_octets": sum(len(each.data) for each in session.opened_data),
        "opened_messages": dict(sorted(session.opened_messages.items())),
        **({"content": proofs.content(session)} if show_secrets else {}),
        "resumed": session.resumed,
        "handshake": session.handshake_seen,
        "certificates": [
            _certificate(certificate, sender)
            for sender, chain in (("server", session.server_certificates), ("client", session.client_certificates))
            for certificate in chain
        ],
        **places.between(session.first.frame, session.last.frame),
        "first_time": iso(session.first.time),
        "last_time": iso(session.last.time),
    }


def _certificate(certificate: CertificateInfo, sender: str) -> Row:
    return {
        "sha256": certificate.sha256,
        "subject": text(certificate.subject),
        "issuer": text(certificate.issuer),
        "sent_by": sender,
        "not_before": text(certificate.not_before),
        "not_after": text(certificate.not_after),
        "serial": text(certificate.serial),
        "public_key": text(certificate.public_key),
        "signature": text(certificate.signature),
    }


def _subject(subject: Subject) -> Row:
    return {"kind": subject.kind, "id": text(subject.id)}


def _assessment(assessment: Assessment) -> Row:
    return {
        "rule": assessment.rule,
        "outcome": assessment.outcome,
        "gap": text(assessment.gap),
        "reason": text(assessment.reason),
        "subjects": assessment.subjects,
        "examples": [_subject(subject) for subject in assessment.examples],
    }


def _finding(finding: Finding, places: _Places) -> Row:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity.token,
        "confidence": finding.confidence,
        "outcome": finding.verdict,
        "title": text(finding.title),
        "message": text(finding.message),
        "subject": _subject(finding.subject),
        "evidence": [
            places.of(evidence.frame)
            | {
                "field": text(evidence.field),
                "observed": text(evidence.observed),
                "expected": text(evidence.expected),
            }
            for evidence in finding.evidence
        ],
        "references": _texts(finding.references),
        "remediation": text(finding.remediation),
        "filters": [
            {"capture": places.path(capture), "filter": text(expression)} for capture, expression in finding.filters
        ],
        "follows_from": list(finding.follows_from),
        "fingerprint": finding.fingerprint,
    }


def _note(note: Note, places: _Places) -> Row:
    return places.of(note.frame) | {"text": text(note.text)}
