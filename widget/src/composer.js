/** The text area and its button: Enter sends, Shift+Enter makes a new line, and the draft is kept. */
import { h, icon } from './dom.js';

const LIMIT = 4000;

export class Composer {
  /** `send(text)` takes a message; `draft(text)` is told of every change. */
  constructor(say, send, draft) {
    Object.assign(this, { say, send, draft });
    this.input = h('textarea', { id: 'input', part: 'input', rows: '1', placeholder: say('placeholder'), 'aria-describedby': 'count notice', enterkeyhint: 'send', on: {
      input: () => this.changed(),
      keydown: (event) => this.pressed(event),
    } });
    this.problem = h('p', { id: 'count', class: 'problem', role: 'status' });
    this.node = h('form', { class: 'composer', part: 'composer', novalidate: true, on: { submit: (event) => this.submit(event) } },
      this.problem,
      h('label', { class: 'sr', for: 'input' }, say('input')),
      this.input,
      h('button', { class: 'submit', part: 'send', 'aria-label': say('send') }, icon('send')));
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
    this.problem.textContent = long ? this.say('tooLong', { count: count.toLocaleString('en-GB'), limit: LIMIT.toLocaleString('en-GB') }) : '';
    this.input.setAttribute('aria-invalid', long);
    this.draft(this.value);
  }

  /** Grows with the text; the style sheet sets the most. */
  fit() {
    this.input.style.height = 'auto';
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
