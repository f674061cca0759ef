"""ServerKeyExchange and ClientKeyExchange, whose form the cipher suite chooses."""
