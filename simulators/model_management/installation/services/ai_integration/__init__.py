"""AI integration: inference with fallback, and the coordination of services."""
