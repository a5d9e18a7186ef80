// What the pages need beyond htmx: progress by Server-Sent Events, and focus on what went wrong.
"use strict";

// A publish page shows the state at load; every event replaces it, so that a lost connection loses nothing.
function follow(element) {
  const source = new EventSource(element.dataset.events);
  source.onmessage = (event) => {
    element.innerHTML = event.data;
    if (window.htmx) window.htmx.process(element);
  };
  source.addEventListener("done", (event) => {
    source.close();
    element.innerHTML = event.data;
    window.location.assign(element.dataset.after);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-events]").forEach(follow);
  const error = document.querySelector("main > .error");
  if (error) {
    error.tabIndex = -1;
    error.focus();
  }
});

// A form that talks clears its field once the message is sent, and a pressed choice sends itself and not the field.
document.addEventListener("htmx:configRequest", (event) => {
  const form = event.target.closest("form[data-clear]");
  if (!form) return;
  const submitter = event.detail.triggeringEvent && event.detail.triggeringEvent.submitter;
  if (submitter && submitter.name === "payload") event.detail.parameters.set("text", "");
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest("form[data-clear]");
  if (!form || !event.detail.successful) return;
  form.elements[form.dataset.clear].value = "";
  form.elements[form.dataset.clear].focus();
});
