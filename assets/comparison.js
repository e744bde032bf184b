// The slider over two pictures that lie on each other: it reveals the other one as far as `--cut` of the element around
// them, of the class "comparison". Its `data-other` names the other picture.
(() => {
  const sliderOf = (event) => event.target instanceof Element && event.target.closest(".comparison-slider");

  function show(slider, value) {
    const comparison = slider.closest(".comparison");
    comparison.style.setProperty("--cut", `${value}%`);
    slider.setAttribute("aria-valuetext", `${Math.round(value)} % ${comparison.dataset.other}`);
    comparison.dispatchEvent(new Event("cut", { bubbles: true }));
  }

  function move(slider, value) {
    window.dash_clientside.set_props(slider.id, { value });
    show(slider, value);
  }

  for (const kind of ["input", "focusin"]) { // its value has a text before it is moved
    document.addEventListener(kind, (event) => {
      const slider = sliderOf(event);
      if (slider) show(slider, Number(slider.value));
    });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { comparison: { move } });
})();
