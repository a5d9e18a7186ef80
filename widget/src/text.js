/** The small subset of formatting that a reply may use: paragraphs, lists and links, built as DOM nodes. */
import { h, hidden, icon, safeUrl } from './dom.js';

// A labelled link, a bare address, or an e-mail address. Every part is bounded, so that no text takes long to read.
const LINK = /\[([^[\]\n]{1,200})\]\(([^\s()]{1,2000})\)|(https?:\/\/[^\s<>"]{1,2000})|([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})/gi;
const ITEM = /^\s{0,3}(?:[-*•]|(\d{1,3})[.)])\s+/;

/** Returns a link that opens `url`, or the label as text when its scheme is not allowed. */
export function link(label, url, { base, say }, props = {}) {
  const href = safeUrl(url, base);
  if (!href) return String(label);
  if (!/^https?:/.test(href)) return h('a', { href, ...props }, label);
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer', ...props },
    label, icon('out'), hidden(` (${say('newTab')})`));
}

/** Returns the nodes of one line, its links made. */
function inline(line, context) {
  const nodes = [];
  let end = 0;
  for (const match of line.matchAll(LINK)) {
    const [whole, label, target, address, mail] = match;
    const bare = address && address.replace(/[.,;:!?)\]'’]+$/, '');
    nodes.push(line.slice(end, match.index),
      label ? (safeUrl(target, context.base) ? link(label, target, context) : whole)
        : bare ? link(bare, bare, context) : link(mail, `mailto:${mail}`, context));
    end = match.index + (bare || whole).length;
  }
  nodes.push(line.slice(end));
  return nodes;
}

/** Returns the blocks of `text`: paragraphs (lines kept), bulleted and numbered lists. */
export function blocks(text, context) {
  const out = [];
  let block = null;
  for (const line of String(text).split(/\r?\n/)) {
    const item = ITEM.exec(line);
    const kind = !line.trim() ? null : !item ? 'p' : item[1] ? 'ol' : 'ul';
    if (!kind) block = null;
    else if (!block || block.localName !== kind) {
      block = h(kind, item && item[1] > 1 ? { start: item[1] } : {});
      out.push(block);
    }
    if (kind === 'p') block.append(...(block.hasChildNodes() ? [h('br')] : []), ...inline(line, context));
    else if (kind) block.append(h('li', {}, inline(line.slice(item[0].length), context)));
  }
  return out;
}
