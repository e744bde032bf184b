// Hides the messages in the corners of the page after a while. The timer of dbc.Toast goes on where an open one gets
// another text, which would then be hidden too early.
(() => {
  const DURATION_MS = 12000;
  const timers = {}; // by the id of the message

  // Called when a message is shown, again or anew, or hidden.
  function changed(isOpen) {
    const [{ id }] = window.dash_clientside.callback_context.inputs_list;
    clearTimeout(timers[id]);
    if (isOpen) timers[id] = setTimeout(() => window.dash_clientside.set_props(id, { is_open: false }), DURATION_MS);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { toast: { changed } });
})();
