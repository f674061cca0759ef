"""From capture files to packets, flows, byte streams and media streams; nothing decoded that need not be."""
