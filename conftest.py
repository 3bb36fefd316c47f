"""The plugins of this house, and nothing else."""

pytest_plugins = ["fixtures.plugin", "fixtures.collecting"]
