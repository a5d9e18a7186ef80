/** The panel: header, menu, chat and urgent help. Builds it once, opens and closes it, and keeps the focus right. */
import { h, icon } from './dom.js';
import { services } from './message.js';
import { link } from './text.js';
import { SMALL, followViewport } from './viewport.js';

export class Panel {
  /** `act`: closed(), leave(), save(), remove(), help() -> Promise of the card; `context` is that of message.js. */
  constructor({ title, log, composer, context, act, exitUrl }) {
    const { say } = context;
    Object.assign(this, { log, composer, context, act });
    this.title = h('h2', { id: 'title', tabindex: '-1' }, title);
    this.status = h('p', { class: 'status', role: 'status' });
    this.idle = h('p', { class: 'idle', role: 'status' });
    this.chat = h('div', { class: 'chat' }, log.body, h('div', { class: 'foot' }, log.jump, this.idle, this.status), composer.node);
    this.sheet = h('div', { class: 'sheet', hidden: true, tabindex: '0', role: 'group', 'aria-labelledby': 'help' });
    this.menu = this.buildMenu();
    this.node = h('dialog', { class: 'panel', part: 'panel', id: 'panel', 'aria-labelledby': 'title', on: {
      cancel: (event) => { event.preventDefault(); this.escape(); },
      close: () => this.finish(),
      keydown: (event) => this.pressed(event),
    } },
    h('a', { class: 'early', href: exitUrl, rel: 'nofollow noreferrer', on: { click: (event) => { event.preventDefault(); act.leave(); } } }, say('leaveLink')),
    this.header(), this.menu, this.chat, this.sheet);
  }

  header() {
    const { say } = this.context;
    const button = (name, key, click, extra = {}) => h('button', { type: 'button', class: 'round', 'aria-label': say(key), title: say(key), on: { click }, ...extra }, icon(name));
    this.more = button('more', 'menu', () => this.toggleMenu(), { 'aria-expanded': 'false', 'aria-controls': 'menu' });
    this.helper = h('button', { type: 'button', class: 'pill urgent', part: 'help-button', on: { click: () => this.showHelp() } }, icon('help'), say('help'));
    return h('header', { part: 'header' },
      h('div', { class: 'heading' }, this.title, h('p', { class: 'subtitle' }, say('subtitle'))),
      h('div', { class: 'tools' }, this.more, button('close', 'close', () => this.close())),
      h('div', { class: 'bar' }, this.helper,
        h('button', { type: 'button', class: 'pill', part: 'leave', on: { click: () => this.act.leave() } }, icon('leave'), say('leave'))));
  }

  buildMenu() {
    const { say } = this.context;
    const entry = (key, click) => h('button', { type: 'button', class: 'entry', on: { click } }, say(key));
    const notice = h('p', { role: 'status' });
    this.ask = h('div', { class: 'ask', hidden: true },
      h('p', { id: 'ask' }, say('removeAsk')),
      h('div', { class: 'bar' },
        h('button', { type: 'button', class: 'pill', on: { click: () => this.toggleMenu(false) } }, say('removeNo')),
        h('button', { type: 'button', class: 'pill danger', 'aria-describedby': 'ask', on: { click: () => this.remove(notice) } }, say('removeYes'))),
      notice);
    this.entries = h('div', {},
      entry('save', () => { this.toggleMenu(false); this.act.save(); }),
      entry('remove', () => this.askRemove()));
    return h('div', { class: 'menu', id: 'menu', hidden: true }, this.entries, this.ask);
  }

  get isOpen() {
    return this.node.open;
  }

  /** Opens the panel: modal where it fills the window. `focus` false leaves the focus where it is, on a reload. */
  open(focus = true) {
    if (this.isOpen) return;
    this.stop = new AbortController();
    const small = matchMedia(SMALL);
    small.addEventListener('change', () => this.reshape(small.matches), { signal: this.stop.signal });
    this.show(small.matches);
    if (this.log.latest) this.log.toEnd();
    // On a phone the text area would bring the keyboard up over what there is to read.
    if (small.matches) this.title.focus();
    else if (focus) this.composer.input.focus();
  }

  show(modal) {
    const before = this.node.getRootNode().activeElement;
    const page = document.activeElement;
    if (modal) this.node.showModal();
    else {
      this.node.show(); // It focuses the first link of the panel.
      const back = before || page;
      if (back && back !== document.body) back.focus({ preventScroll: true });
      else this.node.getRootNode().activeElement?.blur();
    }
    this.node.setAttribute('aria-modal', modal);
    if (this.view) this.view.abort();
    this.view = new AbortController();
    if (modal) followViewport(this.node, this.view.signal);
    this.composer.fit();
  }

