// What Dash's components leave out: names for screen readers, the theme, a word about files that are too large.
(() => {
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);

  function name(element, attributes) {
    for (const [attribute, value] of Object.entries(attributes)) {
      if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
    }
  }

  function describe() {
    document.querySelectorAll(".drop input[type=file]").forEach((input) => {
      const role = input.closest("[id$=-upload]").id.replace("-upload", "");
      name(input, { "aria-label": `Choose a picture: ${role}`, accept: "image/*" });
    });
    document.querySelectorAll(".field:not(.steer-field)").forEach((field) => {
      const [hint, error] = [field.querySelector(".hint"), field.querySelector(".field-error")];
      field.querySelectorAll("input, select").forEach((control) => name(control, {
        "aria-describedby": `${hint.id} ${error.id}`,
        "aria-invalid": String(error.textContent !== ""),
      }));
    });
    document.querySelectorAll(".steer-field").forEach((field) => {
      const [box, slider] = field.querySelectorAll("input");
      name(box, { "aria-label": `${field.dataset.label}, as a number` });
      name(slider, { "aria-label": field.dataset.label });
    });
    document.querySelectorAll("#settings input[type=file]").forEach((input) =>
      name(input, { "aria-label": "Choose a result, for its settings", accept: "image/png" }));
    document.querySelectorAll(".sample").forEach((sample) =>
      name(sample, { "aria-pressed": String(sample.classList.contains("sample-chosen")) }));
    const start = document.querySelector("#start");
    if (start) name(start, { "aria-describedby": "estimate" });
    const easel = document.querySelector("#image-graph");
    if (easel) name(easel, { role: "group", "aria-label": "The painting as it stands" });
    const curve = document.querySelector("#loss-graph");
    if (curve) name(curve, { role: "group", "aria-label": "Losses over the epochs; their values follow as text" });
  }
  const later = window.requestIdleCallback ?? ((work) => setTimeout(work, 50)); // Safari has none
  let due = false;
  const soon = () => {
    if (!due) later(() => { due = false; describe(); }, { timeout: 300 });
    due = true;
  };
  new MutationObserver(soon).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["class"],
  });

  // dcc.Upload is silent about a file over its limit.
  const refuse = (event) => {
    const drop = within(event, ".drop");
    const largest = Number(drop?.closest(".chooser").dataset.largest); // bytes
    const file = [...(event.dataTransfer ?? event.target).files ?? []].find(({ size }) => size > largest);
    if (!drop || !file) return;
    const megabytes = (bytes) => bytes / 2 ** 20;
    const text = `'${file.name}' must be at most ${megabytes(largest)} MB, got ${megabytes(file.size).toFixed(1)} MB`;
    const role = drop.closest("[id$=-upload]").id.replace("-upload", "");
    window.dash_clientside.set_props(`${role}-error`, { children: text });
    window.dash_clientside.set_props("toast", { is_open: true, children: text });
  };
  document.addEventListener("change", refuse, true);
  document.addEventListener("drop", refuse, true);

  // A result that is dropped on the painting gives its settings.
  const over = (event) => within(event, ".stage") && event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => { if (over(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!over(event) || !file) return;
    event.preventDefault();
    const reader = new FileReader();
    reader.onload = () =>
      window.dash_clientside.set_props("settings", { contents: reader.result, filename: file.name });
    reader.readAsDataURL(file);
  });

  // Fetch and Cancel take each other's place under the finger: whoever pressed one is at the other next.
  let pressed = null;
  function keepFocus(hidden) {
    if (!pressed || (pressed.id === "fetch") === hidden) return; // the answer to the press is still to come
    pressed = null;
    focusOnceShown(hidden ? "#fetch" : "#cancel-fetch", 60);
  }
  // What is hidden takes no focus, and the page may need some frames to show it.
  function focusOnceShown(selector, frames) {
    const element = document.querySelector(selector);
    element?.focus();
    if (frames && document.activeElement !== element)
      requestAnimationFrame(() => focusOnceShown(selector, frames - 1));
  }
  window.dash_clientside = Object.assign({}, window.dash_clientside, { painter: { keepFocus } });

  // Dash is silent about a callback that does not reach the server.
  const KNOCK_MS = 5000;
  async function knock(button) {
    try {
      await fetch("/api/v1/health", { signal: AbortSignal.timeout(KNOCK_MS) });
    } catch {
      const text = `The studio does not answer. Press ${button.textContent} again once it does.`;
      window.dash_clientside.set_props("toast", { is_open: true, children: text });
    }
  }

  document.addEventListener("click", (event) => {
    if (within(event, "#theme")) {
      const root = document.documentElement;
      root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.bsTheme);
    }
    const button = within(event, "#start, #stop, #pause, #continue, #branch, #fetch, #cancel-fetch");
    if (button) knock(button);
    pressed = within(event, "#fetch, #cancel-fetch");
    const waiting = within(event, "#pause, #stop, #continue");
    // Until the run tells of it; a button that is disabled before it has heard the click hears none.
    if (waiting) setTimeout(() => window.dash_clientside.set_props(waiting.id, { disabled: true }));
    if (within(event, "#start")) {
      if (event.detail > 1) event.stopPropagation(); // a double click would start two runs
      const stage = document.querySelector(".stage");
      if (matchMedia("(max-width: 991px)").matches) stage.scrollIntoView({ block: "start" });
    }
  }, true);
})();
