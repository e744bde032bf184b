// A timelapse is made beside the server: asked for, looked after until it is there, offered.
(() => {
  const GLANCE_MS = 400;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const pause = () => new Promise((resolve) => setTimeout(resolve, GLANCE_MS));

  async function ask(url, request) {
    const answer = await fetch(url, request);
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error.message);
    return said;
  }

  async function make(clicks, format, search) {
    const run = new URLSearchParams(search).get("run");
    const url = `/api/v1/runs/${run}/timelapse`;
    set("film", { disabled: true });
    set("film-link", { hidden: true });
    set("film-bar", { hidden: false, value: "0" });
    try {
      const headers = { "Content-Type": "application/json" };
      await ask(url, { method: "POST", headers, body: JSON.stringify({ format }) });
      for (;;) {
        const { making, made, error } = await ask(url);
        if (error) throw new Error(error);
        if (!making) {
          const film = made.find((each) => each.format === format);
          const download = `painting-${run.slice(0, 8)}.${format}`;
          set("film-link", { hidden: false, href: `${film.url}?t=${Date.now()}`, download });
          break;
        }
        set("film-bar", { value: String(making.done), max: String(making.total) });
        await pause();
      }
    } catch (error) {
      set("toast", { is_open: true, children: error.message });
    }
    set("film-bar", { hidden: true });
    set("film", { disabled: false });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { film: { make } });
})();
