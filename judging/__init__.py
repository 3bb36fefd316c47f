"""The arithmetic: figures decided with their uncertainty. Values in, a decision out; no I/O, no pytest."""
