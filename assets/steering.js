// A slider on its way moves many times a second: the server hears where it rests for a moment.
(() => {
  const REST_MS = 120;
  let resting = 0, moves = {}; // since the server heard
  let all = {}; // since the card was built

  function moved(values, ids) {
    for (const { prop_id } of window.dash_clientside.callback_context.triggered) {
      const at = ids.findIndex((id) => prop_id.includes(`"steer":"${id.steer}"`));
      if (at >= 0) moves[ids[at].steer] = all[ids[at].steer] = values[at];
    }
    window.dash_clientside.set_props("steer-moved", { data: { ...all } });
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (Object.keys(moves).length) window.dash_clientside.set_props("steer-wish", { data: moves });
      moves = {};
    }, REST_MS);
  }

  function rebuilt() {
    moves = {};
    all = {};
    return {};
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { steering: { moved, rebuilt } });
})();
