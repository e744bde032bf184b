// The instant room: which styles were picked, what is asked of the painter, and what it answered. Of answers that come
// late none is shown over a newer one.
(() => {
  const ROOM = "/instant";
  const AGAIN_MS = 1000; // between two tries while the worker is not ready
  const PATIENCE_MS = 10000; // that a newer question waits for the answer to an older one
  const LOST_MS = 120000; // after which an answer does not come any more
  const REST_MS = 150; // that the controls have rested before they are asked about
  const HALF = 50; // weight of a style that is mixed in
  const PAGE = `${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`; // whose older questions are overtaken
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const cardOf = (name) => document.getElementById(`hung-${name}`);
  const narrow = matchMedia("(max-width: 991px)");

  // Asking -------------------------------------------------------------------------------------------------------------

  // Questions that go out through a store: one at a time, and of those that wait the newest alone.
  function line(store) {
    let n = 0, out = null, next = null, timer = 0;

    function go() {
      clearTimeout(timer);
      const question = next ?? out?.question;
      if (!question || !shown) return;
      const wait = out ? out.since + (next ? PATIENCE_MS : LOST_MS) - Date.now() : 0;
      timer = setTimeout(go, wait > 0 ? wait : LOST_MS);
      if (wait > 0) return;
      n += 1;
      out = { question, since: Date.now(), first: out?.question === question ? out.first : n };
      next = null;
      set(store, { data: { ...question, n, page: PAGE } });
    }

    function ask(question) {
      next = question;
      go();
    }

    // Whether an answer is the one that is waited for, however often that was asked; one that says "again" is asked for
    // once more.
    function answered(answer) {
      if (!out || answer.n < out.first || (answer.again && answer.n < n)) return false;
      const { question } = out;
      out = null;
      clearTimeout(timer);
      const again = answer.again && !next;
      if (again) next = question;
      timer = setTimeout(go, again ? AGAIN_MS : 0);
      return true;
    }

    return { ask, go, answered, waits: () => next !== null };
  }

  const previewer = line("previews-ask"), painter = line("paint-ask");
  let shown = false, photo = null, styles = [], mix = [], values = {}; // mix: [{name, weight}]
  let pictures = {}, wishes = 0, resting = 0;
  let previewed = "", sketched = "", painted = ""; // what was asked for last

  const title = (name) => styles.find((style) => style.name === name)?.title;
  const network = (name) => styles.find((style) => style.name === name)?.network;
  const wish = (what, name, words) => set("style-wish", { data: { do: what, name, title: words, n: ++wishes } });

  // What is wrong, for which the visitor is needed; or what is waited for, else what can be done.
  function say({ error = "", again }) {
    const advice = mix.length ? "Choose another one, or mix it in with its +." : "Choose one to see it large.";
    set("instant-said", { children: again ? error.replace(/: try again.*/, "; trying again …") : advice });
    set("instant-wrong", { children: again ? "" : error });
  }

  // The wall -----------------------------------------------------------------------------------------------------------

  function enter(pathname, choice, told) {
    shown = pathname === ROOM;
    photo = choice;
    if (!shown) return;
    if (!told) return void wish("list");
    styles = told;
    requestAnimationFrame(() => change(mix.filter(({ name }) => title(name))));
    [previewer, painter].forEach(({ go }) => go());
    const wanted = [photo.ref, ...styles.map(({ name }) => name)].join(" ");
    if (wanted === previewed) return;
    previewed = wanted;
    find("#style-wall").classList.add("is-waiting");
    previewer.ask({ ref: photo.ref });
  }

  function previews(answer) {
    if (!previewer.answered(answer)) return;
    say(answer);
    if (answer.again) return;
    if (answer.error) previewed = "";
    pictures = answer.pictures ?? {};
    find("#style-wall").classList.remove("is-waiting");
    hang();
  }

  // Previews on the cards, and which of them are picked.
  function hang() {
    all("#style-import input").forEach((input) => input.setAttribute("aria-label", "Import a style"));
    all(".style-card").forEach((card) => {
      const { style } = card.dataset;
      const [image, pick, more] = ["img", ".style-pick", ".style-mix"].map((part) => card.querySelector(part));
      const mixed = mix.some(({ name }) => name === style);
      image.dataset.own ??= image.src;
      image.src = pictures[style] ?? image.dataset.own;
      card.classList.toggle("style-picked", mixed);
      pick.setAttribute("aria-pressed", String(mixed));
      more.setAttribute("aria-pressed", String(mixed && mix.length > 1));
      more.hidden = !mix.length || (mixed && mix.length === 1);
      more.textContent = mixed ? "−" : "+";
    });
  }

  // The mix ------------------------------------------------------------------------------------------------------------

  const slots = () => all(".mix-slot").length;

  function pick(name) {
    painted = ""; // once more, if it is the same
    change([{ name, weight: HALF }]);
    if (narrow.matches) requestAnimationFrame(() => find("#instant-stage").scrollIntoView({ block: "start" }));
  }

  function blend(name) {
    if (mix.some((style) => style.name === name)) return change(mix.filter((style) => style.name !== name));
    const wrong = network(name) !== network(mix[0].name)
      ? `${title(name)} is of another network than ${title(mix[0].name)}: only styles of one network can be mixed.`
      : mix.length === slots() ? `At most ${slots()} styles can be mixed: take one out first.` : "";
    set("instant-wrong", { children: wrong });
    if (!wrong) change([...mix, { name, weight: HALF }]);
  }

  function change(styles) {
    mix = styles.length === 1 ? [{ ...styles[0], weight: HALF }] : styles;
    tellShares();
    set("mix", { hidden: mix.length < 2 });
    for (let n = 0; n < slots(); n++) {
      set(`mix-slot-${n}`, { hidden: n >= mix.length });
      set(`mix-name-${n}`, { children: mix[n] ? title(mix[n].name) : "" });
      set(`mix-weight-${n}`, { value: mix[n]?.weight ?? HALF });
    }
    say({});
    hang();
    paint();
  }

  const share = ({ weight }) => weight / Math.max(1e-9, mix.reduce((sum, style) => sum + style.weight, 0));
  const percent = (style) => `${Math.round(100 * share(style))}\u00a0%`;

  const tellShares = () => mix.forEach((style, n) => set(`mix-share-${n}`, { children: percent(style) }));

  // A control has moved: weights of the mix, or options.
  function adjust() {
    const { inputs } = window.dash_clientside.callback_context;
    mix.forEach((style, n) => { style.weight = Number(inputs[`mix-weight-${n}.value`]); });
    tellShares();
    values = Object.fromEntries(Object.entries(inputs)
      .map(([place, value]) => [place.match(/^option-fast-(.+)\.value$/)?.[1], value])
      .filter(([name]) => name));
    clearTimeout(resting);
    resting = setTimeout(paint, REST_MS);
  }

  // The result ---------------------------------------------------------------------------------------------------------

  const canvas = () => find("#instant-canvas");

  function paint() {
    set("instant-stage", { hidden: !mix.length });
    if (!shown || !mix.length) return;
    const weights = Object.fromEntries(mix.map(({ name, weight }) => [name, weight]));
    const question = { ref: photo.ref, title: photo.title, mix: weights, values };
    const wanted = JSON.stringify(question), pictured = JSON.stringify([photo.ref, Object.keys(weights)]);
    if (wanted === painted) return;
    if (pictured !== sketched) sketch();
    [painted, sketched] = [wanted, pictured];
    const names = mix.map((style) => title(style.name) + (mix.length > 1 ? ` ${percent(style)}` : ""));
    set("instant-title", { children: names.join(", ") });
    canvas().classList.add("is-painting");
    painter.ask(question);
  }

  const originalOf = ({ ref }) => `/api/v1/instant/${ref}.jpg`;

  // Until the result is there: the preview that was picked, enlarged; or the picture, while the wall waits itself.
  function sketch() {
    const preview = cardOf(mix[0].name)?.querySelector(".style-wall:not(.is-waiting) img");
    canvas().classList.add("is-sketch");
    frame(preview?.naturalWidth || 4, preview?.naturalHeight || 3);
    set("instant-result", { src: preview?.src ?? originalOf(photo) });
    set("instant-numbers", { children: "" });
    set("refine", { disabled: true });
    set("instant-download", { disabled: true, href: null });
  }

  function frame(width, height) {
    canvas().style.setProperty("--width", width);
    canvas().style.setProperty("--height", height);
  }

  // Whether it is of the picture and the styles that were picked last; the controls may have moved since.
  const isWanted = ({ photo, styles }) => JSON.stringify([photo.ref, styles]) === sketched;

  async function show(answer) {
    if (!answer || !painter.answered(answer)) return;
    if (!answer.error && !isWanted(answer)) return;
    say(answer);
    if (answer.error) {
      canvas().classList.toggle("is-painting", answer.again);
      if (!answer.again) painted = "";
      return;
    }
    const image = new Image();
    image.src = answer.src;
    await image.decode().catch(() => {}); // so that the frame and what is in it change at once
    if (!isWanted(answer)) return;
    frame(answer.width, answer.height);
    canvas().classList.remove("is-sketch");
    canvas().classList.toggle("is-painting", painter.waits());
    set("shown", { data: answer });
    set("instant-result", { src: answer.src });
    set("instant-original", { src: originalOf(answer.photo) });
    set("instant-numbers", { children: answer.numbers });
    set("instant-download", { href: answer.src, download: answer.file, disabled: false });
    set("refine", { disabled: false });
  }

  // What is pressed, typed and dropped ---------------------------------------------------------------------------------

  document.addEventListener("input", (event) => {
    if (within(event, "#instant-cut")) canvas().style.setProperty("--cut", `${event.target.value}%`);
  });

  function act(button) {
    const card = button.closest(".style-card"), name = card.dataset.style;
    const acts = {
      pick: () => pick(name),
      mix: () => blend(name),
      rename: () => wish("rename", name, card.querySelector("input").value),
      remove: () => {
        if (button.dataset.sure) return wish("remove", name);
        button.dataset.sure = button.textContent = "Remove for good?";
      },
    };
    acts[button.dataset.do]();
  }

  function fold(but) {
    for (const menu of all(".style-menu[open]")) {
      if (menu === but) continue;
      menu.open = false;
      for (const button of menu.querySelectorAll("[data-sure]")) {
        delete button.dataset.sure;
        button.textContent = "Remove";
      }
    }
  }

  document.addEventListener("click", (event) => {
    fold(within(event, ".style-menu"));
    const button = within(event, ".style-card [data-do]");
    if (button) act(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") fold();
    if (event.key === "Enter" && within(event, ".style-menu input")) event.target.parentElement.querySelector("button").click();
  });

  const most = () => Number(find(".chooser-photo").dataset.largest); // bytes of a file
  const isTooLarge = ({ name, size }) => {
    if (size > most()) set("instant-wrong", { children: `'${name}' must be at most ${most() / 2 ** 20} MB.` });
    return size > most();
  };

  // A style that is chosen and too large, which Dash leaves out without a word.
  document.addEventListener("change", ({ target }) => {
    if (target.closest("#style-import")) [...target.files].some(isTooLarge);
  }, true);

  // A file that is dropped anywhere in the room: a style joins the wall, anything else is a picture.
  const carried = (event) => within(event, ".instant") && event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => { if (carried(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!carried(event) || !file) return;
    const style = file.name.endsWith(".style");
    if (!style && within(event, ".drop")) return; // whose own affair it is
    event.preventDefault();
    event.stopPropagation();
    if (isTooLarge(file)) return;
    const reader = new FileReader();
    reader.onload = () => set(style ? "style-import" : "photo-upload", { contents: reader.result, filename: file.name });
    reader.readAsDataURL(file);
  }, true);

  const instant = { enter, adjust, previews, painted: show };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { instant });
})();
