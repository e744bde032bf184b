// Tells of a run to those who look elsewhere: its progress in the title of the tab, and its end there and, where the
// user has asked for it with a click, as a notification. Copies links.
(() => {
  const WISH = "notify"; // of localStorage
  const COPIED_MS = 2000; // for which a button says that the link was copied
  const ENDINGS = { finished: "Finished", stopped: "Stopped", failed: "Failed", interrupted: "Interrupted" };
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const setTitle = (text) => window.dash_clientside.navigation.setRunTitle(text);
  let followed = ""; // the run that is active
  let shown = false; // an ending, in the title

  // Called by the player with what it shows of a run. Only the end of a run that was followed is told of.
  function follow({ run, title, state, progress }) {
    const active = state === "queued" || state === "running";
    if (active) {
      setTitle(state === "running" ? `${Math.floor(100 * progress)} %` : "");
    } else if (run && run === followed && ENDINGS[state] && !document.hasFocus()) {
      shown = true;
      setTitle(ENDINGS[state]);
      notify(ENDINGS[state], title, run);
    } else if (!shown) {
      setTitle("");
    }
    followed = active ? run : "";
  }

  function seen() {
    if (shown) setTitle("");
    shown = false;
  }
  for (const kind of ["focus", "pointerdown", "keydown"]) window.addEventListener(kind, seen);

  const wanted = () => window.Notification?.permission === "granted" && localStorage.getItem(WISH) === "on";

  function notify(ending, title, run) {
    if (!wanted()) return;
    try {
      const icon = `/api/v1/runs/${run}/thumbnail.jpg?side=512`;
      const notification = new Notification(`${ending}: ${title}`, { tag: run, icon });
      notification.onclick = () => { window.focus(); notification.close(); };
    } catch { /* some browsers of telephones allow them to service workers only */ }
  }

  // Returns whether notifications are on. Asks the browser for its permission when they are switched on.
  async function toggle(clicks) {
    if (clicks && wanted()) {
      localStorage.setItem(WISH, "off");
    } else if (clicks) {
      const permission = await window.Notification?.requestPermission();
      if (permission === "granted") localStorage.setItem(WISH, "on");
      else set("toast", { is_open: true, children: "The browser does not allow this page to send notifications." });
    }
    return String(wanted());
  }

  async function copyLink() {
    const { triggered_id: button } = window.dash_clientside.callback_context;
    try {
      await navigator.clipboard.writeText(location.href);
    } catch { // only secure addresses may use the clipboard
      return void set("toast", { is_open: true, children: `Copy this address: ${location.href}` });
    }
    set(button, { children: "Link copied" });
    setTimeout(() => set(button, { children: "Copy link" }), COPIED_MS);
  }

  const notifications = { follow, toggle, copyLink };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { notifications });
})();
