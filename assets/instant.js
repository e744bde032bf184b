// The Instant page: which styles are chosen, the requests for previews and results, and their answers. An answer that
// comes late never replaces a newer one.
(() => {
  const IDS = { // of components, with their names in nst/web/instant_ids.py; CARD begins the id of a style's card
    STYLE_ACTION: "style-wish",
    STYLE_GRID: "style-wall",
    PREVIEWS_REQUEST: "previews-ask",
    RESULT_REQUEST: "paint-ask",
    SHOWN_RESULT: "shown",
    RESULT_PANEL: "instant-stage",
    INSTANT_HINT: "instant-said",
    INSTANT_ERROR: "instant-wrong",
    COMPARISON: "instant-canvas",
    ORIGINAL: "instant-original",
    RESULT: "instant-result",
    RESULT_TITLE: "instant-title",
    RESULT_NUMBERS: "instant-numbers",
    KEEP_RESULT: "keep-result",
    RESULT_DOWNLOAD: "instant-download",
    REFINE: "refine",
    MIX: "mix",
    CARD: "hung-",
  };
  const ADDRESS = "/instant";
  const RETRY_MS = 1000; // before a request is repeated because the worker is busy or not ready
  const REPLACE_MS = 10000; // that a newer request waits for the answer to an older one
  const LOST_MS = 120000; // after which a request without an answer is repeated
  const DEBOUNCE_MS = 150; // without a change of the controls before a result is requested
  const PREVIEWS_DEBOUNCE_MS = 500; // the same, before the previews are requested
  const MOST_PREVIEWS = 4; // of a request: a result need not wait longer than they take
  const MOST_ASPECT = 2.5; // of a card's picture, width over height or the reverse; a longer one is shown whole in it
  const DEFAULT_WEIGHT = 50; // of a style that is added to the mix
  // Identifies this browser tab: the server drops its older requests that still wait.
  const PAGE = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const byId = (id) => document.getElementById(id);
  const cardOf = (name) => byId(`${IDS.CARD}${name}`);
  const mixId = (n, part) => `${IDS.MIX}-${part}-${n}`;
  const narrow = matchMedia("(max-width: 991px)");

  // Requests -----------------------------------------------------------------------------------------------------------

  // Makes a channel that sends requests by way of a store: one at a time, and of those that wait only the newest.
  function channel(store) {
    let n = 0, sent = null, next = null, timer = 0;

    function send() {
      clearTimeout(timer);
      const request = next ?? sent?.request;
      if (!request || !shown) return;
      const wait = sent ? sent.since + (next ? REPLACE_MS : LOST_MS) - Date.now() : 0;
      timer = setTimeout(send, wait > 0 ? wait : LOST_MS);
      if (wait > 0) return;
      n += 1;
      sent = { request, since: Date.now(), first: sent?.request === request ? sent.first : n };
      next = null;
      set(store, { data: { ...request, n, page: PAGE } });
    }

    function request(wanted) {
      next = wanted;
      send();
    }

    // Returns whether an answer is to the request that was sent last, which may have been repeated. A request whose
    // answer has "again" is repeated.
    function accept(answer) {
      if (!sent || answer.n < sent.first || (answer.again && answer.n < n)) return false;
      const { request: last } = sent;
      sent = null;
      clearTimeout(timer);
      const repeat = answer.again && !next;
      if (repeat) next = last;
      timer = setTimeout(send, repeat ? RETRY_MS : 0);
      return true;
    }

    return { request, send, accept, waits: () => next !== null };
  }

  const previewChannel = channel(IDS.PREVIEWS_REQUEST), resultChannel = channel(IDS.RESULT_REQUEST);
  let shown = false, photo = null, styles = [], mix = [], values = {}; // mix: [{name, weight}]
  let previews = {}, actions = 0, timer = 0, previewsTimer = 0; // previews: {style: {key, src}}
  let pictured = "", requested = ""; // keys of the last requests: picture and styles, result
  let paintings = []; // references of the paintings that were dropped
  const unlisted = new Set(); // those that are not missed where a list lacks them
  let defaults = {}, restored = null; // values of the options at first; the last query that was written or restored
  let list = null; // the value of the store of styles
  let refusal = ""; // why a style that was sent was not taken
  let outdated; // the list of styles that a list for the restored state replaces; undefined while none is awaited

  const styleOf = (name) => styles.find((style) => style.name === name);
  const title = (name) => styleOf(name)?.title;
  const network = (name) => styleOf(name)?.network;
  const isPainting = (name) => name.includes("/");
  const act = (what, name, text, more) =>
    set(IDS.STYLE_ACTION, { data: { do: what, name, title: text, n: ++actions, paintings, ...more } });

  // Shows the error of an answer, else why a style was not taken. While the request is repeated, the error is shown as a
  // hint.
  function showMessages({ error = "", again }) {
    const advice = mix.length ? "Choose another one, or mix it in with its +." : "Choose one to see it large.";
    set(IDS.INSTANT_HINT, { children: again ? error.replace(/: try again.*/, "; trying again …") : advice });
    set(IDS.INSTANT_ERROR, { children: (!again && error) || refusal });
  }

  // Called when styles were sent; the text stays while answers come, until a style is chosen.
  function showRefusal(text) {
    refusal = text;
    showMessages({});
  }

  // The grid of styles -------------------------------------------------------------------------------------------------

  // Called when the address, the chosen picture or the list of styles changes.
  function show(pathname, choice, listed) {
    shown = pathname === ADDRESS;
    [photo, list] = [choice, listed ?? null];
    if (!shown || restore() || list === outdated) return;
    outdated = undefined;
    if (!list) return void act("list");
    styles = list;
    // Two uploads may have been sent before the first was answered: the second answer then lacks the first painting.
    const known = list.map(({ name }) => name).filter(isPainting);
    const lost = paintings.filter((ref) => !known.includes(ref));
    paintings = [...paintings, ...known.filter((ref) => !paintings.includes(ref))];
    if (lost.some((ref) => !unlisted.has(ref))) {
      lost.forEach((ref) => unlisted.add(ref)); // one that is not stored is requested once
      return void act("list");
    }
    paintings = known;
    requestAnimationFrame(() => setMix(mix.map(renamed).filter(({ name }) => title(name))));
    resultChannel.send();
    requestPreviews();
  }

  // Takes the state of the address, or at first of the session, if the page does not have it; returns whether it does so.
  function restore() {
    const { read, queryOfAddress, stateOf } = window.instantState;
    if (!Object.keys(values).length) return true; // `adjust` was not called yet, and calls `show` again
    const query = restored === null ? read(defaults) : queryOfAddress(defaults);
    if ((!query && restored !== null) || query === restored) return false;
    restored = query;
    if (!query) return false;
    const state = stateOf(query, defaults, DEFAULT_WEIGHT);
    ({ mix, paintings } = state);
    unlisted.clear();
    mix.forEach(({ weight }, n) => set(mixId(n, "weight"), { value: weight })); // before `adjust` reads them
    for (const [name, value] of Object.entries(state.values)) set(`option-fast-${name}`, { value });
    outdated = list;
    act("list", "", "", { picture: state.picture });
    return true;
  }

  // Writes the state into the address and the session.
  function save() {
    if (!shown || restored === null) return;
    const { queryOf, write } = window.instantState;
    restored = queryOf({ picture: photo.ref, mix, paintings, values }, defaults);
    write(restored);
  }

  // A painting of the mix that was kept under a name goes on as that style.
  function renamed(style) {
    if (title(style.name) || !isPainting(style.name)) return style;
    const kept = styles.find(({ picture }) => picture && style.name.endsWith(picture));
    return kept ? { ...style, name: kept.name } : style;
  }

  // Previews depend on the picture and on all options but the size.
  function previewsKey() {
    const { size, ...others } = values;
    return JSON.stringify([photo.ref, others]);
  }

  // Requests the next previews that are missing.
  function requestPreviews() {
    clearTimeout(previewsTimer);
    if (!shown || outdated !== undefined) return;
    const key = previewsKey();
    const missing = styles.map(({ name }) => name).filter((name) => previews[name]?.key !== key);
    byId(IDS.STYLE_GRID).classList.toggle("is-waiting", missing.length > 0);
    requestAnimationFrame(updateCards);
    if (missing.length) previewChannel.request({ key, ref: photo.ref, styles: missing.slice(0, MOST_PREVIEWS), values });
  }

  function previewsReceived(answer) {
    if (!previewChannel.accept(answer)) return;
    showMessages(answer);
    if (answer.again) return;
    if (answer.error) {
      byId(IDS.STYLE_GRID).classList.remove("is-waiting");
      return;
    }
    find(".style-grid").style.setProperty("--aspect", Math.min(MOST_ASPECT, Math.max(1 / MOST_ASPECT, answer.aspect)));
    for (const [name, src] of Object.entries(answer.pictures)) previews[name] = { key: answer.key, src };
    requestPreviews();
  }

  // Sets the previews on the cards, and marks the styles of the mix.
  function updateCards() {
    all(".style-card").forEach((card) => {
      const { style } = card.dataset;
      const [image, pick, add] = ["img", ".style-pick", ".style-mix"].map((part) => card.querySelector(part));
      const mixed = mix.some(({ name }) => name === style);
      image.dataset.own ??= image.src;
      image.src = previews[style]?.src ?? image.dataset.own;
      card.classList.toggle("is-waiting", previews[style]?.key !== previewsKey());
      card.classList.toggle("style-picked", mixed);
      pick.setAttribute("aria-pressed", String(mixed));
      add.setAttribute("aria-pressed", String(mixed && mix.length > 1));
      add.hidden = !mix.length || (mixed && mix.length === 1);
      add.textContent = mixed ? "−" : "+";
    });
  }

  // The mix ------------------------------------------------------------------------------------------------------------

  const slots = () => all(".mix-slot").length;

  function pick(name) {
    requested = refusal = ""; // the same style is requested again
    setMix([{ name, weight: DEFAULT_WEIGHT }]);
    if (narrow.matches) requestAnimationFrame(() => byId(IDS.RESULT_PANEL).scrollIntoView({ block: "start" }));
  }

  function addOrRemove(name) {
    refusal = "";
    if (mix.some((style) => style.name === name)) return setMix(mix.filter((style) => style.name !== name));
    const error = network(name) !== network(mix[0].name)
      ? `${title(name)} is of another network than ${title(mix[0].name)}: only styles of one network can be mixed.`
      : mix.length === slots() ? `At most ${slots()} styles can be mixed: take one out first.` : "";
    set(IDS.INSTANT_ERROR, { children: error });
    if (!error) setMix([...mix, { name, weight: DEFAULT_WEIGHT }]);
  }

  function setMix(chosen) {
    mix = chosen.length === 1 ? [{ ...chosen[0], weight: DEFAULT_WEIGHT }] : chosen;
    showShares();
    set(IDS.MIX, { hidden: mix.length < 2 });
    for (let n = 0; n < slots(); n++) {
      set(mixId(n, "slot"), { hidden: n >= mix.length });
      set(mixId(n, "name"), { children: mix[n] ? title(mix[n].name) : "" });
      set(mixId(n, "weight"), { value: mix[n]?.weight ?? DEFAULT_WEIGHT });
    }
    showMessages({});
    updateCards();
    requestResult();
  }

  const share = ({ weight }) => weight / Math.max(1e-9, mix.reduce((sum, style) => sum + style.weight, 0));
  const percent = (style) => `${Math.round(100 * share(style))}\u00a0%`;

  const showShares = () => mix.forEach((style, n) => set(mixId(n, "share"), { children: percent(style) }));

  // Called when a control is moved: a weight of the mix, or an option.
  function adjust() {
    const { inputs } = window.dash_clientside.callback_context;
    mix.forEach((style, n) => { style.weight = Number(inputs[`${mixId(n, "weight")}.value`]); });
    showShares();
    const isFirst = !Object.keys(values).length;
    values = Object.fromEntries(Object.entries(inputs)
      .map(([property, value]) => [property.match(/^option-fast-(.+)\.value$/)?.[1], value])
      .filter(([name]) => name));
    if (isFirst) {
      defaults = values;
      if (shown) show(ADDRESS, photo, list);
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(requestResult, DEBOUNCE_MS);
    clearTimeout(previewsTimer);
    previewsTimer = setTimeout(requestPreviews, PREVIEWS_DEBOUNCE_MS);
  }

  // The result ---------------------------------------------------------------------------------------------------------

  const comparison = () => byId(IDS.COMPARISON);

  function requestResult() {
    if (outdated !== undefined) return;
    set(IDS.RESULT_PANEL, { hidden: !mix.length });
    save();
    if (!shown || !mix.length) return;
    const weights = Object.fromEntries(mix.map(({ name, weight }) => [name, weight]));
    const request = { ref: photo.ref, title: photo.title, mix: weights, values };
    const key = JSON.stringify(request), picture = JSON.stringify([photo.ref, Object.keys(weights)]);
    if (key === requested) return;
    if (picture !== pictured) showPlaceholder();
    [requested, pictured] = [key, picture];
    const names = mix.map((style) => title(style.name) + (mix.length > 1 ? ` ${percent(style)}` : ""));
    set(IDS.RESULT_TITLE, { children: names.join(", ") });
    comparison().classList.add("is-busy");
    resultChannel.request(request);
  }

  const originalUrl = ({ ref }) => `/api/v1/instant/${ref}.jpg`;

  // Until the result is there: the enlarged preview, or the original while the previews are not there either.
  function showPlaceholder() {
    const card = cardOf(mix[0].name), preview = card?.matches(":not(.is-waiting)") ? card.querySelector("img") : null;
    comparison().classList.add("is-placeholder");
    setSize(preview?.naturalWidth || 4, preview?.naturalHeight || 3);
    set(IDS.RESULT, { src: preview?.src ?? originalUrl(photo) });
    set(IDS.RESULT_NUMBERS, { children: "" });
    set(IDS.REFINE, { disabled: true });
    set(IDS.KEEP_RESULT, { disabled: true, children: "Keep" });
    set(IDS.RESULT_DOWNLOAD, { disabled: true, href: null });
  }

  function setSize(width, height) {
    comparison().style.setProperty("--width", width);
    comparison().style.setProperty("--height", height);
  }

  // Whether a result is of the picture and the styles that are chosen; the controls may have been moved since.
  const isWanted = ({ photo, styles }) => JSON.stringify([photo.ref, styles]) === pictured;

  async function resultReceived(answer) {
    if (!answer || !resultChannel.accept(answer)) return;
    if (!answer.error && !isWanted(answer)) return;
    showMessages(answer);
    if (answer.error) {
      comparison().classList.toggle("is-busy", answer.again);
      if (!answer.again) requested = "";
      return;
    }
    const image = new Image();
    image.src = answer.src;
    await image.decode().catch(() => {}); // so that the image and its size change at the same time
    if (!isWanted(answer)) return;
    setSize(answer.width, answer.height);
    comparison().classList.remove("is-placeholder");
    comparison().classList.toggle("is-busy", resultChannel.waits());
    set(IDS.SHOWN_RESULT, { data: answer });
    set(IDS.RESULT, { src: answer.src });
    set(IDS.ORIGINAL, { src: originalUrl(answer.photo) });
    set(IDS.RESULT_NUMBERS, { children: answer.numbers });
    set(IDS.RESULT_DOWNLOAD, { href: answer.src, download: answer.file, disabled: false });
    set(IDS.REFINE, { disabled: false });
    set(IDS.KEEP_RESULT, { disabled: false, children: "Keep" });
  }

  // A newer result may be shown by now, which is not kept.
  function resultKept(kept, shown) {
    const { no_update: same } = window.dash_clientside;
    return kept && kept.key === shown?.key ? [true, "Kept in the gallery"] : [same, same];
  }

  // Clicks and keys ----------------------------------------------------------------------------------------------------

  function press(button) {
    const card = button.closest(".style-card"), name = card.dataset.style;
    const perform = {
      pick: () => pick(name),
      mix: () => addOrRemove(name),
      rename: () => act("rename", name, card.querySelector("input").value),
      keep: () => keep(name, card.querySelector("input").value),
      remove: () => {
        if (isPainting(name)) return takeAway(name);
        if (button.dataset.confirmed) return act("remove", name);
        button.dataset.confirmed = button.textContent = "Remove for good?";
      },
    };
    perform[button.dataset.do]();
  }

  function keep(name, text) {
    unlisted.add(name); // the style of that name takes its place
    act("keep", name, text);
  }

  function takeAway(name) {
    paintings = paintings.filter((ref) => ref !== name);
    act("list");
  }

  function closeMenus(except) {
    for (const menu of all(".style-menu[open]")) {
      if (menu === except) continue;
      menu.open = false;
      for (const button of menu.querySelectorAll("[data-confirmed]")) {
        delete button.dataset.confirmed;
        button.textContent = "Remove";
      }
    }
  }

  document.addEventListener("click", (event) => {
    closeMenus(within(event, ".style-menu"));
    const button = within(event, ".style-card [data-do]");
    if (button) press(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      within(event, ".style-menu[open]")?.querySelector("summary").focus();
      closeMenus();
    }
    if (event.key === "Enter" && within(event, ".style-menu input")) event.target.parentElement.querySelector("button").click();
  });

  const instant = { show, showRefusal, adjust, previewsReceived, resultReceived, resultKept };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { instant });
})();
