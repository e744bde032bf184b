// Shows the frames of a run: every new one in order, however many come in one answer, or the one at the scrubber.
//
// A frame is decoded before it is shown, so that the image does not flicker; then only its address in the figure is
// patched. A frame that does not load is skipped, except the newest: it is requested until it loads, so that a broken
// connection does not leave an old image. The scrubber, the epoch beside it and the download follow what is shown.
(() => {
  const PRELOADED = 3; // frames that are loaded while one is shown
  const LOAD_TIMEOUT_MS = 10000; // after which a frame is skipped
  const RETRY_MS = 2000; // before the newest frame is requested again
  let run = "", base = "", name = "", first = 0, result = "";
  let kept = new Map(); // epochs whose frames the server has -> whether they are marked
  let queue = [], playing = false;
  let chosen = null; // the epoch that the scrubber was moved to; null follows the run
  let settled = null; // what that was for the picture that is shown: a frame that does not load leaves it
  let newest = 0, shown = 0; // epochs: the end of the scrubber, and what the image shows
  let shownSides = []; // of that, px: an early epoch may be smaller than the result

  const load = (frame) => (frame.loaded ??= new Promise((resolve) => {
    const image = new Image();
    image.onload = () => {
      frame.sides = [image.naturalWidth, image.naturalHeight];
      image.decode().then(() => resolve(true), () => resolve(true));
    };
    image.onerror = () => resolve(false);
    setTimeout(() => { if (!image.complete) image.src = ""; resolve(false); }, LOAD_TIMEOUT_MS); // ends the request
    image.src = frame.url;
  }));

  const pause = () => new Promise((resolve) => {
    setTimeout(resolve, RETRY_MS);
    addEventListener("online", resolve, { once: true });
  });

  // Two animation frames: the first one may come before the browser has drawn what was set last.
  const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

  const frameOf = (epoch) => ({ url: `${base}/frames/${epoch}.jpg`, epoch, run });
  const last = () => (result ? { url: result, epoch: newest, run } : frameOf(newest));
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const patch = (path, value) => new window.dash_clientside.Patch().assign(path, value).build();

  function show({ url, epoch, sides }) {
    set("image-graph", { figure: patch(["layout", "images", 0, "source"], url) });
    shown = epoch;
    settled = chosen;
    shownSides = sides;
    updateScrubber();
    set("print-size", { children: window.dash_clientside.viewer.printSize(document.querySelector("#print-dpi").value) });
    const suffix = url === result ? "png" : "jpg";
    set("download", { href: url, download: `${name}-epoch-${epoch}.${suffix}`, disabled: false });
  }

  async function playQueue() {
    playing = true;
    while (queue.length) {
      if (document.hidden) queue = queue.slice(-1); // a hidden page has no animation frames
      const frame = queue.shift();
      queue.slice(0, PRELOADED).forEach(load);
      const loaded = await load(frame);
      if (loaded && frame.run === run) {
        if (chosen === null) show(frame);
        if (!document.hidden) await drawn();
      } else if (!loaded && !queue.length) {
        await pause();
        if (!queue.length && frame.run === run) queue.push({ ...frame, loaded: undefined });
      }
    }
    playing = false;
  }

  function play(update) {
    const other = update.run !== run;
    ({ run, base, name, first, result } = update);
    kept = new Map(update.kept);
    newest = Math.max(first, ...kept.keys());
    if (other) {
      [queue, chosen, settled, shown, shownSides] = [[], null, null, update.play[0] ?? newest, []];
      set("film-link", { hidden: true }); // it is of another run
      set("film-bar", { hidden: true });
      set("film", { disabled: false });
      set("download", { href: null, download: null, disabled: true });
      window.dash_clientside.viewer.reset("easel");
    }
    queue.push(...update.play.map(frameOf));
    if (result) queue.push(last());
    if (!playing) playQueue();
    updateScrubber();
    if (other) updateCursor();
    window.dash_clientside.notifications.follow(update);
  }

  // The scrubber, the epoch and the star beside it.
  function updateScrubber() {
    const epoch = chosen ?? shown;
    set("epoch-scrubber", { min: first, max: newest, value: epoch, disabled: newest === first });
    set("scrubbed", { children: `Epoch ${epoch}` });
    const marked = kept.get(epoch) === true;
    set("mark", { disabled: !kept.has(epoch), children: marked ? "★" : "☆", "aria-pressed": String(marked) });
  }

  // The line in the figure of the losses.
  function updateCursor() {
    const losses = new window.dash_clientside.Patch();
    for (const [property, value] of Object.entries({ x0: chosen, x1: chosen, visible: chosen !== null })) {
      losses.assign(["layout", "shapes", 0, property], value);
    }
    set("loss-graph", { figure: losses.build() });
  }

  const nearest = (epoch) => [...kept.keys()].reduce((a, b) => (Math.abs(b - epoch) < Math.abs(a - epoch) ? b : a), newest);

  async function scrub(value) {
    const epoch = Number(value);
    if (!kept.size) return;
    const mine = (chosen = epoch >= newest ? null : nearest(epoch));
    updateCursor();
    const frame = chosen === null ? last() : frameOf(chosen);
    set("scrubbed", { children: `Epoch ${frame.epoch}` });
    const loaded = await load(frame);
    if (chosen !== mine || frame.run !== run) return; // it was moved on
    if (loaded) return show(frame);
    chosen = settled;
    updateScrubber();
    updateCursor();
    window.dash_clientside.toast.show("The frame was not loaded", `Epoch ${frame.epoch} does not come. Choose it again to try again.`);
  }

  document.addEventListener("input", ({ target }) => { if (target.id === "epoch-scrubber") scrub(target.value); });

  async function mark() {
    const epoch = chosen ?? shown;
    const marked = !kept.get(epoch);
    const address = base;
    try {
      await window.requests.send(`${address}/frames/${epoch}/mark`, { method: marked ? "PUT" : "DELETE" });
    } catch (error) {
      return void window.dash_clientside.toast.show("The frame was not marked", error.message);
    }
    if (address !== base) return; // another run is on the page
    kept.set(epoch, marked);
    updateScrubber();
  }

  // The arrow keys move the scrubber wherever the focus is, unless the focused element uses them.
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const used = event.target instanceof Element && event.target.closest("input, select, textarea, [role=slider], dialog, [data-zoomed]");
    if (!step || used || event.altKey || event.ctrlKey || event.metaKey || !kept.size) return;
    if (!document.querySelector("#history")?.offsetParent) return;
    const epochs = [...kept.keys()].sort((a, b) => a - b);
    const next = epochs[epochs.indexOf(nearest(chosen ?? shown)) + step];
    if (next !== undefined) scrub(next);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { player: { play, mark, shows: (address) => address === base, shownSides: () => shownSides } });
})();
