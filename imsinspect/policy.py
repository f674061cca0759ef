"""What the user says that captures can't: who may take part, which addresses are what, thresholds, exceptions.

The file's form is in docs/policy.md; `imsinspect.policy_file` reads it. Everything has a default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date
    from ipaddress import IPv4Network, IPv6Network

SECOND = 1_000_000_000


@dataclass(slots=True, frozen=True)
class Authorised:
    """An identity that may join, for a time."""

    identity: str  # canonical (imsinspect.trace.identities); "*" stands for any run of characters
    begins: int | None = None  # nanoseconds since 1970
    ends: int | None = None


@dataclass(slots=True, frozen=True)
class Thresholds:
    """The defaults of rules.md 0.10; times in nanoseconds."""

    mikey_max_skew: int = 600 * SECOND
    mikey_max_ticket_life: int = 24 * 3600 * SECOND
    mikey_max_reusable_ticket_life: int = 30 * 24 * 3600 * SECOND  # tickets with the J flag
    mikey_prot_type_tls: int | None = None
    mikey_prot_type_psk_smime: int | None = None
    mikey_prot_type_app: int | None = None
    srtp_rekey_grace: int = 5 * SECOND
    srtp_replay_distance: int = 128  # sequence numbers
    srtp_replay_time: int = 2 * SECOND
    conf_rekey_window: int = 60 * SECOND
    conf_media_after_leave: int = 5 * SECOND
    conf_notify_after_leave: int = 30 * SECOND
    conf_ghost: int = 10 * SECOND  # a leg that no roster shows
    conf_missing_leg: int = 30 * SECOND  # a roster entry without a leg
    retry_window: int = 32 * SECOND
    tls_psk_dh: str = "warn"  # "allow"
    gw_core_tls: str = "warn"  # "allow"


@dataclass(slots=True, frozen=True)
class RuleSetting:
    """What the user changes about a rule; None leaves it."""

    enabled: bool = True
    severity: str | None = None  # "critical" … "info"


@dataclass(slots=True, frozen=True)
class Where:
    """What an exception is for: everything that is given has to match."""

    network: IPv4Network | IPv6Network | None = None
    identity: str | None = None  # canonical
    media: str | None = None  # "audio", "video", "message", "application" …
    profile: str | None = None
    call: str | None = None  # Call-ID


@dataclass(slots=True, frozen=True)
class PolicyException:
    """Findings that the user accepts until a date."""

    rule: str
    reason: str
    expires: date
    where: Where = field(default_factory=Where)


@dataclass(slots=True, frozen=True)
class Scope:
    """What is said of one conference (by its URI) or one call (by its Call-ID)."""

    profile: str | None = None
    authorised: tuple[Authorised, ...] | None = None


@dataclass(slots=True, frozen=True)
class Policy:
    """Everything of a policy file."""

    profile: str | None = None
    capture_point: str | None = None
    access_confidentiality: str | None = None
    nds: str | None = None
    authorised: tuple[Authorised, ...] | None = None  # who may join any conference; None: nobody said
    aliases: dict[str, str] = field(default_factory=dict)  # other identities of a user, by canonical identity
    factories: frozenset[str] = frozenset()  # canonical URIs of conference factories
    nodes: dict[str, tuple[IPv4Network | IPv6Network, ...]] = field(default_factory=dict)  # "p_cscf", "agw", "mrfp" …
    thresholds: Thresholds = field(default_factory=Thresholds)
    conferences: dict[str, Scope] = field(default_factory=dict)  # by canonical URI
    calls: dict[str, Scope] = field(default_factory=dict)  # by Call-ID
    rules: dict[str, RuleSetting] = field(default_factory=dict)
    exceptions: tuple[PolicyException, ...] = ()

    def is_node(self, role: str, address: str) -> bool:
        """Whether the user named this address as a node of a role ("agw", "mrfp", "p_cscf", "focus", "kms")."""
        networks = self.nodes.get(role, ())
        return bool(networks) and any(ip_address(address) in network for network in networks)

    def allowed_in(self, conference: str) -> tuple[Authorised, ...] | None:
        """Who may join a conference (canonical URI); None where nobody said."""
        scope = self.conferences.get(conference)
        return scope.authorised if scope is not None and scope.authorised is not None else self.authorised
