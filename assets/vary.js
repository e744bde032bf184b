// The Variations page: proposed values, how often the grid is requested, and what the buttons of its cells do.
(() => {
  const REFRESH_MS = 500; // between an answer and the next request while the grid is painted
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const grid = window.changingGrid("/vary", "vary-request");
  let actions = 0, checks = 0;

  function propose(option, proposals, ...paintings) {
    const { values = "", help = "" } = proposals[option] ?? {};
    const chosen = paintings.filter(Boolean).map((_, n) => n + 1);
    return [option === "style" && chosen.length > 1 ? chosen.join(", ") : values, !(option in proposals), help];
  }

  // The form is checked only while the page is shown: each check is a request.
  const check = (pathname) => (pathname === "/vary" ? ++checks : window.dash_clientside.no_update);

  function received({ n, ended }) {
    if (!grid.isOutdated(n)) grid.answered(!ended && REFRESH_MS); // else a newer request is on its way
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("#vary-grid [data-do]");
    if (button) set("vary-action", { data: { do: button.dataset.do, run: button.dataset.run, n: ++actions } });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { vary: { propose, check, request: grid.request, received } });
})();
