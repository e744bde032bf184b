// Keeps a slider, its text box and the switch of a word equal.
(() => {
  const same = () => window.dash_clientside.no_update;
  // Dash may report several changes in one call.
  const changed = (pattern) =>
    window.dash_clientside.callback_context.triggered.some(({ prop_id }) => pattern.test(prop_id));
  const BOX = /^option-|"part":"box"/, SWITCH = /-word\.value$/;
  const isNumber = (text) => text !== "" && text !== null && Number.isFinite(Number(text));

  // Makes a function that returns [slider, box]: the one that was not changed follows the other.
  const makePair = (toBox, toSlider) => (slider, box) => {
    if (changed(BOX)) return [isNumber(box) ? toSlider(Number(box)) : same(), same()];
    return [same(), String(toBox(Number(slider)))];
  };
  const pair = makePair((x) => x, (x) => x);
  const pairLogarithmic = makePair((x) => Number((10 ** x).toPrecision(2)), (x) => (x > 0 ? Math.log10(x) : same()));

  // The same with a switch that writes a word into the box and disables the slider. Returns [slider, box, switch,
  // disabled]. A switch that is right already is not set: it may have been moved again in the meantime.
  const pairOrWord = (slider, box, on, word) => {
    const setSwitch = (value) => (value === Boolean(on) ? same() : value);
    if (changed(SWITCH)) return [same(), on ? word : String(slider), same(), Boolean(on)];
    if (changed(BOX)) {
      const isWord = box === word;
      return [isNumber(box) ? Number(box) : same(), same(), setSwitch(isWord), isWord];
    }
    return [same(), String(slider), setSwitch(false), setSwitch(false)];
  };

  // What multiplies what, in the card that adjusts a run: the boxes of strength and of the style's weight.
  function product(values, ids) {
    const value = (name) => Number(values[ids.findIndex(({ steer }) => steer === name)]);
    const [style, strength] = [value("style_weight"), value("strength")];
    if (!Number.isFinite(style * strength)) return "";
    const text = (number) => String(Number(number.toPrecision(3)));
    const product = `${text(style)} × strength ${text(strength)} = ${text(style * strength)}`;
    return `The style counts ${product}. Strength multiplies the neighbors as well.`;
  }

  // Screen readers announce a slider's own value, which is the exponent where it is logarithmic.
  function describe(slider) {
    const field = slider.closest("[data-log]");
    if (!field) return;
    const value = Number((10 ** Number(slider.value)).toPrecision(2));
    slider.setAttribute("aria-valuetext", `${value} ${field.dataset.unit ?? ""}`.trim());
  }
  for (const kind of ["input", "focusin"]) {
    document.addEventListener(kind, ({ target }) => {
      if (target instanceof HTMLInputElement && target.type === "range") describe(target);
    });
  }

  const sliders = { product, pair, pairLogarithmic, pairOrWord, describe };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { sliders });
})();
