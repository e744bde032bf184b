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

  const sliders = { pair, pairLogarithmic, pairOrWord };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { sliders });
})();
