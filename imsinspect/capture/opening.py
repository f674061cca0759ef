"""What opens encrypted packets while a capture is read: secrets of TLS and keys of ESP that are known by then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imsinspect.crypto.tls import TlsSecrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from imsinspect.capture.blocks import Secrets
    from imsinspect.capture.endpoint import Endpoint
    from imsinspect.crypto.cms import CmsKek
    from imsinspect.crypto.esp import EspParameters


@dataclass(slots=True)
class Opening:
    """Secrets and keys that are at hand."""

    tls: TlsSecrets = field(default_factory=TlsSecrets)
    esp: list[tuple[int | None, EspParameters]] = field(default_factory=list)  # by SPI; None: of any association
    cms: list[CmsKek] = field(default_factory=list)  # of S/MIME bodies, which are opened when the trace is built
    readable: set[frozenset[Endpoint]] = field(default_factory=set)
    """Ends of TLS and DTLS whose handshake, in whatever capture it is, was seen to leave the content readable."""
    learn: Callable[[Secrets], None] | None = None  # takes the secrets that a capture carries itself
