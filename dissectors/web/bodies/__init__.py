"""Bodies of HTTP and RTSP messages."""
