"use strict";

const GROUPS = {
  "Image to Image": "image_editing",
  "Text to Image": "prompt_to_image",
  "Text to Video": "prompt_to_video",
  "Image to Video": "image_to_video",
  "Audio Studio": "prompt_to_audio",
};
const SESSION = `sb-${new URL(SETTINGS.url).hostname.split(".")[0]}-auth-token`;
const POLLS_S = [2, 3, 5, 8];
const root = document.getElementById("root");
const has = (defect) => DEFECTS.includes(defect);
const pause = (seconds) => new Promise((done) => setTimeout(done, (seconds * 1000) / SETTINGS.speed));
const state = { group: "Image to Image", model: null, menu: null, family: null, busy: false };

const logger = {
  write(level, message, context) {
    const line = `[${level}] ${message} ${JSON.stringify(context)}`;
    if (level === "ERROR") console.error(line);
    else console.info(line);
  },
  info(message, context) { this.write("INFO", message, context); },
  error(message, context) { this.write("ERROR", message, context); },
};

function session() {
  return JSON.parse(localStorage.getItem(SESSION) || "null");
}

async function call(path, options = {}) {
  const held = session();
  const headers = {
    apikey: SETTINGS.anonKey,
    Authorization: `Bearer ${held ? held.access_token : SETTINGS.anonKey}`,
    "Content-Type": "application/json",
    ...options.headers,
  };
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  return fetch(SETTINGS.url + path, { method: options.method || "GET", headers, body });
}

async function invoke(name, body) {
  const reply = await call(`/functions/v1/${name}`, { method: "POST", body });
  if (!reply.ok) throw new Error("Edge Function returned a non-2xx status code");
  return reply.json();
}

async function rows(path, options = {}) {
  const reply = await call(`/rest/v1/${path}`, { headers: { Prefer: "return=representation" }, ...options });
  if (!reply.ok) throw new Error(`Failed: ${(await reply.json()).message}`);
  return reply.json();
}

function element(kind, properties = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// ---- sign-in ----

function showSignIn() {
  const email = element("input", { id: "email", type: "email", placeholder: "Email" });
  const password = element("input", { id: "password", type: "password", placeholder: "Password" });
  const told = element("p", { className: "failure" });
  const form = element(
    "form",
    { className: "card auth" },
    element("h1", { textContent: "WELCOME BACK" }),
    element("p", { className: "muted", textContent: "Sign in to continue creating" }),
    email,
    password,
    element("button", { className: "primary", type: "submit", textContent: "SIGN IN" }),
    element("button", { type: "button", textContent: "Continue with Google" }),
    told,
  );
  form.onsubmit = async (event) => {
    event.preventDefault();
    const body = { email: email.value, password: password.value };
    const reply = await call("/auth/v1/token?grant_type=password", { method: "POST", body });
    if (!reply.ok) {
      told.textContent = "Invalid login credentials";
      return;
    }
    localStorage.setItem(SESSION, JSON.stringify(await reply.json()));
    history.replaceState(null, "", "/dashboard/custom-creation");
    showStudio();
  };
  root.replaceChildren(form);
}

// ---- registry ----

const inGroup = () => REGISTRY.filter((model) => model.isActive && model.contentType === GROUPS[state.group]);
const byPrice = (one, other) => one.baseCreditCost - other.baseCreditCost;

function settingsOf(model) {
  const chosen = Object.entries(model.costMultipliers).map(([name, factors]) => [name, Object.keys(factors)[0]]);
  return Object.fromEntries(chosen);
}

function priceOf(model, settings) {
  const factors = Object.entries(model.costMultipliers).map(([name, table]) => table[settings[name]] ?? 1);
  return Math.round(factors.reduce((cost, factor) => cost * factor, model.baseCreditCost) * 100) / 100;
}

const outputType = (kind) => (kind.endsWith("audio") ? "audio" : kind.endsWith("video") ? "video" : "image");

// ---- executing a generation ----

async function keyFor(model) {
  const body = { provider: model.provider, use_api_key: model.use_api_key, modelId: model.modelId, recordId: model.recordId };
  const reply = await call("/functions/v1/get-api-key", { method: "POST", body });
  if (!reply.ok) throw new Error("Failed to retrieve API key");
  const key = (await reply.json()).apiKey;
  if (has("key-left-in-storage")) sessionStorage.setItem("last", key);
  return key;
}

async function ask(url, key, body) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const send = () => fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (has("provider-called-twice")) await send();
  const reply = await send();
  if (!reply.ok) throw new Error(`API failed: ${reply.statusText || reply.status}`);
  return reply.json();
}

async function record(model, prompt, settings) {
  const token = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
  const body = {
    user_id: session().user.id,
    type: outputType(model.contentType),
    prompt,
    tokens_used: priceOf(model, settings),
    tokens_charged: 0,
    status: "pending",
    model_id: model.modelId,
    model_record_id: model.recordId,
    settings: { ...settings, _webhook_token: token },
  };
  const [row] = await rows("generations", { method: "POST", body });
  return row;
}

