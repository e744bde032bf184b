// Three rooms in one page, the studio, the instant room and the gallery: the address says which one is shown. Nothing is
// loaded anew, so that the painting goes on behind the others. Links of the class "inside" lead from one to the other.
(() => {
  // Of each room: its element, its address, and what the window is called.
  const ROOMS = [["room-studio", "/", ""], ["room-instant", "/instant", "Instant"], ["room-gallery", "/gallery", "Gallery"]];
  const NAME = document.title;
  const scrolled = {}; // where each room was left
  let room = "";

  // Which room is hidden; and for each link its address, which keeps the run, and whether it is where we are.
  function enter(pathname, search) {
    const path = pathname.replace(/\/+$/, "") || "/";
    const [id, here, title] = ROOMS.find(([, address]) => address === path) ?? ROOMS[0];
    if (here !== pathname) window.dash_clientside.set_props("url", { pathname: here }); // an address that is none
    const run = new URLSearchParams(search).get("run");
    const query = run ? `?run=${encodeURIComponent(run)}` : "";
    move(id);
    document.title = title ? `${title} · ${NAME}` : NAME;
    const links = ROOMS.flatMap(([, address]) => [address + query, address === here ? "page" : null]);
    return [...ROOMS.map(([, address]) => address !== here), ...links];
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
