/** Building blocks of the page. Strings become text nodes: nothing here ever parses markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** Returns an element. `props` are attributes (true: empty, false or null: absent), and `on` holds listeners. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === 'on') for (const type of Object.keys(value)) node.addEventListener(type, value[type]);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

/** Returns text for screen readers only. */
export const hidden = (text) => h('span', { class: 'sr' }, text);

const PATHS = {
  chat: 'M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.500v7a2.5 2.5 0 0 1-2.5 2.500H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.500zM8.5 8.500h7M8.5 11.500h4',
  close: 'M6.5 6.500l11 11M17.5 6.500l-11 11',
  more: 'M12 6h.01M12 12h.01M12 18h.01',
  help: 'M12 20.500S4 15.8 4 9.900A4.4 4.4 0 0 1 12 7.300a4.4 4.4 0 0 1 8 2.600c0 5.9-8 10.6-8 10.600z',
  leave: 'M10 4.500H6.500a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2H10M14.5 8l4 4-4 4M18.5 12H9.5',
  send: 'M12 19V5.500M6 11l6-6 6 6',
  back: 'M19 12H5.500M11 6l-6 6 6 6',
  yes: 'M7.5 11v8.500H5a1 1 0 0 1-1-1V12a1 1 0 0 1 1-1zl3.6-6.600a2 2 0 0 1 2 2.300L12.5 9.500H18a2 2 0 0 1 1.95 2.450l-1.3 6a2 2 0 0 1-1.95 1.550H7.5',
  no: 'M7.5 13V4.500H5a1 1 0 0 0-1 1V12a1 1 0 0 0 1 1zl3.6 6.600a2 2 0 0 0 2-2.300L12.5 14.500H18a2 2 0 0 0 1.95-2.450l-1.3-6A2 2 0 0 0 16.7 4.500H7.5',
  out: 'M13.5 5H19v5.500M19 5l-8 8M10 6H6.500A1.5 1.5 0 0 0 5 7.500v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.500V14',
  tick: 'M5.5 12.500l4.5 4.5 8.5-9.5',
};

/** Returns a decorative icon of `PATHS`, drawn in the colour of the text around it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** Returns `url` made absolute against `base` when its scheme is one the widget opens, else null. */
export function safeUrl(url, base) {
  try {
    const { href, protocol } = new URL(url, base);
    return /^(https?|tel|sms|mailto):$/.test(protocol) ? href : null;
  } catch {
    return null;
  }
}

/** Returns a random UUID; crypto.randomUUID is missing on plain http. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
