/** Renders the API documentation; requests are sent as the signed-in user or with their token. */

const container = document.getElementById("docs")

/** Returns Django's CSRF token. */
function csrfToken() {
  return /(?:^|; )(?:__Host-)?csrftoken=(\w+)/.exec(document.cookie)?.[1] ?? ""
}

globalThis.SwaggerUIBundle({
  domNode: container,
  url: container.dataset.document,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor(request) {
    if (request.method !== "GET") request.headers["X-CSRFToken"] = csrfToken()
    return request
  },
})

/** Applies the page's theme to Swagger UI. */
function followTheme() {
  const root = document.documentElement
  root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark")
}

new MutationObserver(followTheme).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] })
followTheme()
