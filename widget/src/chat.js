/** One conversation: its state, what is sent and received, and its end. It knows nothing of how it looks. */
import { call } from './api.js';
import { uuid } from './dom.js';
import { IDLE, Idle } from './idle.js';

const PAUSES = [1000, 3000];      // Before the second and the third try, where the answer names no time.
const PATIENCE = 6000;            // A longer Retry-After is left to the visitor,
const ENOUGH = 20000;             // and so is the next try after this long.
const KEPT = 500;                 // Items that the storage holds.

/**
 * `ui` is told of all that happens: show(items) in place of what is there, add(item), change(item), move(item) to the end,
 * drop(item), waiting(count), idle(warn), ended(), and event(name, detail).
 * An item is {id, from: 'visitor' | 'bot' | 'note', text, …}; a visitor's has `state`: sending, sent or failed.
 */
export class Chat {
  constructor({ server, store, ui, say }) {
    Object.assign(this, { server, store, ui, say });
    this.idle = new Idle({ warn: (on) => ui.idle(on), ends: () => this.expire() });
    this.fresh();
  }

  fresh() {
    if (this.flight) this.flight.abort();
    this.flight = new AbortController();
    this.opening = null;
    this.idle.stop();
    this.state = { version: 1, key: uuid(), token: null, cursor: 0, items: [], touched: Date.now(), draft: '', open: false };
  }

  /** Whether the visitor has sent anything; before that nothing is stored. */
  get begun() {
    return this.state.items.some((item) => item.from === 'visitor');
  }

  /** Takes up the stored conversation, if there is one of this tab that has not ended. Resolves to whether it did. */
  async resume() {
    const { begun } = this;
    const found = this.store.load();
    if (!found) return false;
    if (Date.now() - found.touched > IDLE) {
      this.store.wipe();
      return false;
    }
    if (found.live && await this.store.taken(found.key)) {
      this.store.wipe();
      this.note('copied');
      return false;
    }
    if (!begun && this.begun) return false; // The visitor was quicker than the other tabs' silence.
    this.fresh();
    this.state = found;
    this.store.hold(found.key);
    this.save();
    this.watch();
    this.ui.show(found.items);
    this.count();
    found.items.filter((item) => item.state === 'sending').forEach((item) => this.deliver(item));
    return true;
  }

  /** Stores the state, once there is a conversation. `live` false: the page is leaving. */
  save(live = true) {
    if (this.begun) this.store.save({ ...this.state, items: this.state.items.slice(-KEPT) }, live);
  }

  keepDraft(draft) {
    this.state.draft = draft;
    this.save();
  }

  /** Sends a message: {text}, or {text: label, choice: token} for a button. */
  send({ text, choice }) {
    const item = { id: uuid(), from: 'visitor', text, choice, state: 'sending' };
    this.store.hold(this.state.key);
    this.add(item);
    this.ui.event('sent', { id: item.id });
    return this.deliver(item);
  }

  /** Sends a failed message once more, as the latest of the conversation. */
  retry(item) {
    this.state.items = this.state.items.filter((other) => other !== item).concat(item);
    this.ui.move(item);
    return this.deliver(item);
  }

  /** Posts `item` until it is answered, refused for good, or the tries are used up. The id stays the same. */
  async deliver(item) {
    const { signal } = this.flight;
    const began = Date.now();
    this.mark(item, 'sending');
    for (let tries = 0; ; tries += 1) {
      try {
        const sent = item.choice ? { choice: item.choice } : { text: item.text };
        const answer = await this.call('POST', '/api/messages', { id: item.id, ...sent });
        if (signal.aborted) return false;
        this.mark(item, 'sent');
        this.receive(answer);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        const pause = this.pauseAfter(error, item, tries, Date.now() - began);
        if (pause === null) return this.fail(item, error);
        await new Promise((resolve) => setTimeout(resolve, pause));
        if (signal.aborted) return false;
      }
    }
  }

  /** Returns the ms to wait before the next try, or null when there is none. */
  pauseAfter({ status, wait }, item, tries, elapsed) {
    if (tries >= PAUSES.length || elapsed > ENOUGH) return null;
    if (status === 401) return this.renew(item);
    if (status === 404 && item.choice) {
      delete item.choice; // Unknown to the gateway; the label says the same.
      return 0;
    }
    const most = status >= 500 ? 1 : PAUSES.length;
    const passing = !status || status >= 500 || status === 429;
    if (!passing || tries >= most || !navigator.onLine || wait > PATIENCE) return null;
    return wait || PAUSES[tries];
  }

  /** The conversation has ended on the server: the message at hand begins a new one. */
  renew(item) {
    if (this.state.token) {
      this.state.token = null;
      this.state.cursor = 0;
      this.note('newChat');
      this.ui.event('expired');
    }
    delete item.choice; // A choice belongs to the conversation that offered it; its label is sent as text.
    return 0;
  }

