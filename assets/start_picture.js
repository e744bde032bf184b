// The picture that a run is to start from, in the place of the painting while no run is shown.
(() => {
  // Returns whether it is hidden, and its address.
  const show = (init, choice) => {
    const ref = init === "image" && choice?.ref;
    return [!ref, ref ? `/api/v1/${ref}.jpg?side=512` : window.dash_clientside.no_update];
  };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { startPicture: { show } });
})();
