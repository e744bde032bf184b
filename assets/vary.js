// The Variations page: proposed values, how often the grid is requested, and what the buttons of its cells do.
(() => {
  const REFRESH_MS = 500; // between an answer and the next request while the grid is painted
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const grid = window.changingGrid("/vary", "vary-request");
  const KEY = "nst-vary-axes"; // what varies: [option, values] by axis, kept in the browser until the next visit
  let actions = 0, checks = 0;
  let restored = null; // the kept axes that were chosen when the page was first shown; null before

  // Returns the kept options when the page is first shown; then `propose` returns their values.
  function open(pathname, ...options) {
    const first = pathname === "/vary" && restored === null;
    if (first) restored = read(options.length);
    return options.map((_, n) => (first && restored[n] ? restored[n][0] : window.dash_clientside.no_update));
  }

  function read(count) {
    try {
      const axes = JSON.parse(window.requests.kept("localStorage", KEY));
      return axes.length === count ? axes : [];
    } catch {
      return []; // there are none
    }
  }

  function keep(...axes) {
    const half = axes.length / 2;
    if (restored !== null) window.requests.keep("localStorage", KEY, JSON.stringify(axes.slice(0, half).map((option, n) => [option, axes[half + n]])));
  }

  function propose(option, proposals, ...paintings) {
    const axis = Number(window.dash_clientside.callback_context.triggered_id.match(/\d/)[0]);
    const { values = "", help = "" } = proposals[option] ?? {};
    const chosen = paintings.filter(Boolean).map((_, n) => n + 1);
    const proposed = option === "style" && chosen.length > 1 ? chosen.join(", ") : values;
    const kept = restored?.[axis]?.[0] === option ? restored[axis][1] : null;
    if (restored) restored[axis] = null; // they are returned once
    return [kept ?? proposed, !(option in proposals), help];
  }

  // The form is checked only while the page is shown: each check is a request.
  const check = (pathname) => (pathname === "/vary" ? ++checks : window.dash_clientside.no_update);

  function received({ n, ended }) {
    requestAnimationFrame(() => window.dash_clientside.gallery.showTimes("#vary-earlier time"));
    if (!grid.isOutdated(n)) grid.answered(!ended && REFRESH_MS); // else a newer request is on its way
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("h1 a[href='/']")) window.requests.keep("localStorage", KEY, "[]"); // the page is to start afresh
    const button = event.target.closest("#vary-grid [data-do]");
    if (button) set("vary-action", { data: { do: button.dataset.do, run: button.dataset.run, n: ++actions } });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { vary: { open, keep, propose, check, request: grid.request, received } });
})();
