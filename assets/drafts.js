// The form and the chosen pictures before Start, kept in the browser so that a reload does not lose them.
(() => {
  const KEY = "nst-draft";
  const same = () => window.dash_clientside.no_update;
  const hasRun = (search) => /[?&](run|like)=/.test(search ?? "");
  let restored = false; // or there was nothing to restore: from then on changes are kept

  // Returns the kept values when the page opens without a run, else none. Called with the address, and the current ones.
  // When an open page changes to a run, which was started from them or replaced them, they are removed.
  function restore(search, ...values) {
    const first = !restored;
    restored = true;
    if (!first && hasRun(search)) localStorage.removeItem(KEY);
    if (!first || hasRun(search)) return values.map(same);
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      if (Array.isArray(kept) && kept.length === values.length) {
        return kept.map((value, at) => (JSON.stringify(value) === JSON.stringify(values[at]) ? same() : value));
      }
    } catch { /* it is of another version, or damaged */ }
    return values.map(same);
  }

  function keep(...given) {
    const search = given.at(-1), values = given.slice(0, -1);
    if (restored && !hasRun(search)) localStorage.setItem(KEY, JSON.stringify(values));
  }

  // The page is to start afresh.
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("h1 a[href='/']")) localStorage.removeItem(KEY);
  }, true);

  window.dash_clientside = Object.assign({}, window.dash_clientside, { drafts: { restore, keep } });
})();
