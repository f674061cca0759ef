"""One scripted end of an MSRP session over TLS with a NULL cipher, behind or towards a relay (RFC 4975, RFC 4976).

Arguments: role (alice or bob), own address, relay's address, working folder. alice gets a URI from the relay, writes
the SDP of her line, waits for the file `go`, and sends; bob waits for the relay to connect, answers, reports, and sends
himself. The password is the lab's.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import secrets
import socket
import ssl
import sys
import time
from pathlib import Path

ROLE, OWN, RELAY, FOLDER = sys.argv[1:5]
WORK = Path(FOLDER)
PORT = 2855
URI = f"msrps://{OWN}:{PORT}/{ROLE}7s8kd2;tcp"
CPIM = (
    "From: Alice <sip:alice@10.20.0.1>\r\nTo: <sip:bob@10.20.0.2>\r\nDateTime: 2026-01-02T03:04:05Z\r\n"
    "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n"
    "imdn.Disposition-Notification: positive-delivery, display\r\n\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    "Hello Bob, this went through a relay,\r\n-------in0three$\r\nin three chunks. Übermorgen?"
).encode()


def sdp(path: str) -> str:
    """The SDP of an MSRP line with this path."""
    return (
        f"v=0\no=- 1 1 IN IP4 {OWN}\ns=-\nc=IN IP4 {OWN}\nt=0 0\nm=message {PORT} TCP/TLS/MSRP *\n"
        f"a=accept-types:message/cpim text/plain\na=path:{path}\na=setup:{'active' if ROLE == 'alice' else 'passive'}\n"
    )


def context(server: bool) -> ssl.SSLContext:
    """TLS 1.2 with nothing but a NULL cipher; certificates are not checked."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("NULL-SHA256:@SECLEVEL=0")
    if server:
        made.load_cert_chain(WORK / "bob.lab.test.pem")
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class Link:
    """A connection that carries messages."""

    def __init__(self, stream: ssl.SSLSocket) -> None:
        self.stream = stream
        self.unread = b""

    def send(self, what: str, to: str, headers: list[str], body: bytes | None = None, flag: str = "$") -> None:
        """Send a message; `what` is a transaction and a method or a status."""
        head = [f"MSRP {what}", f"To-Path: {to}", f"From-Path: {URI}", *headers]
        octets = "\r\n".join(head).encode() + (b"\r\n" if body is None else b"\r\n\r\n" + body + b"\r\n")
        self.stream.sendall(octets + f"-------{what.split()[0]}{flag}\r\n".encode())
        time.sleep(0.1)

    def receive(self, start: str = "") -> str:
        """The next message that has these words in its start line."""
        while True:
            begun = re.match(rb"MSRP (\S+) ", self.unread)
            end = re.search(rb"\r\n-------" + re.escape(begun[1]) + rb"[$+#]\r\n", self.unread) if begun else None
            if end:
                message, self.unread = self.unread[: end.end()].decode("utf-8", "replace"), self.unread[end.end() :]
                if start in message.partition("\r\n")[0]:
                    return message
            elif not (more := self.stream.recv(65536)):
                raise SystemExit(f"{ROLE}: the connection ended, {start} was expected")
            else:
                self.unread += more


def header(message: str, name: str) -> str:
    """The value of a header."""
    found = re.search(rf"^{name}: (.*)\r$", message, re.MULTILINE)
    return found[1] if found else ""


def transaction() -> str:
    """A new transaction identifier."""
    return secrets.token_hex(8)


def digest(*parts: str) -> str:
    """A digest of parts with colons between."""
    return hashlib.md5(":".join(parts).encode()).hexdigest()


def authenticate(link: Link) -> str:
    """Get a URI from the relay."""
    at = f"msrps://{RELAY}:{PORT};tcp"
    link.send(f"{transaction()} AUTH", at, [])
    challenge = header(link.receive(" 401 "), "WWW-Authenticate")
    realm, nonce = (re.search(f'{name}="([^"]*)"', challenge)[1] for name in ("realm", "nonce"))
    first, second = digest(ROLE, realm, "lab-secret"), digest("AUTH", at)
    response = digest(first, nonce, "00000001", "0a4f113b", "auth", second)
    link.send(
        f"{transaction()} AUTH", at,
        [f'Authorization: Digest username="{ROLE}", realm="{realm}", nonce="{nonce}", uri="{at}", qop=auth, '
         f'cnonce="0a4f113b", nc=00000001, response="{response}"'],
    )  # fmt: skip
    return header(link.receive(" 200 "), "Use-Path")


def alice() -> None:
    """Authenticate, send a message in three chunks and one that is given up, take bob's, report on it."""
    with socket.create_connection((RELAY, PORT), 10) as plain, context(False).wrap_socket(plain) as stream:
        link = Link(stream)
        used = authenticate(link)
        (WORK / "a.sdp").write_text(sdp(f"{used} {URI}"))
        while not (WORK / "go").exists():
            time.sleep(0.1)
        to = f"{used} {(WORK / 'go').read_text()}"
        cuts = (0, 120, 330, len(CPIM))
        message = secrets.token_hex(6)
        for begin, end in itertools.pairwise(cuts):
            headers = [
                f"Message-ID: {message}", "Success-Report: yes", f"Byte-Range: {begin + 1}-{end}/{len(CPIM)}",
                "Content-Type: message/cpim",
            ]  # fmt: skip
            flag = "$" if end == len(CPIM) else "+"
            link.send(f"{transaction()} SEND", to, headers, CPIM[begin:end], flag)
            link.receive(" 200 ")
        link.receive(" REPORT")
        headers = [f"Message-ID: {secrets.token_hex(6)}", "Byte-Range: 1-*/5000", "Content-Type: text/plain"]
        link.send(f"{transaction()} SEND", to, headers, b"On second thoughts", "#")
        link.receive(" 200 ")
        link.send(f"{transaction()} NICKNAME", used, ['Use-Nickname: "Alice the great"'])
        link.receive(" 501 ")
        theirs = link.receive(" SEND")
        link.send(f"{theirs.split()[1]} 200 OK", header(theirs, "From-Path").split()[0], [])
        time.sleep(0.5)


def bob() -> None:
    """Answer what comes through the relay, report on the whole message, send one."""
    (WORK / "b.sdp").write_text(sdp(URI))
    (WORK / "bob.uri").write_text(URI)
    with socket.create_server((OWN, PORT)) as listening:
        plain, _ = listening.accept()
        with plain, context(True).wrap_socket(plain, server_side=True) as stream:
            link = Link(stream)
            while True:
                theirs = link.receive(" SEND")
                back = header(theirs, "From-Path")
                link.send(f"{theirs.split()[1]} 200 OK", back.split()[0], [])
                flag = theirs[-3]
                if flag == "#":
                    break
                if flag == "$":
                    size = header(theirs, "Byte-Range").rpartition("/")[2]
                    headers = [
                        f"Message-ID: {header(theirs, 'Message-ID')}", f"Byte-Range: 1-{size}/{size}",
                        "Status: 000 200 OK",
                    ]  # fmt: skip
                    link.send(f"{transaction()} REPORT", back, headers)
            time.sleep(0.5)
            headers = [
                f"Message-ID: {secrets.token_hex(6)}", "Failure-Report: yes", "Byte-Range: 1-20/20",
                "Content-Type: text/plain",
            ]  # fmt: skip
            link.send(f"{transaction()} SEND", back, headers, b"Very well, at nine.\n")
            link.receive(" 200 ")
            time.sleep(0.5)


(alice if ROLE == "alice" else bob)()
