"""Keys from the trace and from the user, what they cover, and what they prove."""
