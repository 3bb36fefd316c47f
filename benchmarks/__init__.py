"""Figures, ours beside the peers'."""
