// Files that are chosen or dropped: refuses those that are too large, which dcc.Upload ignores without a message, and
// takes files that are dropped beside a chooser.
(() => {
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const hasFiles = (event, selector) => within(event, selector) && event.dataTransfer?.types.includes("Files");
  const megabytes = (bytes) => bytes / 2 ** 20;

  function upload(id, file) {
    const reader = new FileReader();
    reader.onload = () => set(id, { contents: reader.result, filename: file.name });
    reader.readAsDataURL(file);
  }

  // A picture that is too large for a chooser.
  const checkPicture = (event) => {
    const drop = within(event, ".drop");
    const limit = Number(drop?.closest("[data-largest]").dataset.largest); // bytes
    const file = [...(event.dataTransfer ?? event.target).files ?? []].find(({ size }) => size > limit);
    if (!drop || !file) return;
    const text = `'${file.name}' must be at most ${megabytes(limit)} MB, got ${megabytes(file.size).toFixed(1)} MB`;
    const role = drop.closest("[id$=-upload]").id.replace("-upload", "");
    set(role === "painting" ? "instant-wrong" : `${role}-error`, { children: text });
    set("toast", { is_open: true, children: text });
  };
  document.addEventListener("change", checkPicture, true);
  document.addEventListener("drop", checkPicture, true);

  // A result that is dropped on the image of the Studio page: the form is filled with its settings.
  document.addEventListener("dragover", (event) => { if (hasFiles(event, ".image-panel")) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!hasFiles(event, ".image-panel") || !file) return;
    event.preventDefault();
    upload("settings", file);
  });

  // On the Instant page: a style file is imported, any other file is a picture.
  const instantLimit = () => Number(document.querySelector(".chooser-photo").dataset.largest); // bytes
  const isTooLarge = ({ name, size }) => {
    const limit = instantLimit();
    if (size > limit) set("instant-wrong", { children: `'${name}' must be at most ${megabytes(limit)} MB.` });
    return size > limit;
  };
  document.addEventListener("change", ({ target }) => {
    if (target.closest("#style-import")) [...target.files].some(isTooLarge);
  }, true);
  document.addEventListener("dragover", (event) => { if (hasFiles(event, ".instant")) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!hasFiles(event, ".instant") || !file) return;
    const isStyle = file.name.endsWith(".style");
    if (!isStyle && within(event, ".drop")) return; // dcc.Upload takes it
    event.preventDefault();
    event.stopPropagation();
    if (!isTooLarge(file)) upload(isStyle ? "style-import" : "photo-upload", file);
  }, true);
})();
