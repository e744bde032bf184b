// Names, descriptions and states for screen readers that Dash's components leave out.
(() => {
  function setAttributes(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
  }

  function describe() {
    document.querySelectorAll(".chooser .drop input[type=file]").forEach((input) => {
      const title = input.closest(".chooser").querySelector("h2").textContent.toLowerCase();
      setAttributes(input, { "aria-label": `Choose a picture: ${title}`, accept: "image/*" });
    });
    document.querySelectorAll(".field:not(.steer-field)").forEach((field) => {
      const [hint, error] = [field.querySelector(".hint"), field.querySelector(".field-error")];
      field.querySelectorAll("input, select").forEach((control) => setAttributes(control, {
        "aria-describedby": `${hint.id} ${error.id}`,
        "aria-invalid": String(error.textContent !== ""),
      }));
    });
    document.querySelectorAll(".steer-field").forEach((field) => {
      const [box, slider] = field.querySelectorAll("input");
      setAttributes(box, { "aria-label": `${field.dataset.label}, as a number` });
      setAttributes(slider, { "aria-label": field.dataset.label });
    });
    document.querySelectorAll("[data-log] input[type=range]").forEach((slider) =>
      window.dash_clientside.sliders?.describe(slider)); // unless that script is still loading
    document.querySelectorAll("#settings input[type=file]").forEach((input) =>
      setAttributes(input, { "aria-label": "Choose a result, for its settings", accept: "image/png,image/jpeg" }));
    setAttributes(document.querySelector("#painting-upload input"), { "aria-label": "Style from a painting", accept: "image/*,.style" });
    document.querySelectorAll("#style-import input").forEach((input) =>
      setAttributes(input, { "aria-label": "Import a style", accept: ".style" }));
    document.querySelectorAll(".sample").forEach((sample) =>
      setAttributes(sample, { "aria-pressed": String(sample.classList.contains("sample-chosen")) }));
    document.querySelectorAll(".look").forEach((look) =>
      setAttributes(look, { "aria-pressed": String(look.classList.contains("look-chosen")) }));
    setAttributes(document.querySelector("#start"), { "aria-describedby": "estimate" });
    setAttributes(document.querySelector("#image-graph"), { role: "img", "aria-label": "The painting as it stands" });
    setAttributes(document.querySelector("#loss-graph"), {
      role: "group", "aria-label": "Losses over the epochs; their values follow as text",
    });
  }

  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 50)); // Safari has none
  let scheduled = false;
  const schedule = () => {
    if (!scheduled) whenIdle(() => { scheduled = false; describe(); }, { timeout: 300 });
    scheduled = true;
  };
  new MutationObserver(schedule).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["class"],
  });
})();
