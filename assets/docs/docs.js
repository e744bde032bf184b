// Starts Swagger UI on /docs, in the theme of the other pages.
(() => {
  const root = document.documentElement;
  const followTheme = () => root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark");
  followTheme();
  new MutationObserver(followTheme).observe(root, { attributeFilter: ["data-bs-theme"] });

  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: false, // its links inside of buttons would be unusable with a screen reader
    defaultModelsExpandDepth: 0,
    syntaxHighlight: { theme: "nord" },
    validatorUrl: null, // of another host
    onComplete: () => document.querySelector(".information-container section").setAttribute("aria-label", "About"),
  });
})();
