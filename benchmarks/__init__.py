"""Figures: ours, beside the peers', in one run."""
