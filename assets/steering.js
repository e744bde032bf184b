// Sends the values of the steering card when its sliders have not moved for a moment.
(() => {
  const DEBOUNCE_MS = 120;
  let timer = 0, changes = {}; // since the last request
  let moved = {}; // since the card was built

  function collect(values, ids) {
    for (const { prop_id } of window.dash_clientside.callback_context.triggered) {
      const at = ids.findIndex((id) => prop_id.includes(`"steer":"${id.steer}"`));
      if (at >= 0) changes[ids[at].steer] = moved[ids[at].steer] = values[at];
    }
    window.dash_clientside.set_props("steer-moved", { data: { ...moved } });
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (Object.keys(changes).length) window.dash_clientside.set_props("steer-wish", { data: changes });
      changes = {};
    }, DEBOUNCE_MS);
  }

  function reset() {
    changes = {};
    moved = {};
    return {};
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { steering: { collect, reset } });
})();
