// Tells of runs to those who look elsewhere: the progress of the one that is shown in the title of the tab, its end and
// that of the queue there and, where the user has asked for it with a click, as notifications. Copies links.
(() => {
  const WISH = "notify"; // of localStorage
  const COPIED_MS = 2000; // for which a button says that the link was copied
  const ENDINGS = { finished: "Finished", stopped: "Stopped", failed: "Failed", interrupted: "Interrupted" };
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const setTitle = (text) => window.dash_clientside.navigation.setRunTitle(text);
  let followed = ""; // the run that is active
  let onPage = ""; // the run that is shown, whatever its state
  const queued = new Set(); // the runs that were in the queue since it was empty
  let shown = false; // an ending, in the title

  // Called by the player with what it shows of a run. Only the end of a run that was followed is told of.
  function follow({ run, title, state, progress }) {
    const active = state === "queued" || state === "running";
    if (active) {
      setTitle(state === "running" ? `${Math.floor(100 * progress)} %` : "");
    } else if (run && run === followed && ENDINGS[state] && !document.hasFocus()) {
      tell(ENDINGS[state], `${ENDINGS[state]}: ${title}`, { tag: run, icon: `/api/v1/runs/${run}/thumbnail.jpg?side=512` });
    } else if (!shown) {
      setTitle("");
    }
    followed = active ? run : "";
    onPage = run;
  }

  // Called with each state of the server. The end of runs that are not shown is told of once none is left.
  function followQueue({ queue }) {
    queue.forEach(([run]) => queued.add(run));
    if (queue.length) return;
    const others = [...queued].filter((run) => run !== onPage);
    queued.clear();
    if (others.length && !document.hasFocus()) tell("Queue empty", "The queue is empty", { tag: "queue" });
  }

  function tell(title, text, options) {
    shown = true;
    setTitle(title);
    notify(text, options);
  }

  function seen() {
    if (shown) setTitle("");
    shown = false;
  }
  for (const kind of ["focus", "pointerdown", "keydown"]) window.addEventListener(kind, seen);

  const wanted = () => window.Notification?.permission === "granted" && window.requests.kept("localStorage", WISH) === "on";

  function notify(text, options) {
    if (!wanted()) return;
    try {
      const notification = new Notification(text, options);
      notification.onclick = () => { window.focus(); notification.close(); };
    } catch { /* some browsers of telephones allow them to service workers only */ }
  }

  // Returns whether notifications are on. Asks the browser for its permission when they are switched on.
  async function toggle(clicks) {
    if (clicks && wanted()) {
      window.requests.keep("localStorage", WISH, "off");
    } else if (clicks) {
      const permission = await window.Notification?.requestPermission();
      if (permission === "granted") window.requests.keep("localStorage", WISH, "on");
      else window.dash_clientside.toast.show("No notifications", "The browser does not allow this page to send them.");
    }
    return String(wanted());
  }

  async function copyLink() {
    const { triggered_id: button } = window.dash_clientside.callback_context;
    try {
      await navigator.clipboard.writeText(location.href);
    } catch { // only secure addresses may use the clipboard
      return void set("note", { is_open: true, header: "Copy this address", children: location.href });
    }
    set(button, { children: "Link copied" });
    setTimeout(() => set(button, { children: "Copy link" }), COPIED_MS);
  }

  const notifications = { follow, followQueue, toggle, copyLink };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { notifications });
})();
