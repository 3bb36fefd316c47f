// The page's behaviour: sending, showing what comes back, and closing the form while the service is unavailable.
"use strict";

const byId = (id) => document.getElementById(id);
const defects = SETTINGS.defects;
const ours = (seconds) => (seconds * 1000) / SETTINGS.speed;

function disableChatInterface(message) {
  byId("chat-input-textarea").disabled = !defects.enter_still_sends;
  byId("chat-input-textarea").placeholder = "Service temporarily unavailable";
  byId("chat-submit-btn").disabled = true;
  byId("chat-form").classList.add("opacity-60", "pointer-events-none");
  if (message) byId("service-unavailable-message").querySelector("span").textContent = message;
  byId("service-unavailable-message").classList.remove("hidden");
}

function enableChatInterface() {
  if (defects.page_stays_disabled) return;
  byId("chat-input-textarea").disabled = false;
  byId("chat-input-textarea").placeholder = "Message Nexus...";
  byId("chat-submit-btn").disabled = false;
  byId("chat-form").classList.remove("opacity-60", "pointer-events-none");
  byId("service-unavailable-message").classList.add("hidden");
}

function markAnswers() {
  document.querySelectorAll(".prose pre").forEach((one) => one.classList.add("marked"));
}

async function checkAvailability() {
  const answer = await fetch("/api/check-availability/");
  const said = await answer.json();
  if (said.available || defects.page_ignores_availability) return enableChatInterface();
  disableChatInterface(said.message);
  setTimeout(checkAvailability, ours(30));
}

function append(target, html) {
  const fragment = document.createRange().createContextualFragment(html); // runs its scripts, as htmx does
  target.append(fragment);
  target.scrollTop = target.scrollHeight;
}

async function refresh(part, target) {
  const answer = await fetch(location.pathname, { headers: { "HX-Request": "true", "HX-Target": part } });
  target.innerHTML = await answer.text();
}

async function send(form) {
  const target = document.querySelector(form.getAttribute("hx-target"));
  const spinner = byId("loading-spinner");
  if (form.id === "chat-form") spinner.classList.add("htmx-request");
  const headers = { "HX-Request": "true" };
  try {
    if (defects.request_handler_throws) setTimeout(() => undefined.setRequestHeader("X-CSRFToken", ""));
    const answer = await fetch(form.getAttribute("hx-post"), { method: "POST", headers, body: new FormData(form) });
    if (answer.ok) await show(form, target, answer);
  } finally {
    spinner.classList.remove("htmx-request");
    form.reset();
  }
}

async function sendAnyway() {
  const field = byId("chat-input-textarea");
  field.disabled = false;
  const body = new FormData(byId("chat-form"));
  field.disabled = true;
  await fetch("/", { method: "POST", headers: { "HX-Request": "true" }, body });
}

async function show(form, target, answer) {
  const html = await answer.text();
  byId("empty-state")?.remove();
  if (form.id !== "chat-form") return void (target.innerHTML = html);
  append(target, html);
  target.append(byId("loading-spinner"));
  if (html.includes("All model rate limits reached")) disableChatInterface();
  if (answer.headers.get("HX-Push-Url")) history.pushState({}, "", answer.headers.get("HX-Push-Url"));
  if (answer.headers.get("HX-Trigger") === "firstMessageSent") {
    await refresh("title", byId("chat-title-container"));
    await refresh("sidebar", byId("sidebar-chat-list"));
  }
  if (defects.header_shows_model) byId("chat-title-container").append(` · ${SETTINGS.model}`);
  if (defects.hover_handler_throws) {
    target.querySelectorAll(".fa-circle-info").forEach((one) => one.addEventListener("mouseenter", () => one.at(0)));
  }
}

document.addEventListener("DOMContentLoaded", () => {
  byId("chat-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(byId("chat-form"));
  });
  byId("chat-input-textarea").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    byId("chat-form").requestSubmit(defects.enter_still_sends ? undefined : byId("chat-submit-btn"));
  });
  if (defects.disabled_form_sends_on_click) {
    byId("chat-form").parentElement.addEventListener("click", () => byId("chat-submit-btn").disabled && sendAnyway());
  }
  byId("sidebar-pdf-upload").addEventListener("change", () => send(byId("pdf-upload-form")));
  byId("sidebar-toggle").addEventListener("click", () => byId("sidebar").classList.toggle("mobile-hidden"));
  checkAvailability();
  setInterval(checkAvailability, ours(60));
});
