// A slider on its way moves many times a second: the server hears where it rests for a moment.
(() => {
  const REST_MS = 120;
  let resting = 0, moves = {};

  function moved(values, ids) {
    for (const { prop_id } of window.dash_clientside.callback_context.triggered) {
      const at = ids.findIndex((id) => prop_id.includes(`"steer":"${id.steer}"`));
      if (at >= 0) moves[ids[at].steer] = values[at];
    }
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (Object.keys(moves).length) window.dash_clientside.set_props("steer-wish", { data: moves });
      moves = {};
    }, REST_MS);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { steering: { moved } });
})();
