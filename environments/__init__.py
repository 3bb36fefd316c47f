"""The facts: named deployments, their typed model, and the secrets they refer to."""