  fail(item, { status, body }) {
    this.drop((other) => other.trouble);
    this.mark(item, 'failed', status);
    if (status !== 413) this.add({ id: uuid(), from: 'note', trouble: true });
    if (body.help) this.add({ ...body.help, id: uuid(), from: 'bot', local: true });
    this.ui.event('error', { status, id: item.id });
    return false;
  }

  /** Opens the session where there is none (once, whoever asks), calls, and keeps the token that comes back. */
  async call(method, path, body) {
    const { signal } = this.flight;
    if (!this.state.token) {
      this.opening = this.opening || call(this.server, 'POST', '/api/session', { body: {}, signal });
      try {
        this.keep(await this.opening, signal);
      } finally {
        this.opening = null;
      }
    }
    const answer = await call(this.server, method, path, { token: this.state.token, body, signal });
    this.keep(answer, signal);
    return answer;
  }

  keep({ token }, signal) {
    if (!token || signal.aborted) return;
    this.state.token = token;
    this.save(); // At once: a reload that loses it would send the message into a second conversation.
  }

  /** Takes what the gateway said and is not here yet. `ended`: it has just deleted the conversation at the visitor's wish. */
  receive({ messages, cursor, ended }) {
    if (ended) this.forget();
    const known = new Set(this.state.items.map((item) => item.id));
    const fresh = (Array.isArray(messages) ? messages : []).filter((item) => item && item.from === 'bot' && !known.has(item.id));
    if (fresh.length) this.drop((item) => item.trouble);
    // Replies may overtake each other, and a crisis reply may come without a place in the order.
    this.state.cursor = Math.max(this.state.cursor, parseInt(cursor, 10) || 0);
    fresh.forEach((item) => this.add(ended ? { ...item, local: true } : item)); // A farewell is not rated.
    if (fresh.length) this.ui.event('received', { count: fresh.length });
    if (ended) this.ui.event('deleted');
  }

  /** Asks for what came while the page was away, and sends what could not be sent. Quiet when it fails. */
  async catchUp() {
    this.state.items.filter((item) => item.state === 'failed' && !item.status).forEach((item) => this.retry(item));
    if (!this.state.token || this.state.items.some((item) => item.state === 'sending')) return;
    const { signal } = this.flight;
    try {
      for (let before = -1; before < this.state.cursor && !signal.aborted;) { // A long absence comes in several pages.
        before = this.state.cursor;
        this.receive(await this.call('GET', `/api/messages?after=${before}`));
      }
    } catch {
      // The next message says whether the conversation is still there.
    }
  }

  async rate(item, helpful) {
    await this.call('POST', '/api/feedback', { message: item.id, helpful });
    item.rated = true;
    this.save();
  }

  /** Deletes the conversation on the server, then here. Throws ApiError, and keeps it, when the server did not do it. */
  async remove() {
    const { token } = this.state;
    if (token) {
      await call(this.server, 'DELETE', '/api/session', { token }).catch((error) => {
        if (error.status !== 401 && error.status !== 404) throw error; // Those two: it is gone already.
      });
    }
    this.forget();
    this.ui.event('deleted');
  }

  /** Clears the conversation here. */
  forget() {
    this.fresh();
    this.store.wipe();
    this.store.held = null;
    this.ui.idle(false);
    this.ui.show([]);
    this.count();
  }

  /** Deletes without waiting for the answer: the page is about to go. */
  abandon() {
    const { token } = this.state;
    this.forget();
    if (token) call(this.server, 'DELETE', '/api/session', { token, keepalive: true }).catch(() => {});
  }

  /** Shows a line of the widget's own; it is stored with the conversation that it belongs to. */
  note(key) {
    this.add({ id: uuid(), from: 'note', text: this.say(key) });
  }

  add(item) {
    this.state.items.push(item);
    this.ui.add(item);
    this.touch();
    this.save();
  }

  mark(item, state, status = 0) {
    item.state = state;
    item.status = status;
    this.ui.change(item);
    this.count();
    this.save();
  }

  drop(test) {
    this.state.items.filter(test).forEach((item) => this.ui.drop(item));
    this.state.items = this.state.items.filter((item) => !test(item));
  }

  count() {
    this.ui.waiting(this.state.items.filter((item) => item.state === 'sending').length);
  }

  /** The visitor is there: the idle time begins anew. */
  touch() {
    this.state.touched = Date.now();
    this.watch();
  }

  watch() {
    if (this.begun) this.idle.watch(this.state.touched);
  }

  expire() {
    this.forget();
    this.ui.ended();
    this.ui.event('expired');
  }

  /** The page or the element goes; `resume` takes the conversation up again. */
  stop() {
    this.save(false);
    this.idle.stop();
    this.store.release();
  }
}
