// Shows every frame, one after another, however many an answer brings. A frame is decoded before its turn, so that the
// picture never blinks; a patch of its address leaves the figure, and with it the user's zoom, alone. One that does not
// come is passed over, but the newest is asked for again and again: it is what a lost link must not leave out.
(() => {
  const AHEAD = 3; // frames that load while one is shown
  const GIVE_UP_MS = 10000; // a frame that takes longer to load is passed over
  const PAUSE_MS = 2000; // before the newest is asked for again
  let run = "", waiting = [], playing = false;

  const load = (frame) => (frame.ready ??= new Promise((resolve) => {
    const image = new Image();
    image.onload = () => image.decode().then(() => resolve(true), () => resolve(true));
    image.onerror = () => resolve(false);
    setTimeout(() => { if (!image.complete) image.src = ""; resolve(false); }, GIVE_UP_MS); // lets go of the request
    image.src = frame.url;
  }));

  const pause = () => new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS);
    addEventListener("online", resolve, { once: true });
  });

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
      const loaded = await load(frame);
      if (loaded && frame.run === run) {
        show(frame.url);
        if (!document.hidden) await painted();
      } else if (!loaded && !waiting.length) {
        await pause();
        if (!waiting.length && frame.run === run) waiting.push({ url: frame.url, run });
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
