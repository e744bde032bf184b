// What scripts share of the REST interface and of the browser's storage. Other scripts use it when they are called, by then
// it is loaded.
(() => {
  // {} for what is no JSON: a proxy answers in HTML.
  function parsed(text) {
    try {
      return JSON.parse(text) ?? {};
    } catch {
      return {};
    }
  }

  // Returns the answer to a request. An error has one line for the reader: what the server said, or that it did not.
  async function send(address, options) {
    let answer, found;
    try {
      answer = await fetch(address, options);
      found = parsed(await answer.text());
    } catch {
      throw new Error("The studio does not answer. Try again once it does.");
    }
    if (!answer.ok) throw new Error(found.error?.message ?? `The server answered ${answer.status}.`);
    return found;
  }

  // Keeps a text in "localStorage" or "sessionStorage". One that is full or switched off keeps nothing: the page works.
  function keep(storage, key, text) {
    try {
      window[storage].setItem(key, text);
    } catch { /* the next visit begins without it */ }
  }

  // Returns what was kept, null for nothing.
  function kept(storage, key) {
    try {
      return window[storage].getItem(key);
    } catch {
      return null;
    }
  }

  window.requests = { parsed, send, keep, kept };
})();
