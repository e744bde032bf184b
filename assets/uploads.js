// Files that are chosen, dropped, pasted or photographed. They are sent as they are, one after the other, with their
// progress; dcc.Upload would put each into a callback as base64, which is a third more. Folders are searched for pictures.
(() => {
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const find = (selector) => document.querySelector(selector);
  const within = (event, selector) => event.target instanceof Element && event.target.closest(selector);
  const megabytes = (bytes) => bytes / 2 ** 20;

  // Sending ------------------------------------------------------------------------------------------------------------

  function send(file, progress, address = "/api/v1/uploads") {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(), form = new FormData();
      form.append("file", file, file.name);
      request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
      request.onload = () => {
        const answer = window.requests.parsed(request.responseText);
        if (request.status === 201) resolve(answer);
        else reject(new Error(answer.error?.message ?? `'${file.name}' was not sent: the server answered ${request.status}`));
      };
      request.onerror = () => reject(new Error(`'${file.name}' was not sent: the studio does not answer`));
      request.open("POST", address);
      request.send(form);
    });
  }

  function checkSize({ name, size }) {
    const limit = Number(find(".chooser").dataset.largest); // bytes
    if (size <= limit) return;
    throw new Error(`'${name}' must be at most ${megabytes(limit)} MB, got ${megabytes(size).toFixed(1)} MB`);
  }

  const latest = {}; // role or "settings" -> number of the last choice: what is sent for an earlier one comes too late
  function outdate(role) {
    latest[role] = (latest[role] ?? 0) + 1;
    if (role === "content") outdate("mask"); // a mask is of one photograph
    hideMessage(role);
  }

  // The message in the corner ------------------------------------------------------------------------------------------

  // Headings of what is said of settings and of styles, some of it by the server.
  const HEADINGS = {
    settings: ["The settings were not loaded"],
    styles: ["The style was not taken", "The painting was not taken"],
  };
  const refusals = {}; // role -> the message of its last choice

  const showMessage = (header, text) => window.dash_clientside.toast.show(header, text);

  // What is said of files that were not taken: why the first one was not, and how many more.
  const summary = ([first, ...more]) => (more.length ? `${first} (${more.length} more not taken)` : first ?? "");

  // Hides a message of an earlier choice, unless another message has taken its place.
  function hideMessage(place) {
    const [header, text] = ["strong", ".toast-body"].map((part) => find(`#toast ${part}`)?.textContent);
    if (HEADINGS[place]?.includes(header) || (text && text === refusals[place])) set("toast", { is_open: false });
  }

  // Pictures of the choosers -------------------------------------------------------------------------------------------

  // Puts pictures into a chooser. That of the content takes several: a run is started for each.
  async function take(role, files) {
    outdate(role);
    const number = latest[role];
    const wanted = role === "content" ? files : files.slice(0, 1);
    const show = (value) => set(`${role}-progress`, { hidden: false, value: String(value), max: String(wanted.length) });
    const taken = [], errors = [];
    for (const [at, file] of wanted.entries()) {
      show(at);
      try {
        checkSize(file);
        taken.push(await send(file, (share) => { if (number === latest[role]) show(at + share); }));
      } catch (error) {
        errors.push(error.message);
      }
      if (number !== latest[role]) return;
    }
    set(`${role}-progress`, { hidden: true });
    set(`${role}-error`, { children: summary(errors) });
    refusals[role] = errors.length ? showMessage("The picture was not taken", summary(errors)) : "";
    if (!taken.length) return;
    const [first, ...more] = taken;
    set(`${role}-choice`, { data: more.length ? { ...first, more } : first });
  }

  // Results, for their settings ----------------------------------------------------------------------------------------

  // The form is filled with the settings in a result. One that was `dropped` on the painting may be any picture.
  async function takeSettings(file, dropped) {
    outdate("settings");
    const number = latest.settings, isLatest = () => number === latest.settings;
    const say = (text) => { if (isLatest()) set("settings-said", { children: text }); };
    try {
      checkSize(file);
      const stored = await send(file, (share) => say(`Sending ${file.name}: ${Math.round(100 * share)} %`));
      if (isLatest()) set("settings-file", { data: { ...stored, dropped } });
    } catch (error) {
      if (!isLatest()) return;
      say("");
      showMessage(HEADINGS.settings[0], error.message);
    }
  }

  // Styles of the Instant page -----------------------------------------------------------------------------------------

  const isStyle = ({ name }) => name.endsWith(".style");

  // Style files, which are added to the library, and paintings, whose styles are predicted.
  async function takeStyles(files, areStyles = isStyle) {
    const show = (value) => set("styles-progress", { hidden: false, value: String(value), max: String(files.length) });
    const paintings = [], errors = [];
    hideMessage("styles");
    for (const [at, file] of files.entries()) {
      const progress = (share) => show(at + share);
      progress(0);
      try {
        checkSize(file);
        if (areStyles(file)) await send(file, progress, "/api/v1/styles/fast");
        else paintings.push(await send(file, progress));
      } catch (error) {
        errors.push(error.message);
      }
    }
    set("styles-progress", { hidden: true });
    window.dash_clientside.instant.showRefusal(summary(errors));
    if (errors.length) showMessage(HEADINGS.styles[0], summary(errors));
    if (errors.length < files.length) set("styles-sent", { data: paintings });
  }

  // Choosing and dropping ----------------------------------------------------------------------------------------------

  // Systems do not know the types of rare formats.
  const isPicture = ({ name, type }) => type.startsWith("image/") || /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|jp2|j2k|p[bgnp]m)$/i.test(name);
  const roleOf = (element) => element.closest(".chooser")?.className.match(/chooser-(\w+)/)[1];

  // What takes the files that are chosen or dropped in a place; of several, the first one counts.
  const PLACES = [
    [".chooser .drop", (files, place) => take(roleOf(place), files)],
    ["#settings", ([file]) => takeSettings(file, false)],
    [".image-panel", ([file]) => takeSettings(file, true)],
    ["#style-import", (files) => takeStyles(files, () => true)],
    ["#painting-upload", (files) => takeStyles(files)],
    [".instant", (files) => (isStyle(files[0]) ? takeStyles(files) : take("photo", files))],
  ];

  function placeOf(event) {
    const [selector, takeFiles] = PLACES.find(([each]) => within(event, each)) ?? [];
    return selector && { takeFiles, element: within(event, selector) };
  }

  document.addEventListener("change", (event) => {
    const { target } = event, place = target.matches("input[type=file]") && placeOf(event);
    if (!place) return;
    event.stopPropagation(); // dcc.Upload would send it again
    const files = [...target.files];
    target.value = ""; // so that the same file can be chosen again
    if (files.length) place.takeFiles(files, place.element);
  }, true);

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

  // A file that is dropped beside the places does nothing: the browser would open it instead of the page.
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (!placeOf(event)) event.dataTransfer.dropEffect = "none";
  });
  document.addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    const place = placeOf(event);
    if (!place) return;
    within(event, ".drop")?.dispatchEvent(new DragEvent("dragleave", { bubbles: true })); // dcc.Upload ends its highlight
    const files = await dropped(event.dataTransfer);
    if (files.length) place.takeFiles(files, place.element);
    else showMessage("Nothing was taken", "There is no picture in what was dropped.");
  }, true);

  // Roles of the paintings after the first one, in order.
  function furtherStyles() {
    return [...document.querySelectorAll(".style-slot > button")].map(({ id }) => id.replace("-remove", ""));
  }

  // What is pressed in place of waiting for a picture that is being sent, and the roles that it chooses or empties. The
  // paintings after one that is removed move up.
  const OTHERS = [
    [".chooser .sample", (sample) => [roleOf(sample)]],
    ["#mask-remove", () => ["mask"]],
    [".style-slot > button", ({ id }) => furtherStyles().filter((role) => `${role}-remove` >= id)],
    ["#surprise", () => ["content", "style"]],
  ];
  document.addEventListener("click", (event) => {
    const [selector, rolesOf] = OTHERS.find(([each]) => within(event, each)) ?? [];
    for (const role of selector ? rolesOf(within(event, selector)) : []) {
      outdate(role);
      set(`${role}-progress`, { hidden: true });
    }
  });

  // Camera and clipboard -----------------------------------------------------------------------------------------------

  const camera = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
  camera.setAttribute("capture", "environment");

  document.addEventListener("click", (event) => {
    const button = within(event, ".chooser .camera");
    if (!button) return;
    camera.onchange = () => { if (camera.files.length) take(roleOf(button), [...camera.files]); };
    camera.value = ""; // so that a second photograph of the same name counts
    camera.click();
  });

  // A picture that is pasted goes to the chooser with the focus; else to the content, or to the style once the content is
  // the visitor's own.
  const isOwn = (role) => find(`#${role}-preview`).src.includes("/uploads/");
  document.addEventListener("paste", (event) => {
    const [file] = [...(event.clipboardData?.files ?? [])].filter(isPicture);
    if (!file || find("dialog[open]")) return;
    event.preventDefault();
    const next = isOwn("content") && !isOwn("style") ? "style" : "content";
    const shown = find("#room-instant:not([hidden])") ? "photo" : find("#room-studio:not([hidden])") && next;
    const role = roleOf(document.activeElement) ?? shown;
    const suffix = file.type.split("/")[1] ?? "png";
    if (role) take(role, [new File([file], `pasted.${suffix}`, { type: file.type })]);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { uploads: { take } });
})();
