"""GStreamer's RTSP server and client over SAVP: MIKEY in SDP and KeyMgmt headers, then SRTP in UDP and interleaved.

The server runs this same file with the argument `serve`, in the system's Python, which has GStreamer's bindings.
"""

import os
import sys
import time
from pathlib import Path

PYTHON = "/usr/bin/python3"
PORT = "8554"
SOURCE = (
    "( audiotestsrc is-live=true wave=sine freq=440 ! audio/x-raw,rate=8000,channels=1 ! mulawenc "
    "! rtppcmupay name=pay0 pt=0 max-ptime=40000000 min-ptime=40000000 )"
)
SINK = ("!", "rtppcmudepay", "!", "mulawdec", "!", "fakesink")


def serve() -> None:
    """Offer one stream under RTP/SAVP until the process is ended."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtsp", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

    Gst.init(None)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(SOURCE)
    factory.set_profiles(GstRtsp.RTSPProfile.SAVP)
    server = GstRtspServer.RTSPServer()
    server.set_service(PORT)
    server.get_mount_points().add_factory("/lab", factory)
    server.attach(None)
    GLib.MainLoop().run()


def record() -> None:
    """Record one session over UDP and one inside the RTSP connection."""
    from lab import Lab, target

    with Lab() as lab:
        # No registry of plugins is kept between runs; without one each start looks through all plugins.
        environment = {"GST_REGISTRY": str(lab.work / "registry.bin"), "PATH": os.environ["PATH"]}
        server = lab.start(
            "b", PYTHON, str(Path(__file__).resolve()), "serve", environment=environment, log="server.log"
        )
        time.sleep(6)
        if server.poll() is not None:
            raise SystemExit(lab.log("server.log"))
        capture = lab.capture(only="udp or tcp")
        for protocols in ("udp", "tcp"):
            location = f"rtsp://10.20.0.2:{PORT}/lab"
            client = lab.start(
                "a", "gst-launch-1.0", "-e", "rtspsrc", f"location={location}", f"protocols={protocols}", *SINK,
                environment=environment, log=f"{protocols}.log",
            )  # fmt: skip
            time.sleep(6)
            lab.stop(client, 2)  # SIGINT: the client says TEARDOWN
        lab.save(capture, target(sys.argv, "mikey-rtsp.pcapng"))


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else record()
