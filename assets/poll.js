// At most one poll is in flight. One that is not answered is given up, so that nothing waits for ever after a restart.
(() => {
  const GIVE_UP_MS = 10000;
  const AWAY_MS = 5000; // a poll waits two seconds at most: by then the server, or the network, is gone
  let asked = 0, answered = 0, since = 0;

  function gate() {
    const { no_update, callback_context } = window.dash_clientside;
    const waited = Date.now() - since;
    const moved = callback_context.triggered.some(({ prop_id }) => prop_id === "url.search");
    const away = answered < asked && waited > AWAY_MS;
    document.documentElement.classList.toggle("is-away", away);
    if (away) knock();
    if (answered < asked && waited < GIVE_UP_MS && !moved) return no_update;
    since = Date.now();
    return ++asked;
  }

  function settle(id) {
    answered = Math.max(answered, id);
  }

  // Not the server may be gone, but the session: then to the door.
  let knocking = false;
  async function knock() {
    if (knocking) return;
    knocking = true;
    try {
      const { status } = await fetch("/api/v1/options", { signal: AbortSignal.timeout(AWAY_MS) });
      if (status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    } catch { /* it is the server */ }
    knocking = false;
  }

  window.addEventListener("online", () => { since = 0; });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { poll: { gate, settle } });
})();
