// The picture that a run is to start from, in the place of the painting while no run is shown.
(() => {
  // Returns whether it is hidden, its address, and what to do next.
  const show = (init, choice, style) => {
    const ref = init === "image" && choice?.ref;
    const advice = style ? "Press Start to have it painted over." : "Choose a painting as its style, and press Start.";
    return [!ref, ref ? `/api/v1/${ref}.jpg?side=512` : window.dash_clientside.no_update, advice];
  };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { startPicture: { show } });
})();
