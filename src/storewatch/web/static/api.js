// The API's page. A request without a token goes with the session's cookie, and so needs the page's own word.
const place = document.getElementById("api");
const word = document.querySelector('meta[name="csrf-token"]');
SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  validatorUrl: null,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  tryItOutEnabled: true,
  requestInterceptor: (request) => {
    if (word && !request.headers.Authorization) request.headers["X-CSRFToken"] = word.content;
    return request;
  },
});
