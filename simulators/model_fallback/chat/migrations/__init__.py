"""The migrations of the application `chat`."""
