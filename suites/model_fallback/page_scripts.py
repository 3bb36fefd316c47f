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
IN_VIEW = """one => {
  const box = one.getBoundingClientRect();
  return box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
}"""
# A style that changes little by little is looked at as it will be. What never ends cannot be finished.
FINISH = """for (const one of document.getAnimations()) { try { one.finish(); } catch {} }"""
HEADER = """() => {
  const messages = document.querySelector("#chat-container");
  let one = document.querySelector("#chat-title-container");
  if (one === null || messages === null) return "";
  while (!one.parentElement.contains(messages)) one = one.parentElement;
  return one.innerText;
}"""
CHOICES = """() => [...document.querySelectorAll(
  "select option, datalist option, input:not([type=file]), button, summary, [data-model]," +
  " [role=option], [role=radio], [role^=menuitem]"
)].filter(one => !/csrf/.test(one.name + one.id))
  .map(one => [one.name, one.value, one.dataset.model, one.textContent].join(" "))"""
WATCH_SPINNER = f"""() => {{
  const spinner = document.querySelector("#loading-spinner"), seen = {SEEN};
  window.seenOfSpinner = [];
  if (spinner === null) return;
  new MutationObserver(() => {{
    {FINISH}
    window.seenOfSpinner.push({{
      text: seen(spinner) ? spinner.innerText.trim() : "",
      answers: document.querySelectorAll(".prose").length,
    }});
  }}).observe(spinner, {{ attributes: true }});
}}"""
HOVER_RULE = """() => [...document.styleSheets].some(sheet => {
  try { return [...sheet.cssRules].some(rule => rule.cssText.includes("group-hover\\\\/model")); }
  catch { return false; }
})"""
LOOK = f"""() => ["{FIELD}", "{BUTTON}"].map(name => {{
  {FINISH}
  const one = document.querySelector(name);
  if (one === null) return "";
  const style = getComputedStyle(one);
  let opacity = 1; // with that of what it stands in
  for (let up = one; up !== null; up = up.parentElement) opacity *= getComputedStyle(up).opacity;
  return [opacity.toFixed(2), style.backgroundColor, style.color, style.borderColor].join(" ");
}})"""
STATE = f"""() => {{
  const field = document.querySelector("{FIELD}"), button = document.querySelector("{BUTTON}");
  const banner = document.querySelector("#service-unavailable-message");
  return {{
    field: field?.disabled, button: button?.disabled, placeholder: field?.placeholder,
    banner: banner !== null && banner.checkVisibility() ? banner.innerText.trim() : "",
    announced: Boolean(banner?.closest("[role=alert], [role=status], [aria-live]:not([aria-live=off])")),
  }};
}}"""
DISABLED = f"() => ['{FIELD}', '{BUTTON}'].every(name => document.querySelector(name)?.disabled === true)"
ENABLED = f"() => ['{FIELD}', '{BUTTON}'].every(name => document.querySelector(name)?.disabled === false)"
IDLE = """() => {
  const spinner = document.querySelector("#loading-spinner");
  return spinner === null || getComputedStyle(spinner).display === "none";
}"""
MEASURES = f"""() => {{
  {FINISH}
  const parts = ["{FIELD}", "{BUTTON}"].map(name => document.querySelector(name)), hits = {HITS};
  const [a, b] = parts.map(one => one ? one.getBoundingClientRect() : new DOMRect(-1, -1));
  const inside = box => box.left >= 0 && box.top >= 0 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  const root = document.documentElement;
  return {{
    scrolls: root.scrollWidth > root.clientWidth,
    inside: inside(a) && inside(b),
    overlap: a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom,
    covered: !parts.every(one => one !== null && hits(one)),
    field: [a.width, a.height], button: [b.width, b.height],
    text: parts[0] ? parseFloat(getComputedStyle(parts[0]).fontSize) : 0,
    viewport: (document.querySelector("meta[name=viewport]") || {{ content: "" }}).content,
  }};
}}"""
