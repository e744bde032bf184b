// Pictures that are chosen, dropped or pasted. Those for a chooser are sent as they are, one after the other, with their
// progress; dcc.Upload would put each into a callback as base64, which is a third more. Folders are searched for pictures.
(() => {
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const find = (selector) => document.querySelector(selector);
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const hasFiles = (event, selector) => within(event, selector) && event.dataTransfer?.types.includes("Files");
  const megabytes = (bytes) => bytes / 2 ** 20;
  const ofVisitor = new Set(); // roles whose picture is the visitor's own

  // Sending ------------------------------------------------------------------------------------------------------------

  function send(file, progress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(), form = new FormData();
      form.append("file", file, file.name);
      request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
      request.onload = () => {
        const answer = parsed(request.responseText);
        if (request.status === 201) resolve(answer);
        else reject(new Error(answer.error?.message ?? `'${file.name}' was not sent: the server answered ${request.status}`));
      };
      request.onerror = () => reject(new Error(`'${file.name}' was not sent: the studio does not answer`));
      request.open("POST", "/api/v1/uploads");
      request.send(form);
    });
  }

  // {} for what is no JSON: a proxy answers in HTML.
  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return {};
    }
  }

  function checkSize({ name, size }, limit) {
    if (size <= limit) return;
    throw new Error(`'${name}' must be at most ${megabytes(limit)} MB, got ${megabytes(size).toFixed(1)} MB`);
  }

  const latest = {}; // role -> number of the last choice: what is sent for an earlier one comes too late
  const outdate = (role) => { latest[role] = (latest[role] ?? 0) + 1; };

  // Puts pictures into a chooser. That of the content takes several: a run is started for each.
  async function take(role, files) {
    outdate(role);
    const number = latest[role];
    const limit = Number(find(`.chooser-${role}`).dataset.largest); // bytes
    const wanted = role === "content" ? files : files.slice(0, 1);
    const show = (value) => set(`${role}-progress`, { hidden: false, value: String(value), max: String(wanted.length) });
    const taken = [], errors = [];
    for (const [at, file] of wanted.entries()) {
      show(at);
      try {
        checkSize(file, limit);
        taken.push(await send(file, (share) => { if (number === latest[role]) show(at + share); }));
      } catch (error) {
        errors.push(error.message);
      }
      if (number !== latest[role]) return;
    }
    set(`${role}-progress`, { hidden: true });
    set(`${role}-error`, { children: errors[0] ?? "" });
    if (errors.length) set("toast", { is_open: true, header: "The picture was not taken", children: errors[0] });
    if (!taken.length) return;
    ofVisitor.add(role);
    const [first, ...more] = taken;
    set(`${role}-choice`, { data: more.length ? { ...first, more } : first });
  }

  // Choosing and dropping ----------------------------------------------------------------------------------------------

  const isPicture = ({ name, type }) => type.startsWith("image/") || /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i.test(name);
  const roleOf = (element) => element.closest(".chooser")?.className.match(/chooser-(\w+)/)[1];

  const filesIn = (entry) => new Promise((resolve) => {
    if (entry.isFile) return entry.file((file) => resolve([file]), () => resolve([]));
    const reader = entry.createReader(), found = [];
    const next = () => reader.readEntries(async (entries) => { // a hundred at a time
      if (!entries.length) return resolve((await Promise.all(found.map(filesIn))).flat());
      found.push(...entries);
      next();
    }, () => resolve([]));
    next();
  });

  // The files of a drop; of folders, the pictures in them.
  async function dropped({ items, files }) {
    const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some(({ isDirectory }) => isDirectory)) return [...files];
    const found = (await Promise.all(entries.map(filesIn))).flat().filter(isPicture);
    return found.sort((a, b) => a.name.localeCompare(b.name));
  }

  document.addEventListener("change", (event) => {
    const { target } = event;
    const role = target.matches(".drop input[type=file]") && roleOf(target);
    if (!role) return;
    event.stopPropagation(); // dcc.Upload would send it again
    const files = [...target.files];
    target.value = ""; // so that the same file can be chosen again
    if (files.length) take(role, files);
  }, true);

  document.addEventListener("click", (event) => {
    const sample = within(event, ".chooser .sample");
    if (!sample) return;
    outdate(roleOf(sample));
    set(`${roleOf(sample)}-progress`, { hidden: true });
  });

  document.addEventListener("drop", async (event) => {
    const drop = within(event, ".chooser .drop");
    if (!drop || !hasFiles(event, ".drop")) return;
    event.preventDefault();
    event.stopPropagation();
    drop.dispatchEvent(new DragEvent("dragleave", { bubbles: true })); // dcc.Upload ends its highlight
    const files = await dropped(event.dataTransfer);
    if (files.length) take(roleOf(drop), files);
  }, true);

  // A picture that is pasted goes to the chooser with the focus; else to the content, or to the style once the content is
  // the visitor's own.
  document.addEventListener("paste", (event) => {
    const [file] = [...(event.clipboardData?.files ?? [])].filter(isPicture);
    if (!file) return;
    event.preventDefault();
    const next = ofVisitor.has("content") && !ofVisitor.has("style") ? "style" : "content";
    const shown = find("#room-instant:not([hidden])") ? "photo" : find("#room-studio:not([hidden])") && next;
    const role = roleOf(document.activeElement) ?? shown;
    const suffix = file.type.split("/")[1] ?? "png";
    if (role) take(role, [new File([file], `pasted.${suffix}`, { type: file.type })]);
  });

  // Other files --------------------------------------------------------------------------------------------------------

  function upload(id, file) {
    const reader = new FileReader();
    reader.onload = () => set(id, { contents: reader.result, filename: file.name });
    reader.readAsDataURL(file);
  }

  // A painting for the Instant page, which dcc.Upload takes: one that is too large it would ignore without a message.
  // Several are sent in one request, which has the same limit.
  const checkPainting = (event) => {
    const drop = within(event, ".drop");
    if (!drop || drop.closest(".chooser")) return;
    try {
      const limit = Number(drop.closest("[data-largest]").dataset.largest); // bytes
      const files = [...(event.dataTransfer ?? event.target).files ?? []];
      for (const file of files) checkSize(file, limit);
      const size = files.reduce((sum, file) => sum + file.size, 0);
      checkSize({ name: `${files.length} paintings`, size }, limit);
    } catch (error) {
      event.preventDefault();
      event.stopPropagation();
      if (event.type === "drop") drop.dispatchEvent(new DragEvent("dragleave", { bubbles: true })); // ends its highlight
      else event.target.value = "";
      set("instant-wrong", { children: error.message });
      set("toast", { is_open: true, header: "The painting was not taken", children: error.message });
    }
  };
  document.addEventListener("change", checkPainting, true);
  document.addEventListener("drop", checkPainting, true);

  // Of a file that dcc.Upload would ignore without a message.
  function isTooLarge(file, report) {
    try {
      checkSize(file, Number(find(".chooser").dataset.largest));
    } catch (error) {
      report(error.message);
      return true;
    }
    return false;
  }

  const rejectSettings = (text) => set("toast", { is_open: true, header: "The settings were not loaded", children: text });
  const rejectStyle = (text) => set("instant-wrong", { children: text });

  // A result that is dropped on the image of the Studio page: the form is filled with its settings.
  document.addEventListener("dragover", (event) => { if (hasFiles(event, ".image-panel")) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!hasFiles(event, ".image-panel") || !file) return;
    event.preventDefault();
    if (!isTooLarge(file, rejectSettings)) upload("settings", file);
  });
  document.addEventListener("change", ({ target }) => {
    if (target.closest("#settings")) [...target.files].some((file) => isTooLarge(file, rejectSettings));
  }, true);

  // On the Instant page: a style file is imported, any other file is a picture.
  document.addEventListener("change", ({ target }) => {
    if (target.closest("#style-import")) [...target.files].some((file) => isTooLarge(file, rejectStyle));
  }, true);
  document.addEventListener("dragover", (event) => { if (hasFiles(event, ".instant")) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer?.files ?? [];
    if (!hasFiles(event, ".instant") || !file || within(event, ".drop")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!file.name.endsWith(".style")) take("photo", [file]);
    else if (!isTooLarge(file, rejectStyle)) upload("style-import", file);
  }, true);

  window.dash_clientside = Object.assign({}, window.dash_clientside, { uploads: { take } });
})();
