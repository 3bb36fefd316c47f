"""What is asked of the page, in its own language."""

from __future__ import annotations

FIELD, BUTTON, ICON = "#chat-input-textarea", "#chat-submit-btn", ".model-info-container .fa-circle-info"
SEEN = """one => {
  const box = one.getBoundingClientRect();
  const shown = one.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  return shown && box.width > 0 && box.height > 0;
}"""
HITS = """one => {
  const box = one.getBoundingClientRect();
  const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return hit !== null && (one === hit || one.contains(hit));
}"""
CENTRE = """one => {
  const box = one.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""
HEADER = """() => {
  const messages = document.querySelector("#chat-container");
  let one = document.querySelector("#chat-title-container");
  while (!one.parentElement.contains(messages)) one = one.parentElement;
  return one.innerText;
}"""
CHOICES = """() => [...document.querySelectorAll("select option, input:not([type=file]), [role=option], [role=radio]")]
  .filter(one => !/csrf/.test(one.name + one.id)).map(one => [one.name, one.value, one.innerText].join(" "))"""
WATCH_SPINNER = """() => {
  const spinner = document.querySelector("#loading-spinner");
  window.seenOfSpinner = [];
  new MutationObserver(() => window.seenOfSpinner.push({
    text: getComputedStyle(spinner).display === "none" ? "" : spinner.innerText.trim(),
    answers: document.querySelectorAll(".prose").length,
  })).observe(spinner, { attributes: true });
}"""
HOVER_RULE = """() => [...document.styleSheets].some(sheet => {
  try { return [...sheet.cssRules].some(rule => rule.cssText.includes("group-hover\\\\/model")); }
  catch { return false; }
})"""
LOOK = """() => ["#chat-form", "#chat-submit-btn"].map(name => {
  const style = getComputedStyle(document.querySelector(name));
  return [style.opacity, style.backgroundColor, style.color, style.cursor].join(" ");
})"""
STATE = """() => {
  const field = document.querySelector("#chat-input-textarea"), button = document.querySelector("#chat-submit-btn");
  const banner = document.querySelector("#service-unavailable-message");
  return {
    field: field.disabled, button: button.disabled, placeholder: field.placeholder,
    banner: banner !== null && banner.checkVisibility() ? banner.innerText.trim() : "",
    announced: banner !== null && banner.closest("[role=alert], [role=status], [aria-live]") !== null,
  };
}"""
DISABLED = f"() => ['{FIELD}', '{BUTTON}'].every(name => document.querySelector(name).disabled)"
ENABLED = f"() => ['{FIELD}', '{BUTTON}'].every(name => !document.querySelector(name).disabled)"
MEASURES = """() => {
  const field = document.querySelector("#chat-input-textarea"), button = document.querySelector("#chat-submit-btn");
  const [a, b] = [field.getBoundingClientRect(), button.getBoundingClientRect()];
  const inside = box => box.left >= 0 && box.top >= 0 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  const root = document.documentElement;
  return {
    scrolls: root.scrollWidth > root.clientWidth,
    inside: inside(a) && inside(b),
    overlap: a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom,
    field: [a.width, a.height], button: [b.width, b.height],
    text: parseFloat(getComputedStyle(field).fontSize),
    viewport: (document.querySelector("meta[name=viewport]") || { content: "" }).content,
  };
}"""