const update = (row, body) => rows(`generations?id=eq.${row.id}`, { method: "PATCH", body });

async function byRunware(model, row, prompt) {
  const key = await keyFor(model);
  const task = { taskType: "imageInference", positivePrompt: prompt, outputFormat: "PNG", numberResults: 1, width: 896, height: 1152 };
  const answer = await ask(SETTINGS.runware, key, [{ ...task, steps: 4, outputType: ["URL"], includeCost: true }]);
  await update(row, { provider_response: answer });
  if (has("real-runware-left-pending")) return null;
  const made = await invoke("process-runware-response", { generation_id: row.id });
  if (has("image-shown-late")) await pause(45);
  return made.output_url;
}

async function byKie(model, row, prompt, settings) {
  const key = await keyFor(model);
  const callback = `${SETTINGS.url}/functions/v1/kie-ai-webhook?verify=${row.settings._webhook_token}`;
  const body = { model: model.modelId, input: { prompt, ...settings } };
  if (!has("real-no-task-id")) body.callBackUrl = callback;
  const answer = await ask(`${SETTINGS.kie}/api/v1/jobs/createTask`, key, body);
  if (has("real-no-task-id")) return null;
  await update(row, { provider_task_id: answer.data.taskId });
  return has("never-polls") ? null : pollUntilEnd(row);
}

async function pollUntilEnd(row) {
  for (let turn = 0; turn < 200; turn += 1) {
    await pause(POLLS_S[Math.min(turn, POLLS_S.length - 1)]);
    const [now] = await rows(`generations?select=id,status,output_url&id=eq.${row.id}`);
    if (now.status === "completed") return now.output_url;
    if (now.status === "failed") throw new Error("Generation failed");
  }
  return null;
}

async function synchronously(model, prompt, settings) {
  const body = { model_record_id: model.recordId, prompt, custom_parameters: settings };
  try {
    const answer = await invoke("generate-content-sync", body);
    if (has("polls-after-the-image")) setInterval(() => rows(`generations?select=status&id=eq.${answer.id}`), 3000 / SETTINGS.speed);
    const newest = `generations?select=output_url&user_id=eq.${session().user.id}&order=created_at.desc&limit=1`;
    return answer.output_url || (answer.status === "processing" ? (await rows(newest))[0].output_url : null);
  } catch (error) {
    throw new Error(`Sync generation failed: ${error.message}`);
  }
}

async function execute(model, prompt) {
  const settings = settingsOf(model);
  const told = { modelId: model.modelId, provider: model.provider, contentType: model.contentType };
  if (has("start-logged-without-type")) delete told.contentType;
  if (!has("real-unlogged-frontend")) logger.info("Starting direct model execution", told);
  if (!model.use_api_key) return synchronously(model, prompt, settings);
  if (has("window-c")) {
    const body = { prompt, model_config: model, model_schema: { type: "object" }, custom_parameters: settings };
    return pollUntilEnd(await invoke("generate-content", body));
  }
  if (has("record-made-twice") && model.provider === "runware") await record(model, prompt, settings);
  const row = await record(model, prompt, settings);
  try {
    return await (model.provider === "runware" ? byRunware(model, row, prompt) : byKie(model, row, prompt, settings));
  } catch (error) {
    const context = { error: error.message, modelId: model.modelId, generationId: row.id };
    if (has("failure-logged-without-id")) delete context.generationId;
    if (!has("real-unlogged-frontend")) logger.error("Generation failed", context);
    if (!has("real-runware-left-pending")) await update(row, { status: "failed", provider_response: { error: error.message } });
    throw error;
  }
}

// ---- the studio ----

function groupButtons() {
  const buttons = Object.keys(GROUPS).map((name) => {
    const made = element("button", { type: "button", textContent: name, "aria-pressed": String(name === state.group) });
    made.onclick = () => {
      Object.assign(state, { group: name, menu: null, family: null, model: inGroupOf(name).sort(byPrice)[0] || null });
      showStudio();
    };
    return made;
  });
  return element("div", { className: "groups" }, ...buttons);
}

const inGroupOf = (name) => REGISTRY.filter((model) => model.isActive && model.contentType === GROUPS[name]);

function menuItem(text, act) {
  const made = element("button", { type: "button", role: "menuitem", textContent: text });
  made.onclick = act;
  return made;
}

function modelMenu() {
  const models = inGroup();
  const families = [...new Set(models.map((model) => model.modelFamily))];
  const lowest = (family) => models.filter((model) => model.modelFamily === family).sort(byPrice)[0].baseCreditCost;
  const first = element("div", { role: "menu" });
  first.append(...families.map((family) => menuItem(`${family} ${lowest(family)}+`, () => {
    state.family = family;
    showStudio();
  })));
  if (!state.family) return [first];
  const variants = models.filter((model) => model.modelFamily === state.family);
  const second = element("div", { role: "menu" });
  second.append(...variants.map((model) => menuItem(model.variantName, () => {
    Object.assign(state, { model, menu: null, family: null });
    showStudio();
  })));
  return [first, second];
}

