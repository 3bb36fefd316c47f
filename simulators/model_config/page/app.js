"use strict";

const STATUS_SHOWN_MS = 5000;
const OFFERED = ["active", "beta"];
const STATIC_MODELS = ["ideogram-v2", "ideogram-v1"];
const EXAMPLE_PROMPT = "A lighthouse in a storm";
const byId = (id) => document.getElementById(id);
let statusTimer = 0;

function showStatus(text, kind) {
  const box = byId("statusMessage");
  box.textContent = text;
  box.className = `status-${kind}`;
  clearTimeout(statusTimer);
  statusTimer = setTimeout(() => box.classList.add("hidden"), STATUS_SHOWN_MS);
}

function show(id, visible) {
  byId(id).classList.toggle("hidden", !visible);
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function offerModels(configs) {
  const select = byId("model");
  select.replaceChildren(option("", "Auto (Default)"));
  const groups = new Map();
  for (const config of configs) {
    if (!groups.has(config.provider_id)) {
      const group = document.createElement("optgroup");
      group.label = config.provider_id.toUpperCase();
      groups.set(config.provider_id, group);
      select.append(group);
    }
    const suffix = config.status === "beta" ? " (Beta)" : "";
    groups.get(config.provider_id).append(option(config.model_id, config.display_name + suffix));
  }
}

function priceText(pricing) {
  if (!pricing) {
    return SETTINGS.defects.missingPriceAsZero ? "0 USD per image" : "no price stated";
  }
  const [named, amount] = Object.entries(pricing).find(([name]) => name.startsWith("cost_per_"));
  return `${amount} ${pricing.currency} per ${named.replace("cost_per_", "").replaceAll("_", " ")}`;
}

function detail(kind, text) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = text;
  return made;
}

function describeModels(configs) {
  const defects = SETTINGS.defects;
  const entries = configs.map((config) => {
    const entry = document.createElement("li");
    entry.dataset.modelId = config.model_id;
    entry.append(detail("model-name", config.display_name));
    const told = (defects.capabilitiesOfFirst ? configs[0] : config).capabilities;
    const names = defects.capabilitiesHidden ? [] : Object.keys(told).filter((name) => told[name]);
    if (config.description) {
      entry.append(detail("description", config.description));
    }
    entry.append(...names.map((name) => detail("capability", name.replaceAll("_", " "))));
    if (!defects.pricesHidden) {
      entry.append(detail("price", priceText(config.pricing)));
    }
    return entry;
  });
  byId("modelCatalogue").replaceChildren(...entries);
}

async function listedModels() {
  if (SETTINGS.models) {
    return SETTINGS.models;
  }
  const answer = await fetch(`${SETTINGS.configs}/model-config`);
  return answer.ok ? (await answer.json()).data.configs : null;
}

async function loadModels() {
  try {
    const configs = await listedModels();
    if (configs) {
      const offered = configs.filter((config) => OFFERED.includes(config.status));
      offerModels(offered);
      describeModels(offered);
    }
  } catch (error) {
    console.warn("The models could not be loaded; the page keeps its own", STATIC_MODELS, error);
  }
}

function requestBody() {
  const options = {};
  if (byId("aspectRatio").value) {
    options.aspect_ratio = byId("aspectRatio").value;
  }
  if (byId("style").value) {
    options.style = byId("style").value;
  }
  return {
    prompt: SETTINGS.defects.exampleSent ? EXAMPLE_PROMPT : byId("prompt").value,
    instance_id: byId("instanceId").value,
    model: byId("model").value,
    options,
  };
}

async function mockAnswer(body) {
  await new Promise((resolve) => setTimeout(resolve, 2000 + Math.random() * 2000));
  if (Math.random() < 0.1) {
    throw new Error("Mock error: Rate limit exceeded");
  }
  return {
    image_url: `${location.origin}/mock.png`,
    r2_path: `${body.instance_id}/mock.png`,
    metadata: { provider: "mock", model: body.model || "mock", dimensions: "1024x1024", generation_time_ms: 0 },
    request_id: "mock",
  };
}

async function realAnswer(body) {
  const answer = await fetch(`${SETTINGS.worker}/generate`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${byId("apiKey").value}` },
    body: JSON.stringify(body),
  });
  const decoded = await answer.json();
  if (!answer.ok) {
    throw new Error(decoded.error || `HTTP ${answer.status}`);
  }
  return decoded;
}

function showResult(result) {
  const defects = SETTINGS.defects;
  const broken = `${location.origin}/missing.png`;
  byId("generatedImage").src = defects.pictureBroken ? broken : result.image_url;
  const link = defects.linkBroken ? result.image_url.replace("/images/", "/image/") : result.image_url;
  byId("imageUrl").value = defects.linkOfMock ? `${SETTINGS.worker}/images/default/first.png` : link;
  byId("r2Path").value = result.r2_path;
  byId("metaProvider").textContent = result.metadata.provider;
  byId("metaModel").textContent = result.metadata.model;
  byId("metaDimensions").textContent = result.metadata.dimensions;
  byId("metaTime").textContent = `${result.metadata.generation_time_ms}ms`;
  byId("metaRequestId").textContent = result.request_id;
}

function setBusy(busy) {
  const button = byId("generateBtn");
  button.disabled = busy;
  button.classList.toggle("btn-loading", busy);
  button.textContent = busy ? "Generating..." : "Generate Image";
  show("loadingState", busy);
}

async function generate(event) {
  event.preventDefault();
  const body = requestBody();
  const mock = byId("useMockApi").checked;
  localStorage.setItem("apiKey", byId("apiKey").value);
  localStorage.setItem("instanceId", byId("instanceId").value);
  setBusy(true);
  show("noResults", false);
  show("resultsDisplay", false);
  showStatus(mock ? "Using mock API" : "Using production API", "info");
  try {
    if (SETTINGS.defects.sentTwice && !mock) {
      realAnswer(body).catch(() => undefined);
    }
    showResult(await (mock ? mockAnswer(body) : realAnswer(body)));
    show("resultsDisplay", true);
    showStatus("Image generated successfully!", "success");
  } catch (error) {
    showStatus(error.message, "error");
  } finally {
    setBusy(false);
  }
}

function toggleApiKey() {
  const field = byId("apiKey");
  field.type = field.type === "password" ? "text" : "password";
  byId("toggleApiKey").textContent = field.type === "password" ? "Show" : "Hide";
}

function toggleAdvanced() {
  const opened = byId("advancedOptions").classList.toggle("hidden") === false;
  byId("toggleAdvanced").textContent = `Advanced options ${opened ? "▼" : "▶"}`;
}

byId("generateForm").addEventListener("submit", generate);
byId("toggleApiKey").addEventListener("click", toggleApiKey);
byId("toggleAdvanced").addEventListener("click", toggleAdvanced);
byId("copyUrlBtn").addEventListener("click", () => navigator.clipboard.writeText(byId("imageUrl").value));
byId("prompt").addEventListener("input", () => {
  byId("promptLength").textContent = `${byId("prompt").value.length} characters`;
});
byId("apiKey").value = localStorage.getItem("apiKey") || "";
byId("instanceId").value = localStorage.getItem("instanceId") || "";
loadModels();
