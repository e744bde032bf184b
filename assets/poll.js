// The poll for changes of the run and the server. At most one request is in flight. A request without an answer is given
// up after a while, so that the page works again after a restart of the server.
(() => {
  const GIVE_UP_MS = 10000;
  const OFFLINE_MS = 5000; // a poll takes two seconds at most: after this time the server or the network is down
  let sent = 0, answered = 0, since = 0;

  // Returns the number of the next request if one may be sent now.
  function send() {
    const { no_update, callback_context } = window.dash_clientside;
    const waited = Date.now() - since;
    const runChanged = callback_context.triggered.some(({ prop_id }) => prop_id === "url.search");
    const offline = answered < sent && waited > OFFLINE_MS;
    document.documentElement.classList.toggle("is-offline", offline);
    if (offline) checkSession();
    if (answered < sent && waited < GIVE_UP_MS && !runChanged) return no_update;
    since = Date.now();
    return ++sent;
  }

  function received(number) {
    answered = Math.max(answered, number);
  }

  // The server may be up and the login session over: then the login page is shown.
  let checking = false;
  async function checkSession() {
    if (checking) return;
    checking = true;
    try {
      const { status } = await fetch("/api/v1/options", { signal: AbortSignal.timeout(OFFLINE_MS) });
      if (status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    } catch { /* the server does not answer either */ }
    checking = false;
  }

  window.addEventListener("online", () => { since = 0; });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { poll: { send, received } });
})();
