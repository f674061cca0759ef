"""The same mutations among other people: loads the modules that build them with every identity replaced.

Addresses, media ports, SSRCs, Call-IDs, tags, branches, names, keys and the time are others, and frames stand
elsewhere; what is wrong with the traffic is not. Constants of the modules are exchanged before they are compiled, so
that whatever is sealed, signed or counted is made of the others from the start.
"""

from __future__ import annotations

import ast
import re
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.mutations.harness import Mutation

TESTS = Path(__file__).parents[1]
PACKAGE = "strangers"
PACKAGES = frozenset(("", "mutations", "rules", "rules.tls", "rules.e2ae", "trace"))
MODULES = ("build", "conference_kit", "floor_kit", "gateway_kit", "mikey", "rules.tls.hellos", "rules.e2ae.peers",
           "trace.cms_seal", "mutations.")  # fmt: skip

WORDS = (
    (r"\b192\.0\.2\.", "10.44.2."),
    (r"\b198\.51\.100\.", "172.23.100."),
    (r"\b203\.0\.113\.", "172.24.113."),
    (r"\b2001:db8:", "2001:db8:feed:"),
    (r"@test\b", "@elsewhere"),
    (r"\bexample\.org\b", "example.net"),
    (r"\bcall-", "leg-"),
    (r"\balice(?![a-z_])", "anna"),
    (r"\bbob(?![a-z_])", "bertram"),
    (r"\bcarol(?![a-z_])", "clara"),
    (r"\bmallory(?![a-z_])", "mo"),
)
PORTS = (4000, 4001, 4100, 5000, 5001, 5002, 6000, 7000, 7002, 20_000, 20_200, 21_000, 40_000, 41_000, 50_010, 50_066)
NUMBERS = {port: port + 2_222 for port in PORTS} | {1_767_225_600: 1_770_123_456}
COUNTED = frozenset(("sequence", "timestamp"))  # arguments that look like ports
OTHER_SSRC = 0x5EED0000
WITH_SSRC = {
    "build": ("rtp", "sender_report", "receiver_report", "source_description", "goodbye"),
    "mikey": ("srtp_session",),
}
"""Functions that write an SSRC, which is told apart from other numbers by being their argument."""


class _Exchanged(ast.NodeTransformer):
    """A module with other constants, that imports the others."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.copy_location(ast.Constant(_other(node.value)), node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(_other(node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        self.generic_visit(node)
        node.arg = _other(node.arg)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        if node.arg not in COUNTED:
            self.generic_visit(node)
        node.arg = _other(node.arg)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        prefix, _, rest = (node.module or "").partition(".")
        names = [f"{rest}.{each.name}".strip(".") for each in node.names]
        if prefix == "tests" and (_replaced(rest) or all(map(_replaced, names))):
            node.module = f"{PACKAGE}.{rest}".strip(".")
        return node


def _other(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, word in WORDS:
            value = re.sub(pattern, word, value)
        return value
    if isinstance(value, bytes) and value.isascii():
        return _other(value.decode()).encode()
    return NUMBERS.get(value, value) if type(value) is int else value


def _replaced(name: str) -> bool:
    return any(name == each or (each.endswith(".") and name.startswith(each)) for each in MODULES)


class _Finder(MetaPathFinder, Loader):
    """Finds modules of `strangers` where those of `tests` stand."""

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package != PACKAGE or not (rest in PACKAGES or _replaced(rest)):
            return None
        return ModuleSpec(name, self, origin=str(_file(rest)), is_package=rest in PACKAGES)

    def exec_module(self, module: ModuleType) -> None:
        rest = module.__name__.partition(".")[2]
        if rest in PACKAGES:
            return
        file = _file(rest)
        module.__file__ = str(file)
        tree = ast.fix_missing_locations(_Exchanged().visit(ast.parse(file.read_text())))
        exec(compile(tree, str(file), "exec"), module.__dict__)
        for function in WITH_SSRC.get(rest, ()):
            setattr(module, function, _with_other_ssrc(getattr(module, function)))


def _file(name: str) -> Path:
    return TESTS.joinpath(*name.split(".")).with_suffix(".py")


def _with_other_ssrc(function: Callable[..., bytes]) -> Callable[..., bytes]:
    place = {"rtp": 2}.get(function.__name__, 0)

    def other(*arguments: Any, **named: Any) -> bytes:
        values = list(arguments)
        if named.get("ssrc"):
            named["ssrc"] ^= OTHER_SSRC
        elif "ssrc" not in named and function.__name__ != "srtp_session":
            values[place] ^= OTHER_SSRC
        return function(*values, **named)

    return other


def stranger(mutation: Mutation, area: str) -> Mutation:
    """The mutation among others."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.append(_Finder())
    module = import_module(f"{PACKAGE}.mutations.{area}")
    return next(each for each in module.MUTATIONS if each.name == _other(mutation.name))
