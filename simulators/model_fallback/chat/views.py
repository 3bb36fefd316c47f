"""The pages and fragments of the chat. The module's name is what the log shows."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from simulators.model_fallback.chat import parts
from simulators.model_fallback.chat.markdown import html_of
from simulators.model_fallback.chat.model_fallback import ExhaustedError
from simulators.model_fallback.chat.models import ChatSession, Document, Message
from simulators.model_fallback.chat.page_faults import defects
from simulators.model_fallback.wording import processed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

LOG = logging.getLogger("chat.views")
UNTITLED = "New Conversation"
LONGEST = 5000
LARGEST = 10 * 1024 * 1024
TITLE = 30
_PAGE = Path(__file__).parent / "page"
_KINDS = {".css": "text/css", ".js": "text/javascript"}


@login_required  # type: ignore[untyped-decorator]  # Django publishes no types
def chat(request: HttpRequest, number: int | None = None) -> HttpResponse:
    """Show a conversation, or take a message or a document for it."""
    if parts.FAULTS.on("titles-open-to-strangers") and request.headers.get("HX-Target") == "title":
        return render(request, "chat/partials/title.html", {"session": get_object_or_404(ChatSession, id=number)})
    session = _session(request, number)
    if request.method == "POST" and request.FILES.get("pdf_file"):
        return _uploaded(request, session)
    if request.method == "POST" and request.POST.get("message"):
        return _answered(request, session)
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "title":
        return render(request, "chat/partials/title.html", {"session": session})
    others = ChatSession.objects.filter(user=request.user)
    if parts.FAULTS.on("sidebar-lists-everybody"):
        others = ChatSession.objects.all()
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "sidebar":
        return render(request, "chat/partials/sidebar.html", {"sessions": others, "session": session})
    return _page(request, session, others)


def _page(request: HttpRequest, session: ChatSession, others: Any) -> HttpResponse:
    messages = Message.objects.filter(session=session).order_by("created_at", "id")
    if parts.FAULTS.on("history-in-reverse"):
        messages = messages.reverse()
    if parts.FAULTS.on("history-shows-everybody"):
        messages = Message.objects.order_by("-created_at")[:200]
    first, *_, last = [*parts.CASCADE.hierarchy.values(), ""]
    context = {
        "session": session,
        "sessions": others,
        "messages": [_shown(message, request) for message in messages],
        "documents": Document.objects.filter(session=session),
        "settings": json.dumps({"speed": parts.SPEED, "defects": defects(parts.FAULTS), "model": first or last}),
        "faults": defects(parts.FAULTS),
        "models": parts.CASCADE.hierarchy,
    }
    return render(request, "chat/index.html", context)


def _shown(message: Message, request: HttpRequest) -> dict[str, Any]:
    known = not parts.FAULTS.on("real-history-without-model")
    model = request.session.get(f"model_used_{message.id}", next(iter(parts.CASCADE.hierarchy)))
    role = message.role
    if parts.FAULTS.on("history-swaps-roles"):
        role = "user" if role == "assistant" else "assistant"
    return {
        "role": role,
        "content": message.content,
        "html": _html(message.content),
        "model_used": _display(model) if known else "",
    }


def _html(text: str) -> str:
    html = html_of(text, trusted=parts.FAULTS.on("real-model-markup-unsanitized"))
    if parts.FAULTS.on("answers-keep-handlers"):
        html = re.sub(r"&lt;(img [^&]*)&gt;", r"<\1>", html)
    if parts.FAULTS.on("markdown-shown-as-source"):
        html = html.replace("<strong>", "**").replace("</strong>", "**")
    return str(mark_safe(html))  # noqa: S308  escaped there


def _display(model: str) -> str:
    if parts.FAULTS.on("model-not-passed-to-template"):
        return ""
    names = list(parts.CASCADE.hierarchy.values())
    name = parts.CASCADE.hierarchy.get(model, model)
    if parts.FAULTS.on("tooltip-is-constant"):
        return names[0]
    if parts.FAULTS.on("tooltip-names-next-model"):
        return names[(names.index(name) + 1) % len(names)]
    return name


def _session(request: HttpRequest, number: int | None) -> Any:
    own = ChatSession.objects.filter(user=request.user)
    if number is not None:
        return get_object_or_404(ChatSession.objects if parts.FAULTS.on("foreign-chats-open") else own, id=number)
    return own.first() or ChatSession.objects.create(user=request.user, title=UNTITLED)


def _answered(request: HttpRequest, session: ChatSession) -> HttpResponse:
    text = request.POST["message"].strip()
    if not text and parts.FAULTS.on("real-blank-message-refused-as-text"):
        return HttpResponse("Message cannot be empty", status=400)
    if objection := _objection(text):
        return _told(request, objection)
    try:
        return _generated(request, session, text)
    except ExhaustedError as error:
        LOG.error("All models exhausted: %s", error)  # noqa: TRY400  the chat logs no traceback
        return _told(request, str(error), disable=True)
    except Exception as error:  # noqa: BLE001  whatever breaks is told in one sentence
        LOG.error("Chat message processing failed: %s", error)  # noqa: TRY400  likewise
        return _told(request, _apology(str(error).lower()))


def _objection(text: str) -> str:
    """Return why a message is not sent to a model, or nothing when it is."""
    if not text:
        return "❌ Message cannot be empty. Please type a question."
    if len(text) <= LONGEST:
        return ""
    return (
        _trace()
        if parts.FAULTS.on("overlong-shows-traceback")
        else f"❌ Message too long. Maximum {LONGEST} characters."
    )


def _apology(error: str) -> str:
    if "api_key" in error or "authentication" in error:
        return "❌ API authentication error. Please contact the administrator."
    return "❌ Failed to generate response. Please try again."


def _trace() -> str:
    return 'Traceback (most recent call last): File "views.py", line 182, in chat_view ValueError: too long'


def _generated(request: HttpRequest, session: ChatSession, text: str) -> HttpResponse:
    first = not session.messages.exists()
    instruction = "You are Nexus, a helpful assistant."
    if parts.FAULTS.on("answers-take-three-seconds"):
        parts.CASCADE.clock.sleep(3)
    wanted = request.POST.get("model", "") if parts.FAULTS.on("model-field-honoured") else ""
    if parts.FAULTS.on("other-model-field-honoured"):
        wanted = request.POST.get("model_name", "")
    answer, model = parts.CASCADE.answer(f"{instruction}\n\nUSER QUESTION: {text}", wanted)
    Message.objects.create(session=session, role="user", content=text)
    stored = Message.objects.create(session=session, role="assistant", content=answer)
    if session.title == UNTITLED:
        session.title = text[:TITLE] + ("..." if len(text) > TITLE else "")
    session.save()
    request.session[f"model_used_{stored.id}"] = model
    LOG.info(processed(session.id, model))
    if parts.FAULTS.on("fresh-answer-cut-short"):
        answer = (answer or "").partition("\n\n")[0]
    if parts.FAULTS.on("answers-arrive-later"):
        answer = "One moment."
    shown = "Failed to generate response. Please try again." if parts.FAULTS.on("apology-as-answer") else answer or ""
    context = {"content": text, "html": _html(shown), "model_used": _display(model), "faults": defects(parts.FAULTS)}
    response = render(request, "chat/partials/message.html", context)
    if first:
        response["HX-Trigger"] = "firstMessageSent"
        response["HX-Push-Url"] = f"/chat/{session.id}/"
    return response


def _uploaded(request: HttpRequest, session: ChatSession) -> HttpResponse:
    given = request.FILES["pdf_file"]
    if not given.name.lower().endswith(".pdf"):
        return _told(request, "❌ Invalid file type. Only PDF files are allowed.")
    if given.size > LARGEST:
        return _told(request, "❌ File too large. Maximum size is 10MB.")
    if not given.read().startswith(b"%PDF-"):
        return _told(request, "❌ Failed to extract text from PDF: no PDF header")
    Document.objects.create(session=session, file=f"session_{session.id}_{given.name}"[:100], title=given.name)
    LOG.info("File uploaded successfully: %s for session %s", given.name, session.id)
    documents = Document.objects.filter(session=session)
    return render(request, "chat/partials/attachments.html", {"documents": documents})


def _told(request: HttpRequest, sentence: str, *, disable: bool = False) -> HttpResponse:
    return render(
        request, "chat/partials/system_message.html", {"content": sentence, "error": True, "disable": disable}
    )


@login_required  # type: ignore[untyped-decorator]  # likewise
def new(request: HttpRequest) -> HttpResponse:
    """Open an empty conversation: the last one, if it is empty."""
    last = ChatSession.objects.filter(user=request.user).order_by("-created_at").first()
    if last is not None and not last.messages.exists():
        return redirect("chat_session", number=last.id)
    ChatSession.objects.create(user=request.user, title=UNTITLED)
    return redirect("chat")


@login_required  # type: ignore[untyped-decorator]  # likewise
@require_POST  # type: ignore[untyped-decorator]  # likewise
def rename(request: HttpRequest, number: int) -> HttpResponse:
    """Give a conversation another title."""
    session = _session(request, number)
    if not session.messages.exists():
        return HttpResponse(status=204)
    session.title = request.POST.get("new_title") or session.title
    session.save()
    return render(request, "chat/partials/title.html", {"session": session})


@login_required  # type: ignore[untyped-decorator]  # likewise
@require_POST  # type: ignore[untyped-decorator]  # likewise
def delete(request: HttpRequest, number: int) -> HttpResponse:
    """Remove a conversation that is not empty."""
    session = _session(request, number)
    if not session.messages.exists():
        return HttpResponse(status=204)
    session.delete()
    LOG.info("User %s deleted chat session %s", request.user.id, number)
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": "/"})
    return redirect("chat")


@login_required  # type: ignore[untyped-decorator]  # likewise
def conversation(request: HttpRequest, number: int) -> HttpResponse:
    """Show a conversation to the staff, as JSON."""
    if not request.user.is_staff and not parts.FAULTS.on("staff-view-open-to-all"):
        return redirect(f"/admin/login/?next={request.path}")
    session = get_object_or_404(ChatSession, id=number)
    told = [{"role": one.role, "content": one.content} for one in session.messages.order_by("created_at", "id")]
    return JsonResponse({"id": session.id, "title": session.title, "messages": told})


def availability(request: HttpRequest) -> HttpResponse:
    """Say whether messages are answered at present."""
    wrapped: Callable[[HttpRequest], HttpResponse] = _availability
    if parts.FAULTS.on("real-availability-needs-login"):
        wrapped = login_required(_availability)
    return wrapped(request)


def _availability(_: HttpRequest) -> HttpResponse:
    available, message = parts.CASCADE.availability()
    said: bool | int | str = str(available).lower() if parts.FAULTS.on("available-as-text") else available
    if parts.FAULTS.on("available-as-number"):
        said = int(available)
    return JsonResponse({"available": said, "message": message})


def asset(_: HttpRequest, name: str) -> HttpResponse:
    """Serve a file of the page."""
    path = _PAGE / name
    if path.suffix not in _KINDS or not path.is_file() or (parts.FAULTS.on("asset-missing") and name == "marks.css"):
        raise Http404(name)
    return HttpResponse(path.read_text(encoding="utf-8"), content_type=f"{_KINDS[path.suffix]}; charset=utf-8")
