"""The plugins of this house, and nothing else."""

pytest_plugins = ["fixtures.collecting", "fixtures.plugin"]
