/** The text area and its button: Enter sends, Shift+Enter makes a new line, and the draft is kept. */
import { h, icon } from './dom.js';

const LIMIT = 4000;

export class Composer {
  /** `send(text)` takes a message; `draft(text)` is told of every change. */
  constructor(say, send, draft) {
    Object.assign(this, { say, send, draft });
    this.input = h('textarea', { id: 'input', part: 'input', rows: '1', placeholder: say('placeholder'), enterkeyhint: 'send', on: {
      input: () => this.changed(),
      keydown: (event) => this.pressed(event),
    } });
    this.problem = h('span', { id: 'problem', role: 'status' });
    this.count = h('span', { 'aria-hidden': 'true' }); // Read out at every letter, it would drown the rest.
    this.node = h('form', { class: 'composer', part: 'composer', novalidate: true, on: { submit: (event) => this.submit(event) } },
      h('p', { class: 'problem' }, this.problem, ' ', this.count),
      h('div', { class: 'line' },
        h('label', { class: 'sr', for: 'input' }, say('input')),
        this.input,
        h('button', { class: 'submit', part: 'send', 'aria-label': say('send') }, icon('send'))));
  }

  /** Says to screen readers what belongs to the text area: before the first message, the notice too. */
  describe(begun) {
    this.input.setAttribute('aria-describedby', begun ? 'problem' : 'problem notice');
  }

  get value() {
    return this.input.value;
  }

  set value(text) {
    this.input.value = text;
    this.changed();
  }

  changed() {
    this.fit();
    const count = [...this.value.trim()].length;
    const long = count > LIMIT;
    this.count.textContent = long ? this.say('count', { count: count.toLocaleString('en-GB'), limit: LIMIT.toLocaleString('en-GB') }) : '';
    if (long !== !!this.problem.textContent) this.problem.textContent = long ? this.say('tooLong') : '';
    this.input.setAttribute('aria-invalid', long);
    this.draft(this.value);
  }

  /** Grows with the text; the style sheet sets the most. */
  fit() {
    this.input.style.height = 'auto';
    if (!this.value) return; // A placeholder that wraps does not count.
    this.input.style.height = `${this.input.scrollHeight + this.input.offsetHeight - this.input.clientHeight}px`;
  }

  pressed(event) {
    // While an input method composes, Enter belongs to it; Safari reports the closing one as key 229.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    this.submit(event);
  }

  submit(event) {
    event.preventDefault();
    const text = this.value.trim();
    if (!text || [...text].length > LIMIT) {
      this.input.focus();
      return;
    }
    this.value = '';
    this.send(text);
  }
}
