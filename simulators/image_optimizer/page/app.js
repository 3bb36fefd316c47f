const token = new URLSearchParams(location.search).get("instance") || sessionStorage.getItem("wix_instance_token") || "";
if (token) sessionStorage.setItem("wix_instance_token", token);
const find = (selector) => document.querySelector(selector);
const button = find(".optimize-button");
const selected = new Map();
let product = null;

function ask(path, options = {}) {
  const headers = { "X-Wix-Instance": token, "Content-Type": "application/json" };
  return fetch(path, { ...options, headers });
}

function tell(text) {
  const banner = find(".error-banner");
  banner.textContent = text;
  banner.hidden = false;
}

function count() {
  button.textContent = `Optimize ${selected.size} images · ${15 * selected.size} credits`;
  button.disabled = selected.size === 0;
}

function picture(image) {
  const wrapper = document.createElement("div");
  wrapper.className = "image-wrapper";
  const shown = document.createElement("img");
  shown.src = image.url;
  shown.alt = image.id;
  wrapper.append(shown);
  const prompt = document.createElement("input");
  prompt.className = "image-prompt-input";
  prompt.placeholder = "Prompt";
  prompt.hidden = true;
  prompt.addEventListener("click", (event) => event.stopPropagation());
  wrapper.append(prompt);
  wrapper.addEventListener("click", () => {
    const chosen = wrapper.classList.toggle("selected");
    prompt.hidden = !chosen;
    if (chosen) selected.set(image.id, { image, prompt });
    else selected.delete(image.id);
    count();
  });
  return wrapper;
}

function card(found) {
  const box = document.createElement("section");
  box.className = "product-card";
  const name = document.createElement("h2");
  name.textContent = found.name;
  const images = document.createElement("div");
  images.className = "images";
  box.append(name, images);
  name.addEventListener("click", () => {
    product = found;
    images.replaceChildren(...found.images.map(picture));
  });
  name.click();
  return box;
}

async function load() {
  const answer = await ask("/api/products?limit=50");
  if (!answer.ok) {
    find("#products").textContent = "";
    throw tell("Failed to load products");
  }
  const { products } = await answer.json();
  const show = () => {
    const words = find(".search-input-field").value.toLowerCase();
    selected.clear();
    count();
    find("#products").replaceChildren(...products.filter((one) => one.name.toLowerCase().includes(words)).map(card));
  };
  find(".search-input-field").addEventListener("input", show);
  show();
}

find("#global").addEventListener("change", (event) => {
  find(".global-prompt-input").hidden = !event.target.checked;
});

button.addEventListener("click", async () => {
  button.textContent = "Processing...";
  const global = find("#global").checked ? find(".global-prompt-input").value : "";
  const chosen = [...selected.values()];
  const prompts = chosen.map(({ prompt }) => global || (DEFECTS.firstPrompt ? chosen[0].prompt : prompt).value);
  const pictures = chosen.map(({ image }) => (DEFECTS.firstImage ? chosen[0].image : image));
  const images = pictures.map((image, n) => ({ imageId: image.id, imageUrl: image.url, prompt: prompts[n] }));
  const body = JSON.stringify({ productId: product.id, productName: product.name, images });
  const answer = await ask("/api/image-optimization", { method: "POST", body });
  if (answer.ok) location.assign("/ongoing-image-optimization");
  else tell((await answer.json()).error);
  count();
});

load().catch(() => {});
