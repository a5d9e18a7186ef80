/** Leaving quickly. The pattern is GOV.UK's "exit this page": a button, a link, and Shift three times. */
import { h } from './dom.js';

const PRESSES = 3;
const WITHIN = 5000;

/** Calls `leave` on the third lone press of Shift, none more than five seconds after the one before. */
export function onShift(leave, signal) {
  let count = 0;
  let last = 0;
  let alone = false;
  document.addEventListener('keydown', (event) => {
    alone = event.key === 'Shift' && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (!alone) count = 0;
  }, { signal, capture: true });
  document.addEventListener('keyup', (event) => {
    if (event.key !== 'Shift' || !alone) return;
    alone = false;
    count = event.timeStamp - last < WITHIN ? count + 1 : 1;
    last = event.timeStamp;
    if (count === PRESSES) leave();
  }, { signal, capture: true });
}

/** Covers the page in white, whatever lies on it, and goes to `url` in its place. */
export function leaveTo(url, root, text) {
  const veil = h('dialog', { class: 'veil', 'aria-label': text });
  root.append(veil);
  veil.showModal();
  document.title = text;
  location.replace(url);
}
