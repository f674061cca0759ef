"""Text that an attacker would choose: the shortest lines, headers and elements again and again."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tests.dissectors.hostile_binary import MIKEY
from tests.dissectors.repeated import again, der, der_nested, nested

if TYPE_CHECKING:
    from tests.dissectors.repeated import Made

KEY = b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
LIST = b'<list name="a"><entry uri="sip:a@b"><display-name>a</display-name></entry></list>'
USER = b'<user entity="sip:a@b"><endpoint entity="a"><media id="1"><type>audio</type></media></endpoint></user>'
_SIP = b"INVITE sip:a@b SIP/2.0\r\n"
_VIA = b"Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
_SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\n"
_MSRP = b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://b:1/x;tcp\r\nFrom-Path: msrp://a:1/y;tcp\r\nMessage-ID: 87\r\n"
_CHUNK = _MSRP + b"Byte-Range: 1-1/1\r\nContent-Type: text/plain\r\n\r\na\r\n-------a786hjs2$\r\n"
_MULTIPART = b"Content-Type: multipart/mixed;boundary=x\r\n"
_PART = b"--x\r\n\r\na\r\n"
_NESTED_PART = b"Content-Type: multipart/mixed;boundary=x\r\n\r\n--x\r\n"

FILLERS = (
    b" ",
    b"\t",
    b"\r\n",
    b"\n",
    b"\r\n ",
    b'"',
    b'\\"',
    b"\\",
    b'"a',
    b"(",
    b"(a)",
    b"<",
    b"<a>",
    b"{",
    b"{}",
    b"[",
    b"]",
    b",",
    b", ",
    b";",
    b";a",
    b";a=b",
    b";=",
    b"=",
    b"%",
    b"%41",
    b"1",
    b"0",
    b":",
    b"a:",
    b"/",
    b"|",
    b"|2^1",
    b"-",
    b"--",
    b".",
    b"a.",
    b"a",
    b"a ",
    b"A=",
    b"AQ",
    b"*",
    b"<!--",
    b"&",
    b"&amp;",
    b"k=",
    b"inline:",
    b"x" * 17 + b"\r\n",
    b"\\\n",
    b"'",
    b"=?",
    b"\xff",
    b"\xc3\xa4",
)
"""What text is filled with, alone and behind the beginning of a header or line."""


def text() -> dict[str, Made]:
    """Any text of one sign."""
    return {f"only {filler!r}": again(filler) for filler in FILLERS}


def _headers(start: bytes, names: tuple[bytes, ...], fillers: tuple[bytes, ...]) -> dict[str, Made]:
    return {
        f"{name.decode()} of {filler!r}": again(filler, start + name + b": ", b"\r\n\r\n")
        for name in names
        for filler in fillers
    }


def sip_headers() -> dict[str, Made]:
    """Headers of SIP, each full of one sign."""
    names = (b"Via", b"Contact", b"Route", b"Security-Client", b"WWW-Authenticate", b"Identity", b"Accept", b"X")
    fillers = (b",", b"a,", b";a", b'"', b'\\"', b"<", b"a=b,", b"(", b"\r\n ", b"%41", b"1", b" ")
    return _headers(_SIP, names, fillers)


def sip() -> dict[str, Made]:
    """SIP messages."""
    return {
        "Via chain": again(_VIA, _SIP, b"\r\n"),
        "hops of one Via": again(b"SIP/2.0/UDP a,", _SIP + b"Via: ", b"\r\n\r\n"),
        "shortest headers": again(b"a:\n", _SIP, b"\n"),
        "folded header": again(b"\n a", _SIP + b"a: b", b"\r\n\r\n"),
        "many Content-Length": again(b"l:1\n", _SIP, b"\n"),
        "Content-Length of digits": again(b"1", _SIP + b"Content-Length: ", b"\r\n\r\n"),
        "body of SDP": again(b"a\n", _SIP + b"Content-Type: application/sdp\r\n\r\nv=0\n"),
        "parts side by side": again(_PART, _SIP + _MULTIPART + b"\r\n", b"--x--\r\n"),
        "parts in one another": again(_NESTED_PART, _SIP),
        "boundary without lines": again(b"--x", _SIP + _MULTIPART + b"\r\n"),
        "long boundary": lambda size: (
            _SIP + b"Content-Type: multipart/mixed;boundary=" + b"-" * (size // 2) + b"\r\n\r\n" + b"-" * (size // 2)
        ),
        "fragments in one another": again(b"Content-Type: message/sipfrag\r\n\r\n", _SIP),
        "headers of one part": again(b"a:\n", _SIP + _MULTIPART + b"\r\n--x\n", b"\n\r\n--x--"),
        "gruu of escapes": again(b"%41", _SIP + b"To: <sip:", b">\r\n\r\n"),
    }


def _key_mgmt(size: int) -> bytes:
    mikey = MIKEY["policies"](size * 3 // 4)
    return _SDP + b"a=key-mgmt:mikey " + base64.b64encode(mikey) + b"\r\n"


def sdp_attributes() -> dict[str, Made]:
    """Attributes of SDP, each full of one sign."""
    fillers = (b" ", b"a ", b";", b";a=b", b"|", b"a|", b",", b"=", b"1", b"\t", b":", b"/", b"%41", b"a", b"1 ", b"-")
    attributes = (
        b"crypto:1 AES_CM_128_HMAC_SHA1_80 ",
        b"fmtp:0 ",
        b"rtpmap:0 ",
        b"candidate:",
        b"fingerprint:",
        b"path:",
        b"acap:1 ",
        b"pcfg:1 ",
        b"acfg:1 ",
        b"tcap:1 ",
        b"ssrc:1 ",
        b"extmap:1 ",
        b"3ge2ae:",
        b"key-mgmt:mikey ",
        b"floorid:1 mstrm:",
        b"csup:",
        b"rtcp-fb:* ",
        b"group:",
        b"chatroom:",
    )
    return {
        f"a={name.decode()} of {filler!r}": again(filler, _SDP + b"a=" + name, b"\r\n")
        for name in attributes
        for filler in fillers
    }


def sdp() -> dict[str, Made]:
    """Session descriptions."""
    return {
        "shortest lines": again(b"a\n", b"v=0\n"),
        "empty lines": again(b"\n", b"v=0\n"),
        "media sections": again(b"m=a 1 b 0\n", b"v=0\n"),
        "crypto attributes": again(b"a=crypto:1 A inline:B\n", _SDP),
        "whole crypto attributes": again(b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY + b"\r\n", _SDP),
        "crypto keys": again(b"inline:" + KEY + b";", _SDP + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", b"\r\n"),
        "crypto session parameters": again(b" KDR=1", _SDP + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY),
        "key-mgmt in base64": _key_mgmt,
        "key-mgmt attributes": again(b"a=key-mgmt:mikey AQAFAP1td9ABAAA=\r\n", _SDP),
        "formats": again(b" 0", b"v=0\r\nm=audio 1 RTP/AVP", b"\r\n"),
        "digits of a port": again(b"1", b"v=0\r\nm=audio ", b" RTP/AVP 0\r\n"),
        "capabilities in one another": again(b"acap:1 ", _SDP + b"a=", b"crypto:1 A inline:B\r\n"),
        "wrapped keys": again(KEY + b"\r\n", _SDP + b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"),
    }


def crypto() -> dict[str, Made]:
    """Lines of a=crypto."""
    front = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY
    return {
        "keys": again(b";inline:" + KEY, front),
        "short keys": again(b";a:", front),
        "separators": again(b" ; ", front),
        "session parameters": again(b" A", front),
        "fec keys": again(b";inline:A", front + b" FEC_KEY=inline:A"),
        "bars": again(b"|", front),
        "digits of a tag": again(b"1", b"a=crypto:"),
        "digits of a lifetime": again(b"1", front + b"|"),
        "digits of an MKI": again(b"1", front + b"|", b":4"),
    }


def msrp_headers() -> dict[str, Made]:
    """Headers of MSRP, each full of one sign."""
    names = (
        b"To-Path",
        b"WWW-Authenticate",
        b"Authorization",
        b"Content-Type",
        b"Use-Nickname",
        b"Byte-Range",
        b"Status",
        b"Success-Report",
        b"X",
    )
    fillers = (b" ", b",", b"a,", b";", b";a=b", b'"', b'\\"', b"1", b"%41", b"/", b"msrp://a/b;tcp ")
    return _headers(b"MSRP aaaa SEND\r\n", names, fillers)


def msrp() -> dict[str, Made]:
    """MSRP messages and streams."""
    return {
        "chunks": again(_CHUNK),
        "shortest chunks": again(b"MSRP aaaa A\r\n-------aaaa$\r\n"),
        "start lines": again(b"MSRP aaaa A\r\n"),
        "end-lines": again(b"\r\n-------aaaa$\r\n"),
        "other end-lines": again(b"\r\n-------bbbb$\r\n", _MSRP + b"Content-Type: text/plain\r\n\r\n"),
        "shortest headers": again(b"a:\r\n", b"MSRP aaaa SEND\r\n", b"-------aaaa$\r\n"),
        "parts side by side": again(_PART, _MSRP + _MULTIPART + b"\r\n", b"--x--\r\n\r\n-------a786hjs2$\r\n"),
        "parts in one another": again(_NESTED_PART, _MSRP),
        "cpim in one another": again(b"Content-Type: message/cpim\r\n\r\n", _MSRP),
        "hyphens": again(b"-", _MSRP + b"Content-Type: text/plain\r\n\r\n\r\n"),
    }


def cpim_headers() -> dict[str, Made]:
    """Headers of CPIM, each full of one sign."""
    names = (b"From", b"NS", b"Subject", b"Require", b"imdn.Disposition-Notification", b"X", b"DateTime")
    inside = (b"Content-Type", b"Content-ID", b"Content-Disposition")
    fillers = (b" ", b",", b"a,", b";", b";a=b", b'"', b'\\"', b"1", b"\\", b"<", b".", b"a.", b"\\u0041", b"\r\n ")
    return {**_headers(b"", names, fillers), **_headers(b"From: a\r\n\r\n", inside, fillers)}


def cpim() -> dict[str, Made]:
    """CPIM messages."""
    return {
        "shortest headers": again(b"a:\r\n"),
        "cpim in one another": again(b"\r\nContent-Type: message/cpim\r\n\r\n", b"From: a\r\n"),
        "parts side by side": again(_PART, b"From: a\r\n\r\n" + _MULTIPART + b"\r\n", b"--x--\r\n"),
        "parts in one another": again(_NESTED_PART, b"From: a\r\n\r\n"),
    }


def xml(root: bytes, element: bytes, inside: bytes) -> dict[str, Made]:
    """Documents of a root element, with an element of its kind and a whole entry to repeat."""
    front = b'<?xml version="1.0"?><' + root + b">"
    back = b"</" + root.partition(b" ")[0] + b">"
    return {
        "elements side by side": again(b"<" + element + b"/>", front, back),
        "shortest elements": again(b"<a/>", front, back),
        "elements in one another": nested(b"<" + element + b">", b"</" + element + b">", front, back),
        "shortest in one another": nested(b"<a>", b"</a>", front, back),
        "opened": again(b"<" + element + b">", front),
        "closed": again(b"</" + element + b">", front),
        "pairs": again(b"<a>b</a>", front, back),
        "whole entries": again(inside, front, back),
        "attributes": again(b' a="b"', b"<" + element, b"/>"),
        "attributes of one root": again(b' a=""', b"<" + root, b"/>"),
        "comments": again(b"<!---->", front, back),
        "open comments": again(b"<!--", front),
        "comments in one another": nested(b"<!--", b"-->", front, back),
        "open CDATA": again(b"<![CDATA[", front),
        "instructions": again(b"<?a", front),
        "quotes": again(b"'", front + b"<a "),
        "open tags": again(b"<a ", front),
        "open tags with a quote": again(b'<a b="', front),
        "entities": again(b"&#x41;", front, back),
        "doctype": again(b"<!ENTITY a 'b'>", b"<!DOCTYPE a ["),
        "spaces in an end tag": again(b" ", front + b"</a", b">"),
        "text": again(b"a", front, back),
        "prefixes": again(b"a:", front + b"<", b"/>"),
        "namespaces": again(b" xmlns:a='b'", b"<" + root, b"/>"),
    }


_H248 = b"MEGACO/3 [127.0.0.1]\r\nTransaction=1{"
_COMMAND = _H248 + b"Context=1{Add=a{"


def h248_braces() -> dict[str, Made]:
    """Messages of H.248 that one sign goes on."""
    fillers = (
        b"{",
        b"{}",
        b"}",
        b",",
        b"a,",
        b"a{},",
        b"a=b,",
        b"a=[",
        b'a="',
        b'"',
        b";",
        b";\n",
        b";\r\n a",
        b"=",
        b"1",
        b"a/b=c,",
        b"a{",
        b"a=b{",
        b"[",
        b"<",
        b"E=1{a},",
        b"SL{a},",
        b"M{",
        b"M{ST=1{",
        b"%41",
        b" ",
        b"\n",
    )
    return {
        **{f"in a message: {filler!r}": again(filler, b"!/3 a ") for filler in fillers},
        **{f"without an end: {filler!r}": again(filler, _COMMAND) for filler in fillers},
    }


def h248() -> dict[str, Made]:
    """H.248 messages."""
    return {
        "transactions": again(b"T=1{}", b"!/3 a "),
        "pending": again(b"PN=1{}", b"!/3 a "),
        "acknowledgements": again(b"1,", b"!/3 a K{", b"1}"),
        "contexts": again(b"C=1{},", _H248, b"}"),
        "commands": again(b"S=a,", _H248 + b"C=1{", b"}}"),
        "local descriptors": again(b"v=0\r\n", _COMMAND + b"M{L{\r\n", b"}}}}}"),
        "comments": again(b";a\n", b"!/3 a "),
        "digits": again(b"1", b"!/3 a T=", b"{}"),
        "digits of a version": again(b"1", b"!/", b" a T=1{}"),
        "hexadecimal digits": again(b"0", b"Authentication=0x", b":0x0:0x0\r\n!/3 a T=1{}"),
        "BER transactions": lambda size: _ber_message(b"\xa0\x00", size),
        "BER in one another": der_nested(0xA1),
        "TPKTs": again(b"\3\0\0\4"),
        "TPKTs in one another": again(b"\3\0\xff\xff"),
    }


def _ber_message(element: bytes, size: int) -> bytes:
    body = der(0xA2, der(0xA1, element * (size // len(element))))
    return der(0x30, der(0xA1, der(0x80, b"\3") + der(0xA1, der(0xA0, b"")) + body))


def web_headers(start: bytes) -> dict[str, Made]:
    """Headers of HTTP and RTSP, each full of one sign."""
    names = (b"KeyMgmt", b"Transport", b"Content-Type", b"WWW-Authenticate", b"X")
    fillers = (
        b" ",
        b",",
        b";",
        b";a=b",
        b"a,",
        b'"',
        b'\\"',
        b"data=",
        b'prot=mikey;data="AQ",',
        b"1",
        b"%41",
        b"\r\n ",
    )
    return _headers(start, names, fillers)


def web(start: bytes) -> dict[str, Made]:
    """Messages of HTTP and RTSP."""
    return {
        "shortest headers": again(b"a:\n", start, b"\n"),
        "chunks": again(b"1\na\n", start + b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
        "chunk sizes of digits": again(b"f", start + b"Transfer-Encoding: chunked\r\n\r\n"),
        "trailer": again(b"a:\n", start + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
        "digits of a length": again(b"1", start + b"Content-Length: ", b"\r\n\r\n"),
        "lengths": again(b"Content-Length: 1\n", start, b"\r\n"),
        "body of SDP": lambda size: (
            start
            + b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\nv=0\r\n" % (size + 5)
            + b"a\n" * (size // 2)
        ),
        "MIKEY of a header": lambda size: (
            start
            + b'KeyMgmt: prot=mikey;uri="a";data="'
            + base64.b64encode(MIKEY["policies"](size * 3 // 4))
            + b'"\r\n\r\n'
        ),
    }
