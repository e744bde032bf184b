// The form's small moves, none of which needs the server.
(() => {
  const same = () => window.dash_clientside.no_update;
  const moved = () => window.dash_clientside.callback_context.triggered_id;
  // Dash tells of moves in the same moment by one call.
  const among = (rule) => window.dash_clientside.callback_context.triggered.some(({ prop_id }) => rule.test(prop_id));
  const BOX = /^option-|"part":"box"/, SWITCH = /-word\.value$/;
  const readable = (text) => text !== "" && text !== null && Number.isFinite(Number(text));

  // A slider and the box that holds its value: who moved takes the other along.
  const tie = (toBox, toSlider) => (slider, box) => {
    if (among(BOX)) return [readable(box) ? toSlider(Number(box)) : same(), same()];
    return [same(), String(toBox(Number(slider)))];
  };
  const pair = tie((x) => x, (x) => x);
  const pairLogarithmic = tie((x) => Number((10 ** x).toPrecision(2)), (x) => (x > 0 ? Math.log10(x) : same()));

  // The same, with a switch that writes a word into the box, and lets the slider rest. Nobody is told what he shows
  // already: he may have been moved since.
  const pairOrWord = (slider, box, on, word) => {
    const tell = (worded) => (worded === Boolean(on) ? same() : worded);
    if (among(SWITCH)) return [same(), on ? word : String(slider), same(), Boolean(on)];
    if (among(BOX)) {
      const worded = box === word;
      return [readable(box) ? Number(box) : same(), same(), tell(worded), worded];
    }
    return [same(), String(slider), tell(false), tell(false)];
  };

  const choice = (title, { sample }) => ({ ref: `samples/${sample}`, title });

  function choose(clicks, titles, ids) {
    const at = ids.findIndex(({ sample }) => sample === moved()?.sample);
    return clicks.some(Boolean) && at >= 0 ? [choice(titles[at], ids[at]), ""] : [same(), same()];
  }

  function show(chosen, ids) {
    const marked = ids.map(({ sample }) => chosen?.ref === `samples/${sample}` ? "sample sample-chosen" : "sample");
    return chosen ? [`/api/v1/${chosen.ref}.jpg?side=512`, chosen.title, marked] : [same(), "", marked];
  }

  const swap = (clicks, content, style) => [style, content];

  const any = (titles, ids) => {
    const at = Math.floor(Math.random() * ids.length);
    return choice(titles[at], ids[at]);
  };
  const surprise = (clicks, contents, contentIds, styles, styleIds) => [any(contents, contentIds), any(styles, styleIds)];

  const dice = () => String(Math.floor(Math.random() * 10000));
  const ownStart = (init) => init !== "image";

  // Counts up once the form has rested: a slider on its way would ask the server at every tick.
  const REST_MS = 300;
  let resting = 0, drafts = 0;
  function rest() {
    clearTimeout(resting);
    resting = setTimeout(() => window.dash_clientside.set_props("draft", { data: ++drafts }), REST_MS);
  }

  const form = { pair, pairLogarithmic, pairOrWord, choose, show, swap, surprise, dice, ownStart, rest };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { form });
})();
