"""The Django application `chat`."""
