"""The log instrument against real files that rotate, and real programs that print."""
