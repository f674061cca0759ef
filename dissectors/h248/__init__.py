"""H.248 gateway control (ITU-T H.248.1)."""