function modelField() {
  const shown = state.model ? `${state.model.modelFamily} ${state.model.variantName}` : "Select a model";
  const dropdown = element("button", { type: "button", textContent: shown, "aria-haspopup": "menu" });
  dropdown.onclick = () => {
    Object.assign(state, { menu: state.menu ? null : true, family: null });
    showStudio();
  };
  const narrow = has("phone-without-models") && window.innerWidth < 720;
  const menus = state.menu ? modelMenu() : [];
  return element("div", { className: "field" }, element("label", { textContent: "Model" }), ...(narrow ? [] : [dropdown]), ...menus);
}

const kept = { prompt: "", output: null, failure: "", earlier: [] };

function inputCard() {
  const prompt = element("textarea", { placeholder: "Describe what you want to create...", value: kept.prompt });
  const generate = element("button", { type: "button", className: "primary", textContent: "Generate" });
  const wantsPicture = () => ["image_editing", "image_to_video"].includes(state.model.contentType);
  const ready = () => state.model && !wantsPicture() && prompt.value.trim() && !state.busy && !has("button-never-enabled");
  generate.disabled = !ready();
  prompt.oninput = () => {
    kept.prompt = prompt.value;
    generate.disabled = !ready();
  };
  generate.onclick = () => has("button-does-nothing") || run(prompt.value.trim());
  const hint = state.model ? `~${priceOf(state.model, settingsOf(state.model)).toFixed(2)}  ~${state.model.estimatedTimeSeconds}s` : "";
  const reset = element("button", { type: "button", textContent: "Reset" });
  reset.onclick = () => {
    Object.assign(kept, { prompt: "", output: null, failure: "" });
    showStudio();
  };
  return element(
    "section",
    { className: "card" },
    element("h2", { textContent: "Input" }),
    modelField(),
    element("div", { className: "field" }, element("label", { textContent: "Prompt" }), prompt),
    element("div", { className: "actions" }, generate, reset, element("span", { className: "muted", textContent: hint })),
  );
}

function shownOutput() {
  if (kept.failure) {
    return [element("h3", { className: "failure", textContent: "Generation Failed" }), element("p", { textContent: kept.failure }),
      element("p", { className: "muted", textContent: "Your credits have been refunded automatically" }),
      element("button", { type: "button", textContent: "Clear Error" })];
  }
  if (state.busy) return [element("p", { textContent: "Generations in Progress" })];
  if (!kept.output) {
    return [element("p", { textContent: "Your generated content will appear here" }),
      element("p", { className: "muted", textContent: "Select a model and click Generate to start creating" })];
  }
  const kind = outputType(state.model.contentType);
  if (kind === "image") return [element("img", { src: kept.output, alt: kept.prompt })];
  return [element("a", { href: kept.output, textContent: "Download" })];
}

async function run(prompt) {
  Object.assign(state, { busy: true });
  Object.assign(kept, { output: null, failure: "" });
  showStudio();
  try {
    kept.output = await execute(state.model, prompt);
  } catch (error) {
    kept.failure = error.message;
  }
  state.busy = false;
  showStudio();
  await showEarlier();
}

async function showEarlier() {
  const mine = `user_id=eq.${session().user.id}&type=eq.image&order=created_at.desc&limit=3`;
  kept.earlier = (await rows(`generations?select=output_url&status=eq.completed&${mine}`)).map((row) => row.output_url);
  showStudio();
}

function showStudio() {
  document.title = "Custom Creation Studio - artifio.ai";
  root.replaceChildren(
    element("h1", { textContent: "Custom Creation" }),
    groupButtons(),
    element("div", { className: "columns" }, inputCard(), element("section", { className: "card output" },
      element("h2", { textContent: "Output" }), ...shownOutput())),
    element("p", { className: "muted" }, ...kept.earlier.map((src) => element("img", { src, alt: "", width: 48 }))),
    element("p", { className: "muted", textContent: "BEST PRACTICES" }),
  );
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !state.menu) return;
  Object.assign(state, { menu: null, family: null });
  showStudio();
});

async function start() {
  if (!session()) {
    history.replaceState(null, "", "/auth");
    showSignIn();
  } else {
    showStudio();
  }
  await call("/rest/v1/app_settings?setting_key=eq.model_visibility");
  state.model = state.model || inGroup().sort(byPrice)[0] || null;
  if (has("real-schema-error-on-load")) logger.error("Failed to load schema: Model file not found for FLUX.1 Schnell. Generate the file first.", {});
  if (has("late-console-error")) setTimeout(() => console.error("TypeError: models.map is not a function"), 2000 / SETTINGS.speed);
}

start();
