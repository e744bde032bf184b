// Viewers: a picture that is zoomed and moved inside its frame with the wheel, by dragging, with two fingers, or by keys,
// alone or under another one that a slider reveals (assets/comparison.js). Where the whole picture is seen, dragging
// moves that slider. Viewers with the same `data-link` show the same part of their pictures.
(() => {
  const STEP = 1.25; // of the buttons and keys
  if (!document.fullscreenEnabled) document.documentElement.classList.add("no-fullscreen"); // as on an iPhone
  const LARGEST = 8; // of the scale at which the picture fits, or so many screen pixels for one of the picture's
  const KEY_PAN = 0.1; // of the frame, for an arrow key
  const views = new Map(); // by link or id: {scale: 1 where the picture fits, x, y: its point at the center, 0..1}
  const touches = new Map(); // pointers that are down on one viewer: id -> [x, y]
  let touched = null, cutBefore = 0;

  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const key = (viewer) => viewer.dataset.link ?? viewer.id;
  const view = (viewer) => views.get(key(viewer)) ?? { scale: 1, x: 0.5, y: 0.5 };
  const linked = (viewer) => [...document.querySelectorAll(".viewer")].filter((each) => key(each) === key(viewer));
  const cut = (viewer) => parseFloat(viewer.style.getPropertyValue("--cut")) || 0; // %
  const between = (value, low, high) => Math.min(Math.max(value, low), high);

  // Sizes in CSS px: of the frame, and of the picture where it fits.
  function sizes(viewer) {
    const [frame, stage] = [".viewer-window", ".viewer-stage"].map((part) => viewer.querySelector(part));
    return { W: frame.clientWidth, H: frame.clientHeight, w: stage.offsetWidth, h: stage.offsetHeight };
  }

  // The scale at which a pixel of the picture is one of the screen.
  const actual = (viewer) =>
    Number(getComputedStyle(viewer).getPropertyValue("--width")) / devicePixelRatio / sizes(viewer).w;

  // A view without empty space beside a picture that is larger than its frame; a smaller one is in the middle.
  function bounded(viewer, { scale, x, y }) {
    const { W, H, w, h } = sizes(viewer);
    const one = actual(viewer);
    scale = between(scale, Math.min(1, one), LARGEST * Math.max(1, one));
    const [dx, dy] = [[W, w], [H, h]].map(([frame, picture]) => Math.max(0, 0.5 - frame / picture / scale / 2));
    return { scale, x: between(x, 0.5 - dx, 0.5 + dx), y: between(y, 0.5 - dy, 0.5 + dy) };
  }

  function draw(viewer) {
    const { W, H, w, h } = sizes(viewer);
    if (!w) return; // it is not shown
    const { scale, x, y } = bounded(viewer, view(viewer));
    const [left, top] = [(0.5 - x) * w * scale, (0.5 - y) * h * scale];
    const stage = viewer.querySelector(".viewer-stage");
    stage.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
    stage.style.setProperty("--clip", `${((cut(viewer) / 100 - 0.5) * W - left) / scale + w / 2}px`);
    viewer.toggleAttribute("data-zoomed", w * scale > W + 1 || h * scale > H + 1);
  }

  const waiting = new Set();
  function schedule(viewer) {
    if (!waiting.size) requestAnimationFrame(() => { waiting.forEach(draw); waiting.clear(); });
    linked(viewer).forEach((each) => {
      observer.observe(each.querySelector(".viewer-window"));
      waiting.add(each);
    });
  }

  function change(viewer, changes) {
    views.set(key(viewer), bounded(viewer, { ...view(viewer), ...changes }));
    schedule(viewer);
  }

  // Multiplies the scale; the point of the picture at that place of the window stays there.
  function zoom(viewer, factor, clientX, clientY) {
    const { w, h } = sizes(viewer), { scale, x, y } = view(viewer);
    const frame = viewer.querySelector(".viewer-window").getBoundingClientRect();
    const [dx, dy] = [clientX - frame.left - frame.width / 2, clientY - frame.top - frame.height / 2];
    const next = bounded(viewer, { scale: scale * factor, x, y }).scale;
    const shift = 1 / scale - 1 / next;
    change(viewer, { scale: next, x: x + dx / w * shift, y: y + dy / h * shift });
  }

  function pan(viewer, dx, dy) {
    const { w, h } = sizes(viewer), { scale, x, y } = view(viewer);
    change(viewer, { x: x - dx / w / scale, y: y - dy / h / scale });
  }

  const ACTIONS = {
    closer: (viewer) => change(viewer, { scale: view(viewer).scale * STEP }),
    farther: (viewer) => change(viewer, { scale: view(viewer).scale / STEP }),
    fit: (viewer) => change(viewer, { scale: 1 }),
    actual: (viewer) => change(viewer, { scale: actual(viewer) }),
    compare: (viewer) => move(viewer, cut(viewer) ? 0 : 50),
    fullscreen: (viewer) => (document.fullscreenElement ? document.exitFullscreen() : viewer.requestFullscreen()),
  };
  const move = (viewer, value) =>
    window.dash_clientside.comparison.move(viewer.querySelector(".comparison-slider"), value);

  // Shows the whole picture, and nothing of the other one.
  function reset(id) {
    const viewer = document.getElementById(id);
    views.delete(key(viewer));
    move(viewer, 0);
    schedule(viewer);
  }

  // Returns the size in print of the picture that the player shows.
  function printSize(dpi) {
    const sides = window.dash_clientside.player.shownSides().map((side) => (side / dpi * 2.54).toFixed(1));
    return sides.length ? `${sides.join(" × ")} cm` : "";
  }

  // Draws what was shown meanwhile: it may have a view already.
  const drawAll = () => void requestAnimationFrame(() => document.querySelectorAll(".viewer").forEach(schedule));

  // Sizes change with the window, and with what is beside a picture.
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => draw(target.closest(".viewer"))));
  document.addEventListener("cut", ({ target }) => {
    const viewer = target.closest(".viewer");
    if (viewer) schedule(viewer);
  });

  // Mouse, fingers and keys --------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const button = within(event, "[data-view]");
    if (button) ACTIONS[button.dataset.view](button.closest(".viewer"));
  });

  document.addEventListener("wheel", (event) => {
    const viewer = within(event, ".viewer-window, .comparison-slider")?.closest?.(".viewer");
    if (!viewer || viewer.querySelector(".viewer-tools").offsetParent === null) return; // it has no picture
    // A pinch of a touchpad is a wheel with Ctrl. Else the page scrolls, until the viewer was clicked or fills the screen.
    if (!event.ctrlKey && !event.metaKey && !viewer.matches(":focus-within, :fullscreen")) return;
    if (event.deltaY > 0 && !viewer.hasAttribute("data-zoomed") && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(viewer, Math.exp(-between(event.deltaY, -120, 120) / 400), event.clientX, event.clientY);
  }, { passive: false });

  document.addEventListener("pointerdown", (event) => {
    const viewer = within(event, ".viewer-window, .comparison-slider")?.closest?.(".viewer");
    if (!viewer || event.button) return;
    if (viewer !== touched) touches.clear();
    touched = viewer;
    if (!touches.size) cutBefore = cut(viewer);
    touches.set(event.pointerId, [event.clientX, event.clientY]);
  }, true);

  document.addEventListener("pointermove", (event) => {
    const before = touches.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY], moved = [now[0] - before[0], now[1] - before[1]];
    const [other] = [...touches].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    touches.set(event.pointerId, now);
    if (other) {
      const distance = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
      zoom(touched, distance(now) / distance(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      pan(touched, moved[0] / 2, moved[1] / 2);
    } else if (touched.hasAttribute("data-zoomed") && !within(event, ".comparison-slider")) {
      pan(touched, ...moved);
    }
  });

  function lift(event) {
    if (touches.size > 1) move(touched, cutBefore); // the slider has followed one of two fingers
    touches.delete(event.pointerId);
  }
  document.addEventListener("pointerup", lift);
  document.addEventListener("pointercancel", lift);

  const KEYS = { "+": "closer", "=": "closer", "-": "farther", 0: "fit", 1: "actual" };
  const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  document.addEventListener("keydown", (event) => {
    const viewer = within(event, ".viewer-window, .comparison-slider")?.closest?.(".viewer");
    if (!viewer || event.altKey || event.ctrlKey || event.metaKey) return;
    const [action, arrow] = [KEYS[event.key], ARROWS[event.key]];
    if (action) ACTIONS[action](viewer);
    else if (arrow && viewer.hasAttribute("data-zoomed") && within(event, ".viewer-window")) {
      event.preventDefault();
      pan(viewer, arrow[0] * KEY_PAN * sizes(viewer).W, arrow[1] * KEY_PAN * sizes(viewer).H);
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { viewer: { reset, printSize, drawAll } });
})();
