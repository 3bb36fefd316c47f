"""The addresses of the chat."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from simulators.model_fallback.chat import views

urlpatterns = [
    path("accounts/login/", LoginView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("", views.chat, name="chat"),
    path("chat/<int:number>/", views.chat, name="chat_session"),
    path("chat/<int:number>/rename/", views.rename),
    path("chat/<int:number>/delete/", views.delete),
    path("new/", views.new),
    path("api/check-availability/", views.availability),
    path("api/admin-chat/<int:number>/", views.conversation),
    path("static/<str:name>", views.asset),
]
