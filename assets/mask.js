// The dialog in which a mask is painted over the content: white strokes on a transparent canvas, sent as PNG on black.
(() => {
  const LONG_SIDE = 1024; // px of the canvas: masks need no more detail
  const VISIBLE = 16; // of 0..255: darker parts of an earlier mask are black
  const find = (name) => document.getElementById(`mask-${name}`);
  let at = null; // where the pointer was, canvas px; null while it is up

  async function open(clicks, mask) {
    const source = document.getElementById("content-preview")?.src, picture = find("picture"), canvas = find("canvas");
    if (!source) return;
    find("dialog").showModal();
    const key = `${source} ${mask?.ref ?? ""}`;
    if (canvas.dataset.key === key) return;
    canvas.dataset.key = key;
    picture.src = source;
    try {
      await picture.decode();
    } catch {
      delete canvas.dataset.key; // to be tried again
      return;
    }
    canvas.parentElement.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
    const factor = LONG_SIDE / Math.max(picture.naturalWidth, picture.naturalHeight);
    canvas.width = Math.round(picture.naturalWidth * factor);
    canvas.height = Math.round(picture.naturalHeight * factor);
    if (mask) await load(canvas, `/api/v1/${mask.ref}.jpg?side=512`);
  }

  // An earlier mask becomes strokes: white, as opaque as it was bright. It is read from a canvas of its own: one that is
  // read again and again is drawn slowly, or the browser warns.
  async function load(canvas, address) {
    const image = new Image(), { width, height } = canvas;
    image.src = address;
    await image.decode();
    const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0, width, height);
    const pixels = pen.getImageData(0, 0, width, height);
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

  function stroke(event) {
    const canvas = find("canvas"), pen = canvas.getContext("2d"), to = position(event);
    const width = (Number(find("size").value) / 100) * Math.max(canvas.width, canvas.height);
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
    if (event.target !== find("canvas") || !event.isPrimary || event.button) return;
    event.target.setPointerCapture(event.pointerId);
    const [x, y] = position(event);
    at = [x - 0.1, y]; // a line without length is not drawn, and a click is to leave a dot
    stroke(event);
  });
  document.addEventListener("pointermove", (event) => { if (at && event.isPrimary) stroke(event); });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { at = null; });

  function clear() {
    const canvas = find("canvas");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  const close = () => find("dialog").close();

  // Strokes that are not used are dropped: the dialog opens with the mask in use.
  function cancel() {
    delete find("canvas").dataset.key;
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
  const hideRemove = (mask) => !mask;

  const mask = { open, clear, cancel, use, remove, hideRemove };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { mask });
})();
