"""Tokens of the text encoding and code points of H.248.1, with their sources.

Tokens are those of H.248.1 (03/2013) Annex B.2, under the names of its rules; case does not matter. A token that only
version 2 or 3 has is read in every version.
"""

from __future__ import annotations

TOKENS: dict[str, tuple[str, str]] = {
    "AddToken": ("Add", "A"),
    "AuditCapToken": ("AuditCapability", "AC"),
    "AuditToken": ("Audit", "AT"),
    "AuditValueToken": ("AuditValue", "AV"),
    "AuthToken": ("Authentication", "AU"),
    "BothToken": ("Both", "B"),
    "BothwayToken": ("Bothway", "BW"),
    "BriefToken": ("Brief", "BR"),
    "BufferToken": ("Buffer", "BF"),
    "ContextAttrToken": ("ContextAttr", "CT"),
    "ContextAuditToken": ("ContextAudit", "CA"),
    "ContextListToken": ("ContextList", "CLT"),
    "CtxToken": ("Context", "C"),
    "DelayToken": ("Delay", "DL"),
    "DigitMapToken": ("DigitMap", "DM"),
    "DirectionToken": ("SPADirection", "SPADI"),
    "DisconnectedToken": ("Disconnected", "DC"),
    "DurationToken": ("Duration", "DR"),
    "EmbedToken": ("Embed", "EM"),
    "EmergencyOffToken": ("EmergencyOff", "EGO"),
    "EmergencyToken": ("Emergency", "EG"),
    "EmergencyValueToken": ("EmergencyValue", "EGV"),
    "ErrorToken": ("Error", "ER"),
    "EventBufferToken": ("EventBuffer", "EB"),
    "EventsToken": ("Events", "E"),
    "ExternalToken": ("External", "EX"),
    "FailoverToken": ("Failover", "FL"),
    "ForcedToken": ("Forced", "FO"),
    "GracefulToken": ("Graceful", "GR"),
    "HandOffToken": ("HandOff", "HO"),
    "IEPSToken": ("IEPSCall", "IEPS"),
    "ImmAckRequiredToken": ("ImmAckRequired", "IA"),
    "InSvcToken": ("InService", "IV"),
    "InactiveToken": ("Inactive", "IN"),
    "InternalToken": ("Internal", "IT"),
    "InterruptByEventToken": ("IntByEvent", "IBE"),
    "InterruptByNewSignalsDescrToken": ("IntBySigDescr", "IBS"),
    "IntsigDelayToken": ("Intersignal", "SPAIS"),
    "IsolateToken": ("Isolate", "IS"),
    "IterationToken": ("Iteration", "IR"),
    "KeepActiveToken": ("KeepActive", "KA"),
    "LocalControlToken": ("LocalControl", "O"),
    "LocalToken": ("Local", "L"),
    "LockStepToken": ("LockStep", "SP"),
    "LoopbackToken": ("Loopback", "LB"),
    "MediaToken": ("Media", "M"),
    "MegacopToken": ("MEGACO", "!"),
    "MessageSegmentToken": ("Segment", "SM"),
    "MethodToken": ("Method", "MT"),
    "MgcIdToken": ("MgcIdToTry", "MG"),
    "ModeToken": ("Mode", "MO"),
    "ModemToken": ("Modem", "MD"),
    "ModifyToken": ("Modify", "MF"),
    "MoveToken": ("Move", "MV"),
    "MuxToken": ("Mux", "MX"),
    "NeverNotifyToken": ("NeverNotify", "NBNN"),
    "NotifyCompletionToken": ("NotifyCompletion", "NC"),
    "NotifyImmediateToken": ("ImmediateNotify", "NBIN"),
    "NotifyRegulatedToken": ("RegulatedNotify", "NBRN"),
    "NotifyToken": ("Notify", "N"),
    "Nx64kToken": ("Nx64Kservice", "N64"),
    "ObservedEventsToken": ("ObservedEvents", "OE"),
    "OffToken": ("OFF", "OFF"),
    "OnOffToken": ("OnOff", "OO"),
    "OnToken": ("ON", "ON"),
    "OnewayBothToken": ("OnewayBoth", "OWB"),
    "OnewayExternalToken": ("OnewayExternal", "OWE"),
    "OnewayToken": ("Oneway", "OW"),
    "OtherReasonToken": ("OtherReason", "OR"),
    "OutOfSvcToken": ("OutOfService", "OS"),
    "PackagesToken": ("Packages", "PG"),
    "PendingToken": ("Pending", "PN"),
    "PriorityToken": ("Priority", "PR"),
    "ProfileToken": ("Profile", "PF"),
    "ReasonToken": ("Reason", "RE"),
    "RecvonlyToken": ("ReceiveOnly", "RC"),
    "RemoteToken": ("Remote", "R"),
    "ReplyToken": ("Reply", "P"),
    "RequestIDToken": ("SPARequestID", "SPARQ"),
    "ReservedGroupToken": ("ReservedGroup", "RG"),
    "ReservedValueToken": ("ReservedValue", "RV"),
    "ResetEventsDescriptorToken": ("ResetEventsDescriptor", "RSE"),
    "ResponseAckToken": ("TransactionResponseAck", "K"),
    "RestartToken": ("Restart", "RS"),
    "SegmentationCompleteToken": ("END", "&"),
    "SendonlyToken": ("SendOnly", "SO"),
    "SendrecvToken": ("SendReceive", "SR"),
    "ServiceChangeAddressToken": ("ServiceChangeAddress", "AD"),
    "ServiceChangeIncompleteToken": ("ServiceChangeInc", "SIC"),
    "ServiceChangeToken": ("ServiceChange", "SC"),
    "ServiceStatesToken": ("ServiceStates", "SI"),
    "ServicesToken": ("Services", "SV"),
    "SignalListToken": ("SignalList", "SL"),
    "SignalTypeToken": ("SignalType", "SY"),
    "SignalsToken": ("Signals", "SG"),
    "StatsToken": ("Statistics", "SA"),
    "StreamToken": ("Stream", "ST"),
    "SubtractToken": ("Subtract", "S"),
    "SynchISDNToken": ("SynchISDN", "SN"),
    "TerminationStateToken": ("TerminationState", "TS"),
    "TestToken": ("Test", "TE"),
    "TimeOutToken": ("TimeOut", "TO"),
    "TopologyToken": ("Topology", "TP"),
    "TransToken": ("Transaction", "T"),
    "VersionToken": ("Version", "V"),
}
"""Long and short form of each token."""


