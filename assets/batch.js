// The runs that were started together, of several photographs: how many are painted, and their results as one file.
(() => {
  function show(server, runs) {
    if (!runs?.length || !server) return [true, "", null];
    const active = new Set(server.queue.map(([run]) => run));
    const done = runs.filter((run) => !active.has(run)).length;
    const query = runs.map((run) => `run=${run}`).join("&");
    return [false, `${done} of ${runs.length} photographs painted`, done ? `/api/v1/results.zip?${query}` : null];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { batch: { show, close: () => [] } });
})();
