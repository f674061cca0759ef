"""H.248 messages that use every construct of the text encoding, written after the examples of H.248.1 Appendix I."""

from __future__ import annotations

LONG = b"""MEGACO/3 [10.20.0.1]:2944
Transaction = 10003 {
  Context = $ {
    Priority = 3, Emergency, IEPSCall = ON,
    ContextAttr { nb/x = 1 },
    Topology { ip/1, ip/2, Oneway, ip/1, ip/3, Bothway, Stream=2 },
    Add = tdm/4444 { Media { TerminationState { ServiceStates = InService, Buffer = LockStep, xyz/sec = "a,b{c}" },
      LocalControl { Mode = SendReceive, nt/jit = [40:80], tdmc/ec = ON } },
      Modem [ V18, V32b ] { mdm/speed = 9600 }, Mux = H223 { tdm/1, tdm/2 } },
    Add = ip/access/$ {
      Media {
        Stream = 1 { ; the access side
          LocalControl { Mode = ReceiveOnly, ReservedValue = ON, RG = OFF, ipdc/realm = "access", gm/saf = ON },
          Local {
v=0
c=IN IP4 $
m=message $ TCP/TLS/MSRP *
a=fingerprint:SHA-1 AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD
 },
          Remote {
v=0
c=IN IP4 10.20.0.9
m=message 2855 TCP/TLS/MSRP *
a=path:msrp://10.20.0.9:2855/\\};tcp
}
        },
        Stream = 2 { Local { v=0
c=IN IP4 $
m=audio $ RTP/SAVP 8
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
} }
      },
      Events = 2222 { al/of { strict = state }, g/cause, dd/ce { DigitMap = plan0,
        Embed { Signals { cg/rt }, Events = 2223 { al/on { KeepActive, Embed { Signals { cg/dt } } } } } } },
      Signals { cg/rt { SignalType = TimeOut, Duration = 3000, NotifyCompletion = { TO, IBE }, Stream = 1 },
        SignalList = 5 { cg/dt { SPADirection = External }, cg/bt } },
      EventBuffer { g/sc { Stream = 1 } },
      DigitMap = plan0 { T:4, S:4, (00|[1-7]xxx|8xxxxxxx) }
    },
    O-W-Modify = * { Audit { Media, Events, Packages, DigitMap } },
    Move = ip/1, Subtract = ip/2 { Audit {} },
    AuditValue = ROOT { Audit { Packages } }, AuditCapability = ip/* { Audit { Media } }
  }
}
Transaction = 10004 { Context = - { ServiceChange = ROOT { Services {
  Method = Restart, Reason = "901 Cold boot", ServiceChangeAddress = 55555, Profile = ResGW/1, Delay = 5, Version = 3,
  20261127T01020304 } } } }
""".replace(b"\n", b"\r\n")

SHORT = (
    b"!/3 <mg1.lab.test>:2944 P=10003{C=2000{A=tdm/4444,A=ip/access/7{M{ST=1{L{v=0\nc=IN IP4 10.20.0.5\n"
    b"m=message 9000 TCP/TLS/MSRP *\n"
    b"a=fingerprint:SHA-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33\n}}}},"
    b'MF=*{ER=430{"no such, termination {}"}},'
    b"N=ip/1,"
    b"S=ip/2{SA{rtp/ps=1234,nt/os=56789}},AV=ROOT{PG{g-1,ipnapt-1,foo-2}}}}"
    b"P=10005/1/END{IA,C=7{ER=411{}}}PN=10006{}K{1,3-5,7}"
    b'T=10007{C=8{N=ip/1{OE=2222{20261127T22020002:al/of{init=OFF},g/cause{Generalcause="TE"}}}}}SM=10005/1'
)

ERROR = b'MEGACO/2 mgw-7 Error = 406 { "Version not supported" }'

AUTHENTICATED = (
    b"Authentication = 0x0000002A:0x00000001:0x0102030405060708090A0B0C "
    b"!/1 MTP{1234} T=1{C=-{SC=ROOT{SV{MT=RS,RE=901}}}}"
)

IPV6 = b"!/3 [FD20::1]:2944 T=4294967295{C=*{W-AV=*{AT{M{TS{SI}}}},SC=ROOT{SV{MT=HO,RE=903,MG=[10.20.0.7]:2944}}}}"

ALL = (LONG, SHORT, ERROR, AUTHENTICATED, IPV6)