def forms(rule: str) -> tuple[bytes, bytes]:
    """Both forms of a token, in upper case as they are compared."""
    long, short = TOKENS[rule]
    return long.upper().encode(), short.upper().encode()


def _meanings(rules: tuple[str, ...]) -> dict[bytes, str]:
    return {form: TOKENS[rule][0] for rule in rules for form in forms(rule)}


MODES = _meanings(("SendonlyToken", "RecvonlyToken", "SendrecvToken", "InactiveToken", "LoopbackToken"))
"""Values of Mode (H.248.1 §7.1.7)."""

SERVICE_STATES = _meanings(("TestToken", "OutOfSvcToken", "InSvcToken"))
"""Values of ServiceStates (H.248.1 §7.1.5)."""

EVENT_BUFFER_CONTROLS = _meanings(("OffToken", "LockStepToken"))
"""Values of Buffer (H.248.1 §7.1.5)."""

SERVICE_CHANGE_METHODS = _meanings(
    ("FailoverToken", "ForcedToken", "GracefulToken", "RestartToken", "DisconnectedToken", "HandOffToken")
)
"""Values of Method (H.248.1 §7.2.8)."""

SIGNAL_TYPES = _meanings(("OnOffToken", "TimeOutToken", "BriefToken"))
"""Values of SignalType (H.248.1 §7.1.11)."""

SIGNAL_DIRECTIONS = _meanings(("ExternalToken", "InternalToken", "BothToken"))
"""Values of SPADirection (H.248.1 §7.1.11)."""

TOPOLOGY_DIRECTIONS = _meanings(
    ("BothwayToken", "IsolateToken", "OnewayToken", "OnewayExternalToken", "OnewayBothToken")
)
"""Directions of a topology (H.248.1 §7.1.18)."""

BOOLEANS = _meanings(("OnToken", "OffToken"))
"""Values of ReservedValue, ReservedGroup and IEPSCall."""

CONTEXTS: dict[bytes, str] = {b"-": "null context", b"$": "choose a context", b"*": "all contexts"}
"""ContextIDs that stand for none, a new one, and every one (H.248.1 §6.1.1)."""

MODEM_TYPES: dict[bytes, str] = {
    b"V18": "V.18",
    b"V22": "V.22",
    b"V22B": "V.22 bis",
    b"V32": "V.32",
    b"V32B": "V.32 bis",
    b"V34": "V.34",
    b"V76": "V.76",
    b"V90": "V.90",
    b"V91": "V.91",
    b"SN": "SynchISDN",
    b"SYNCHISDN": "SynchISDN",
}
"""Modem types (H.248.1 §7.1.2)."""

MUX_TYPES: dict[bytes, str] = {
    b"H221": "H.221",
    b"H223": "H.223",
    b"H226": "H.226",
    b"V76": "V.76",
    b"N64": "Nx64Kservice",
    b"NX64KSERVICE": "Nx64Kservice",
}
"""Multiplex types (H.248.1 §7.1.3)."""

