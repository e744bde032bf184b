// The runs that were started together, of several photographs: how many are done, and their results as one file.
(() => {
  const PAINTED = ["finished", "stopped"];

  // `batch` is {runs: ids, created: how many runs had been created then}. A server state of fewer is older than the
  // batch, and its queue lacks these runs because they were not in it yet.
  async function show(server, batch) {
    if (!batch?.runs || !server) return [true, "", "", null];
    const runs = batch.runs;
    const active = new Set(server.created < batch.created ? runs : server.queue.map(([run]) => run));
    const resting = await described(runs.filter((run) => !active.has(run)));
    const done = resting.filter(({ state, result }) => PAINTED.includes(state) && result);
    const others = ["failed", "paused", "interrupted", "stopped"].map((state) =>
      [resting.filter((run) => run.state === state && !done.includes(run)).length, state]);
    const counts = others.filter(([count]) => count).map((each) => each.join(" "));
    const text = [`${done.length} of ${runs.length} photographs done`, ...counts].join(", ");
    const download = `Download ${done.length < runs.length ? `the ${done.length} done` : "all"} (ZIP)`;
    const ids = runs.filter((run) => done.some(({ id }) => id === run)); // in the order of the photographs
    return [false, text, download, ids.length ? `/api/v1/results.zip?${queryOf(ids)}` : null];
  }

  const queryOf = (runs) => runs.map((run) => `run=${run}`).join("&");

  // What the server says of runs, but for deleted ones; [] if it does not answer.
  async function described(runs) {
    if (!runs.length) return [];
    try {
      return (await window.requests.send(`/api/v1/runs?limit=${runs.length}&${queryOf(runs)}`)).runs ?? [];
    } catch {
      return [];
    }
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { batch: { show, close: () => null } });
})();
