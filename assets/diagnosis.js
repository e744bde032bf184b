// The card that shows what the losses consist of: words until the answer is there, and the answer if its run is on the page.
(() => {
  const HEALTH_TIMEOUT_MS = 5000;
  const say = (state) => window.dash_clientside.set_props("diagnosis-state", { children: state });

  async function begin() {
    say("Examining …");
    window.dash_clientside.set_props("diagnosis", { children: null });
    try {
      const answer = await fetch("/api/v1/health", { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
      if (!answer.ok) throw new Error(answer.statusText); // the session has ended
    } catch { // no answer will come
      say("The studio does not answer. Try again once it does.");
    }
  }

  const clear = () => ["", null];

  // Returns the line and what is under it.
  function received({ run, state, view }, search) {
    const same = window.dash_clientside.no_update;
    return run === new URLSearchParams(search).get("run") ? [state, view] : [same, same];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { diagnosis: { begin, clear, received } });
})();
