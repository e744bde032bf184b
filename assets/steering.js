// Sends the values of the steering card when its sliders have not moved for a moment. At most one request is in flight:
// Dash drops a request that waits when a newer one comes, and the changes in it with it. The server drops one that comes
// after a newer one of the page: a request that the network holds back is given up here, and may arrive later.
(() => {
  const DEBOUNCE_MS = 120;
  const PAGE = crypto.getRandomValues(new Uint32Array(2)).join("-"); // whose requests are numbered
  const GIVE_UP_MS = 10000; // without an answer, so that the sliders work again after a restart of the server
  const listOf = (name) => (name.includes(".") ? name.split(".")[0] : ""); // "style_layers.block1_conv1" is in a list
  let timer = 0, changes = {}; // since the last request
  let moved = {}; // since the card was built
  let unanswered = {}; // of the last request, until it is answered: the next one brings them again if it was lost
  let sent = 0, answered = 0, since = 0;

  function collect(values, ids) {
    for (const { prop_id } of window.dash_clientside.callback_context.triggered) {
      const at = ids.findIndex((id) => prop_id.includes(`"steer":"${id.steer}"`));
      if (at >= 0) changes[ids[at].steer] = moved[ids[at].steer] = values[at];
    }
    window.dash_clientside.set_props("steer-moved", { data: { ...moved } });
    wait();
  }

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(send, DEBOUNCE_MS);
  }

  function send() {
    if (!Object.keys(changes).length) return;
    if (answered < sent && Date.now() - since < GIVE_UP_MS) return wait();
    // The weights of one list are changed together: those moved before may not be in force yet.
    const lists = new Set(Object.keys(changes).map(listOf).filter(Boolean));
    const together = Object.entries(moved).filter(([name]) => lists.has(listOf(name)));
    since = Date.now();
    const values = unanswered = { ...Object.fromEntries(together), ...unanswered, ...changes };
    window.dash_clientside.set_props("steer-wish", { data: { page: PAGE, number: ++sent, values } });
    changes = {};
  }

  function received(number) {
    answered = Math.max(answered, number);
    if (answered === sent) unanswered = {};
  }

  function reset() {
    changes = {};
    unanswered = {};
    moved = {};
    return {};
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { steering: { collect, received, reset } });
})();
