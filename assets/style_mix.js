// Further paintings in the form: their choosers, and the weights and scales of the mix. The options `style_mix` and
// `style_scales` are hidden text boxes: written from the sliders, and read where the form is filled from a run.
(() => {
  const same = () => window.dash_clientside.no_update;
  const MOST = 4, MIDDLE = "50";
  const NONE = false; // no picture: a dcc.Store that is set to null keeps what it had
  // Further choosers that are open: those that were added, up to the last that has a painting.
  const openCount = (choices, opened) => Math.max(opened, choices.findLastIndex(Boolean));

  function show(...given) {
    const choices = given.slice(0, MOST), open = openCount(choices, given[MOST]);
    const many = choices.filter(Boolean).length > 1;
    return [
      [1, 2, 3].map((number) => number > open),
      open === MOST - 1,
      !many,
      choices.map((choice) => !choice),
      choices.map((choice) => choice?.title ?? ""),
    ].flat();
  }

  const add = (clicks, ...given) => Math.min(MOST - 1, openCount(given.slice(0, MOST), given[MOST]) + 1);

  // The painting whose Remove was pressed goes, and those after it move up with their weights and scales.
  function remove(...given) {
    const removed = Number(window.dash_clientside.callback_context.triggered_id.match(/\d/)[0]) - 1;
    const [choices, weights, exponents] = [0, 1, 2].map((n) => given.slice(MOST - 1 + n * MOST).slice(0, MOST));
    const open = openCount(choices, given.at(-1));
    const without = (list, last) => [...list.toSpliced(removed, 1), last];
    return [
      ...without(choices, NONE).slice(1).map((choice) => choice || NONE),
      Math.max(0, open - 1),
      ...without(weights, MIDDLE),
      ...without(exponents, exponents[0]),
    ];
  }

  const BOXES = ["option-style_mix.value", "option-style_scales.value"];
  const numbers = (text) => (text ?? "").split(",").filter(Boolean).map(Number);
  const exponent = (factor) => String(Number(Math.log10(factor > 0 ? factor : 1).toFixed(2)));
  const factor = (exponent) => Number((10 ** exponent).toPrecision(2));

  // Returns the texts of the boxes, the weights and scales of the sliders, and the shares and scales to show.
  function weigh(mix, scales, ...given) {
    const [weights, exponents, choices] = [0, 1, 2].map((n) => given.slice(n * MOST, (n + 1) * MOST));
    const styleScale = given[3 * MOST], chosen = [0, 1, 2, 3].filter((number) => choices[number]);
    const filled = window.dash_clientside.callback_context.triggered.some(({ prop_id }) => BOXES.includes(prop_id));
    const [shares, sizes] = [numbers(mix), numbers(scales)], largest = Math.max(...shares);
    const fits = [shares, sizes].every(({ length }) => !length || length === chosen.length);
    let texts = [same(), same()];
    if (filled && fits) { // from a run, with a number for each painting that is chosen, or without any
      choices.forEach((_, number) => {
        const at = chosen.indexOf(number);
        weights[number] = shares.length && at >= 0 ? String(Math.round((100 * shares[at]) / largest)) : MIDDLE;
        exponents[number] = exponent(sizes[at] ?? styleScale);
      });
    } else if (chosen.length > 1) {
      texts = [chosen.map((number) => weights[number] / 100), chosen.map((number) => factor(exponents[number]))].map(String);
    } else { // a mix begins with the scale of the only painting
      exponents.fill(exponent(styleScale));
      texts = ["", ""];
    }
    const total = chosen.reduce((sum, number) => sum + Number(weights[number]), 0);
    const shown = weights.map((weight) => (total ? `${Math.round((100 * weight) / total)} %` : ""));
    const factors = exponents.map((exponent) => `× ${factor(exponent)}`);
    exponents.forEach((_, number) => // the slider's own value is a logarithm
      document.getElementById(`style-mix-${number}-scale`).setAttribute("aria-valuetext", factors[number]));
    return [...texts, ...weights, ...exponents, ...shown, ...factors];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { styleMix: { show, add, remove, weigh } });
})();
