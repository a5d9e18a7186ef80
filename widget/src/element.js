/** <abt-chat>: the launcher, and what ties conversation, panel and page together. */
import carried from 'abt:carried';
import { assemble } from './assemble.js';
import { Chat } from './chat.js';
import { h, hidden, icon, safeUrl } from './dom.js';
import { leaveTo, onShift } from './exit.js';
import { transcript } from './export.js';
import { Store } from './store.js';
import { STRINGS, speaker } from './strings.js';
import css from './styles/index.js';
import { SMALL } from './viewport.js';

const SLOW = 6000;
const EXIT = 'https://www.bbc.co.uk/weather';
// The script's own origin is the default server. Only while the script first runs does the browser tell where it came from.
const ORIGIN = document.currentScript ? new URL(document.currentScript.src, location.href).origin : location.origin;

export class AbtChat extends HTMLElement {
  static observedAttributes = ['lang', 'open', 'title'];

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [sheet];
    // Strings that the page set before this script ran would hide the setter.
    this.replaced = Object.prototype.hasOwnProperty.call(this, 'strings') ? this.strings : {};
    delete this.strings;
  }

  get strings() {
    return Object.freeze({ ...STRINGS, ...this.replaced });
  }

  /** Replaces some of the strings; the widget is drawn anew. */
  set strings(replaced) {
    this.replaced = replaced;
    if (this.launcher) this.build();
  }

  get server() {
    return new URL(this.getAttribute('server') || ORIGIN, location.href).href.replace(/\/$/, '');
  }

  get exitUrl() {
    const url = safeUrl(this.getAttribute('exit-url') || EXIT, location.href);
    return url && /^https?:/.test(url) ? url : EXIT;
  }

  connectedCallback() {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    if (!this.launcher) this.build();
    const on = (target, type, listener) => target.addEventListener(type, listener, { signal });
    on(window, 'pagehide', () => this.sleep());
    on(window, 'pageshow', (event) => event.persisted && this.revive());
    on(window, 'online', () => this.back());
    on(window, 'offline', () => this.tell());
    on(document, 'visibilitychange', () => !document.hidden && this.back());
    this.start();
    this.event('ready');
  }

  disconnectedCallback() {
    this.leaving.abort();
    clearTimeout(this.slow);
    this.chat.stop();
    if (this.panel) this.panel.close();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.launcher || before === after) return;
    if (name === 'open') after === null ? this.close() : this.open();
    else this.build();
  }

  /** Draws the launcher; the panel follows when it is first opened. Called again when strings, title or lang change. */
  build() {
    const open = this.panel && this.panel.isOpen;
    const draft = this.panel ? this.panel.composer.value : '';
    this.panel = null;
    this.say = speaker(this.strings, carried.site);
    this.dot = h('span', { class: 'dot', hidden: true }, hidden(` (${this.say('unread')})`));
    this.launcher = h('button', { type: 'button', class: 'launcher', part: 'launcher', 'aria-expanded': 'false', 'aria-haspopup': 'dialog', on: {
      click: () => (this.panel && this.panel.isOpen ? this.close() : this.open()),
    } }, icon('chat'), h('span', {}, this.say('launcher')), this.dot);
    // An empty title keeps the browser from showing the host's title attribute as a tooltip over everything.
    this.root = h('div', { class: 'root', lang: this.lang || 'en-GB', title: '' }, this.launcher);
    this.shadowRoot.replaceChildren(this.root);
    if (!this.chat) {
      const keep = this.getAttribute('persist') !== 'none';
      this.chat = new Chat({ server: this.server, store: new Store(this.server, keep), ui: this.ui(), say: (key) => this.say(key) });
    }
    if (open) this.open();
    if (draft) this.panel.composer.value = draft;
  }

  /** Takes up a stored conversation; the panel comes back where a reload closed it, and on a wide page it stays from page to page. */
  async start() {
    const { signal } = this.leaving;
    const resumed = await this.chat.resume();
    if (signal.aborted) return;
    const [navigation] = performance.getEntriesByType('navigation');
    const reloaded = navigation && navigation.type === 'reload';
    if (this.hasAttribute('open')) this.open(false);
    else if (resumed && this.chat.state.open && (reloaded || !matchMedia(SMALL).matches)) this.open(false);
    if (resumed) this.chat.catchUp();
  }

  /** What the conversation tells the view; before the panel is built there is nothing to draw. */
  ui() {
    const panel = (use) => (...args) => this.panel && use(this.panel, ...args);
    return {
      show: panel(({ log }, items) => log.show(items)),
      add: (item) => {
        if (this.panel) this.panel.log.add(item);
        if (item.from === 'bot' && !(this.panel && this.panel.isOpen)) this.dot.hidden = false;
      },
      change: panel(({ log }, item) => log.change(item)),
      move: panel(({ log }, item) => log.move(item)),
      drop: panel(({ log }, item) => log.drop(item)),
      waiting: (count) => this.waiting(count),
      idle: panel((view, on) => view.warn(on, () => this.carryOn())),
      ended: panel((view) => view.cleared('idleEnded')),
      event: (name, detail) => this.event(name, detail),
    };
  }

  /** Opens the panel. `focus` false leaves the focus where it is. */
  open(focus = true) {
    if (!this.isConnected || (this.panel && this.panel.isOpen)) return;
    if (!this.panel) {
      this.panel = assemble(this);
      this.root.append(this.panel.node);
      this.closeChoices();
      this.chat.count();
    }
    this.panel.open(focus);
    this.dot.hidden = true;
    this.launcher.setAttribute('aria-expanded', 'true');
    this.setAttribute('open', '');
    this.listening = new AbortController();
    onShift(() => this.leave(), this.listening.signal);
    this.chat.state.open = true;
    this.chat.save();
    this.tell();
    this.chat.watch();
    this.event('open');
  }

  close() {
    if (this.panel) this.panel.close();
  }

  closed() {
    const stays = !this.leaving.signal.aborted; // Or it is the element that went.
    this.listening.abort();
    this.launcher.setAttribute('aria-expanded', 'false');
    this.removeAttribute('open'); // An element that is being moved is connected again within this call.
    if (stays) {
      this.launcher.focus();
      this.chat.state.open = false;
      this.chat.save();
    }
    this.event('close');
  }

  /** Sends `text` as the visitor's message. Resolves to whether it was answered. */
  send(text) {
    const trimmed = String(text).trim();
    return trimmed ? this.post({ text: trimmed }) : Promise.resolve(false);
  }

  post(message) {
    const sent = this.chat.send(message);
    this.closeChoices();
    return sent;
  }

  choose(item, { label, choice }) {
    item.chosen = label;
    this.post({ text: label, choice });
  }

  /** What was offered before is plain text once the visitor has gone on. */
  closeChoices() {
    const { log } = this.panel || {};
    const { items } = this.chat.state;
    const last = items.map(({ from }) => from).lastIndexOf('visitor');
    const passed = last < 0 ? [] : items.slice(0, last).concat(log ? log.suggested : []);
    const open = passed.filter((item) => Array.isArray(item.choices) && item.choices.length && !item.closed);
    for (const item of open) {
      item.closed = true;
      if (log) log.change(item);
    }
  }

  /** Begins a new conversation here; the earlier one stays on the server until it expires. */
  reset() {
    this.chat.forget();
  }

  /** Deletes the conversation, on the server and here. Rejects, and keeps it, when the server cannot be reached. */
  async deleteChat() {
    await this.chat.remove();
    if (this.panel) this.panel.cleared('removed');
  }

  /** Returns the conversation as plain text. */
  exportTranscript() {
    return transcript(this.chat.state.items, this.say, this.server);
  }

  /** Quick exit: the page is covered before anything else is done. */
  leave() {
    leaveTo(this.exitUrl, this.root, this.say('leaving'));
    this.chat.abandon();
  }

  /** The page goes, perhaps into the back/forward cache; until `revive` what it holds may be out of date. */
  sleep() {
    this.asleep = true;
    this.chat.stop();
  }

  /** The page comes out of the back/forward cache: another page may have gone on with the conversation, or ended it. */
  async revive() {
    const { chat } = this;
    this.asleep = false;
    const resumed = await chat.resume();
    if (!resumed && chat.begun && chat.store.keep) chat.forget();
    if (this.panel) this.panel.composer.value = chat.state.draft;
    this.back();
  }

  /** The page is back: from sleep, from the back/forward cache, or on line. */
  async back() {
    this.tell();
    if (this.asleep || !this.chat.begun) return;
    this.chat.store.hold(this.chat.state.key);
    this.chat.save();
    this.chat.watch();
    await this.chat.catchUp();
  }

  carryOn() {
    this.chat.touch();
    this.chat.catchUp();
    this.panel.composer.input.focus();
  }

  waiting(count) {
    this.pending = count;
    clearTimeout(this.slow);
    if (this.panel) this.panel.composer.describe(this.chat.begun);
    if (count) this.slow = setTimeout(() => this.panel && this.panel.tell('slow'), SLOW);
    this.tell();
  }

  tell() {
    if (this.panel) this.panel.tell(!navigator.onLine ? 'offline' : this.pending ? 'waiting' : '');
  }

  event(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`abt-${name}`, { bubbles: true, composed: true, detail }));
  }
}
