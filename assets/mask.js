// The dialog in which a mask is painted over the content: white strokes on a transparent canvas, sent as PNG on black.
(() => {
  const LONG_SIDE = 1024; // px of the canvas: masks need no more detail
  const VISIBLE = 16; // of 0..255: darker parts of an earlier mask are black
  const find = (name) => document.getElementById(`mask-${name}`);
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const MOST_UNDONE = 20; // strokes
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let at = null; // where a stroke has come to, canvas px; null between two strokes
  let brush = [0, 0]; // where the brush is, canvas px: at the pointer, or where the arrow keys have moved it
  let copies = []; // of the canvas, from before the last strokes
  let shown = ""; // the addresses of the picture and the mask that the canvas was filled with; "" until it is
  let fills = 0;

  async function open(clicks, mask) {
    const source = document.getElementById("content-preview")?.src, number = ++fills;
    if (!source) return;
    find("dialog").showModal();
    const key = `${source} ${mask?.ref ?? ""}`;
    if (shown === key) return;
    shown = ""; // until the mask is there nothing is painted, which it would cover
    set("mask-use", { disabled: true });
    set("mask-picture", { src: source });
    try {
      const images = await Promise.all([decoded(source), mask && decoded(`/api/v1/${mask.ref}.jpg?side=512`)]);
      if (number !== fills) return; // it was opened again
      fill(...images);
      shown = key;
      set("mask-use", { disabled: false });
    } catch { /* one of them does not come: opening tries again */ }
  }

  async function decoded(address) {
    const image = Object.assign(new Image(), { src: address });
    await image.decode();
    return image;
  }

  // Gives the canvas the shape of the picture. An earlier mask becomes strokes: white, as opaque as it was bright. It is
  // read from a canvas of its own: one that is read again and again is drawn slowly, or the browser warns.
  function fill({ naturalWidth: width, naturalHeight: height }, earlier) {
    const canvas = find("canvas"), factor = LONG_SIDE / Math.max(width, height);
    canvas.parentElement.style.setProperty("--ratio", width / height);
    canvas.width = Math.round(width * factor);
    canvas.height = Math.round(height * factor);
    copies = [];
    moveBrush([canvas.width / 2, canvas.height / 2]);
    if (!earlier) return;
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(earlier, 0, 0, canvas.width, canvas.height);
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < pixels.data.length; i += 4) {
      const value = pixels.data[i];
      pixels.data.set([255, 255, 255, value < VISIBLE ? 0 : value], i);
    }
    canvas.getContext("2d").putImageData(pixels, 0, 0);
  }

  function position(event) {
    const canvas = find("canvas"), box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  }

  const brushWidth = () => (Number(find("size").value) / 100) * LONG_SIDE;

  // Moves the brush, and the ring that shows it.
  function moveBrush(to) {
    const canvas = find("canvas"), percent = (value, whole) => `${(100 * value) / whole}%`;
    brush = to.map((value, axis) => Math.min(Math.max(value, 0), axis ? canvas.height : canvas.width));
    Object.assign(find("ring").style, {
      left: percent(brush[0], canvas.width), top: percent(brush[1], canvas.height), width: percent(brushWidth(), canvas.width),
    });
  }

  // For `undo`.
  function remember() {
    copies = [...copies, copyOf(find("canvas"))].slice(-MOST_UNDONE);
  }

  function begin() {
    remember();
    at = [brush[0] - 0.1, brush[1]]; // a line without length is not drawn, and a click is to leave a dot
    stroke();
  }

  // A canvas of its own: one that is read is drawn slowly from then on.
  function copyOf(canvas) {
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    copy.getContext("2d").drawImage(canvas, 0, 0);
    return copy;
  }

  function stroke() {
    const canvas = find("canvas"), pen = canvas.getContext("2d"), to = brush;
    const width = brushWidth();
    const value = Math.round(2.55 * Number(find("value").value)), soft = find("soft").checked;
    const erases = document.querySelector("#mask-tool input:checked")?.value === "erase";
    pen.globalCompositeOperation = erases ? "destination-out" : "source-over";
    pen.strokeStyle = pen.shadowColor = `rgb(${value} ${value} ${value})`;
    pen.shadowBlur = soft && !erases ? width / 3 : 0;
    pen.lineWidth = width;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(...at);
    pen.lineTo(...to);
    pen.stroke();
    at = to;
  }

  document.addEventListener("pointerdown", (event) => {
    if (!shown || event.target !== find("canvas") || !event.isPrimary || event.button) return;
    event.target.setPointerCapture(event.pointerId);
    moveBrush(position(event));
    begin();
  });
  document.addEventListener("pointermove", (event) => {
    if (!shown || !event.isPrimary || event.target !== find("canvas")) return;
    moveBrush(position(event));
    if (at) stroke();
  });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { at = null; });

  // The arrow keys move the brush by half of its width; while Space is down it paints.
  document.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key], undoes = event.key === "z" && (event.ctrlKey || event.metaKey);
    if (!shown || (undoes ? !find("dialog").open : event.target !== find("canvas") || (!arrow && event.key !== " "))) return;
    event.preventDefault();
    if (undoes) undo();
    else if (arrow) moveBrush(brush.map((value, axis) => value + arrow[axis] * brushWidth() / 2));
    else if (!event.repeat) begin();
    if (arrow && at) stroke();
  });
  document.addEventListener("keyup", ({ key }) => { if (key === " ") at = null; });
  document.addEventListener("input", ({ target }) => { if (target === find("size")) moveBrush(brush); });

  function undo() {
    const canvas = find("canvas"), last = copies.pop(), pen = canvas.getContext("2d");
    if (!last) return;
    pen.globalCompositeOperation = "copy";
    pen.shadowBlur = 0;
    pen.drawImage(last, 0, 0);
  }

  function clear() {
    const canvas = find("canvas");
    remember();
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  const close = () => find("dialog").close();

  // Strokes that are not used are dropped: the dialog opens with the mask in use. Escape closes it by itself.
  const drop = () => { shown = ""; };
  document.addEventListener("cancel", ({ target }) => { if (target === find("dialog")) drop(); }, true);

  function cancel() {
    drop();
    close();
  }

  // Sends the file like one that was chosen.
  function use() {
    const canvas = find("canvas"), flat = document.createElement("canvas"), pen = flat.getContext("2d");
    [flat.width, flat.height] = [canvas.width, canvas.height];
    pen.fillRect(0, 0, flat.width, flat.height);
    pen.drawImage(canvas, 0, 0);
    close();
    flat.toBlob((png) => window.dash_clientside.uploads.take("mask", [new File([png], "mask.png", { type: png.type })]));
  }

  const remove = () => [false, ""]; // a dcc.Store that is set to null keeps what it had

  // Returns whether Remove is hidden, the name in the summary, and whether the panel is open.
  const show = (mask) => [!mask, mask ? `: ${mask.title}` : "", mask ? true : window.dash_clientside.no_update];

  // Dash does not see that the panel was opened or closed by hand.
  document.addEventListener("toggle", ({ target }) => {
    if (target === find("panel")) set("mask-panel", { open: target.open });
  }, true);

  // Another photograph ends the mask, unless both come together.
  let content = ""; // that the mask was made for
  function removeOfOther(chosen, mask) {
    const { triggered } = window.dash_clientside.callback_context;
    const before = content;
    content = chosen?.ref;
    if (!mask || content === before) return window.dash_clientside.no_update;
    if (triggered.some(({ prop_id, value }) => prop_id === "mask-choice.data" && value)) return window.dash_clientside.no_update;
    window.dash_clientside.toast.show("The mask was removed", `“${mask.title}” was made for another photograph.`);
    return false;
  }

  const mask = { open, undo, clear, cancel, use, remove, show, removeOfOther };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { mask });
})();
