// The poll for changes of the run and the server. At most one request is in flight. While something is expected to
// change the next one follows the answer to the last; else there is one now and then, and none from a hidden tab.
// A request without an answer is given up after a while, so that the page works again after a restart of the server.
(() => {
  const GIVE_UP_MS = 10000;
  const OFFLINE_MS = 5000; // a poll takes two seconds at most: after this time the server or the network is down
  const GAP_MS = 100; // between two polls, at least
  const IDLE_MS = 20000; // between two polls while nothing is expected: another page or program may act on the run
  let sent = 0, answered = 0, since = 0, offline = false, timer = 0;
  let expecting = true; // a change: the run is active, the worker is not ready, or weights are downloaded
  let woken = false; // during a poll, which may have been answered before the change

  function send() {
    since = Date.now();
    window.dash_clientside.set_props("ask", { data: ++sent });
    schedule();
  }

  // Called when a request may have changed the run.
  function wake() {
    if (answered < sent) woken = true;
    else send();
  }

  // The time at which `look` has something to do.
  function due() {
    if (document.hidden && !expecting) return Infinity;
    if (answered < sent) return since + (offline ? GIVE_UP_MS : OFFLINE_MS);
    return since + (expecting ? GAP_MS : IDLE_MS);
  }

  function schedule() {
    clearTimeout(timer);
    const wait = due() - Date.now();
    if (wait < Infinity) timer = setTimeout(look, Math.max(0, wait));
  }

  function look() {
    const now = Date.now();
    if (now < due()) return schedule();
    if (answered < sent) {
      setOffline(true);
      if (now - since < GIVE_UP_MS) return schedule();
    }
    send();
  }

  function setOffline(value) {
    offline = value;
    document.documentElement.classList.toggle("is-offline", offline);
    if (offline) checkSession();
  }

  function received(answer) {
    if (answer.n <= answered) return;
    answered = answer.n;
    expecting = answer.expecting || woken;
    woken = false;
    if (answered === sent) setOffline(false);
    schedule();
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

  window.addEventListener("online", send);
  window.addEventListener("focus", () => { if (answered === sent && !expecting) send(); });
  document.addEventListener("visibilitychange", schedule);
  window.dash_clientside = Object.assign({}, window.dash_clientside, { poll: { send, wake, received } });
})();
