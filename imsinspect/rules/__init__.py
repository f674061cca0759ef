"""The requirements as rules: the trace in, outcomes out; no I/O."""
