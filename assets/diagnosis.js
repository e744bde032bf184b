// The card that shows what the losses consist of: words until the answer is there.
window.dash_clientside = Object.assign({}, window.dash_clientside, { diagnosis: { begin: () => "Examining …", clear: () => "" } });
