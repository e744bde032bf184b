// The runs that were started together, of several photographs: how many are done, and their results as one file.
(() => {
  const PAINTED = ["finished", "stopped"];

  // `batch` is {runs: ids, created: how many runs had been created then}. A server state of fewer is older than the
  // batch, and its queue lacks these runs because they were not in it yet.
  async function show(server, batch) {
    if (!batch?.runs || !server) return [true, "", null];
    const runs = batch.runs;
    const active = new Set(server.created < batch.created ? runs : server.queue.map(([run]) => run));
    const states = await statesOf(runs.filter((run) => !active.has(run)));
    const done = states.filter((state) => PAINTED.includes(state)).length;
    const others = ["failed", "paused", "interrupted"].map((state) => [states.filter((each) => each === state).length, state]);
    const parts = [`${done} of ${runs.length} photographs done`, ...others.filter(([count]) => count).map((each) => each.join(" "))];
    return [false, parts.join(", "), done ? `/api/v1/results.zip?${queryOf(runs)}` : null];
  }

  const queryOf = (runs) => runs.map((run) => `run=${run}`).join("&");

  // Of runs that are not in the queue, but for deleted ones; [] if the server does not answer.
  async function statesOf(runs) {
    if (!runs.length) return [];
    try {
      const answer = await fetch(`/api/v1/runs?limit=${runs.length}&${queryOf(runs)}`);
      return (await answer.json()).runs.map(({ state }) => state);
    } catch {
      return [];
    }
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { batch: { show, close: () => null } });
})();
