// The buttons of the strip of runs that wait. The focus stays on a button when the strip is built again.
(() => {
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const PATHS = { earlier: "move?places=-", later: "move?places=", remove: "stop" };
  let pressed = null; // {queue, run} of the button that had the focus

  async function act({ queue, run, passed }) {
    try {
      const path = PATHS[queue] + (queue === "remove" ? "" : passed);
      await window.requests.send(`/api/v1/runs/${run}/${path}`, { method: "POST" });
    } catch (error) {
      pressed = null;
      window.dash_clientside.toast.show("The queue is as it was", error.message);
    }
    set("poll-wake", { data: Date.now() });
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-queue]");
    if (!button) return;
    pressed = { ...button.dataset };
    act(pressed);
  });

  function built() {
    if (!pressed) return;
    const { queue, run } = pressed;
    pressed = null;
    requestAnimationFrame(() => {
      if (document.activeElement !== document.body) return;
      const again = document.querySelector(`[data-run="${run}"][data-queue="${queue}"]:enabled`);
      (again ?? document.querySelector(`[data-run="${run}"]:enabled`) ?? document.querySelector("#start")).focus();
    });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { runQueue: { built } });
})();
