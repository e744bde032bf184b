// The state of the Instant page in its address and in the session of the browser tab: the picture, the mix, the
// paintings and the options that differ from their defaults. A reload, or a way back to the page, restores it.
(() => {
  const KEY = "nst-instant"; // in the session storage

  const textOf = (query) => query.toString().replaceAll("%2F", "/").replaceAll("%3A", ":");

  // Returns the query of a state {picture, mix: [{name, weight}], paintings, values}; `defaults` are values.
  function queryOf({ picture, mix, paintings, values }, defaults) {
    const query = new URLSearchParams();
    if (picture) query.set("picture", picture);
    mix.forEach(({ name, weight }) => query.append("style", mix.length > 1 ? `${name}:${weight}` : name));
    paintings.forEach((ref) => query.append("painting", ref));
    for (const [name, value] of Object.entries(values)) {
      if (value !== defaults[name]) query.set(name, String(value ?? ""));
    }
    return textOf(query);
  }

  // Returns the state in a query; `defaults` are the values of options that it does not name.
  function stateOf(query, defaults, defaultWeight) {
    const given = new URLSearchParams(query);
    const mix = given.getAll("style").map((text) => {
      const [name, weight] = text.split(":");
      return { name, weight: Number(weight) >= 0 && Number(weight) <= 100 ? Number(weight) : defaultWeight };
    });
    const valueOf = (text, preset) => (typeof preset === "boolean" && text !== null ? text === "true" : text ?? preset);
    const values = Object.fromEntries(
      Object.entries(defaults).map(([name, preset]) => [name, valueOf(given.get(name), preset)]),
    );
    return { picture: given.get("picture"), mix, paintings: given.getAll("painting"), values };
  }

  // The part of the address that is the state of the page, as `queryOf` writes it; "" if there is none.
  function queryOfAddress(defaults) {
    const names = ["picture", "style", "painting", ...Object.keys(defaults)];
    const given = [...new URLSearchParams(location.search)].filter(([name]) => names.includes(name));
    return textOf(new URLSearchParams(given));
  }

  const read = (defaults) => queryOfAddress(defaults) || (window.requests.kept("sessionStorage", KEY) ?? "");

  // Writes a query into the address, which keeps the run that the Studio page shows, and into the session.
  function write(query) {
    window.requests.keep("sessionStorage", KEY, query);
    const run = new URLSearchParams(location.search).get("run");
    const search = [run && `run=${encodeURIComponent(run)}`, query].filter(Boolean).join("&");
    history.replaceState(history.state, "", location.pathname + (search ? `?${search}` : ""));
  }

  window.instantState = { queryOf, stateOf, queryOfAddress, read, write };
})();
