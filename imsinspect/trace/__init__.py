"""The model of what happened, and the builders that fill it from messages."""
