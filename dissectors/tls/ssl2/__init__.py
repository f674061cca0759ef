"""Records and messages of SSL 2.0."""
