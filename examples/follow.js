// Paint a sample picture and follow it epoch by epoch: `node examples/follow.js [painting.png]`, Node 18 or newer.
// NST_URL says where the studio is.
const { writeFile } = require("node:fs/promises");

const API = `${process.env.NST_URL ?? "http://127.0.0.1:8050"}/api/v1`;

async function ask(path, options) {
  const answer = await fetch(API + path, options);
  if (!answer.ok) throw new Error((await answer.json()).error.message);
  return answer;
}

// The events of a run as they come. In a browser, new EventSource(url) does this, and reconnects by itself.
async function* events(run) {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of (await ask(`/runs/${run}/stream`)).body) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop(); // not whole yet
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6));
    }
  }
}

async function main(path = "painting.png") {
  const form = new FormData();
  form.set("content", await (await ask("/samples/harbour.png")).blob(), "harbour.png");
  form.set("style", await (await ask("/samples/night-wind.png")).blob(), "night-wind.png");
  form.set("size", "256");
  form.set("epochs", "10");
  const { id } = await (await ask("/runs", { method: "POST", body: form })).json();

  for await (const event of events(id)) {
    if (event.kind === "epoch") console.log(`epoch ${event.epoch}, loss ${event.losses.total.toPrecision(4)}`);
    else console.log(event.kind);
  }
  await writeFile(path, Buffer.from(await (await ask(`/runs/${id}/result.png`)).arrayBuffer()));
  console.log(`painted ${path}`);
}

main(process.argv[2]).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
