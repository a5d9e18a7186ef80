// What the pages need beyond htmx: progress by Server-Sent Events, and focus on what went wrong.
"use strict";

// A publish page shows the state at load; every event replaces it, so that a lost connection loses nothing.
function follow(element) {
  const source = new EventSource(element.dataset.events);
  const status = element.nextElementSibling;
  let shown = "";
  source.onmessage = (event) => {
    const next = document.createElement("div");
    next.innerHTML = event.data;
    const bar = next.querySelector("progress");
    const rest = event.data.replace(/<progress[^]*?<\/progress>/, "");
    // Once a second only the bar moves: what else is on the page keeps its focus, and what is open stays open.
    if (rest === shown) element.querySelector("progress").value = bar.value;
    else element.replaceChildren(...next.childNodes);
    shown = rest;
    // A screen reader hears each step once, and not the whole list every second.
    const step = element.querySelector(".steps .running");
    const said = step ? step.textContent.replace(/\s+/g, " ").replace(/^[^\p{L}]+/u, "") : "";
    if (status.textContent !== said) status.textContent = said;
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

// Where the session ended, what is typed stays on the page, and saving it leads to the log-in; elsewhere go there at once.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401 && !event.target.closest("[data-typed]")) window.location.assign("/login");
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
