"""Events and signals in H.248 commands (H.248.1 §7.1.9 to §7.1.11, §7.1.17)."""
