// The Variations page: proposed values, when the grid is requested, and what the buttons of its cells do.
(() => {
  const REFRESH_MS = 500; // between an answer and the next request while the grid is painted
  const GIVE_UP_MS = 10000; // a request without an answer is repeated after this time
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  let requests = 0, actions = 0, timer = 0, shown = false;

  function propose(option, proposals) {
    const { values = "", help = "" } = proposals[option] ?? {};
    return [values, !option, help];
  }

  function request(pathname) {
    shown = pathname === "/vary";
    clearTimeout(timer);
    if (!shown) return window.dash_clientside.no_update;
    timer = setTimeout(refresh, GIVE_UP_MS);
    return ++requests;
  }

  function refresh() {
    if (shown && !document.hidden) set("vary-request", { data: request(location.pathname) });
  }

  function received({ n, ended }) {
    if (n < requests) return; // a newer request is on its way
    clearTimeout(timer);
    if (!ended) timer = setTimeout(refresh, REFRESH_MS);
  }

  document.addEventListener("visibilitychange", refresh);

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("#vary-grid [data-do]");
    if (button) set("vary-action", { data: { do: button.dataset.do, run: button.dataset.run, n: ++actions } });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { vary: { propose, request, received } });
})();
