"""HTTP and RTSP messages (RFC 9112, RFC 2326, RFC 7826)."""
