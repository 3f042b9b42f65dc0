"""Fuzzing: bytes that nobody would send, against laws that must hold all the same. `make fuzz`."""
