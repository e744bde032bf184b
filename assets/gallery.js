// The gallery's wall: when it is looked at anew, what its cards' buttons ask for, the way back from a deletion, and the
// focus, which stays where it was whatever is hung.
(() => {
  const AGAIN_MS = 2000; // between two looks while something on the wall is being painted
  const GIVE_UP_MS = 10000; // a look that is not answered by then is lost
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const find = (selector) => document.querySelector(selector);
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  let looks = 0, wishes = 0, timer = 0, shown = false;

  // Looking ------------------------------------------------------------------------------------------------------------

  function look(pathname) {
    shown = pathname === "/gallery";
    clearTimeout(timer);
    if (!shown) return window.dash_clientside.no_update;
    timer = setTimeout(again, GIVE_UP_MS);
    return ++looks;
  }

  function again() {
    if (shown && !document.hidden) set("look", { data: look(location.pathname) });
  }

  function looked() {
    clearTimeout(timer);
    if (find(".painting-going")) timer = setTimeout(again, AGAIN_MS);
    requestAnimationFrame(() => { loadPictures(); tellTimes(); hold(); });
  }

  document.addEventListener("visibilitychange", again);

  // Pictures are loaded as they come into sight: hundreds at once would hold every connection of the browser.
  const sight = new IntersectionObserver((entries) => {
    entries.filter(({ isIntersecting }) => isIntersecting).forEach(({ target }) => {
      target.src = target.dataset.src;
      sight.unobserve(target);
    });
  }, { rootMargin: "50%" });

  function loadPictures() {
    document.querySelectorAll("#wall img").forEach((image) => {
      if (image.getAttribute("src") !== image.dataset.src) sight.observe(image);
    });
  }

  // When a run was asked for, as it is said where the page is read.
  function tellTimes() {
    document.querySelectorAll("#wall time").forEach((time) => {
      const then = new Date(time.dateTime);
      time.textContent = ago((Date.now() - then) / 1000) ?? then.toLocaleDateString([], { dateStyle: "medium" });
      time.title = then.toLocaleString();
    });
  }

  const UNITS = [[60, 1, ""], [3600, 60, "min"], [86400, 3600, "h"], [604800, 86400, "days"]]; // below, seconds, name

  function ago(seconds) {
    const unit = UNITS.find(([limit]) => seconds < limit);
    if (!unit) return undefined;
    const whole = Math.floor(seconds / unit[1]);
    return unit[2] ? `${whole} ${whole === 1 ? unit[2].replace("days", "day") : unit[2]} ago` : "just now";
  }

  // Holding the focus --------------------------------------------------------------------------------------------------

  const controls = (card) => [...card?.querySelectorAll("a:not([tabindex]), button") ?? []];
  let held = null; // {card, n}: what has the focus on the wall

  function hold() {
    if (held && document.activeElement === document.body) {
      controls(document.getElementById(held.card)).at(held.n)?.focus({ preventScroll: true });
    }
  }

  const holding = (event) => {
    const card = within(event, ".painting");
    held = card ? { card: card.id, n: controls(card).indexOf(event.target.closest("a, button")) } : null;
  };
  document.addEventListener("focusin", holding);
  document.addEventListener("pointerdown", holding);

  // Wishes -------------------------------------------------------------------------------------------------------------

  const wish = (what, run) => set("wish", { data: { do: what, run, n: ++wishes } });
  let bin = []; // {run, title}, the last one deleted at the end

  function showBin() {
    const last = bin.at(-1);
    find("#bin").hidden = !last;
    if (last) find("#bin-text").textContent = `Deleted “${last.title}”.`;
  }

  function forget(entry) {
    bin = bin.filter((each) => each !== entry);
    showBin();
  }

  function granted({ do: what, run, failed }) {
    if (what === "delete" && failed) forget(bin.find((each) => each.run === run));
    again();
  }

  document.addEventListener("click", (event) => {
    const button = within(event, "#wall [data-do]");
    if (button) {
      const { do: what, run } = button.dataset;
      wish(what, run);
      if (what !== "delete") return;
      const entry = { run, title: button.closest(".painting").ariaLabel };
      bin.push(entry);
      setTimeout(forget, 1000 * find("#bin").dataset.lasts, entry); // after which it is gone for good
      showBin();
      find("#undo").focus();
    }
    if (within(event, "#undo")) {
      const last = bin.at(-1);
      wish("restore", last.run);
      forget(last);
      held = { card: `card-${last.run}`, n: -1 };
    }
    if (within(event, "#forget")) {
      bin = [];
      showBin();
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { gallery: { look, looked, granted } });
})();
