"""What the chat keeps: conversations, their messages, and the documents attached to them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class ChatSession(models.Model):  # type: ignore[misc]  # Django publishes no types
    """A conversation of one user."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="chat_sessions")
    title = models.CharField(max_length=200, default="New Chat")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Found by user and by the last change."""

        ordering = ("-updated_at",)
        indexes: ClassVar = [
            models.Index(fields=["-updated_at"], name="chat_chatse_updated_96b812_idx"),
            models.Index(fields=["user", "-updated_at"], name="chat_chatse_user_id_40a24e_idx"),
        ]

    def __str__(self) -> str:
        return str(self.title)


class Message(models.Model):  # type: ignore[misc]  # likewise
    """One message: role is `user` or `assistant`."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="messages")
    role = models.CharField(max_length=10, choices=[("user", "User"), ("assistant", "Assistant")])
    content = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Found by conversation, in the order they were written."""

        ordering = ("created_at",)
        indexes: ClassVar = [models.Index(fields=["session", "created_at"], name="chat_messag_session_4940cf_idx")]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:50]}"


class Document(models.Model):  # type: ignore[misc]  # likewise
    """A document attached to a conversation."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="documents")
    file = models.CharField(max_length=100)
    title = models.CharField(max_length=255)
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Found by conversation."""

        ordering = ("-uploaded_at",)
        indexes: ClassVar = [models.Index(fields=["session", "-uploaded_at"], name="chat_docume_session_f84116_idx")]

    def __str__(self) -> str:
        return str(self.title)
