/** The transcript: a scrolling region with a live log of whole messages, and the rating under the latest answer. */
import { h, icon } from './dom.js';
import { choices, message, update } from './message.js';

const NEAR = 48;   // px from the end that still count as being at the end
const ROOM = 12;   // px left above the message that is scrolled to

export class Log {
  /** `context` is that of message.js, with rate(item, helpful) and suggestions. */
  constructor(context) {
    const { say } = context;
    this.context = context;
    this.nodes = new Map();
    this.follow = true;
    this.last = 0;
    this.intro = h('div', { class: 'intro' });
    this.live = h('div', { class: 'messages', role: 'log', 'aria-label': say('messages') });
    this.rating = h('div', { class: 'rating' });
    this.jump = h('button', { type: 'button', class: 'jump', hidden: true, on: { click: () => this.toEnd() } }, say('latest'));
    this.body = h('div', { class: 'scroll', part: 'body', role: 'group', 'aria-label': say('conversation'), tabindex: '0', on: { scroll: () => this.scrolled() } },
      this.intro, this.live, this.rating);
    this.greet();
  }

  /** The element that scrolls: the transcript, or in a very low window the whole panel. */
  get scroller() {
    const panel = this.body.closest('.panel');
    return panel && panel.classList.contains('low') ? panel : this.body;
  }

  /** What stands before the first message. */
  greet() {
    const { say, site, notice, privacyUrl } = this.context;
    const privacy = privacyUrl && h('a', { href: privacyUrl, target: '_blank', rel: 'noopener noreferrer' }, say('privacy'), icon('out'));
    this.suggested = { choices: say('suggestions').map((label) => ({ label })), closed: false };
    const offer = choices(this.suggested, this.context);
    offer.setAttribute('aria-label', say('suggestionsLabel'));
    this.intro.replaceChildren(
      h('div', { class: 'message bot' }, h('div', { class: 'bubble' }, h('p', {}, say('welcome')))),
      h('div', { class: 'notice', id: 'notice' },
        h('h3', {}, say('noticeHeading')),
        h('p', {}, notice),
        h('p', {}, say('leaveNote')),
        privacy && h('p', {}, privacy)),
      offer);
  }

  /** Makes changes to the log that are not to be read out. */
  quietly(change) {
    this.live.setAttribute('aria-live', 'off');
    change();
    requestAnimationFrame(() => this.live.removeAttribute('aria-live'));
  }

  /** Shows `items` in place of what is there. */
  show(items) {
    this.nodes.clear();
    this.live.replaceChildren();
    this.rating.replaceChildren();
    this.latest = this.asked = this.answer = null;
    this.jump.hidden = true;
    this.greet();
    this.quietly(() => items.forEach((item) => this.add(item)));
  }

  add(item) {
    const node = message(item, this.context);
    const scroller = this.scroller;
    if (item.from === 'visitor') {
      this.follow = true;
      this.asked = node;
      this.answer = null;
    } else if (!this.answer) {
      this.answer = node;
    }
    this.nodes.set(item.id, node);
    this.live.append(node);
    this.latest = item;
    this.rate(item);
    if (item.from === 'visitor') this.toEnd();
    else if (this.follow) this.scrollTo(this.target(scroller));
    else this.jump.hidden = false;
  }

  /** Puts a visitor's message that is sent again at the end. */
  move(item) {
    const node = this.nodes.get(item.id);
    const focused = this.holdsFocus(node);
    this.live.append(node);
    this.asked = node;
    this.answer = null;
    this.latest = item;
    this.rate(item);
    if (focused) this.focus(node);
    this.toEnd();
  }

  /** Draws `item` anew. Where a used button had the focus, the text in its place takes it, so that Tab goes on from there. */
  change(item) {
    const node = item === this.suggested ? this.intro : this.nodes.get(item.id);
    if (!node) return;
    const focused = this.holdsFocus(node);
    const place = { at: node };
    const draw = () => { place.at = update(node, item, this.context); };
    if (item.from === 'visitor') draw(); // That a message was not sent is to be heard.
    else this.quietly(draw);
    if (focused) this.focus(place.at);
    if (item === this.latest) this.rate(item);
  }

  holdsFocus(node) {
    return node.contains(node.getRootNode().activeElement);
  }

  focus(node) {
    node.tabIndex = -1;
    node.focus({ preventScroll: true });
  }

  drop(item) {
    const node = this.nodes.get(item.id);
    this.nodes.delete(item.id);
    if (node) node.remove();
  }

  /** Puts the question under the latest answer, or takes it away. Helplines and the widget's own lines are not rated. */
  rate(item) {
    const { say, rate } = this.context;
    const fits = item.from === 'bot' && !item.local && item.type !== 'helplines';
    if (!fits || item.rated) {
      this.rating.replaceChildren(...(fits ? [h('p', { tabindex: '-1' }, say('rated'))] : []));
      return;
    }
    const button = (helpful, key) => h('button', { type: 'button', class: 'round', 'aria-label': say(key), on: { click: () => vote(helpful) } }, icon(helpful ? 'yes' : 'no'));
    const failure = h('p', { role: 'alert' });
    const vote = async (helpful) => {
      try {
        await rate(item, helpful);
        if (this.latest === item) this.rate(item);
        if (this.latest === item) this.rating.firstChild.focus({ preventScroll: true });
      } catch {
        failure.textContent = say('rateFailed');
      }
    };
    this.rating.replaceChildren(h('div', { role: 'group', 'aria-labelledby': 'rate', class: 'rate' }, h('span', { id: 'rate' }, say('rate')), button(true, 'rateYes'), button(false, 'rateNo')), failure);
  }

  /** Where to scroll for an answer: its beginning, with as much of the question above it as leaves it room. */
  target(scroller) {
    const top = (node) => node.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
    const answer = top(this.answer);
    return Math.max(this.asked ? top(this.asked) : 0, answer - scroller.clientHeight / 3) - ROOM;
  }

  toEnd() {
    this.jump.hidden = true;
    this.follow = true;
    this.scrollTo(this.scroller.scrollHeight);
  }

  scrollTo(top) {
    this.scroller.scrollTop = top;
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.body;
    if (scrollHeight - scrollTop - clientHeight < NEAR) {
      this.follow = true;
      this.jump.hidden = true;
    } else if (scrollTop < this.last) this.follow = false;
    this.last = scrollTop;
  }
}
