// Two rooms in one page, the studio and the gallery: the address says which one is shown. Nothing is loaded anew, so
// that the painting goes on behind the gallery. Links of the class "inside" lead from one to the other.
(() => {
  const GALLERY = "/gallery";
  const NAME = document.title;
  const scrolled = {}; // where each room was left
  let room = "";

  // Which room is hidden; and for each link its address, which keeps the run, and whether it is where we are.
  function enter(pathname, search) {
    const inGallery = pathname === GALLERY;
    const run = new URLSearchParams(search).get("run");
    const query = run ? `?run=${encodeURIComponent(run)}` : "";
    move(inGallery ? "room-gallery" : "room-studio");
    document.title = inGallery ? `Gallery · ${NAME}` : NAME;
    return [inGallery, !inGallery, `/${query}`, inGallery ? null : "page", GALLERY + query, inGallery ? "page" : null];
  }

  function move(to) {
    if (to === room) return;
    const first = room === "";
    scrolled[room] = window.scrollY;
    room = to;
    if (first) return;
    requestAnimationFrame(() => {
      window.scrollTo(0, scrolled[to] ?? 0);
      const held = document.activeElement;
      if (held === document.body || held.closest("main")) document.getElementById(to).focus({ preventScroll: true });
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a.inside");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { pathname, search } = new URL(link.href);
    window.dash_clientside.set_props("url", { pathname, search });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { rooms: { enter } });
})();
