// Shows every frame, one after another, however many an answer brings. A frame is decoded before its turn, so that the
// picture never blinks; a patch of its address leaves the figure, and with it the user's zoom, alone.
(() => {
  const AHEAD = 3; // frames that load while one is shown
  let run = "", waiting = [], playing = false;

  const load = (frame) => (frame.ready ??= new Promise((resolve) => {
    const image = new Image();
    image.onload = () => image.decode().then(() => resolve(true), () => resolve(true));
    image.onerror = () => resolve(false);
    image.src = frame.url;
  }));

  // Two animation frames: the first may come before what was just set is painted.
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

  function show(url) {
    const { Patch, set_props } = window.dash_clientside;
    set_props("image-graph", { figure: new Patch().assign(["layout", "images", 0, "source"], url).build() });
  }

  async function drain() {
    playing = true;
    while (waiting.length) {
      if (document.hidden) waiting = waiting.slice(-1); // nobody looks, and a hidden page has no animation frames
      const frame = waiting.shift();
      waiting.slice(0, AHEAD).forEach(load);
      if (await load(frame) && frame.run === run) {
        show(frame.url);
        if (!document.hidden) await painted();
      }
    }
    playing = false;
  }

  function play(news) {
    if (news.run !== run) waiting = [];
    run = news.run;
    waiting.push(...news.urls.map((url) => ({ url, run })));
    if (!playing) drain();
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { player: { play } });
})();
