// Shows the page that the address names. All pages are in one document and nothing is loaded anew, so that a run is
// followed while another page is shown. Links of the class "in-app" lead from one to the other.
(() => {
  // Of each page: the id of its element, its address, and its part of the window's title.
  const LINKED = [
    ["room-studio", "/", ""], ["room-instant", "/instant", "Instant"], ["room-vary", "/vary", "Variations"],
    ["room-gallery", "/gallery", "Gallery"], ["room-learn", "/learn", "Learn"],
  ];
  const PAGES = [...LINKED, ["room-compare", "/compare", "Compare"]];
  const SITE_TITLE = document.title;
  const scrollPositions = {}; // of pages that were left, by id
  let current = "", pageTitle = "", runTitle = "";
  let grid = ""; // fragment of the Variations page, which only its own address has

  const showTitle = () => { document.title = [runTitle, pageTitle, SITE_TITLE].filter(Boolean).join(" · "); };

  // Puts the state of a run before the title of the page.
  function setRunTitle(text) {
    runTitle = text;
    showTitle();
  }

  // Returns which pages are hidden; for each link its address, which keeps the run, and its aria-current; and what Learn
  // and Compare are to be filled from: the server is asked for them only when they are shown.
  function show(pathname, search, hash) {
    const path = pathname.replace(/\/+$/, "") || "/";
    const [id, address, title] = PAGES.find(([, each]) => each === path) ?? PAGES[0];
    if (address !== pathname) window.dash_clientside.set_props("url", { pathname: address }); // there is no such page
    const run = new URLSearchParams(search).get("run");
    const query = run ? `?run=${encodeURIComponent(run)}` : "";
    // dcc.Location takes all its properties for new when it is first updated, and then goes to the `href` that it has from
    // the load. So it is updated here, before a script replaces the address.
    if (!current) window.dash_clientside.set_props("url", { href: location.href });
    leaveFor(id);
    if (id === "room-studio") showPainting(run);
    pageTitle = title;
    showTitle();
    if (id === "room-vary") grid = hash ?? "";
    const links = LINKED.flatMap(([, each]) => [each + query + (each === "/vary" ? grid : ""), each === address ? "page" : null]);
    const asked = (page, value) => (id === page ? value : window.dash_clientside.no_update);
    return [...PAGES.map(([, each]) => each !== address), ...links, asked("room-learn", true), asked("room-compare", search ?? "")];
  }

  // On a narrow screen the painting is below the form, and above it where the address has a run (studio.css): a run that
  // is opened is shown, not the form.
  let opened = "";
  function showPainting(run) {
    document.documentElement.classList.toggle("has-run", Boolean(run));
    if (run && run !== opened && matchMedia("(max-width: 991px)").matches) {
      requestAnimationFrame(() => requestAnimationFrame(() =>
        document.querySelector(".image-panel").scrollIntoView({ block: "start" })));
    }
    opened = run ?? "";
  }

  // Keeps the scroll position of the current page, restores that of the next one, and moves the focus there.
  function leaveFor(next) {
    if (next === current) return;
    const first = current === "";
    scrollPositions[current] = window.scrollY;
    current = next;
    if (first) return;
    requestAnimationFrame(() => {
      window.scrollTo(0, scrollPositions[next] ?? 0);
      const focused = document.activeElement;
      if (focused === document.body || focused.closest("main")) document.getElementById(next).focus({ preventScroll: true });
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a.in-app");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { pathname, search, hash } = new URL(link.href);
    window.dash_clientside.set_props("url", { pathname, search, hash });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { navigation: { show, setRunTitle } });
})();
