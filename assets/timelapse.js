// Requests a timelapse, shows the progress of its encoding, and offers the file.
(() => {
  const CHECK_MS = 400; // between two requests for the progress
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const pause = () => new Promise((resolve) => setTimeout(resolve, CHECK_MS));

  async function make(clicks, format, { base, name }) {
    const url = `${base}/timelapse`;
    set("film", { disabled: true });
    set("film-link", { hidden: true });
    set("film-bar", { hidden: false, value: "0" });
    try {
      const headers = { "Content-Type": "application/json" };
      await window.requests.send(url, { method: "POST", headers, body: JSON.stringify({ format }) });
      for (;;) {
        const { making, made, error } = await window.requests.send(url);
        if (error) throw new Error(error);
        if (!window.dash_clientside.player.shows(base)) return; // another run is on the page
        if (!making) {
          const file = made.find((each) => each.format === format);
          set("film-link", { hidden: false, href: `${file.url}?t=${Date.now()}`, download: `${name}.${format}` });
          break;
        }
        set("film-bar", { value: String(making.done), max: String(making.total) });
        await pause();
      }
    } catch (error) {
      window.dash_clientside.toast.show("The timelapse was not made", error.message);
    }
    set("film-bar", { hidden: true });
    set("film", { disabled: false });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { timelapse: { make } });
})();
