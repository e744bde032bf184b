// Parts of the form that need no server: choosing samples, swapping, random choices.
(() => {
  const same = () => window.dash_clientside.no_update;
  const choice = (title, { sample }) => ({ ref: `samples/${sample}`, title });

  function chooseSample(clicks, titles, ids) {
    const { triggered_id } = window.dash_clientside.callback_context;
    const at = ids.findIndex(({ sample }) => sample === triggered_id?.sample);
    return clicks.some(Boolean) && at >= 0 ? [choice(titles[at], ids[at]), ""] : [same(), same()];
  }

  const SMALL = 128; // px, of the long side: what is painted from less is blurred

  function remarkOn({ width, height, more }) {
    const several = more ? `${more.length + 1} photographs: a run for each.` : "";
    if (!width || Math.max(width, height) >= SMALL) return several;
    return `${several} Only ${width} × ${height} px: it is enlarged, and will look soft, without detail.`.trim();
  }

  function showChoice(chosen, ids) {
    const classes = ids.map(({ sample }) => chosen?.ref === `samples/${sample}` ? "sample sample-chosen" : "sample");
    if (!chosen) return [null, "", "", classes];
    const more = chosen.more ? ` and ${chosen.more.length} more` : "";
    return [`/api/v1/${chosen.ref}.jpg?side=512`, chosen.title + more, remarkOn(chosen), classes];
  }

  const alone = (chosen) => chosen && { ...chosen, more: undefined }; // several photographs are no style
  const swap = (clicks, content, style) => [style, alone(content)];

  const randomChoice = (titles, ids) => {
    const at = Math.floor(Math.random() * ids.length);
    return choice(titles[at], ids[at]);
  };
  const surprise = (clicks, contents, contentIds, styles, styleIds) =>
    [randomChoice(contents, contentIds), randomChoice(styles, styleIds)];

  const randomSeed = () => String(Math.floor(Math.random() * 10000));
  const hideInitChooser = (init) => init !== "image";

  // Counts up when the form has not changed for a moment: a request at every move of a slider would be too many.
  const DEBOUNCE_MS = 300;
  let timer = 0, changes = 0;
  function countChange() {
    clearTimeout(timer);
    timer = setTimeout(() => window.dash_clientside.set_props("draft", { data: ++changes }), DEBOUNCE_MS);
  }

  // Opens the section of a field that Start was refused for, and moves the focus there.
  const OPENING_FRAMES = 60; // animation frames that a section may take to open
  function showField({ id }) {
    const field = document.getElementById(id);
    field?.closest(".accordion-item")?.querySelector(".accordion-button.collapsed")?.click();
    field?.closest("details")?.setAttribute("open", "");
    focusWhenOpen(field, OPENING_FRAMES);
  }

  function focusWhenOpen(field, frames) {
    if (frames && field?.closest(".accordion-collapse:not(.show)")) requestAnimationFrame(() => focusWhenOpen(field, frames - 1));
    else field?.focus();
  }

  const form = { chooseSample, showChoice, swap, surprise, randomSeed, hideInitChooser, countChange, showField };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { form });
})();
