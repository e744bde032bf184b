// The grid of the gallery: how often it is requested, what the buttons of its cards do, undoing a deletion, and the
// focus, which stays on its control when cards are replaced.
(() => {
  const REFRESH_MS = 2000; // between two requests while a run in the grid is active
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const find = (selector) => document.querySelector(selector);
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const grid = window.changingGrid("/gallery", "look");
  let actions = 0;

  // The grid -----------------------------------------------------------------------------------------------------------

  function received() {
    grid.answered(find(".run-card-active") && REFRESH_MS);
    requestAnimationFrame(() => { observePictures(); showTimes(); restoreFocus(); });
  }

  // Pictures are loaded when they scroll into view: hundreds at once would use up the connections of the browser.
  const visibility = new IntersectionObserver((entries) => {
    entries.filter(({ isIntersecting }) => isIntersecting).forEach(({ target }) => {
      target.src = target.dataset.src;
      visibility.unobserve(target);
    });
  }, { rootMargin: "50%" });

  function observePictures() {
    document.querySelectorAll("#wall img").forEach((image) => {
      if (image.getAttribute("src") !== image.dataset.src) visibility.observe(image);
    });
  }

  // The times at which runs were started, in the reader's time zone and language.
  function showTimes(selector = "#wall time") {
    document.querySelectorAll(selector).forEach((time) => {
      const then = new Date(time.dateTime);
      time.textContent = ago((Date.now() - then) / 1000) ?? then.toLocaleDateString([], { dateStyle: "medium" });
      time.title = then.toLocaleString();
    });
  }

  const UNITS = [[60, 1, ""], [3600, 60, "min"], [86400, 3600, "h"], [604800, 86400, "days"]]; // limit, seconds, name

  function ago(seconds) {
    const unit = UNITS.find(([limit]) => seconds < limit);
    if (!unit) return undefined;
    const whole = Math.floor(seconds / unit[1]);
    return unit[2] ? `${whole} ${whole === 1 ? unit[2].replace("days", "day") : unit[2]} ago` : "just now";
  }

  // The focus ----------------------------------------------------------------------------------------------------------

  const controls = (card) => [...card?.querySelectorAll("a:not([tabindex]), button") ?? []];
  let focused = null; // {card, n}: the card's id and the number of its control

  function restoreFocus() {
    if (focused && document.activeElement === document.body) {
      controls(document.getElementById(focused.card)).at(focused.n)?.focus({ preventScroll: true });
    }
  }

  const rememberFocus = (event) => {
    const card = within(event, ".run-card");
    focused = card ? { card: card.id, n: controls(card).indexOf(event.target.closest("a, button")) } : null;
  };
  document.addEventListener("focusin", rememberFocus);
  document.addEventListener("pointerdown", rememberFocus);

  // Comparing ----------------------------------------------------------------------------------------------------------

  const clicksSeen = new Map(); // of the Compare buttons, by run
  let chosen = []; // at most two runs; a third one takes the place of the first

  // Called when a Compare button is pressed, and when cards are replaced: their buttons have no clicks then.
  function chooseRuns(clicks, cleared, ids) {
    const { triggered } = window.dash_clientside.callback_context;
    if (triggered.some(({ prop_id }) => prop_id.startsWith("chosen-clear"))) chosen = [];
    ids.forEach(({ compare: run }, n) => {
      if ((clicks[n] ?? 0) > (clicksSeen.get(run) ?? 0)) {
        chosen = chosen.includes(run) ? chosen.filter((each) => each !== run) : [...chosen, run].slice(-2);
      }
      clicksSeen.set(run, clicks[n] ?? 0);
    });
    const titles = chosen.map((run) => `“${document.getElementById(`card-${run}`)?.ariaLabel ?? "a run"}”`);
    const text = chosen.length === 2 ? titles.join(" and ") : `${titles[0]}: press Compare on another run, too.`;
    const pressed = ids.map(({ compare: run }) => String(chosen.includes(run)));
    return [pressed, !chosen.length, text, `/compare?a=${chosen[0]}&b=${chosen[1]}`, chosen.length < 2];
  }

  // Actions ------------------------------------------------------------------------------------------------------------

  const act = (name, run) => set("wish", { data: { do: name, run, n: ++actions } });
  let deleted = []; // {run, title}, the last one at the end

  function showUndo() {
    const last = deleted.at(-1);
    set("bin", { hidden: !last });
    if (last) set("bin-text", { children: `Deleted “${last.title}”.` });
  }

  function dropUndo(entry) {
    deleted = deleted.filter((each) => each !== entry);
    showUndo();
  }

  const titles = new Map(); // of runs whose deletion was requested

  function actionDone({ do: name, run, failed }) {
    if (name === "delete" && !failed) offerUndo(run, titles.get(run));
    titles.delete(run);
    grid.refresh();
  }

  function offerUndo(run, title) {
    const entry = { run, title };
    deleted.push(entry);
    setTimeout(dropUndo, 1000 * find("#bin").dataset.seconds, entry); // later the run cannot be restored
    showUndo();
    window.dash_clientside.buttons.focusWhenShown("#undo");
  }

  document.addEventListener("click", (event) => {
    const button = within(event, "#wall [data-do]");
    if (button) {
      const { do: name, run } = button.dataset;
      if (name === "delete") {
        titles.set(run, button.closest(".run-card").ariaLabel);
        chosen = chosen.filter((each) => each !== run);
      }
      act(name, run);
    }
    if (within(event, "#undo")) {
      const last = deleted.at(-1);
      act("restore", last.run);
      dropUndo(last);
      focused = { card: `card-${last.run}`, n: -1 };
    }
    if (within(event, "#forget")) {
      deleted = [];
      showUndo();
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { gallery: { request: grid.request, received, showTimes, chooseRuns, actionDone } });
})();
