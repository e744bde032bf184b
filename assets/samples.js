// Loads the thumbnails of the samples one after another, visible ones first: each may still have to be drawn, and requests
// that wait for it would use up the connections that a browser opens to one server.
(() => {
  const isVisible = (image) => Number(image.offsetParent !== null);

  async function load() {
    const images = [...document.querySelectorAll(".sample img[data-src]:not([src])")];
    for (const image of images.sort((a, b) => isVisible(b) - isVisible(a))) {
      await new Promise((resolve) => {
        image.onload = image.onerror = resolve;
        image.src = image.dataset.src;
      });
    }
  }

  // Dash renders the layout some time after this script ran.
  const observer = new MutationObserver(() => {
    if (!document.querySelector(".sample img")) return;
    observer.disconnect();
    setTimeout(load);
  });
  observer.observe(document, { subtree: true, childList: true });
})();
