// When the grid of a page is requested, in the gallery and on the Variations page. One request counts up the store that
// its callback listens to; it is repeated where no answer comes. Scripts are loaded by name, this one before its users.
window.changingGrid = (address, store) => {
  const GIVE_UP_MS = 10000; // a request without an answer is repeated after this time
  let requests = 0, timer = 0, shown = false;

  // Returns the number of the next request if the page is shown.
  function request(pathname) {
    shown = pathname === address;
    clearTimeout(timer);
    if (!shown) return window.dash_clientside.no_update;
    timer = setTimeout(refresh, GIVE_UP_MS);
    return ++requests;
  }

  function refresh() {
    if (shown && !document.hidden) window.dash_clientside.set_props(store, { data: request(location.pathname) });
  }

  // The answer is there; the next request follows after so many milliseconds, if the grid goes on changing.
  function answered(next) {
    clearTimeout(timer);
    if (next) timer = setTimeout(refresh, next);
  }

  document.addEventListener("visibilitychange", refresh);
  return { request, refresh, answered, isOutdated: (number) => number < requests };
};