ERROR_CODES: dict[int, str] = {
    400: "Syntax error in message",
    401: "Protocol error",
    402: "Unauthorized",
    403: "Syntax error in transaction request",
    406: "Version not supported",
    410: "Incorrect identifier",
    411: "The transaction refers to an unknown ContextID",
    412: "No ContextIDs available",
    413: "Number of transactions in message exceeds maximum",
    421: "Unknown action or illegal combination of actions",
    422: "Syntax error in action",
    430: "Unknown TerminationID",
    431: "No TerminationID matched a wildcard",
    432: "Out of TerminationIDs or no TerminationID available",
    433: "TerminationID is already in a context",
    434: "Maximum number of terminations in a context exceeded",
    435: "TerminationID is not in specified context",
    440: "Unsupported or unknown package",
    441: "Missing Remote or Local descriptor",
    442: "Syntax error in command",
    443: "Unsupported or unknown command",
    444: "Unsupported or unknown descriptor",
    445: "Unsupported or unknown property",
    446: "Unsupported or unknown parameter",
    447: "Descriptor not legal in this command",
    448: "Descriptor appears twice in a command",
    449: "Unsupported or unknown parameter or property value",
    450: "No such property in this package",
    451: "No such event in this package",
    452: "No such signal in this package",
    453: "No such statistic in this package",
    454: "No such parameter value in this package",
    455: "Property illegal in this descriptor",
    456: "Property appears twice in this descriptor",
    457: "Missing parameter in signal or event",
    458: "Unexpected event or request ID",
    459: "Unsupported or unknown profile",
    460: "Unable to set statistic on stream",
    471: "Implied Add for Multiplex failure",
    472: "Required information missing",
    473: "Conflicting property values",
    474: "Invalid SDP syntax",
    475: "Unable to pause the playout of the signal",
    476: "Unable to adjust the data delivery speed of the signal",
    477: "Unable to adjust the playback relative scale of the signal",
    478: "Behaviour contradicts resource rule",
    500: "Internal software failure in the MG",
    501: "Not implemented",
    502: "Not ready",
    503: "Service unavailable",
    504: "Command received from unauthorized entity",
    505: "Transaction request received before a ServiceChange reply has been received",
    506: "Number of TransactionPendings exceeded",
    510: "Insufficient resources",
    511: "Temporarily busy",
    512: "Media gateway unequipped to detect requested event",
    513: "Media gateway unequipped to generate requested signals",
    514: "Media gateway cannot send the specified announcement",
    515: "Unsupported media type",
    517: "Unsupported or invalid mode",
    518: "Event buffer full",
    519: "Out of space to store digit map",
    520: "Digit map undefined in the MG",
    521: "Termination is service changing",
    522: "Functionality requested in topology triple not supported",
    526: "Insufficient bandwidth",
    529: "Internal hardware failure in MG",
    530: "Temporary network failure",
    531: "Permanent network failure",
    532: "Audited property, statistic, event or signal does not exist",
    533: "Response exceeds maximum transport PDU size",
    534: "Illegal write or read-only property",
    540: "Unexpected initial hook state",
    541: "Unexpected spare bit state",
    542: "Command is not allowed on this termination",
    543: "MGC requested event detection timestamp not supported",
    581: "Does not exist",
    600: "Illegal syntax within an announcement specification",
    601: "Variable type not supported",
    602: "Variable value out of range",
    603: "Category not supported",
    604: "Selector type not supported",
    605: "Selector value not supported",
    606: "Unknown segment ID",
    607: "Mismatch between play specification and provisioned data",
    608: "Provisioning error",
    609: "Invalid offset",
    610: "No free segment IDs",
    611: "Temporary segment not found",
    612: "Segment in use",
    613: "ISP port limit overrun",
    614: "No modems available",
    615: "Calling number unacceptable",
    616: "Called number unacceptable",
    700: "Sieve script syntax error",
    701: "Unsupported Sieve require error",
    702: "Sieve actions exceeded error",
}
"""Error codes (H.248.8; those of packages by IANA Megaco/H.248 Packages, Error Codes)."""

SERVICE_CHANGE_REASONS: dict[int, str] = {
    900: "Service restored",
    901: "Cold boot",
    902: "Warm boot",
    903: "MGC directed change",
    904: "Termination malfunctioning",
    905: "Termination taken out of service",
    906: "Loss of lower layer connectivity",
    907: "Transmission failure",
    908: "MG impending failure",
    909: "MGC impending failure",
    910: "Media capability failure",
    911: "Modem capability failure",
    912: "Mux capability failure",
    913: "Signal capability failure",
    914: "Event capability failure",
    915: "State loss",
    916: "Packages change",
    917: "Capabilities change",
    918: "Cancel graceful",
    919: "Warm failover",
    920: "Cold failover",
}
"""ServiceChange reasons (H.248.8 §8)."""

BINARY_TRANSACTIONS: dict[int, str] = {
    0xA0: "transactionRequest",
    0xA1: "transactionPending",
    0xA2: "transactionReply",
    0xA3: "transactionResponseAck",
    0xA4: "segmentReply",
}
"""Identifiers of the kinds of transaction in the binary encoding (H.248.1 Annex A.2)."""

BINARY_MIDS: dict[int, str] = {
    0xA0: "ip4Address",
    0xA1: "ip6Address",
    0xA2: "domainName",
    0x83: "deviceName",
    0x84: "mtpAddress",
}
"""Identifiers of the kinds of message identifier in the binary encoding (H.248.1 Annex A.2)."""
