/**
 * The conversation of this tab, in sessionStorage alone, and only once something was sent.
 *
 * A duplicated tab starts with a copy of the storage. `live` marks a copy whose owner may still be running;
 * it is taken off when a page leaves, so that a reload finds none. Where it stands, `taken` asks the other tabs.
 */
import { uuid } from './dom.js';

const ASK_MS = 300;

export class Store {
  /** `name` tells two servers on one site apart; `keep` false holds nothing beyond this page. */
  constructor(name, keep) {
    this.key = `abt-chat:${name}`;
    this.keep = keep;
    this.tab = uuid();
    this.held = null;
    this.channel = null;
  }

  /** Returns the stored state, or null. */
  load() {
    if (!this.keep) return null;
    try {
      const state = JSON.parse(sessionStorage.getItem(this.key));
      return state && state.version === 1 && Array.isArray(state.items) ? state : null;
    } catch {
      return null; // Blocked by the browser, or not ours.
    }
  }

  /** Stores `state`; where the storage is full or blocked the conversation lives in this page alone. */
  save(state, live = true) {
    if (!this.keep) return;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ ...state, live }));
    } catch {
      this.wipe();
    }
  }

  wipe() {
    try {
      sessionStorage.removeItem(this.key);
    } catch {
      // Blocked: then nothing was stored either.
    }
  }

  /** Answers other tabs that ask for the conversation `held`. */
  hold(held) {
    this.held = held;
    if (this.channel || !this.keep || !window.BroadcastChannel) return;
    this.channel = new BroadcastChannel('abt-chat');
    this.channel.onmessage = ({ data }) => {
      if (data.ask && data.ask === this.held && data.tab !== this.tab) this.channel.postMessage({ mine: this.held });
    };
  }

  /** Closes the channel: an open one would keep the page out of the back/forward cache. */
  release() {
    if (this.channel) this.channel.close();
    this.channel = null;
  }

  /** Resolves to whether another tab that is still running holds the conversation `id`. */
  taken(id) {
    if (!window.BroadcastChannel) return Promise.resolve(false);
    return new Promise((resolve) => {
      const channel = new BroadcastChannel('abt-chat');
      const done = (answer) => {
        channel.close();
        resolve(answer);
      };
      channel.onmessage = ({ data }) => data.mine === id && done(true);
      channel.postMessage({ ask: id, tab: this.tab });
      setTimeout(done, ASK_MS, false);
    });
  }
}
