// Looks and presets: they set the form's controls. Presets are {name: {option: value}}.
(() => {
  const same = () => window.dash_clientside.no_update;
  const triggered = () => window.dash_clientside.callback_context.triggered_id;

  // Returns a value for each control of `names`: that of the set, or none. A control may have several names: its own, and
  // one by which presets were saved earlier.
  const valuesOf = (set, names) => names.map((each) => {
    const name = [each].flat().find((one) => set && one in set);
    return name === undefined ? same() : set[name];
  });

  // A look was pressed.
  function choose(...given) {
    const [looks, names] = given.slice(-2);
    const at = Number(/look-(\d+)/.exec(triggered() ?? "")?.[1] ?? -1);
    return valuesOf(looks[at], names);
  }

  const equal = (a, b) => a === b || (a !== "" && b !== "" && Number(a) === Number(b));

  // Marks the look whose values the form has.
  function mark(...given) {
    const looks = given.at(-2), names = given.at(-1), values = given.slice(0, -2);
    const form = Object.fromEntries(names.map((name, at) => [name, values[at]]));
    return looks.map((look) => Object.entries(look).every(([name, value]) => equal(form[name], value))
      ? "look look-chosen" : "look");
  }

  // A preset was chosen, or is to be applied once more.
  function apply(preset, clicks, presets, names) {
    return [...valuesOf(presets?.[preset], names), !preset, !preset];
  }

  function list(presets) {
    return Object.keys(presets ?? {}).sort().map((name) => ({ label: name, value: name }));
  }

  // A preset is lost only if that is asked for twice: "delete" or "replace", and its name.
  let asked = "";
  function confirmed(...request) {
    const again = asked === request.join(" ");
    asked = again ? "" : request.join(" ");
    return again;
  }

  // Saves or deletes a preset. Returns [presets, the chosen one, the text of the name, what is wrong with it].
  function change(...given) {
    const [, , , name, chosen, presets, names] = given, values = given.slice(7);
    const ask = (text) => [same(), same(), same(), text];
    if (triggered() === "delete-preset") {
      if (!confirmed("delete", chosen)) return ask(`Press Delete again to delete “${chosen}”.`);
      const { [chosen]: _, ...rest } = presets;
      return [rest, "", same(), ""];
    }
    const title = (name ?? "").trim();
    if (!title) {
      document.querySelector("#preset-name").focus();
      return ask("Enter a name for the preset.");
    }
    if (title in (presets ?? {}) && !confirmed("replace", title)) return ask(`Save again to replace “${title}”.`);
    const form = Object.fromEntries(names.map(([name], at) => [name, values[at]]));
    return [{ ...presets, [title]: form }, title, "", ""];
  }

  // Another name is typed or another preset chosen: what was said of the one before goes.
  function named() {
    asked = "";
    return "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { presets: { choose, mark, apply, list, change, named } });
})();
