"""What the layers of H.248 cover of its tokens and registries."""

from __future__ import annotations

from dissectors.h248.codes import (
    BINARY_MIDS,
    BINARY_TRANSACTIONS,
    ERROR_CODES,
    MODES,
    SERVICE_CHANGE_METHODS,
    SERVICE_CHANGE_REASONS,
    SERVICE_STATES,
    SIGNAL_TYPES,
    TOKENS,
    TOPOLOGY_DIRECTIONS,
)
from dissectors.h248.descriptors.layers import DESCRIPTORS, Audit, Services, Topology
from dissectors.h248.layers import (
    COMMANDS,
    SegmentReply,
    TransactionPending,
    TransactionReply,
    TransactionRequest,
    TransactionResponseAck,
)
from dissectors.h248.packages import PACKAGES
from dissectors.registry import Registry

_TESTS = "tests/dissectors/h248/test_layers.py::"
_TRANSACTIONS = {
    "TransToken": TransactionRequest,
    "ReplyToken": TransactionReply,
    "PendingToken": TransactionPending,
    "ResponseAckToken": TransactionResponseAck,
    "MessageSegmentToken": SegmentReply,
}
_DESCRIPTORS = {**DESCRIPTORS, "AuditToken": Audit, "ServicesToken": Services, "TopologyToken": Topology}
_BINARY = "binary encoding: its transactions are named, not decoded"


def _long(rules: dict[str, object]) -> dict[str, str]:
    return {rule: TOKENS[rule][0] for rule in rules}


REGISTRIES: tuple[Registry, ...] = (
    Registry(
        "H.248 transactions",
        "H.248.1 Annex B.2",
        _long({**_TRANSACTIONS}),
        f"{_TESTS}test_every_transaction_is_decoded_in_both_forms",
        _TRANSACTIONS,
    ),
    Registry(
        "H.248 commands",
        "H.248.1 §7.2",
        _long({**COMMANDS}),
        f"{_TESTS}test_every_command_is_decoded_in_both_forms",
        COMMANDS,
    ),
    Registry(
        "H.248 descriptors",
        "H.248.1 §7.1",
        _long({**_DESCRIPTORS}),
        f"{_TESTS}test_every_descriptor_is_decoded_in_both_forms",
        _DESCRIPTORS,
    ),
    Registry("H.248 error codes", "H.248.8", ERROR_CODES, f"{_TESTS}test_every_error_code_is_shown_by_name"),
    Registry(
        "H.248 ServiceChange reasons",
        "H.248.8",
        SERVICE_CHANGE_REASONS,
        f"{_TESTS}test_every_reason_is_shown_by_name",
    ),
    Registry("H.248 packages", "IANA Megaco/H.248 Packages", PACKAGES, f"{_TESTS}test_every_package_is_shown_by_name"),
    *(
        Registry(f"H.248 {name}", "H.248.1 Annex B.2", table, f"{_TESTS}test_every_value_is_shown_by_name")
        for name, table in (
            ("stream modes", MODES),
            ("service states", SERVICE_STATES),
            ("ServiceChange methods", SERVICE_CHANGE_METHODS),
            ("signal types", SIGNAL_TYPES),
            ("topology directions", TOPOLOGY_DIRECTIONS),
        )
    ),
    Registry(
        "H.248 binary transactions",
        "H.248.1 Annex A.2",
        BINARY_TRANSACTIONS,
        "tests/dissectors/h248/test_binary.py::test_every_kind_of_transaction_is_named",
        {},
        dict.fromkeys(BINARY_TRANSACTIONS, _BINARY),
    ),
    Registry(
        "H.248 binary message identifiers",
        "H.248.1 Annex A.2",
        BINARY_MIDS,
        "tests/dissectors/h248/test_binary.py::test_every_kind_of_identifier_is_named",
    ),
)
"""Every registry of H.248, for the coverage document."""
