// What the form is filled from when the page opens or its address changes: the draft that was kept under the run of the
// address, else that run; and the settings or the result that the address names. Drafts are kept in the browser, so that
// a reload does not lose them.
(() => {
  const KEY = "nst-draft", MOST = 8; // drafts that are kept, each [id of the run in the address or "", values]
  const NAMED = ["like", "content_of", "style_of"]; // in the address until they were read: a reload shall not repeat them
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const same = () => window.dash_clientside.no_update;
  const runOf = (search) => new URLSearchParams(search ?? "").get("run") ?? "";
  let opened = null; // run of the address; null until the form was filled: from then on changes are kept

  // Without a run a draft is kept until the next visit, beside a run in this tab: others may prepare something else there.
  const storageOf = (run) => (run ? "sessionStorage" : "localStorage");

  function read() {
    return ["localStorage", "sessionStorage"].flatMap((storage) => {
      try {
        return JSON.parse(window.requests.kept(storage, KEY)).filter(([run, values]) => storageOf(run) === storage && Array.isArray(values));
      } catch {
        return []; // there are none, or they are of another version
      }
    });
  }

  function write(drafts) {
    for (const storage of ["localStorage", "sessionStorage"]) {
      const own = drafts.filter(([run]) => storageOf(run) === storage);
      window.requests.keep(storage, KEY, JSON.stringify(own.slice(0, MOST)));
    }
  }

  const draftOf = (run) => read().find(([each]) => each === run)?.[1];
  const without = (...runs) => read().filter(([each]) => !runs.includes(each));

  // Called with the address, and the values of the form. Returns the query of what the server is to fill the form from,
  // and the kept values.
  function open(search, ...values) {
    const places = window.dash_clientside.callback_context.states_list, run = runOf(search), first = opened === null;
    if (!first && run !== opened) move(opened, run);
    opened = run;
    const draft = first && draftOf(run), fits = draft?.length === values.length;
    const source = takeNamed(search);
    if (first && run && !fits) source.set("run", run);
    const differs = (value, at) => JSON.stringify(draft[at]) !== JSON.stringify(value ?? null); // as JSON keeps what is not there
    const kept = values.map((value, at) => (fits && differs(value, at) ? draft[at] : same()));
    if (fits && !source.size) places.forEach((place, at) => { if (place.property === "data") replaceMissing(place, draft[at], at); });
    return [source.size ? `?${source}` : same(), ...kept];
  }

  // When the address changes to another run the form stays, and so does its draft.
  function move(from, to) {
    const draft = draftOf(from);
    write([...(draft ? [[to, draft]] : []), ...without(from, to)]);
  }

  // Takes what the address names out of it, and returns it.
  function takeNamed(search) {
    const query = new URLSearchParams(search ?? ""), found = new URLSearchParams();
    NAMED.filter((name) => query.has(name)).forEach((name) => {
      found.set(name, query.get(name));
      query.delete(name);
    });
    if (found.size) {
      history.replaceState(history.state, "", location.pathname + (query.size ? `?${query}` : "") + location.hash);
      set("url", { search: location.search });
    }
    return found;
  }

  // An upload that no run uses is deleted after a day. Instead of those that are missing, `place` gets what it had at first.
  async function replaceMissing({ id, value: first }, choice, at) {
    const pictures = choice ? [choice, ...choice.more ?? []] : [];
    const missing = await Promise.all(pictures.map(isMissing));
    if (!missing.includes(true)) return;
    if (JSON.stringify(draftOf(opened)?.[at]) !== JSON.stringify(choice)) return; // another was chosen meanwhile
    const [left, ...more] = pictures.filter((_, at) => !missing[at]);
    set(id, { data: left ? { ...left, more: more.length ? more : undefined } : first ?? false });
    const titles = pictures.filter((_, at) => missing[at]).map(({ title }) => `“${title}”`).join(" and ");
    set(id.replace("choice", "error"), { children: `Not stored any more: ${titles}. Choose again.` });
  }

  async function isMissing({ ref }) {
    if (!ref.startsWith("uploads/")) return false;
    const answer = await fetch(`/api/v1/${ref}.jpg`, { method: "HEAD", cache: "no-store" }).catch(() => null);
    return answer?.status === 404;
  }

  function keep(...given) {
    const run = runOf(given.at(-1));
    if (opened !== null) write([[run, given.slice(0, -1)], ...without(run)]);
  }

  // The page is to start afresh.
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("h1 a[href='/']")) write(without(""));
  }, true);

  window.dash_clientside = Object.assign({}, window.dash_clientside, { drafts: { open, keep } });
})();
