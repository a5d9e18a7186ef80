/** The end of a conversation in which nothing happens, so that a chat does not stay on a shared screen. */

const MINUTE = 60000;
export const IDLE = 30 * MINUTE;
const WARN = 28 * MINUTE;

/** Calls warn(true) two minutes before `ends()`, and warn(false) when the visitor is there again. */
export class Idle {
  constructor({ warn, ends }) {
    Object.assign(this, { warn, ends });
  }

  /** Counts from `touched` (ms since 1970). Called again when a page wakes up: its timers stood still while it slept. */
  watch(touched) {
    this.stop();
    const idle = Date.now() - touched;
    if (idle >= IDLE) {
      this.ends();
      return;
    }
    this.warn(idle >= WARN);
    this.timer = setTimeout(() => this.watch(touched), (idle < WARN ? WARN : IDLE) - idle);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
