// The runs that were started together, of several photographs: how many are done, and their results as one file.
(() => {
  // `batch` is {runs: ids, created: how many runs had been created then}. A server state of fewer is older than the
  // batch, and its queue lacks these runs because they were not in it yet.
  function show(server, batch) {
    if (!batch?.runs || !server) return [true, "", null];
    const runs = batch.runs;
    const active = new Set(server.created < batch.created ? runs : server.queue.map(([run]) => run));
    const done = runs.filter((run) => !active.has(run)).length;
    const query = runs.map((run) => `run=${run}`).join("&");
    return [false, `${done} of ${runs.length} photographs done`, done ? `/api/v1/results.zip?${query}` : null];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { batch: { show, close: () => null } });
})();