  /** The window became small or large: the same panel, opened the other way, the focus kept. */
  reshape(modal) {
    const focused = this.node.getRootNode().activeElement;
    // It was the on-screen keyboard: to close now would send it away, and the change would come back.
    if (focused === this.composer.input && matchMedia('(pointer: coarse)').matches) return;
    this.node.close();
    this.show(modal);
    if (focused) focused.focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    this.node.close();
    this.finish();
  }

  /** Tidies up once, however the panel was closed: by us, or by the browser (the back gesture of a phone). */
  finish() {
    if (this.isOpen || this.stop.signal.aborted) return; // Still open: only reshaped.
    this.stop.abort();
    this.view.abort();
    this.toggleMenu(false);
    this.hideHelp();
    this.act.closed();
  }

  pressed(event) {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.escape();
  }

  /** Escape goes back one step: the menu, the helplines, the panel. */
  escape() {
    if (!this.menu.hidden) this.toggleMenu(false);
    else if (!this.sheet.hidden) this.hideHelp();
    else this.close();
  }

  toggleMenu(show = this.menu.hidden) {
    const inside = this.menu.contains(this.node.getRootNode().activeElement);
    this.menu.hidden = !show;
    this.more.setAttribute('aria-expanded', show);
    this.entries.hidden = false;
    this.ask.hidden = true;
    this.ask.lastChild.textContent = '';
    if (!show && inside) this.more.focus();
  }

  askRemove() {
    this.entries.hidden = true;
    this.ask.hidden = false;
    this.ask.querySelector('button').focus();
  }

  async remove(notice) {
    notice.textContent = this.context.say('removing');
    try {
      await this.act.remove();
      this.toggleMenu(false);
      this.more.focus();
    } catch {
      notice.textContent = this.context.say('removeFailed');
    }
  }

  /** Shows the helplines at once from what the widget carries, then what the gateway knows of the hours. */
  async showHelp() {
    if (!this.sheet.hidden) return;
    this.toggleMenu(false);
    const shown = this.fillHelp(this.context.carried);
    this.chat.hidden = true;
    this.sheet.hidden = false;
    this.sheet.scrollTop = 0;
    shown.focus();
    const card = await this.act.help().catch(() => null);
    if (!card || this.sheet.hidden || !Array.isArray(card.services) || !card.services.length) return;
    const focused = this.sheet.contains(this.node.getRootNode().activeElement) && this.node.getRootNode().activeElement !== shown;
    if (!focused && this.sheet.scrollTop === 0) this.fillHelp(card).focus({ preventScroll: true });
  }

  fillHelp(card) {
    const { say, site } = this.context;
    const heading = h('h3', { id: 'help', tabindex: '-1' }, say('help'));
    this.sheet.replaceChildren(
      h('button', { type: 'button', class: 'pill', on: { click: () => this.hideHelp() } }, icon('back'), say('back')),
      heading,
      h('p', { class: 'lead' }, card.text || this.context.carried.text),
      services(card.services, this.context),
      h('h3', {}, say('helpContact')),
      h('ul', { class: 'links' },
        h('li', {}, link(say('search'), site.search, this.context, { class: 'action' })),
        h('li', {}, link(site.contact, `mailto:${site.contact}`, this.context, { class: 'action' }))));
    return heading;
  }

  hideHelp() {
    if (this.sheet.hidden) return;
    this.sheet.hidden = true;
    this.chat.hidden = false;
    this.helper.focus();
  }

  /** Says what goes on: `kind` is 'waiting', 'slow', 'offline' or '' for nothing. */
  tell(kind) {
    if (this.told === kind) return;
    this.told = kind;
    const dots = kind === 'waiting' ? [h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i'))] : [];
    this.status.replaceChildren(...dots, kind ? this.context.say(kind) : '');
  }

  /** Says why the conversation is gone; the draft goes with it. */
  cleared(kind) {
    this.composer.value = '';
    this.tell(kind);
  }

  /** Warns before the idle end; the button carries on. */
  warn(on, carryOn) {
    const { say } = this.context;
    if (on === this.idle.hasChildNodes()) return;
    this.idle.replaceChildren(...(on ? [say('idleWarning'), ' ', h('button', { type: 'button', class: 'retry', on: { click: carryOn } }, say('idleKeep'))] : []));
  }
}
