// Shows every frame, one after another, however many an answer brings; and, once the scrubber is moved, the one it is at.
// A frame is decoded before its turn, so that the picture never blinks; a patch of its address leaves the figure, and
// with it the user's zoom, alone. One that does not come is passed over, but the newest is asked for again and again: it
// is what a lost link must not leave out.
(() => {
  const AHEAD = 3; // frames that load while one is shown
  const GIVE_UP_MS = 10000; // a frame that takes longer to load is passed over
  const PAUSE_MS = 2000; // before the newest is asked for again
  let run = "", base = "", first = 0, result = "";
  let kept = new Map(); // epochs whose frames are there -> whether they are marked
  let waiting = [], playing = false;
  let back = null; // the epoch that is looked back at; null follows the painting
  let set = -1, newest = 0; // what the scrubber was set to by us, and its end

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

  const frameOf = (epoch) => `${base}/frames/${epoch}.jpg`;
  const props = (id, values) => window.dash_clientside.set_props(id, values);
  const patch = (path, value) => new window.dash_clientside.Patch().assign(path, value).build();

  function show(url) {
    props("image-graph", { figure: patch(["layout", "images", 0, "source"], url) });
  }

  async function drain() {
    playing = true;
    while (waiting.length) {
      if (document.hidden) waiting = waiting.slice(-1); // nobody looks, and a hidden page has no animation frames
      const frame = waiting.shift();
      waiting.slice(0, AHEAD).forEach(load);
      const loaded = await load(frame);
      if (loaded && frame.run === run) {
        if (back === null) show(frame.url);
        if (!document.hidden) await painted();
      } else if (!loaded && !waiting.length) {
        await pause();
        if (!waiting.length && frame.run === run) waiting.push({ url: frame.url, run });
      }
    }
    playing = false;
  }

  function play(news) {
    if (news.run !== run) {
      [waiting, back] = [[], null];
      props("film-link", { hidden: true }); // of another run
    }
    ({ run, base, first, result } = news);
    kept = new Map(news.kept);
    newest = Math.max(first, ...kept.keys());
    waiting.push(...news.play.map((epoch) => ({ url: frameOf(epoch), run })));
    if (result) waiting.push({ url: result, run });
    if (!playing) drain();
    tell();
  }

  // The scrubber, what stands beside it, and the line in the losses.
  function tell() {
    const at = back ?? newest;
    set = at;
    props("epoch-scrubber", { min: first, max: newest, value: at, disabled: newest === first });
    props("scrubbed", { children: `Epoch ${at}` });
    const marked = kept.get(at) === true;
    props("mark", { disabled: !kept.has(at), children: marked ? "★" : "☆" });
    document.querySelector("#mark")?.setAttribute("aria-pressed", String(marked));
    const losses = new window.dash_clientside.Patch();
    for (const [name, value] of Object.entries({ x0: at, x1: at, visible: back !== null })) {
      losses.assign(["layout", "shapes", 0, name], value);
    }
    props("loss-graph", { figure: losses.build() });
  }

  const nearest = (epoch) => [...kept.keys()].reduce((a, b) => (Math.abs(b - epoch) < Math.abs(a - epoch) ? b : a), newest);

  async function scrub(value) {
    const epoch = Number(value);
    if (epoch === set || !kept.size) return;
    const mine = (back = epoch >= newest ? null : nearest(epoch));
    tell();
    const url = back === null ? result || frameOf(newest) : frameOf(back);
    if (await load({ url }) && back === mine) show(url);
  }

  async function mark() {
    const epoch = back ?? newest;
    const marked = !kept.get(epoch);
    const answer = await fetch(`${base}/frames/${epoch}/mark`, { method: marked ? "PUT" : "DELETE" });
    if (!answer.ok) return props("toast", { is_open: true, children: (await answer.json()).error.message });
    kept.set(epoch, marked);
    tell();
  }

  // The arrow keys look back wherever the focus is, unless something else moves by them.
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const busy = event.target instanceof Element && event.target.closest("input, select, textarea, [role=slider], dialog");
    if (!step || busy || event.altKey || event.ctrlKey || event.metaKey || !kept.size) return;
    if (!document.querySelector("#history")?.offsetParent) return;
    const epochs = [...kept.keys()].sort((a, b) => a - b);
    const next = epochs[epochs.indexOf(nearest(back ?? newest)) + step];
    if (next !== undefined) scrub(next);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { player: { play, scrub, mark } });
})();
