"""Header fields of HTTP and RTSP messages."""
