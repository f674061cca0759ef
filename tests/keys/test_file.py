"""The user's key file: what it may say, and that what is wrong with it is said by place and never by value."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sdp.suites import DTLS_SRTP_PROFILES, SDES_SUITES
from imsinspect.capture.errors import UsageError
from imsinspect.keys.file import read_key_file, read_key_files
from imsinspect.keys.ring import parameters_of
from tests import build

SECRET = base64.b64encode(build.master_key("a")).decode()
HEX = "00112233445566778899aabbccddeeff"
DOCUMENT = Path(__file__).parents[2] / "docs" / "keys.md"


def written(folder: Path, content: object) -> Path:
    path = folder / "keys.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def trouble(folder: Path, content: object) -> str:
    """What is said of a file, behind its name."""
    path = written(folder, content)
    with pytest.raises(UsageError) as raised:
        read_key_file(path)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    text = str(raised.value)
    head = f"key file {path}: "
    assert text.startswith(head)
    return text.removeprefix(head)


def srtp(**members: Any) -> dict[str, Any]:
    return {"srtp": [{"key_and_salt_base64": SECRET} | members]}


def test_all_members(tmp_path: Path) -> None:
    keys = read_key_file(
        written(
            tmp_path,
            {
                "about": "lab",
                "_note": 1,
                "srtp": [
                    {
                        "ssrc": "0x0a0b0c0d", "suite": "aes_cm_128_hmac_sha1_32", "key_and_salt_base64": SECRET,
                        "mki": "00:01", "of": "alice",
                    },
                    {"key_and_salt_base64": SECRET.rstrip("="), "ssrc": 7},
                ],
                "mikey": {
                    "psk": {"sip:alice@example.org": "0x" + HEX.upper()},
                    "tickets": [{"csb_id": "0x10", "tgk": HEX, "responder": "sip:bob@example.org"}],
                },
                "tls_psk": [{"psk": HEX, "identity": "alice", "server": "[2001:DB8:0::1]:5061", "of": "lab"}],
                "esp": [
                    {
                        "spi": "4096", "encryption": "AES-CBC", "encryption_key": HEX, "integrity": "hmac-sha1-96",
                        "integrity_key": HEX + "00112233",
                    }
                ],
                "cms_kek": [{"kek": HEX, "id": "01", "of": "mine"}],
            },
        )
    )  # fmt: skip
    first, second = keys.srtp
    assert (first.ssrc, first.suite.name, first.key_and_salt) == (
        0x0A0B0C0D,
        "AES_CM_128_HMAC_SHA1_32",
        build.master_key("a"),
    )
    assert (first.mki, first.of) == (b"\0\1", "alice")
    assert (second.ssrc, second.suite.name, second.mki) == (7, "AES_CM_128_HMAC_SHA1_80", b"")
    assert keys.mikey.psk == {"sip:alice@example.org": bytes.fromhex(HEX)}
    (ticket,) = keys.mikey.tickets
    assert (ticket.csb_id, ticket.tgk, ticket.responder) == (16, bytes.fromhex(HEX), "sip:bob@example.org")
    (psk,) = keys.tls_psk
    assert (psk.psk, psk.identity, psk.server) == (bytes.fromhex(HEX), b"alice", ("2001:db8::1", 5061))
    ((spi, esp),) = keys.esp
    assert (spi, esp.encryption, esp.encryption_key) == (4096, "aes-cbc", bytes.fromhex(HEX))
    (kek,) = keys.cms_kek
    assert (kek.kek, kek.id, kek.of) == (bytes.fromhex(HEX), b"\1", "mine")


def test_no_secret_shows_when_the_keys_are_printed(tmp_path: Path) -> None:
    content = srtp() | {"mikey": {"psk": {"a": HEX}}, "tls_psk": [{"psk": HEX}], "cms_kek": [{"kek": HEX}]}
    content["esp"] = [{"encryption": "aes-cbc", "encryption_key": HEX}]
    shown = repr(read_key_file(written(tmp_path, content)))
    for secret in (bytes.fromhex(HEX), build.master_key("a")):
        for form in (repr(secret)[2:-1], secret.hex(), base64.b64encode(secret).decode()):
            assert form not in shown


def test_the_example_of_the_documentation_is_read(tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    example = json.loads(text.split("```json\n", 1)[1].split("```", 1)[0])
    for name in example["mikey"].pop("rsa"):
        assert name.endswith(".pem")
    keys = read_key_file(written(tmp_path, example))
    for part in (keys.srtp, keys.mikey.psk, keys.mikey.tickets, keys.tls_psk, keys.esp, keys.cms_kek):
        assert len(part) == 1


def test_the_documentation_names_every_member() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for part, members in {
        "srtp": ("ssrc", "suite", "key_and_salt_base64", "mki", "of"),
        "mikey": ("psk", "rsa", "tickets", "csb_id", "mpk_i", "mpk_r", "tpk", "tgk", "responder"),
        "tls_psk": ("psk", "identity", "server"),
        "esp": ("spi", "encryption", "encryption_key", "integrity", "integrity_key"),
        "cms_kek": ("kek", "id"),
    }.items():
        section = text.split(f"### `{part}`", 1)[1].split("\n#", 1)[0]
        for member in members:
            assert f"`{member}`" in section, (part, member)


def test_files_are_added_to_one_another(tmp_path: Path) -> None:
    one, other = tmp_path / "1.json", tmp_path / "2.json"
    one.write_text(json.dumps(srtp(of="1") | {"mikey": {"psk": {"a": HEX}}}))
    other.write_text(json.dumps(srtp(of="2") | {"mikey": {"psk": {"b": HEX}}}))
    keys = read_key_files([one, other])
    assert [each.of for each in keys.srtp] == ["1", "2"]
    assert list(keys.mikey.psk) == ["a", "b"]


def test_private_keys_are_files_beside_the_key_file(tmp_path: Path) -> None:
    def pem(key: Any) -> bytes:
        out: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return out

    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "key.pem").write_bytes(pem(key))
    (tmp_path / "ec.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    (tmp_path / "no.pem").write_bytes(b"secret text")
    (found,) = read_key_file(written(tmp_path, {"mikey": {"rsa": ["key.pem"]}})).mikey.rsa
    assert found.private_numbers() == key.private_numbers()
    for name, said in {
        "ec.pem": "is no RSA key",
        "no.pem": "is no private key in PEM without a password",
        "none.pem": "can't be read (No such file or directory)",
        "a\0b": "is no private key in PEM without a password",
    }.items():
        assert trouble(tmp_path, {"mikey": {"rsa": [name]}}) == f"mikey.rsa[0] {said}"
    assert trouble(tmp_path, {"mikey": {"rsa": [7]}}) == "mikey.rsa[0] is no file name"


def test_of_a_private_key_no_more_is_read_than_one_can_have(tmp_path: Path) -> None:
    """As of a device that never ends."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    content = {"mikey": {"rsa": ["key.pem"]}}
    (tmp_path / "key.pem").write_bytes(b"\n" * (1 << 19) + pem)
    assert len(read_key_file(written(tmp_path, content)).mikey.rsa) == 1
    (tmp_path / "key.pem").write_bytes(b"\n" * (1 << 20) + pem)
    assert trouble(tmp_path, content) == "mikey.rsa[0] is no private key in PEM without a password"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "the file is no object"),
        ("{", "not JSON in line 1"),
        ("[" * 100_000, "not JSON"),
        ('{"srtp": [], "srtp": []}', "one member stands twice in an object"),
        ("\xff", "not JSON in line 1"),
        ("9" * 5000, "not JSON"),
        ({"strp": []}, "the file has an unknown member 'strp'; did you mean 'srtp'?"),
        ({"other": []}, "the file has an unknown member 'other'; known are srtp, mikey, tls_psk, esp, cms_kek"),
        ({SECRET: []}, "the file has an unknown member; known are srtp, mikey, tls_psk, esp, cms_kek"),
        ({"srtp": {}}, "srtp is no list"),
        ({"srtp": [7]}, "srtp[0] is no object"),
        (srtp(suit="x"), "srtp[0] has an unknown member 'suit'; did you mean 'suite'?"),
        (srtp(ssrc="0x1ffffffff"), "srtp[0].ssrc is no number of 32 bits"),
        (srtp(ssrc=-1), "srtp[0].ssrc is no number of 32 bits"),
        (srtp(ssrc=True), "srtp[0].ssrc is no number of 32 bits"),
        (srtp(ssrc=1.0), "srtp[0].ssrc is no number of 32 bits"),
        (srtp(ssrc=SECRET), "srtp[0].ssrc is no number of 32 bits"),
        (srtp(suite="AES_CM_128_HMAC_SHA1_81"), "srtp[0].suite is unknown; did you mean AES_CM_128_HMAC_SHA1_80?"),
        (srtp(suite=SECRET), "srtp[0].suite is unknown"),
        (srtp(suite="\ud800"), "srtp[0].suite is unknown"),
        (srtp(suite=3), "srtp[0].suite is no text"),
        (srtp(suite="SEED_128_CCM_80"), "srtp[0].suite: SEED_128_CCM_80 is not supported"),
        (srtp(suite="SRTP_AEAD_ARIA_128_GCM"), "srtp[0].suite: SRTP_AEAD_ARIA_128_GCM is not supported"),
        (srtp(suite="SRTP_NULL_HMAC_SHA1_80"), "srtp[0].suite: SRTP_NULL_HMAC_SHA1_80 is not supported"),
        (srtp(suite="AEAD_AES_128_GCM"), "srtp[0].key_and_salt_base64 has 30 octets; AEAD_AES_128_GCM needs 28"),
        (srtp(key_and_salt_base64=""), "srtp[0].key_and_salt_base64 has 0 octets; AES_CM_128_HMAC_SHA1_80 needs 30"),
        (srtp(key_and_salt_base64="~~~~"), "srtp[0].key_and_salt_base64 is no base64"),
        (srtp(key_and_salt_base64="\u00e9"), "srtp[0].key_and_salt_base64 is no base64"),
        (srtp(mki="xyz"), "srtp[0].mki is no hexadecimal text"),
        (srtp(mki="00" * 129), "srtp[0].mki has 129 octets; 128 are the most"),
        (srtp(of=[]), "srtp[0].of is no text"),
        ({"mikey": {"psk": {HEX: "alice"}}}, "mikey.psk, entry 1.key is no hexadecimal text"),
        ({"mikey": {"psk": {"a": HEX, HEX: ""}}}, "mikey.psk, entry 2.key is missing or empty"),
        ({"mikey": {"psk": []}}, "mikey.psk is no object"),
        ({"mikey": {"tickets": [{"csb_id": 1}]}}, "mikey.tickets[0] holds no key"),
        ({"tls_psk": [{"identity": "a"}]}, "tls_psk[0].psk is missing or empty"),
        ({"tls_psk": [{"psk": HEX, "server": "a:5"}]}, "tls_psk[0].server is no address and port"),
        ({"tls_psk": [{"psk": HEX, "server": "192.0.2.1:0"}]}, "tls_psk[0].server is no address and port"),
        ({"tls_psk": [{"psk": HEX, "server": "192.0.2.1:70000"}]}, "tls_psk[0].server is no address and port"),
        ({"tls_psk": [{"psk": HEX, "server": "192.0.2.1:" + "9" * 5000}]}, "tls_psk[0].server is no address and port"),
        ({"tls_psk": [{"psk": HEX, "server": ""}]}, "tls_psk[0].server is no address and port"),
        ({"esp": [{"encryption": "null"}]}, "esp[0] holds no key"),
        ({"cms_kek": [{"id": "00"}]}, "cms_kek[0].kek is missing or empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_its_place(tmp_path: Path, content: object, said: str) -> None:
    assert trouble(tmp_path, content) == said


def test_a_file_that_can_t_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_key_file(tmp_path / "none.json")
    with pytest.raises(UsageError, match="can't be read"):
        read_key_file(tmp_path)
    with pytest.raises(UsageError, match="longer than 64 MiB"):
        read_key_file(Path("/dev/zero"))
    assert trouble(tmp_path, "") == "empty"


def test_surrogates_in_text_are_no_error(tmp_path: Path) -> None:
    keys = read_key_file(written(tmp_path, {"tls_psk": [{"psk": HEX, "identity": "\ud800"}]}))
    assert keys.tls_psk[0].identity == b"?"


@pytest.mark.parametrize("suite", [*SDES_SUITES.values(), *DTLS_SRTP_PROFILES.values()], ids=lambda suite: suite.name)
def test_every_suite_is_read_or_refused_by_name(tmp_path: Path, suite: Any) -> None:
    row = {"suite": suite.name, "key_and_salt_base64": base64.b64encode(bytes(range(suite.length))).decode()}
    if parameters_of(suite) is None:
        assert trouble(tmp_path, {"srtp": [row]}) == f"srtp[0].suite: {suite.name} is not supported"
    else:
        assert read_key_file(written(tmp_path, {"srtp": [row]})).srtp[0].suite == suite


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(HEX) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(
    ("ssrc", "suite", "key_and_salt_base64", "mki", "of", "psk", "identity", "server", "spi", "encryption", "kek", "id")
)


@given(
    st.dictionaries(
        st.sampled_from(("srtp", "mikey", "tls_psk", "esp", "cms_kek")),
        VALUES | st.lists(st.dictionaries(MEMBERS, VALUES, max_size=4), max_size=2),
    )
)
def test_nothing_but_a_usage_error_comes_of_any_file(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    path = written(tmp_path_factory.mktemp("keys"), content)
    try:
        read_key_file(path)
    except UsageError as error:
        said = str(error).removeprefix(f"key file {path}: ")
        assert HEX not in said
        assert SECRET not in said
