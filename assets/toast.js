// Shows messages in the corner of the page, and hides them after a while. The timer of dbc.Toast goes on where an open one gets
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

  // Shows a message under a heading that names what failed. Returns its text, which begins with a capital letter.
  function show(header, text) {
    const children = text.charAt(0).toUpperCase() + text.slice(1);
    window.dash_clientside.set_props("toast", { is_open: true, header, children });
    return children;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { toast: { changed, show } });
})();
