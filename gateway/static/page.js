// The plain page: the API with no widget around it.
const said = document.getElementById("said");
let token = null;

async function call(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = "Bearer " + token;
  const response = await fetch(path, { method, headers, body: body ? JSON.stringify(body) : undefined });
  return { status: response.status, value: await response.json() };
}

function line(text, who) {
  const p = document.createElement("p");
  p.className = who;
  p.textContent = text;
  said.append(p);
  return p;
}

function show(message) {
  if (message.text) line(message.text, message.from);
  for (const choice of message.choices || []) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = choice.label;
    button.addEventListener("click", () => send({ choice: choice.choice }, choice.label));
    said.append(button);
  }
  const links = [...(message.links || []), ...(message.cards || []).map((card) => ({ label: card.name + ", " + card.town, url: card.url }))];
  for (const service of message.services || []) {
    links.push({ label: service.name + (service.call ? ": " + service.call : ""), url: service.call ? "tel:" + service.call : service.web });
  }
  for (const link of links) {
    const p = line("", message.from);
    const a = document.createElement("a");
    a.textContent = link.label;
    if (/^(https?|mailto|tel|sms):/.test(link.url || "")) a.href = link.url;
    p.append(a);
  }
}

async function send(what, shown) {
  line(shown, "visitor");
  if (!token) token = (await call("POST", "/api/session", {})).value.token;
  const { value } = await call("POST", "/api/messages", { id: crypto.randomUUID(), ...what });
  if (value.token) token = value.token;
  if (value.ended) token = null;
  if (value.error) line(value.error.message, "bot");
  (value.messages || []).forEach(show);
  if (value.help) show(value.help);
}

document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = document.getElementById("text");
  if (text.value.trim()) send({ text: text.value }, text.value);
  text.value = "";
});
document.getElementById("help").addEventListener("click", async () => show((await call("GET", "/api/help")).value));
