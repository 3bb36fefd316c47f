"""Model management: registry, inference log, guardrails, deployments and rollbacks."""
