// What buttons need beyond their callbacks: the theme, the focus, and a message if the server does not answer.
(() => {
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);

  // Fetch and Cancel replace each other: when one of them was pressed and disappears, the other one gets the focus.
  const FOCUS_FRAMES = 60; // animation frames that the page may need to show it: a hidden element takes no focus
  let pressed = null;

  function focusOther(hidden) {
    if (!pressed || (pressed.id === "fetch") === hidden) return; // the press was not answered yet
    pressed = null;
    focusWhenShown(hidden ? "#fetch" : "#cancel-fetch");
  }

  function focusWhenShown(selector, frames = FOCUS_FRAMES) {
    const element = document.querySelector(selector);
    element?.focus();
    if (frames && document.activeElement !== element)
      requestAnimationFrame(() => focusWhenShown(selector, frames - 1));
  }

  // A disabled button loses the focus, which these get until it is moved on: the first that is enabled. An event of the
  // run may enable a button again before the one that ends it.
  const HEIRS = { pause: ["#pause", "#continue"], stop: ["#stop", "#continue"], continue: ["#continue", "#pause"] };
  let heirs = [];

  function disable(id, byKey) {
    set(id, { disabled: true });
    if (byKey) heirs = HEIRS[id];
  }

  new MutationObserver(() => {
    const next = heirs.map((each) => document.querySelector(`${each}:enabled`)).find(Boolean), focused = document.activeElement;
    if (!next || (focused !== document.body && !focused.disabled)) return;
    next.focus();
    if (document.activeElement !== next) document.querySelector("#start").focus(); // the history is hidden
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["disabled"] });
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, ({ target }) => { if (!heirs.includes(`#${target.id}`)) heirs = []; });
  }

  // Dash shows nothing when a callback does not reach the server.
  const HEALTH_TIMEOUT_MS = 5000;
  const ONCE = "#pause, #stop, #continue"; // disabled until the run's next event
  // The second click of a double click would do these again: start a second run, or keep a result twice.
  const SINGLE = "#start, #restart, #branch, #upscale, #vary-start, #keep-result, #refine, .diagnosis-buttons button, [data-do=paint]";
  async function checkServer(button) {
    try {
      await fetch("/api/v1/health", { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    } catch {
      if (button.matches(ONCE)) set(button.id, { disabled: false });
      const text = `The studio does not answer. Press ${button.textContent} again once it does.`;
      window.dash_clientside.toast.show("The studio does not answer", text);
    }
  }

  document.addEventListener("click", (event) => {
    if (within(event, "#theme")) {
      const root = document.documentElement;
      root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      window.requests.keep("localStorage", "theme", root.dataset.bsTheme);
    }
    const button = within(event, "#start, #restart, #stop, #pause, #continue, #branch, #fetch, #cancel-fetch");
    if (button) checkServer(button);
    pressed = within(event, "#fetch, #cancel-fetch");
    const once = within(event, ONCE);
    if (once) setTimeout(disable, 0, once.id, !event.detail); // once this click was handled: or it would be ignored
    if (within(event, SINGLE) && event.detail > 1) event.stopPropagation();
    if (within(event, "#start, #restart, #vary-start") && document.querySelector("#room-studio .chooser progress:not([hidden])")) {
      event.stopPropagation(); // or the picture that was chosen before would be painted
      window.dash_clientside.toast.show("Nothing was started", "A picture is still being sent.");
    }
    if (within(event, ".skip-link")) {
      event.preventDefault(); // the address would keep the fragment
      document.querySelector("#start").focus();
    }
  }, true);

  // What calls `start` (nst/web/callbacks/run/start_and_poll.py); two equal requests would call it once.
  const requestStart = (starts, restarts) => ({
    number: (starts ?? 0) + (restarts ?? 0),
    restart: window.dash_clientside.callback_context.triggered_id === "restart",
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { buttons: { focusOther, focusWhenShown, requestStart } });
})();
