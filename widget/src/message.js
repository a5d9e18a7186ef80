/** How each kind of message looks. Returns nodes; the only text that is read for links is the assistant's. */
import { h, hidden, icon } from './dom.js';
import { blocks, link } from './text.js';

const FIRST = 4; // helplines that are shown at once

const list = (value) => (Array.isArray(value) ? value.filter((entry) => entry && typeof entry === 'object') : []);

/** Returns the node of an item. `context`: base, say, choose(item, choice), retry(item), help(), site. */
export function message(item, context) {
  if (item.from === 'visitor') return visitor(item, context);
  if (item.trouble) return trouble(context);
  if (item.from === 'note') return h('p', { class: 'note' }, item.text);
  return h('div', { class: 'message bot', part: 'message message-bot' },
    hidden(context.say('assistant')),
    item.text ? h('div', { class: 'bubble' }, blocks(item.text, context)) : null,
    BODIES[item.type] ? BODIES[item.type](item, context) : null,
    item.type !== 'choices' ? choices(item, context) : null);
}

const BODIES = {
  choices,
  links: (item, context) => h('ul', { class: 'links' }, list(item.links).map(({ label, url }) => h('li', {}, link(label, url, context, { class: 'action' })))),
  cards: (item, context) => h('ul', { class: 'cards' }, list(item.cards).map((entry) => card(entry, context))),
  helplines: (item, context) => services(item.services, context),
};

/**
 * Brings the node of `item` up to date, and returns what took the place of something that may have had the focus.
 * Only what changed is touched: a screen reader would read out again what is put into the log anew.
 */
export function update(node, item, context) {
  if (item.from === 'visitor') {
    node.className = `message visitor ${item.state}`;
    const old = node.querySelector('.failure');
    if (old) old.remove();
    if (item.state === 'failed') node.append(failure(item, context));
    return node;
  }
  const old = node.querySelector('.choices');
  if (!old) return node;
  const plain = choices(item, context);
  old.replaceWith(plain);
  return [...plain.children].find((entry) => entry.querySelector('svg')) || plain.firstChild;
}

function visitor(item, context) {
  return h('div', { class: `message visitor ${item.state}`, part: 'message message-visitor' },
    hidden(context.say('you')),
    h('div', { class: 'bubble' }, String(item.text).split('\n').flatMap((line, index) => (index ? [h('br'), line] : [line]))),
    item.state === 'failed' && failure(item, context));
}

/** Why a message was not sent, and the button that tries again. */
function failure(item, { say, retry }) {
  const reason = { 413: 'failedLong', 429: 'failedBusy' }[item.status] || (item.status || navigator.onLine ? 'failed' : 'failedOffline');
  return h('p', { class: 'failure' }, say(reason), ' ',
    item.status !== 413 && h('button', { type: 'button', class: 'retry', on: { click: () => retry(item) } }, say('retry')));
}

/** The line and the ways out when a message could not be sent. */
function trouble({ say, site, help, base }) {
  return h('div', { class: 'message bot trouble' },
    hidden(say('assistant')),
    h('div', { class: 'bubble' }, h('p', {}, say('trouble'))),
    h('ul', { class: 'links' },
      h('li', {}, link(say('search'), site.search, { base, say }, { class: 'action' })),
      h('li', {}, link(say('contact'), `mailto:${site.contact}`, { base, say }, { class: 'action' })),
      h('li', {}, h('button', { type: 'button', class: 'action urgent', on: { click: help } }, icon('help'), say('help')))));
}

/** Buttons while the question is open; plain text, with a tick at the one taken, once it is not. */
export function choices(item, { say, choose }) {
  const offered = list(item.choices);
  if (!offered.length) return null;
  if (item.closed) {
    return h('ul', { class: 'offered', 'aria-label': say('choices') }, offered.map(({ label }) => h('li', {},
      label === item.chosen && [icon('tick'), hidden(`${say('chosen')}: `)], String(label))));
  }
  return h('ul', { class: 'choices', 'aria-label': say('choices') }, offered.map((choice) => h('li', {},
    h('button', { type: 'button', class: 'choice', part: 'choice', on: { click: () => choose(item, choice) } }, String(choice.label)))));
}

function card({ name, title, town, distance, formats, audiences, languages, fee, register, accepting, url }, context) {
  const facts = [[title], [town, distance, ...[formats].flat()], [audiences, languages], [register, fee], [accepting]].map((group) => group.filter(Boolean).join(' · ')).filter(Boolean);
  return h('li', { class: 'card', part: 'card' },
    h('h3', {}, String(name)),
    facts.map((fact) => h('p', {}, fact)),
    url && link(context.say('profile'), url, context, { class: 'action', 'aria-label': `${context.say('profile')}: ${name} (${context.say('newTab')})` }));
}

/** The helplines: the first at once, the rest a press away; each way of reaching one is a link of its own. */
export function services(entries, context) {
  const all = list(entries).map((entry) => service(entry, context));
  const first = h('ul', { class: 'cards' }, all.splice(0, FIRST));
  if (!all.length) return first;
  return h('div', { class: 'cards' }, first,
    h('details', {}, h('summary', {}, context.say('moreServices', { count: all.length })), h('ul', { class: 'cards' }, all)));
}

function service({ name, call, sms, sms_body: body, email, web, hours, open, for: whom }, context) {
  const { say } = context;
  const way = (label, url) => h('li', {}, link(label, url, context, {
    class: /^(tel|sms)/.test(url) ? 'action main' : 'action', 'aria-label': `${label}: ${name}${/^http/.test(url) ? ` (${say('newTab')})` : ''}`,
  }));
  const dial = (number) => String(number).replace(/[^\d+]/g, '');
  const times = [hours, open === true ? say('openNow') : open === false ? say('closedNow') : null].filter(Boolean);
  return h('li', { class: 'card', part: 'card' },
    h('h3', {}, String(name)),
    whom && h('p', {}, say('for', { whom })),
    times.length > 0 && h('p', { class: 'hours' }, times.join(' · ')),
    h('ul', { class: 'links' },
      call && way(say('call', { to: call }), `tel:${dial(call)}`),
      // Apple wants the & and Android the ? before the text.
      sms && way(say(body ? 'smsBody' : 'sms', { body, to: sms }), `sms:${dial(sms)}${body ? `?&body=${encodeURIComponent(body)}` : ''}`),
      email && way(say('email'), `mailto:${email}`),
      web && way(say('web'), web)));
}
